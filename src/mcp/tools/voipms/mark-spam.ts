/** Into the spam group, and out of it. */
import { z } from 'zod';
import { masked, short } from '../../audit.ts';
import { defineTool } from '../../tool.ts';
import { ENDS } from '../answer.ts';
import { BLOCKS_NOTHING, CHANGING, dryRunSchema, groupSchema, numberSchema, toldChange } from './answer.ts';

const which = { number: numberSchema, group: groupSchema.optional().describe('Id or name; Spam without it.') };

export const markNumberAsSpam = defineTool({
  ...CHANGING,
  name: 'voipms_mark_number_as_spam',
  title: 'Mark a number as spam',
  description: `Puts a number into the spam group of the VoIP.ms phonebook. ${BLOCKS_NOTHING} block also makes a caller ID filter that hangs up on exactly this number. Without dry_run=false it only shows the calls that it would make.`,
  annotations: ENDS,
  input: z.strictObject({
    ...which,
    createGroup: z.boolean().default(false).describe('Make the group where there is none.'),
    block: z.boolean().default(false).describe('Hang up on its calls from now on.'),
    dry_run: dryRunSchema,
  }),
  audited: ({ number, group, createGroup, block, dry_run }) =>
    dry_run === false
      ? { number: masked(number), group: short(group), createGroup: createGroup === true, block: block === true }
      : null,
  handler: async ({ dry_run: dryRun, ...request }, { voipms }) =>
    toldChange(await voipms().markAsSpam({ ...request, dryRun })),
});

export const unmarkNumberAsSpam = defineTool({
  ...CHANGING,
  name: 'voipms_unmark_number_as_spam',
  title: 'Unmark a number as spam',
  description: `Takes a number out of the spam group of the VoIP.ms phonebook; its entry stays. unblock also deletes the caller ID filter of exactly this number, never one of a pattern. ${BLOCKS_NOTHING} Without dry_run=false it only shows the calls that it would make.`,
  annotations: ENDS,
  input: z.strictObject({
    ...which,
    unblock: z.boolean().default(false).describe('Also let its calls through again.'),
    dry_run: dryRunSchema,
  }),
  audited: ({ number, group, unblock, dry_run }) =>
    dry_run === false ? { number: masked(number), group: short(group), unblock: unblock === true } : null,
  handler: async ({ dry_run: dryRun, ...request }, { voipms }) =>
    toldChange(await voipms().unmarkAsSpam({ ...request, dryRun })),
});
