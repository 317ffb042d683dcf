import { z } from 'zod';
import type { RecordingFacts } from '../../switchboard/port.ts';
import { callIdSchema, isoTime } from '../facts.ts';
import { recordingUri } from '../resources/recordings.ts';
import { defineTool } from '../tool.ts';

const recordingSchema = z.object({
  keptBy: z.enum(['switchboard', 'carrier']),
  state: z.enum(['recording', 'complete', 'failed', 'absent']),
  startedAt: z.string(),
  durationSeconds: z.number().nullable(),
  channels: z.number(),
  bytes: z.number().nullable(),
  path: z.string().nullable().describe("The file on the server's machine."),
  uri: z.string().nullable().describe('The resource with its sound.'),
  carrierId: z.string().nullable(),
  carrierUrl: z.string().nullable().describe("Needs the carrier's credentials."),
  reason: z.string().nullable(),
});

export const getRecording = defineTool({
  name: 'get-recording',
  title: 'Find or save a recording',
  description:
    'What recordings there are of a call, and where: the file on the machine that Switchboard runs on (stereo WAV, the other person left, the ' +
    'agent right), and the resource to read it by. saveTo copies it to a new file there, never over another one. Calls are recorded only when ' +
    'trigger-call or the settings said so.',
  input: z.strictObject({
    callId: callIdSchema,
    saveTo: z
      .string()
      .min(6)
      .max(1000)
      .optional()
      .describe('Absolute path of a new file that ends with .wav, in a folder that exists.'),
  }),
  output: z.object({
    callId: z.string(),
    recordings: z.array(recordingSchema),
    savedTo: z.string().nullable(),
    next: z.string(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },

  async handler({ callId, saveTo }, { switchboard }) {
    const found = await switchboard.recordings.of(callId);
    if (saveTo !== undefined) await switchboard.recordings.save(callId, saveTo);
    const recordings = found.map(recordingFacts);
    const next = nextStep(recordings, saveTo !== undefined);
    return {
      structured: { callId, recordings, savedTo: saveTo ?? null, next },
      text: [
        ...(saveTo === undefined ? [] : [`Saved to ${saveTo}.`]),
        ...(recordings.length === 0 ? ['There is no recording of this call.'] : recordings.map(sentenceOf)),
        next,
      ].join('\n'),
    };
  },
});

function recordingFacts(recording: RecordingFacts): z.output<typeof recordingSchema> {
  const { callId, kind, state, startedAtMs, durationMs, channels, bytes, path, name, url, reason } = recording;
  const isLocal = kind === 'local';
  return {
    keptBy: isLocal ? 'switchboard' : 'carrier',
    state,
    startedAt: isoTime(startedAtMs),
    durationSeconds: durationMs === null ? null : Math.round(durationMs / 1_000),
    channels,
    bytes,
    path,
    uri: isLocal ? recordingUri(callId) : null,
    carrierId: isLocal ? null : name,
    carrierUrl: url,
    reason,
  };
}

function sentenceOf(recording: z.output<typeof recordingSchema>): string {
  const { keptBy, state, durationSeconds, path, uri, carrierId, carrierUrl, reason } = recording;
  const length = durationSeconds === null ? '' : `, ${durationSeconds} s`;
  const where =
    keptBy === 'switchboard' ? `${path} (${uri})` : `at the carrier, ${carrierId} ${carrierUrl ?? ''}`.trim();
  return `${state}${length}: ${where}${reason === null ? '' : ` – ${reason}`}`;
}

function nextStep(recordings: readonly z.output<typeof recordingSchema>[], saved: boolean): string {
  if (recordings.length === 0) return 'Tell the user. A call that is over cannot be recorded any more.';
  if (recordings.some(({ state }) => state === 'recording'))
    return 'A recording is still being made; ask again when the call has ended.';
  return saved ? 'Tell the user where it is.' : 'Give the user the path, or use saveTo to copy it where they want it.';
}
