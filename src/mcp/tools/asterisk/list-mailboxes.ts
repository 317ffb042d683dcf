import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { firstOf, limitSchema, told } from '../answer.ts';
import { READING } from './answer.ts';

export const listMailboxes = defineTool({
  ...READING,
  name: 'asterisk_list_mailboxes',
  title: 'Count voicemail',
  description:
    'Tells how many new and old voicemail messages are in one mailbox, or in all of them. Not what they say. offered is false where the server has no voicemail.',
  input: z.strictObject({
    mailbox: z.string().min(1).max(81).optional().describe('Such as 1001@default; all without it.'),
    limit: limitSchema,
  }),
  output: z.object({
    offered: z.boolean(),
    mailboxes: z.array(
      z.object({
        mailbox: z.string(),
        name: z.string().nullable(),
        newMessages: z.number(),
        oldMessages: z.number(),
        urgentMessages: z.number().nullable(),
      }),
    ),
    total: z.number(),
    next: z.string(),
  }),
  async handler({ mailbox, limit }, { asterisk }) {
    const found = await asterisk().mailboxes(mailbox);
    const { shown, total, rest } = firstOf(found ?? [], limit);
    const sentence = found === null ? 'This server has no voicemail.' : `${total} mailboxes.${rest}`;
    return told(
      { offered: found !== null, mailboxes: shown, total },
      sentence,
      'Its owner listens to it by telephone.',
    );
  },
});
