import { setTimeout } from 'node:timers/promises';
import type OpenAI from 'openai';
import { ConfigError, ProtocolError, UpstreamError, UserInputError } from '../../errors.ts';

export interface TranscriberOptions {
  readonly apiKey: string;
  /** Of OpenAI's REST API or a compatible one, such as `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** Of each try. */
  readonly timeoutMs: number;
  readonly logger?: { debug(fields: Readonly<Record<string, unknown>>, message: string): void };
}

/** After these it is tried once more. What was not answered may have been written down and charged, so it is not. */
const REFUSED: ReadonlySet<unknown> = new Set([429, 500, 503]);
const RETRY_AFTER_MS = 1_000;
/** The largest file that the endpoint takes (OpenAI docs, "Speech to text"). */
const MOST_BYTES = 25 * 1024 * 1024;
/** By the ending of its name the endpoint knows what the file is. */
const ENDINGS: Readonly<Record<string, string>> = {
  'audio/flac': 'flac',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/mp4': 'mp4',
  'audio/ogg': 'ogg',
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/webm': 'webm',
};

/**
 * Writes down a recording (OpenAI API reference, "Create transcription"). The answer's `language` is what the model says: a code
 * (`en`) or a name (`english`), null where it says none.
 * It rejects with one of the four errors; the key is in none of them.
 */
export function createTranscriber(
  options: TranscriberOptions,
): (sound: {
  readonly bytes: Uint8Array;
  readonly mimeType: string;
}) => Promise<{ readonly text: string; readonly model: string; readonly language: string | null }> {
  const { model, logger } = options;
  return async ({ bytes, mimeType }) => {
    const ending = ENDINGS[mimeType.split(';')[0]?.trim().toLowerCase() ?? ''];
    if (ending === undefined)
      throw new UserInputError('Only recordings as MP3, WAV, FLAC, Ogg, MP4 or WebM can be written down.');
    if (bytes.byteLength === 0) throw new UserInputError('The recording is empty, so there is nothing to write down.');
    if (bytes.byteLength > MOST_BYTES)
      throw new UserInputError('The recording is larger than the 25 MB that can be written down at once.');
    const startedAtMs = performance.now();
    // It takes a tenth of a second to load, so that is left until somebody wants a transcript.
    const api = await import('openai');
    try {
      const file = await api.toFile(bytes, `recording.${ending}`, { type: mimeType });
      // whisper-1 tells the language in this form only; the others know no form but json.
      const response_format = model === 'whisper-1' ? 'verbose_json' : 'json';
      const client = clientOf(api, options);
      const ask = (): Promise<unknown> => client.audio.transcriptions.create({ file, model, response_format });
      const answer = await ask().catch(async (error: unknown) => {
        if (!(error instanceof api.APIError && REFUSED.has(error.status))) throw error;
        await setTimeout(RETRY_AFTER_MS);
        return ask();
      });
      const { text, language } = read(answer);
      const ms = Math.round(performance.now() - startedAtMs);
      logger?.debug({ model, bytes: bytes.byteLength, ms }, 'a recording was written down');
      return { text, model, language };
    } catch (error) {
      throw translated(error, model, api);
    }
  };
}

type Api = typeof import('openai');

function clientOf(api: Api, { apiKey, baseUrl, timeoutMs }: TranscriberOptions): OpenAI {
  return new api.OpenAI({
    apiKey,
    baseURL: baseUrl,
    timeout: timeoutMs,
    maxRetries: 0,
    // Else the package takes these out of the environment by itself, and writes to the console.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: 'off',
  });
}

function read(answer: unknown): { readonly text: string; readonly language: string | null } {
  const fields = typeof answer === 'object' && answer !== null ? (answer as Readonly<Record<string, unknown>>) : {};
  if (typeof fields.text !== 'string')
    throw new ProtocolError(
      'OPENAI_API_URL answered a transcription without its text. Does a compatible server stand there?',
    );
  return { text: fields.text.trim(), language: languageOf(fields) };
}

/** Where several are spoken, the first. */
function languageOf({ language, languages }: Readonly<Record<string, unknown>>): string | null {
  const first: unknown = Array.isArray(languages) ? languages[0] : undefined;
  const code = typeof first === 'object' && first !== null && 'code' in first ? first.code : language;
  return typeof code === 'string' && code !== '' ? code : null;
}

/** The package's own errors hold headers and what the service said, so none of them is a cause. */
function translated(error: unknown, model: string, api: Api): Error {
  if (error instanceof ProtocolError) return error;
  if (error instanceof api.APIConnectionTimeoutError)
    return new UpstreamError('The transcription took too long. Try it again later.', {
      retryable: true,
      code: 'timeout',
    });
  if (error instanceof api.APIConnectionError)
    return new UpstreamError('The server at OPENAI_API_URL could not be reached, or closed the connection.', {
      retryable: true,
      code: 'unreachable',
    });
  if (error instanceof api.APIError && typeof error.status === 'number')
    return refusalOf(error.status, error.code ?? null, model);
  return new ProtocolError(
    'OPENAI_API_URL answered a transcription with something that is not JSON. Does a compatible server stand there?',
  );
}

function refusalOf(status: number, code: string | null, model: string): Error {
  if (status === 401 || status === 403)
    return new ConfigError(
      'The server at OPENAI_API_URL refused OPENAI_API_KEY. Set one that may use transcriptions.',
      {
        settings: ['OPENAI_API_KEY'],
      },
    );
  if (code === 'insufficient_quota')
    return new ConfigError(
      'The account of OPENAI_API_KEY has no credit left. Add some, or set the key of another one.',
      {
        settings: ['OPENAI_API_KEY'],
      },
    );
  if (status === 404)
    return new ConfigError(
      `The server at OPENAI_API_URL has no transcriptions by the model ${model}. Set OPENAI_RECORDING_MODEL to one that it has.`,
      { settings: ['OPENAI_RECORDING_MODEL', 'OPENAI_API_URL'] },
    );
  const retryable = status === 408 || status === 409 || status === 429 || status >= 500;
  const sentence = retryable
    ? 'The server at OPENAI_API_URL cannot write down recordings at the moment. Try it again later.'
    : 'The server at OPENAI_API_URL did not take the recording.';
  return new UpstreamError(sentence, { retryable, code: code ?? `http_${status}` });
}
