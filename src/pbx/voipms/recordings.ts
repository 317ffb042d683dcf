/** Recordings of calls: listed account by account, fetched as MP3, sent by e-mail. */
import { ConfigError, ProtocolError, UpstreamError, UserInputError } from '../../errors.ts';
import { windowsOf } from './cdr.ts';
import type { Job } from './changing.ts';
import type { VoipMsClient } from './client.ts';
import type { CallAccount, CallRecording, DateRange, SoundOfCall } from './operations.ts';
import { eachOf } from './pace.ts';
import { known, newestFirst, quoted, type Row, rowsOf, secondsOf, textOf } from './values.ts';

/** It stands for all accounts in getCDR; of recordings that is not documented, so each is asked for. */
const ALL = 'all';
/** Base64, the escapes of JSON, and the spaces that VoIP.ms puts in between. */
const CHARACTERS_PER_BYTE = 1.6;
const OTHER_FIELDS = 64 * 1024;
/** An hour of sound is not there in the time of other answers. */
const SOUND_MS = 60_000;

export async function readCallAccounts(client: VoipMsClient): Promise<readonly CallAccount[]> {
  const rows = rowsOf(await client.call('getCallAccounts', {}, { changes: false }), 'accounts');
  return rows.map(({ value, description }) => ({ account: textOf(value), description: textOf(description) }));
}

/** Of one account, or of all; the newest first. */
export async function listRecordings(
  client: VoipMsClient,
  query: DateRange & { readonly account?: string | undefined },
): Promise<readonly CallRecording[]> {
  const windows = windowsOf(query);
  const isOne = query.account !== undefined && query.account !== ALL;
  const accounts = isOne ? [query.account ?? ''] : (await readCallAccounts(client)).map(({ account }) => account);
  const each = accounts
    .filter((account) => account !== ALL)
    .flatMap((account) => windows.map((window) => ({ account, window })));
  const lists = await eachOf(each, ({ account, window }) => listWindow(client, account, window));
  const once = new Map<string, CallRecording>();
  for (const one of lists.flat()) once.set(`${one.account} ${one.recording}`, one);
  return newestFirst(once.values());
}

async function listWindow(
  client: VoipMsClient,
  account: string,
  { from, to }: DateRange,
): Promise<readonly CallRecording[]> {
  const params = { account, date_from: from, date_to: to };
  const rows = rowsOf(await client.call('getCallRecordings', params, { changes: false }), 'recordings');
  return rows.map((row) => recordingOf(row, account));
}

function recordingOf(row: Row, account: string): CallRecording {
  return {
    recording: textOf(row.callrecording),
    account,
    startedAt: textOf(row.datetime),
    destination: textOf(row.destination),
    direction: known(row.type)?.toLowerCase() ?? null,
    durationSeconds: secondsOf(row.duration),
  };
}

/** @throws UserInputError when there is no such recording, it has no sound (yet), or it is larger than `mostBytes` */
export async function readRecording(
  client: VoipMsClient,
  { account, recording }: { readonly account: string; readonly recording: string },
  mostBytes: number,
): Promise<SoundOfCall> {
  const most = Math.ceil(mostBytes * CHARACTERS_PER_BYTE) + OTHER_FIELDS;
  const params = { account: idGiven('account', account), callrecording: idGiven('recording', recording) };
  const answer = await client
    .call('getCallRecording', params, { changes: false, mostBytes: most, timeoutMs: SOUND_MS })
    .catch((error: unknown) => {
      throw error instanceof UpstreamError && error.code === 'too_large' ? tooLarge(mostBytes, error) : error;
    });
  const { body } = answer;
  if (answer.status !== 'success' || textOf(body.callrecording) === '') throw noSuch(answer.status);
  const bytes = soundOf(body.base64file);
  if (bytes.byteLength > mostBytes) throw tooLarge(mostBytes);
  return { ...recordingOf(body, account), recording, bytes, mimeType: mimeTypeOf(bytes) };
}

function noSuch(status: string): Error {
  if (status === 'success') return new ProtocolError('VoIP.ms answered without the recording that was asked for.');
  return new UserInputError('VoIP.ms has no such recording. voipms_get_call_recordings lists them.');
}

function tooLarge(mostBytes: number, cause?: unknown): UserInputError {
  return new UserInputError(
    `This recording is larger than ${(mostBytes / 1024 / 1024).toFixed(1)} MB, the most that is fetched. Listen to it in the VoIP.ms portal, or have it sent by e-mail.`,
    { cause },
  );
}

function soundOf(value: unknown): Uint8Array {
  const text = typeof value === 'string' ? value.replace(/\s+/g, '') : '';
  if (text === '') throw new UserInputError('VoIP.ms has no sound of this recording, or not yet.');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text))
    throw new ProtocolError('VoIP.ms sent the sound of this recording in a form that cannot be read.');
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** MP3 by the vendor's page; what is plainly something else is called that. */
function mimeTypeOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'RIFF' ? 'audio/wav' : 'audio/mpeg';
}

function idGiven(name: string, given: string): string {
  const text = given.trim();
  if (text === '' || text.length > 500) throw new UserInputError(`Give the ${name} as VoIP.ms lists it.`);
  return text;
}

/** Resolves with a sentence of what was done, or would be. `recipients`: addresses, or `@example.com` for all of a domain. */
export async function emailRecording(
  job: Job,
  { account, recording, email }: { readonly account: string; readonly recording: string; readonly email: string },
  recipients: readonly string[],
): Promise<string> {
  const to = checkRecipient(email, recipients);
  const params = {
    account: idGiven('account', account),
    callrecording: idGiven('recording', recording),
    email: to,
  };
  const call = { method: 'sendCallRecordingEmail', params };
  job.warnings.push('Whether an e-mail arrives cannot be seen from here.');
  if (job.dryRun) {
    job.calls.push(call);
    return `VoIP.ms would send this recording to ${to}.`;
  }
  job.allow();
  job.calls.push(call);
  // Nothing tells afterwards whether it was sent, so there is nothing to look at either.
  await job.client.call(call.method, call.params, { changes: true });
  return `VoIP.ms has taken it on to send this recording to ${to}.`;
}

/** @throws UserInputError for what is no address; ConfigError for one that is not allowed */
function checkRecipient(given: string, recipients: readonly string[]): string {
  const email = given.trim();
  if (!/^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(email))
    throw new UserInputError(`${quoted(given)} is no e-mail address.`);
  const address = email.toLowerCase();
  const domain = address.slice(address.lastIndexOf('@'));
  const isAllowed = recipients.some((one) => [address, domain].includes(one.trim().toLowerCase()));
  if (isAllowed) return email;
  throw new ConfigError(
    'Recordings may not be sent to this address. Add it, or @ and its domain, to VOIPMS_EMAIL_RECIPIENTS.',
    { settings: ['VOIPMS_EMAIL_RECIPIENTS'] },
  );
}
