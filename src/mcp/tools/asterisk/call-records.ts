/** What the three tools on call records have in common. */
import { z } from 'zod';

const moment = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?$/)
  .max(19);

/** In the telephone system's own time, as it writes its records. */
export const rangeSchema = {
  from: moment.describe('Such as 2026-11-20, or 2026-11-20 14:30; in the telephone system’s own time.'),
  to: moment.describe('Not part of it: for one whole day the day after.'),
};

export const resultSchema = z.enum(['answered', 'no-answer', 'busy', 'failed']);

export const figuresSchema = z.object({
  calls: z.number(),
  answered: z.number(),
  missed: z.number(),
  busy: z.number(),
  failed: z.number(),
  answeredPercent: z.number(),
  talkSeconds: z.number(),
  averageTalkSeconds: z.number(),
  longestTalkSeconds: z.number(),
});
