/** What the three tools on call records have in common. */
import { z } from 'zod';

const moment = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?$/)
  .max(19);

/** Whose time the records are in stands nowhere in them. */
export const RECORDS_TIME =
  'Times are as the records have them: local time of the telephone system, or UTC where cdr.conf says usegmtime=yes.';

export const rangeSchema = {
  from: moment.describe(
    'Such as 2026-11-20, or 2026-11-20 14:30; as the records have it: local time of the telephone system, or UTC where cdr.conf says usegmtime=yes.',
  ),
  to: moment.describe('Not part of it: for one whole day the day after.'),
};

export const resultSchema = z.enum(['answered', 'voicemail', 'no-answer', 'busy', 'failed']);

export const figuresSchema = z.object({
  calls: z.number(),
  answered: z.number(),
  voicemail: z.number(),
  missed: z.number(),
  busy: z.number(),
  failed: z.number(),
  answeredPercent: z.number(),
  talkSeconds: z.number(),
  averageTalkSeconds: z.number(),
  longestTalkSeconds: z.number(),
});
