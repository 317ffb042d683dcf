import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { told } from '../answer.ts';
import { READING } from './answer.ts';

export const getSystemStatus = defineTool({
  ...READING,
  name: 'asterisk_get_system_status',
  title: 'Get the system status',
  description:
    'Tells the version of the office telephone system, since when it runs, how many calls are up and how many there were. Times are the server’s own.',
  input: z.strictObject({}),
  output: z.object({
    version: z.string(),
    managerVersion: z.string(),
    systemName: z.string().nullable(),
    startedAt: z.string().nullable(),
    reloadedAt: z.string().nullable(),
    activeCalls: z.number(),
    processedCalls: z.number(),
    cdrEnabled: z.boolean(),
    next: z.string(),
  }),
  async handler(_args, { asterisk }) {
    const status = await asterisk().status();
    const sentence = `Asterisk ${status.version}, up since ${status.startedAt ?? 'a time it does not tell'}, ${status.activeCalls} calls now.`;
    return told(status, sentence, 'asterisk_list_channels shows what is up.');
  },
});
