import { z } from 'zod';
import { pageCursorSchema } from '../../facts.ts';
import { pageOf } from '../../pages.ts';
import { voipMsRecordingUri } from '../../resources/voipms.ts';
import { defineTool } from '../../tool.ts';
import { CALLERS_NAMES, limitSchema, told } from '../answer.ts';
import { accountSchema, READING, rangeOf, rangeShape, soundShape } from './answer.ts';

export const getCallRecordings = defineTool({
  ...READING,
  name: 'voipms_get_call_recordings',
  title: 'List call recordings',
  description:
    'Lists the calls that VoIP.ms recorded, of one account or of all, in the last 7 days without from and to. voipms_get_call_recording has the sound, voipms_get_call_transcript what was said.',
  input: z.strictObject({
    ...rangeShape,
    account: accountSchema.optional(),
    limit: limitSchema,
    cursor: pageCursorSchema,
  }),
  output: z.object({
    from: z.string(),
    to: z.string(),
    recordings: z.array(z.object(soundShape)),
    total: z.number(),
    cursor: z.string().nullable(),
    caution: z.string(),
    next: z.string(),
  }),
  async handler({ from, to, account, limit, cursor }, { voipms }) {
    const range = rangeOf(from, to);
    const all = await voipms().recordings({ ...range, account });
    const page = pageOf(
      all.map((one) => ({ ...one, uri: voipMsRecordingUri(one.account, one.recording) })),
      limit,
      cursor,
    );
    return told(
      { ...range, recordings: page.shown, total: all.length, cursor: page.cursor, caution: CALLERS_NAMES },
      `${all.length} recordings from ${range.from} to ${range.to}.`,
      page.next,
    );
  },
});
