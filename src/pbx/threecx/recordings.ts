/** Recordings that 3CX has made, and the messages that it keeps. Only read. */
import { UpstreamError, UserInputError } from '../../errors.ts';
import { numberOf, type Row, textOf } from './json.ts';
import type { ChatMessage, Page, Recording, ThreeCxOperations } from './operations.ts';
import { sift } from './paging.ts';
import { hasCode, isRefusal } from './refusals.ts';
import type { Xapi } from './xapi.ts';

const FIELDS = [
  'Id',
  'CallType',
  'StartTime',
  'EndTime',
  'FromDn',
  'FromCallerNumber',
  'ToDn',
  'ToCallerNumber',
  'Transcription',
  'Summary',
];

/** Newest first. */
export async function listRecordings(
  xapi: Xapi,
  { extension, offset, limit }: Parameters<ThreeCxOperations['recordings']>[0],
): Promise<Page<Recording>> {
  const what = 'to list the recordings';
  const query = { select: FIELDS, orderby: 'StartTime desc' };
  if (extension === undefined) {
    const { rows, total, isMore } = await xapi.list('/Recordings', { ...query, isCounted: true, offset, limit }, what);
    return { items: rows.flatMap((row) => toRecording(row) ?? []), total, isMore };
  }
  return await sift({
    read: (skip, most) => xapi.list('/Recordings', { ...query, offset: skip, limit: most }, what),
    take: (row) => {
      const dns = [row.FromDn, row.FromCallerNumber, row.ToDn, row.ToCallerNumber].map(textOf);
      return dns.includes(extension.trim()) ? toRecording(row) : null;
    },
    offset,
    limit,
  });
}

function toRecording(row: Row): Recording | null {
  const id = numberOf(row.Id);
  if (id === null) return null;
  return {
    id,
    startedAt: textOf(row.StartTime),
    endedAt: textOf(row.EndTime),
    kind: textOf(row.CallType),
    from: textOf(row.FromCallerNumber) ?? textOf(row.FromDn),
    to: textOf(row.ToCallerNumber) ?? textOf(row.ToDn),
    transcription: textOf(row.Transcription),
    summary: textOf(row.Summary),
  };
}

/** The swagger speaks of JSON, clients have got the sound itself. @throws UserInputError when there is none, or it is larger than `mostBytes` */
export async function downloadRecording(
  xapi: Xapi,
  id: number,
  mostBytes: number,
): Promise<{ readonly bytes: Uint8Array; readonly mimeType: string }> {
  if (!Number.isSafeInteger(id) || id < 0) throw new UserInputError(`${id} is no id of a recording.`);
  let answer: Awaited<ReturnType<Xapi['bytes']>>;
  try {
    answer = await xapi.bytes(`/Recordings/Pbx.DownloadRecording(recId=${id})`, 'to send the recording', mostBytes);
  } catch (error) {
    if (isRefusal(error, 404)) throw new UserInputError(`3CX has no recording ${id}.`, { cause: error });
    if (hasCode(error, 'too-large'))
      throw new UserInputError(
        `The recording ${id} has more than ${(mostBytes / 1024 / 1024).toFixed(1)} MB, more than can be read as a resource. It can be downloaded in 3CX.`,
        { cause: error },
      );
    throw error;
  }
  const mimeType = soundOf(answer.bytes);
  if (mimeType === null)
    throw new UpstreamError(`3CX answered the request for the recording ${id} with something that is no sound.`, {
      retryable: false,
      code: 'no-sound',
    });
  return { bytes: answer.bytes, mimeType };
}

/** By its first bytes, as 3CX says `application/octet-stream` of all. */
function soundOf(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  if (start === 'RIFF') return 'audio/wav';
  if (start.startsWith('ID3') || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0)) return 'audio/mpeg';
  return start === 'OggS' ? 'audio/ogg' : null;
}

const MESSAGE_FIELDS = ['ConversationId', 'FromNo', 'FromName', 'Message', 'ProviderType', 'TimeSent'];

/** Newest first. */
export async function listMessages(
  xapi: Xapi,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<Page<ChatMessage>> {
  const { rows, total, isMore } = await xapi.list(
    '/ChatMessagesHistoryView',
    { select: MESSAGE_FIELDS, orderby: 'TimeSent desc', isCounted: true, offset, limit },
    'to list the messages',
  );
  const items = rows.map((row) => ({
    conversationId: textOf(row.ConversationId),
    from: textOf(row.FromNo),
    fromName: textOf(row.FromName),
    message: textOf(row.Message) ?? '',
    provider: textOf(row.ProviderType),
    sentAt: textOf(row.TimeSent),
  }));
  return { items, total, isMore };
}
