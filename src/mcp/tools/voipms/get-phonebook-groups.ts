import { z } from 'zod';
import type { PhonebookGroup } from '../../../pbx/voipms/operations.ts';
import { pageCursorSchema } from '../../facts.ts';
import { pageOf } from '../../pages.ts';
import { defineTool } from '../../tool.ts';
import { limitSchema, told } from '../answer.ts';
import { BLOCKS_NOTHING, READING } from './answer.ts';

/** One group fits into an answer, whatever its size. */
const MOST_MEMBERS = 100;

const groupFacts = z.object({
  id: z.string(),
  name: z.string(),
  members: z.array(z.string()).describe(`Ids of entries, at most ${MOST_MEMBERS} of them.`),
  membersTotal: z.number(),
});

function shortGroup({ members, ...group }: PhonebookGroup): z.output<typeof groupFacts> {
  return { ...group, members: members.slice(0, MOST_MEMBERS), membersTotal: members.length };
}

export const getPhonebookGroups = defineTool({
  ...READING,
  name: 'voipms_get_phonebook_groups',
  title: 'List phonebook groups',
  description: `Lists the groups of the VoIP.ms phonebook with the ids of their members. ${BLOCKS_NOTHING}`,
  input: z.strictObject({
    name: z.string().min(1).max(60).optional().describe('Only groups of this name.'),
    limit: limitSchema,
    cursor: pageCursorSchema,
  }),
  output: z.object({
    groups: z.array(groupFacts),
    total: z.number(),
    cursor: z.string().nullable(),
    next: z.string(),
  }),
  async handler({ name, limit, cursor }, { voipms }) {
    const groups = (await voipms().phonebookGroups(name)).map(shortGroup);
    const page = pageOf(groups, limit, cursor);
    const next = `${page.next} voipms_get_phonebook_entries with a group shows its members.`;
    return told({ groups: page.shown, total: groups.length, cursor: page.cursor }, `${groups.length} groups.`, next);
  },
});
