import { UserInputError } from '../../errors.ts';
import { blobOf, MOST_SOUND_BYTES, type Resource } from './resource.ts';

/** `voipms://recordings/{recording}`: the sound of a recording of VoIP.ms. It is named by account and id, with a slash between, percent-encoded. */

const RECORDINGS = 'voipms://recordings/';

export function voipMsRecordingUri(account: string, recording: string): string {
  return `${RECORDINGS}${encodeURIComponent(`${account}/${recording}`)}`;
}

export const VOIPMS_RESOURCES: readonly Resource[] = [
  {
    name: 'voipms-recording',
    uri: `${RECORDINGS}{recording}`,
    toolset: 'voipms',
    scope: 'pbx:read',
    title: 'One recording of VoIP.ms',
    description: 'The sound of a call that VoIP.ms recorded; voipms_get_call_recordings finds it.',
    mimeType: 'audio/mpeg',
    async read({ voipms }, variable) {
      const { account, recording } = nameOf(variable);
      const { bytes, mimeType } = await voipms().recording(account, recording, MOST_SOUND_BYTES);
      return { blob: blobOf(bytes), mimeType };
    },
    // Not listed: clients list when they start, and that takes a request for each account, which VoIP.ms counts by the minute.
  },
];

function nameOf(given: string | string[] | undefined): { readonly account: string; readonly recording: string } {
  const name = decoded(String(given));
  // An id may hold slashes, the name of an account does not.
  const slash = name.indexOf('/');
  if (slash < 1 || slash === name.length - 1) throw noSuchRecording(undefined);
  return { account: name.slice(0, slash), recording: name.slice(slash + 1) };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch (cause) {
    throw noSuchRecording(cause);
  }
}

function noSuchRecording(cause: unknown): UserInputError {
  return new UserInputError('There is no such recording. voipms_get_call_recordings lists them.', { cause });
}
