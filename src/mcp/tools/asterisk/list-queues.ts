import { z } from 'zod';
import type { Queue } from '../../../pbx/asterisk/operations.ts';
import { defineTool } from '../../tool.ts';
import { CALLERS_NAMES, firstOf, limitSchema, told } from '../answer.ts';
import { READING } from './answer.ts';

/** One queue fits into an answer, whatever its size. */
const MOST_OF_EACH = 30;

function shortened({ members, waiting, ...queue }: Queue) {
  return {
    ...queue,
    membersTotal: members.length,
    members: members.slice(0, MOST_OF_EACH),
    waitingTotal: waiting.length,
    waiting: waiting.slice(0, MOST_OF_EACH),
  };
}

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
        membersTotal: z.number(),
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
        waitingTotal: z.number(),
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
    const { shown, total, rest } = firstOf((queues ?? []).map(shortened), limit);
    const cut = shown.some(({ membersTotal, waitingTotal }) => Math.max(membersTotal, waitingTotal) > MOST_OF_EACH)
      ? ` Of each queue at most ${MOST_OF_EACH} members and ${MOST_OF_EACH} callers are shown.`
      : '';
    const sentence = queues === null ? 'This server has no queues.' : `${total} queues.${rest}${cut}`;
    return told(
      { offered: queues !== null, queues: shown, total, caution: CALLERS_NAMES },
      sentence,
      'asterisk_list_channels shows the calls themselves.',
    );
  },
});
