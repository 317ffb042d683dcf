import { z } from 'zod';
import { short } from '../../audit.ts';
import { MOST_SOUND_BYTES } from '../../resources/resource.ts';
import { voipMsRecordingUri } from '../../resources/voipms.ts';
import { defineTool, type ToolContext, type ToolResult } from '../../tool.ts';
import { CALLERS_NAMES, READS, told } from '../answer.ts';
import { accountSchema, recordingSchema, soundShape } from './answer.ts';
import { checkSaveTo, saveNew } from './save-new.ts';

/** Hours of speech. */
const MOST_BYTES = 64 * 1024 * 1024;

const output = z.object({
  ...soundShape,
  sizeBytes: z.number(),
  savedTo: z.string().nullable(),
  message: z.string(),
  caution: z.string(),
  next: z.string(),
});
const common = { name: 'voipms_get_call_recording', toolset: 'voipms', output } as const;
const which = { account: accountSchema, recording: recordingSchema };

const findCallRecording = defineTool({
  ...common,
  scope: 'pbx:read',
  title: 'Find a call recording',
  description: 'One call that VoIP.ms recorded: when, how long, how large, and the resource with its sound (MP3).',
  input: z.strictObject(which),
  annotations: READS,
  handler: (args, context) => find({ ...args, whenLarge: 'listen to it in the portal of VoIP.ms' }, context),
});

export const getCallRecording = defineTool({
  ...common,
  // It writes where its caller says.
  scope: 'admin',
  title: 'Find or save a call recording',
  description:
    "One call that VoIP.ms recorded: when, how long, how large, and the resource with its sound (MP3). saveTo writes it to a new file on the server's machine.",
  input: z.strictObject({
    ...which,
    saveTo: z.string().min(6).max(1000).optional().describe('Absolute path ending with .mp3; never overwrites.'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  audited: ({ account, recording, saveTo }) =>
    saveTo === undefined ? null : { account: short(account), recording: short(recording), saved: true },
  readOnlyTwin: findCallRecording,
  handler: (args, context) => find({ ...args, whenLarge: 'save it with saveTo' }, context),
});

interface Wanted {
  readonly account: string;
  readonly recording: string;
  readonly saveTo?: string | undefined;
  /** What to do with one that cannot be read as a resource. */
  readonly whenLarge: string;
}

async function find(
  { account, recording, saveTo, whenLarge }: Wanted,
  { voipms }: ToolContext,
): Promise<ToolResult<z.output<typeof output>>> {
  if (saveTo !== undefined) checkSaveTo(saveTo);
  const { bytes, mimeType, ...facts } = await voipms().recording(account, recording, MOST_BYTES);
  if (saveTo !== undefined) await saveNew(saveTo, bytes);
  const what = saveTo === undefined ? `${bytes.length} bytes of ${mimeType}.` : `Saved to ${saveTo}.`;
  const isTooLarge = saveTo === undefined && bytes.length > MOST_SOUND_BYTES;
  const message = isTooLarge ? `${what} It is too large to be read as a resource: ${whenLarge}.` : what;
  return told(
    {
      ...facts,
      uri: voipMsRecordingUri(account, recording),
      sizeBytes: bytes.length,
      savedTo: saveTo ?? null,
      message,
      caution: CALLERS_NAMES,
    },
    message,
    saveTo === undefined ? 'voipms_get_call_transcript has what was said.' : 'Tell the user where it is.',
  );
}
