import { z } from 'zod';
import type { RecordingFacts } from '../../switchboard/port.ts';
import { short } from '../audit.ts';
import { callIdSchema } from '../facts.ts';
import { recordingUri } from '../resources/recordings.ts';
import { defineTool, type ToolContext, type ToolResult } from '../tool.ts';

const recordingSchema = z.object({
  keptBy: z.enum(['switchboard', 'carrier']),
  state: z.string(),
  durationSeconds: z.number().optional(),
  path: z.string().optional().describe("On the server's machine."),
  uri: z.string().optional().describe("The resource with the sound, or the carrier's address."),
  reason: z.string().optional(),
});

const callId = callIdSchema;
const output = z.object({
  recordings: z.array(recordingSchema),
  simulated: z.boolean(),
  next: z.string(),
});
const common = { name: 'get-recording', toolset: 'voice', output } as const;

const findRecording = defineTool({
  ...common,
  scope: 'calls:read',
  title: 'Find a recording',
  description:
    "A recorded call's stereo WAV (other person left, agent right): its path on the server's machine and its resource.",
  input: z.strictObject({ callId }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  handler: ({ callId }, context) => find(callId, undefined, context),
});

export const getRecording = defineTool({
  ...common,
  // It writes where its caller says.
  scope: 'admin',
  title: 'Find or save a recording',
  description:
    "A recorded call's stereo WAV (other person left, agent right): its path on the server's machine and its resource. saveTo copies it there to a new file.",
  input: z.strictObject({
    callId,
    saveTo: z.string().min(6).max(1000).optional().describe('Absolute path ending with .wav; never overwrites.'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  audited: ({ callId, saveTo }) => (saveTo === undefined ? null : { callId: short(callId), saved: true }),
  readOnlyTwin: findRecording,
  handler: ({ callId, saveTo }, context) => find(callId, saveTo, context),
});

async function find(
  callId: string,
  saveTo: string | undefined,
  { switchboard }: ToolContext,
): Promise<ToolResult<z.output<typeof output>>> {
  const found = await switchboard.recordings.of(callId);
  if (saveTo !== undefined) await switchboard.recordings.save(callId, saveTo);
  const recordings = found.map(recordingFacts);
  const next = nextStep(recordings, saveTo);
  return {
    structured: { recordings, simulated: switchboard.simulated, next },
    text: [
      ...(saveTo === undefined ? [] : [`Saved to ${saveTo}.`]),
      ...(recordings.length === 0 ? ['There is no recording of this call.'] : recordings.map(sentenceOf)),
      next,
    ].join('\n'),
  };
}

function recordingFacts(recording: RecordingFacts): z.output<typeof recordingSchema> {
  const { callId, kind, state, durationMs, path, name, url, reason } = recording;
  const where =
    path === null
      ? { keptBy: 'carrier' as const, uri: url ?? name }
      : { keptBy: 'switchboard' as const, path, uri: recordingUri(callId) };
  return {
    ...where,
    state: kind === 'local' && state === 'failed' ? 'broken off' : state,
    ...(durationMs === null ? {} : { durationSeconds: Math.round(durationMs / 1_000) }),
    ...(reason === null ? {} : { reason }),
  };
}

function sentenceOf({ keptBy, state, durationSeconds, path, uri, reason }: z.output<typeof recordingSchema>): string {
  const length = durationSeconds === undefined ? '' : `, ${durationSeconds} s`;
  const where = keptBy === 'switchboard' ? `${path} (${uri})` : `kept by the carrier: ${uri}`;
  return `${state}${length}: ${where}${reason === undefined ? '' : ` – ${reason}`}`;
}

function nextStep(recordings: readonly z.output<typeof recordingSchema>[], saveTo: string | undefined): string {
  if (recordings.length === 0) return 'Tell the user. A call that is over cannot be recorded any more.';
  if (recordings.some(({ state }) => state === 'recording'))
    return 'A recording is still being made; ask again when the call has ended.';
  return saveTo !== undefined ? 'Tell the user where it is.' : 'Give the user the path.';
}
