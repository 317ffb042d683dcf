import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { told } from '../answer.ts';
import { READING } from './answer.ts';

const figure = z.string().nullable();

export const getBalance = defineTool({
  ...READING,
  name: 'voipms_get_balance',
  title: 'Get the balance',
  description: 'The balance of the VoIP.ms account in US dollars, and what was spent and called today and altogether.',
  input: z.strictObject({}),
  output: z.object({
    current: z.string(),
    spentTotal: figure,
    spentToday: figure,
    callsTotal: figure,
    callsToday: figure,
    timeTotal: figure,
    timeToday: figure,
    next: z.string(),
  }),
  async handler(_args, { voipms }) {
    const balance = await voipms().balance();
    return told(balance, `The balance is $${balance.current}.`, 'voipms_get_recent_cdr shows what calls have cost.');
  },
});
