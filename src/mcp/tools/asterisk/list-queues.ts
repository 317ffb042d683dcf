import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { CALLERS_NAMES, firstOf, limitSchema, READING, told } from './answer.ts';

export const listQueues = defineTool({
  ...READING,
  name: 'asterisk_list_queues',
  title: 'List queues',
  description:
    'Lists the call queues with their figures (waiting, completed, abandoned, hold and talk time, service level), their members and who waits. offered is false where the server has no queues.',
  input: z.strictObject({ limit: limitSchema }),
  output: z.object({
    offered: z.boolean(),
    queues: z.array(
      z.object({
        queue: z.string(),
        strategy: z.string(),
        callers: z.number(),
        completed: z.number(),
        abandoned: z.number(),
        averageHoldSeconds: z.number(),
        averageTalkSeconds: z.number(),
        serviceLevelPercent: z.number(),
        serviceLevelSeconds: z.number(),
        members: z.array(
          z.object({
            name: z.string(),
            device: z.string(),
            status: z.string(),
            paused: z.boolean(),
            callsTaken: z.number(),
            inCall: z.boolean(),
          }),
        ),
        waiting: z.array(
          z.object({
            position: z.number(),
            channel: z.string(),
            callerNumber: z.string().nullable(),
            callerName: z.string().nullable(),
            waitSeconds: z.number(),
          }),
        ),
      }),
    ),
    total: z.number(),
    caution: z.string(),
    next: z.string(),
  }),
  async handler({ limit }, { asterisk }) {
    const queues = await asterisk().queues();
    const { shown, total, rest } = firstOf(queues ?? [], limit);
    const facts = shown.map((queue) => ({ ...queue, members: [...queue.members], waiting: [...queue.waiting] }));
    const sentence = queues === null ? 'This server has no queues.' : `${total} queues.${rest}`;
    return told(
      { offered: queues !== null, queues: facts, total, caution: CALLERS_NAMES },
      sentence,
      'asterisk_list_channels shows the calls themselves.',
    );
  },
});
