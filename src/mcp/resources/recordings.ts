import { UserInputError } from '../../errors.ts';
import type { RecordingFacts, Switchboard } from '../../switchboard/port.ts';
import { isoTime } from '../facts.ts';
import { blobOf, type ListedResource, MOST_SOUND_BYTES, type Resource } from './resource.ts';
import { callIdOf } from './transcriptions.ts';

/** `call://recordings/{callId}`: the sound of one call as a WAV, for clients that can play or store it. */

export const RECORDING_URI_TEMPLATE = 'call://recordings/{callId}';
export const RECORDING_MIME_TYPE = 'audio/wav';

const LISTED = 50;

export function recordingUri(callId: string): string {
  return `call://recordings/${callId}`;
}

/**
 * The WAV in base64. @throws UserInputError when there is no such call or recording, or when it is too large, with what to do
 * instead.
 */
export async function readRecording(switchboard: Switchboard, callId: string): Promise<string> {
  const audio = await switchboard.recordings.audio(callId, MOST_SOUND_BYTES);
  if ('tooLarge' in audio) {
    throw new UserInputError(
      `This recording has ${megabytes(audio.tooLarge)} MB, more than can be read as a resource. Use get-recording for the path of its file, or with saveTo for a copy.`,
    );
  }
  return blobOf(audio);
}

export async function listRecordingResources(switchboard: Switchboard): Promise<ListedResource[]> {
  const recordings = await switchboard.recordings.list({ limit: LISTED });
  return recordings.filter(isPlayable).map(({ callId, startedAtMs }) => ({
    uri: recordingUri(callId),
    name: `${callId}.wav`,
    title: `Recording of ${isoTime(startedAtMs)}`,
  }));
}

/** Ids of calls with a recording here that begin with `value`, newest first. */
export async function completeRecordedCallId(switchboard: Switchboard, value: string): Promise<string[]> {
  const recordings = await switchboard.recordings.list({ limit: LISTED });
  return recordings
    .filter(isPlayable)
    .map(({ callId }) => callId as string)
    .filter((callId) => callId.startsWith(value));
}

function isPlayable({ path, state }: RecordingFacts): boolean {
  return path !== null && state !== 'absent';
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

export const RECORDING_RESOURCE: Resource = {
  name: 'recording',
  uri: RECORDING_URI_TEMPLATE,
  toolset: 'voice',
  scope: 'calls:read',
  title: 'One recording',
  description: 'The sound of a call that was recorded: stereo, the other person left, the agent right.',
  mimeType: RECORDING_MIME_TYPE,
  read: async ({ switchboard }, callId) => ({ blob: await readRecording(switchboard, callIdOf(callId)) }),
  list: ({ switchboard }) => listRecordingResources(switchboard),
  complete: ({ switchboard }, value) => completeRecordedCallId(switchboard, value),
};
