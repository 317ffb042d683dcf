import { z } from 'zod';
import { pageCursorSchema } from '../../facts.ts';
import { pageOf } from '../../pages.ts';
import { defineTool } from '../../tool.ts';
import { limitSchema, told } from '../answer.ts';
import { READING } from './answer.ts';

export const getAccounts = defineTool({
  ...READING,
  name: 'voipms_get_accounts',
  title: 'List sub-accounts',
  description:
    'Lists the sub-accounts of VoIP.ms, one for each telephone or system that registers: protocol, kind of device, caller ID, internal extension, whether its calls are recorded and transcribed. Never a password.',
  input: z.strictObject({ limit: limitSchema, cursor: pageCursorSchema }),
  output: z.object({
    accounts: z.array(
      z.object({
        id: z.string(),
        account: z.string(),
        description: z.string().nullable(),
        protocol: z.string().nullable(),
        deviceType: z.string().nullable(),
        callerIdNumber: z.string().nullable(),
        internalExtension: z.string().nullable(),
        recordsCalls: z.boolean().nullable(),
        transcribes: z.boolean().nullable(),
      }),
    ),
    total: z.number(),
    cursor: z.string().nullable(),
    next: z.string(),
  }),
  async handler({ limit, cursor }, { voipms }) {
    const accounts = await voipms().accounts();
    const page = pageOf(accounts, limit, cursor);
    return told(
      { accounts: page.shown, total: accounts.length, cursor: page.cursor },
      `${accounts.length} sub-accounts.`,
      page.next,
    );
  },
});
