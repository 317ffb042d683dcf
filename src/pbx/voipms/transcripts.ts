/** What was said in a recording: the vendor's transcript of it, else one made here; each is made or asked for once. */
import { ConfigError, UpstreamError, UserInputError } from '../../errors.ts';
import type { VoipMsClient } from './client.ts';
import type { CallRecording, SoundOfCall, Transcript, TranscriptRequest, VoipMsOptions } from './operations.ts';
import { listRecordings, readRecording } from './recordings.ts';
import { languageOf, linesOf, type Match, matchTranscript } from './transcript-match.ts';
import { checkDate, dayAfter, rowsOf } from './values.ts';

/** What a model that writes recordings down takes in is not more. */
const MOST_SOUND_BYTES = 24 * 1024 * 1024;

type Options = Pick<VoipMsOptions, 'transcribe' | 'transcripts' | 'logger'>;

export function createTranscripts(
  client: VoipMsClient,
  options: Options,
): (request: TranscriptRequest) => Promise<Transcript> {
  /** Those being made: whoever asks meanwhile gets the same. */
  const making = new Map<string, Promise<Transcript>>();
  return (request) => {
    const key = `voipms\n${request.account.trim()}\n${request.recording.trim()}`;
    const found = making.get(key) ?? storedOrMade(client, options, request, key).finally(() => making.delete(key));
    making.set(key, found);
    return found;
  };
}

async function storedOrMade(
  client: VoipMsClient,
  options: Options,
  request: TranscriptRequest,
  key: string,
): Promise<Transcript> {
  const { transcripts, logger } = options;
  const stored = transcriptOf(await transcripts.load(key));
  if (stored !== null) return { ...stored, stored: true };
  const made = await make(client, options, request);
  try {
    await transcripts.save(key, JSON.stringify(made));
    return made;
  } catch (err) {
    logger.warn({ err }, 'a transcript could not be kept, and is made again when it is asked for');
    const warning = 'It could not be kept, so it is made anew, and may be charged again, when it is asked for again.';
    return { ...made, warnings: [...made.warnings, warning] };
  }
}

async function make(client: VoipMsClient, options: Options, request: TranscriptRequest): Promise<Transcript> {
  const account = request.account.trim();
  const which = { account, recording: request.recording.trim() };
  let fetched: Promise<SoundOfCall> | null = null;
  const sound = (): Promise<SoundOfCall> => {
    fetched ??= readRecording(client, which, MOST_SOUND_BYTES);
    return fetched;
  };
  // The list is small; where the day is not known the recording itself tells it.
  const listed = request.date === undefined ? null : await findListed(client, which, checkDate(request.date));
  const recording = listed ?? (await sound());
  const warnings: string[] = [];
  const match = await vendorMatch(client, recording, warnings);
  const base = { ...which, stored: false };
  const lines = match.kind === 'one' ? linesOf(recording, match.row) : [];
  if (match.kind === 'one' && lines.length > 0) {
    const { row, how } = match;
    return {
      ...base,
      source: 'voipms',
      how,
      language: languageOf(row),
      lines,
      warnings: [...warnings, ...match.warnings],
    };
  }
  // It may be in the making: what is kept now is never looked for again.
  if (match.kind === 'one') warnings.push('VoIP.ms has a transcript of this recording without a word in it.');
  if (match.kind === 'several')
    warnings.push(
      `${match.count} transcripts of VoIP.ms could be of this recording, as they began at nearly the same time, so none of them was chosen.`,
    );
  const { transcribe } = options;
  if (transcribe === null) throw cannotBeMade(warnings);
  const { text, model, language } = await transcribe(await sound());
  const how = `written down by ${model} out of the recording`;
  const written = text.trim() === '' ? [] : [{ speaker: null, atSeconds: null, text: text.trim() }];
  return { ...base, source: 'openai', how, language, lines: written, warnings };
}

async function findListed(
  client: VoipMsClient,
  { account, recording }: { readonly account: string; readonly recording: string },
  date: string,
): Promise<CallRecording | null> {
  const list = await listRecordings(client, { account, from: dayAfter(date, -1), to: dayAfter(date, 1) });
  return list.find((one) => one.recording === recording) ?? null;
}

async function vendorMatch(client: VoipMsClient, recording: CallRecording, warnings: string[]): Promise<Match> {
  const day = recording.startedAt.slice(0, 10);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return { kind: 'none' };
  const params = { account: recording.account, date_from: dayAfter(day, -1), date_to: dayAfter(day, 1) };
  try {
    const answer = await client.call('getCallTranscriptions', params, { changes: false });
    return matchTranscript(recording, rowsOf(answer, 'transcriptions'));
  } catch (error) {
    // An account that the vendor writes nothing down for may be refused rather than told that there is none.
    const isRefused = error instanceof UserInputError || (error instanceof UpstreamError && !error.retryable);
    if (!isRefused) throw error;
    warnings.push(`VoIP.ms gave no transcripts of its own: ${error.message}`);
    return { kind: 'none' };
  }
}

function cannotBeMade(warnings: readonly string[]): ConfigError {
  const why = warnings.length === 0 ? 'VoIP.ms has no transcript of this recording.' : warnings.join(' ');
  return new ConfigError(
    `${why} Set OPENAI_API_KEY so that the recording itself is written down, or turn transcription on for the number or the sub-account in the VoIP.ms portal, for calls to come.`,
    { settings: ['OPENAI_API_KEY'] },
  );
}

/** Null for what is no transcript: it is made again. */
function transcriptOf(text: string | null): Transcript | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<Transcript> | null;
    return value !== null && Array.isArray(value.lines) && typeof value.source === 'string'
      ? (value as Transcript)
      : null;
  } catch {
    return null;
  }
}
