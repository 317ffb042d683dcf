import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { ENDS, told, whom } from '../answer.ts';
import { CHANGING } from './answer.ts';

export const hangupChannel = defineTool({
  ...CHANGING,
  name: 'asterisk_hangup_channel',
  title: 'Hang up a channel',
  description:
    'Hangs up one channel, which ends that leg of a call at once. It must be the exact name of a channel that is up; patterns are refused. Ask the user first: somebody may be talking.',
  annotations: ENDS,
  input: z.strictObject({ channel: z.string().min(3).max(120).describe('From asterisk_list_channels.') }),
  output: z.object({ channel: z.string(), callerNumber: z.string().nullable(), message: z.string(), next: z.string() }),
  audited: ({ channel }) => ({ channel: whom(channel) }),
  async handler({ channel }, { asterisk }) {
    const { callerNumber, channel: name } = await asterisk().hangUp(channel);
    const message = `${name} was hung up.`;
    return told({ channel: name, callerNumber, message }, message, 'asterisk_list_channels shows what is still up.');
  },
});
