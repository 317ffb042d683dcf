import { z } from 'zod';
import { pageCursorSchema } from '../../facts.ts';
import { pageOf } from '../../pages.ts';
import { defineTool } from '../../tool.ts';
import { limitSchema, told } from '../answer.ts';
import { READING } from './answer.ts';

export const getCallAccounts = defineTool({
  ...READING,
  name: 'voipms_get_call_accounts',
  title: 'List accounts of call records',
  description:
    'Lists the names of accounts that call records and recordings of VoIP.ms go by: what account is in other tools.',
  input: z.strictObject({ limit: limitSchema, cursor: pageCursorSchema }),
  output: z.object({
    accounts: z.array(z.object({ account: z.string(), description: z.string() })),
    total: z.number(),
    cursor: z.string().nullable(),
    next: z.string(),
  }),
  async handler({ limit, cursor }, { voipms }) {
    const accounts = await voipms().callAccounts();
    const page = pageOf(accounts, limit, cursor);
    return told(
      { accounts: page.shown, total: accounts.length, cursor: page.cursor },
      `${accounts.length} accounts.`,
      page.next,
    );
  },
});
