import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { close, listen, readBody } from '../loopback.ts';

export interface TranscriptionSimulatorOptions {
  /** 0 or absent takes a free port of 127.0.0.1. */
  readonly port?: number;
  /** The same as of the simulated speech model. */
  readonly apiKey?: string;
  /** What is answered for every sound. */
  readonly text?: string;
  readonly faults?: Partial<TranscriptionFaults>;
}

/** What can go otherwise than well. May be changed at any time. */
export interface TranscriptionFaults {
  /** HTTP statuses with which the next requests are refused; each uses up one. */
  refuse: number[];
  /** With 429: no credit is left, which waiting does not help. */
  quota: boolean;
  /** `hang`: no answer, on a connection that stays open; `html`: a web page; `no-text`: JSON without the text; `drop`: the connection ends. */
  answer: 'ordinary' | 'hang' | 'html' | 'no-text' | 'drop';
}

export interface TranscriptionSimulator {
  /** What to set as OPENAI_API_URL: `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  readonly apiKey: string;
  readonly faults: TranscriptionFaults;
  /** What was sent to be written down, in the order of its coming; of those requests only that were in order. */
  readonly requests: readonly TranscriptionRequest[];
  /** Ends everything; what hangs is dropped. */
  stop(): Promise<void>;
}

export interface TranscriptionRequest {
  readonly model: string;
  readonly responseFormat: string;
  readonly fileName: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array;
}

const PATH = '/v1/audio/transcriptions';
const TEXT = 'Good morning, this is the office. Hello, I am calling about my order. It is ready. Thank you, goodbye.';
const SOUND_NAME = /\.(flac|mp3|mp4|mpeg|mpga|m4a|ogg|wav|webm)$/i;
const MOST_BYTES = 25 * 1024 * 1024;
const KNOWN_MODEL = /^(whisper-1|gpt-transcribe|gpt-4o-(mini-)?transcribe(-\w[\w-]*)?)$/;

/** Refuses with what the service answers. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly body: object;

  constructor(status: number, message: string, code: string | null = null, param: string | null = null) {
    super(message);
    this.status = status;
    const type = status >= 500 ? 'server_error' : status === 429 ? 'requests' : 'invalid_request_error';
    this.body = { error: { message, type, param, code } };
  }
}

/** The endpoint of OpenAI that writes down a file (API reference, "Create transcription"), on loopback and as strict. */
export async function startTranscriptionSimulator(
  options: TranscriptionSimulatorOptions = {},
): Promise<TranscriptionSimulator> {
  const { apiKey = 'sk-simulated', text = TEXT } = options;
  const faults: TranscriptionFaults = { refuse: [], quota: false, answer: 'ordinary', ...options.faults };
  const requests: TranscriptionRequest[] = [];
  const server = createServer((request, response) => {
    serve(request, response, { apiKey, text, faults, requests }).catch((error: unknown) => {
      if (error instanceof Refusal) respond(response, error.status, error.body);
      else response.destroy();
    });
  });
  const port = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    apiKey,
    faults,
    requests,
    stop: () => close(server),
  };
}

interface Desk {
  readonly apiKey: string;
  readonly text: string;
  readonly faults: TranscriptionFaults;
  readonly requests: TranscriptionRequest[];
}

async function serve(request: IncomingMessage, response: ServerResponse, desk: Desk): Promise<void> {
  const { apiKey, text, faults, requests } = desk;
  const body = await readBody(request, MOST_BYTES + 65_536);
  if (body === null) throw new Refusal(413, 'Maximum content size limit exceeded.');
  if (request.url !== PATH) throw new Refusal(404, `Invalid URL (${request.method} ${request.url})`, 'invalid_url');
  if (request.method !== 'POST') throw new Refusal(405, 'Method not allowed.');
  const key = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (key === undefined) throw new Refusal(401, "You didn't provide an API key.");
  // The service repeats a part of the key, too.
  if (key !== apiKey) throw new Refusal(401, `Incorrect API key provided: ${key.slice(0, 8)}***.`, 'invalid_api_key');
  const status = faults.refuse.shift();
  if (status === 429 && faults.quota)
    throw new Refusal(429, 'You exceeded your current quota, please check your plan.', 'insufficient_quota');
  if (status !== undefined)
    throw new Refusal(status, 'The server had an error.', status === 429 ? 'rate_limit_exceeded' : null);
  const asked = await readForm(body, request.headers['content-type'] ?? '');
  requests.push(asked);
  switch (faults.answer) {
    case 'ordinary':
      return respond(response, 200, answerOf(asked, text));
    case 'hang':
      return;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' });
      return void response.end('<html><body>A proxy</body></html>');
    case 'no-text':
      return respond(response, 200, { usage: { type: 'duration', seconds: 1 } });
    case 'drop':
      return void response.socket?.destroy();
    default: {
      const never: never = faults.answer;
      return never;
    }
  }
}

/** Which model tells the language, and how, is in the API reference. */
function answerOf({ model, responseFormat }: TranscriptionRequest, text: string): object {
  if (responseFormat === 'verbose_json')
    return { task: 'transcribe', language: 'english', duration: 26, text, segments: [] };
  return model === 'gpt-transcribe' ? { text, languages: [{ code: 'en' }] } : { text };
}

async function readForm(body: Buffer, type: string): Promise<TranscriptionRequest> {
  if (!type.startsWith('multipart/form-data')) throw new Refusal(400, 'The body must be multipart/form-data.');
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const [file, model, format] = [form.get('file'), form.get('model'), form.get('response_format') ?? 'json'];
  if (typeof model !== 'string' || model === '')
    throw new Refusal(400, 'you must provide a model parameter', null, 'model');
  if (!KNOWN_MODEL.test(model))
    throw new Refusal(404, `The model '${model}' does not exist`, 'model_not_found', 'model');
  if (file === null || typeof file === 'string') throw new Refusal(400, 'Field required', null, 'file');
  if (!SOUND_NAME.test(file.name)) throw new Refusal(400, 'Unrecognized file format.', null, 'file');
  if (file.size === 0) throw new Refusal(400, 'Audio file is too short.', 'audio_too_short', 'file');
  if (file.size > MOST_BYTES) throw new Refusal(413, 'Maximum content size limit exceeded.');
  const formats = model === 'whisper-1' ? ['json', 'verbose_json'] : ['json'];
  if (typeof format !== 'string' || !formats.includes(format))
    throw new Refusal(
      400,
      `response_format '${String(format)}' is not compatible with model '${model}'.`,
      'unsupported_value',
      'response_format',
    );
  const bytes = new Uint8Array(await file.arrayBuffer());
  return { model, responseFormat: format, fileName: file.name, mimeType: file.type, bytes };
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
