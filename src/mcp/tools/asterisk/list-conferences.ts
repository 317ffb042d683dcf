import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { firstOf, limitSchema, told } from '../answer.ts';
import { READING } from './answer.ts';

export const listConferences = defineTool({
  ...READING,
  name: 'asterisk_list_conferences',
  title: 'List conferences',
  description:
    'Lists the conferences that are under way on the office telephone system, with how many are in each and whether it is locked. One that nobody is in does not exist.',
  input: z.strictObject({ limit: limitSchema }),
  output: z.object({
    conferences: z.array(
      z.object({
        conference: z.string(),
        participants: z.number(),
        marked: z.number(),
        locked: z.boolean(),
        muted: z.boolean(),
      }),
    ),
    total: z.number(),
    next: z.string(),
  }),
  async handler({ limit }, { asterisk }) {
    const { shown, total, rest } = firstOf(await asterisk().conferences(), limit);
    const sentence = total === 0 ? 'No conference is under way.' : `${total} under way.${rest}`;
    return told({ conferences: shown, total }, sentence, 'Use asterisk_list_participants to see who is in one.');
  },
});
