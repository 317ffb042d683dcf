/** Into a group of the phonebook, and out of it. */
import { z } from 'zod';
import { masked, short } from '../../audit.ts';
import { defineTool } from '../../tool.ts';
import { SETS } from '../answer.ts';
import { BLOCKS_NOTHING, CHANGING, dryRunSchema, groupSchema, numberSchema, toldChange } from './answer.ts';

const which = { number: numberSchema, group: groupSchema, dry_run: dryRunSchema };

const audited = ({ number, group, dry_run }: Readonly<Record<string, unknown>>) =>
  dry_run === false ? { number: masked(number), group: short(group) } : null;

export const addNumberToPhonebookGroup = defineTool({
  ...CHANGING,
  name: 'voipms_add_number_to_phonebook_group',
  title: 'Add a number to a phonebook group',
  description: `Puts a number into a group of the VoIP.ms phonebook: its entry where there is one, else a new entry. Others in the group stay, and nothing is done twice. Without dry_run=false it only shows the calls that it would make. ${BLOCKS_NOTHING}`,
  annotations: SETS,
  input: z.strictObject({
    ...which,
    name: z.string().min(1).max(60).optional().describe('Of a new entry: letters, digits and spaces.'),
  }),
  audited,
  handler: async ({ number, group, name, dry_run: dryRun }, { voipms }) =>
    toldChange(await voipms().addToGroup({ number, group, name, dryRun })),
});

export const removeNumberFromPhonebookGroup = defineTool({
  ...CHANGING,
  name: 'voipms_remove_number_from_phonebook_group',
  title: 'Remove a number from a phonebook group',
  description: `Takes a number out of a group of the VoIP.ms phonebook; its entries stay in the phonebook, and others stay in the group. Without dry_run=false it only shows the calls that it would make. ${BLOCKS_NOTHING}`,
  annotations: SETS,
  input: z.strictObject(which),
  audited,
  handler: async ({ number, group, dry_run: dryRun }, { voipms }) =>
    toldChange(await voipms().removeFromGroup({ number, group, dryRun })),
});
