import { UserInputError } from '../../errors.ts';
import { blobOf, MOST_SOUND_BYTES, type Resource } from './resource.ts';

/** `asterisk://recordings/{recording}`: the sound of a recording that the telephone system made, by its percent-encoded name. */

const ADDRESS = 'asterisk://recordings/';
const LISTED = 50;

export function officeRecordingUri(name: string): string {
  return `${ADDRESS}${encodeURIComponent(name)}`;
}

export const OFFICE_RECORDING_RESOURCE: Resource = {
  name: 'asterisk-recording',
  uri: `${ADDRESS}{recording}`,
  toolset: 'asterisk',
  scope: 'pbx:read',
  title: 'One recording of the telephone system',
  description: 'The sound of a call that the telephone system recorded; asterisk_list_recordings finds it.',
  mimeType: 'audio/wav',
  async read({ asterisk }, recording) {
    const { bytes, mimeType } = await asterisk().recording(nameOf(recording), MOST_SOUND_BYTES);
    return { blob: blobOf(bytes), mimeType };
  },
  async list({ asterisk }) {
    const page = await asterisk().recordings({ limit: LISTED, offset: 0 });
    return (page?.recordings ?? []).map(({ name, endedAt }) => ({
      uri: officeRecordingUri(name),
      name,
      title: `Recording of ${endedAt}`,
    }));
  },
};

function nameOf(given: string | string[] | undefined): string {
  try {
    return decodeURIComponent(String(given));
  } catch (cause) {
    throw new UserInputError('There is no such recording. asterisk_list_recordings lists them.', { cause });
  }
}
