import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { told } from '../answer.ts';
import { READING } from './answer.ts';
import { figuresSchema, RECORDS_TIME, rangeSchema } from './call-records.ts';

export const getCallStatistics = defineTool({
  ...READING,
  name: 'asterisk_get_call_statistics',
  title: 'Get call statistics',
  description:
    'Counts the calls of a time: answered by a person or an agent, taken by voicemail only, missed, busy, failed, talk time, by hour of the day and by day, for the whole office or one extension or number. A call of several legs counts once.',
  input: z.strictObject({
    ...rangeSchema,
    party: z.string().min(1).max(40).optional().describe('Extension or number on either side; all without it.'),
  }),
  output: figuresSchema.extend({
    byHour: z.array(z.object({ hour: z.number(), calls: z.number(), answered: z.number() })),
    byDay: z.array(z.object({ day: z.string(), calls: z.number(), answered: z.number() })),
    next: z.string(),
  }),
  async handler(filter, { asterisk }) {
    const found = await asterisk().statistics(filter);
    const facts = { ...found, byHour: [...found.byHour], byDay: found.byDay.slice(-MOST_DAYS) };
    const { calls, answered, voicemail, missed, averageTalkSeconds } = found;
    const sentence = `${calls} calls: ${answered} answered (${found.answeredPercent} %), ${voicemail} to voicemail, ${missed} missed; ${averageTalkSeconds} s on average. ${RECORDS_TIME}`;
    const cut = found.byDay.length > MOST_DAYS ? ` byDay has the last ${MOST_DAYS} days with calls only.` : '';
    return told(facts, `${sentence}${cut}`, 'asterisk_query_cdr lists the calls themselves.');
  },
});

const MOST_DAYS = 92;
