import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { CALLERS_NAMES, firstOf, limitSchema, told } from '../answer.ts';
import { READING } from './answer.ts';

export const listParkedCalls = defineTool({
  ...READING,
  name: 'asterisk_list_parked_calls',
  title: 'List parked calls',
  description:
    'Lists the calls that are parked, with the space to dial to take each, and for how long. offered is false where the server has no parking.',
  input: z.strictObject({ limit: limitSchema }),
  output: z.object({
    offered: z.boolean(),
    parked: z.array(
      z.object({
        lot: z.string(),
        space: z.string(),
        channel: z.string(),
        callerNumber: z.string().nullable(),
        callerName: z.string().nullable(),
        parkedSeconds: z.number(),
        timeoutSeconds: z.number(),
      }),
    ),
    total: z.number(),
    caution: z.string(),
    next: z.string(),
  }),
  async handler({ limit }, { asterisk }) {
    const found = await asterisk().parkedCalls();
    const { shown, total, rest } = firstOf(found ?? [], limit);
    const sentence =
      found === null ? 'This server has no parking.' : total === 0 ? 'No call is parked.' : `${total} parked.${rest}`;
    return told(
      { offered: found !== null, parked: shown, total, caution: CALLERS_NAMES },
      sentence,
      'Dialling the space on a telephone takes the call.',
    );
  },
});
