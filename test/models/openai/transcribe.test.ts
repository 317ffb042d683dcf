import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, ProtocolError, UpstreamError, UserInputError } from '../../../src/errors.ts';
import { createTranscriber } from '../../../src/models/openai/transcribe.ts';
import {
  startTranscriptionSimulator,
  type TranscriptionSimulator,
} from '../../../src/simulator/openai/transcriptions.ts';
import { silentMp3 } from '../../../src/simulator/voipms/sound.ts';

const KEY = 'sk-a-very-secret-key-0123456789';
const sound = { bytes: new Uint8Array(silentMp3(1)), mimeType: 'audio/mpeg' };

let sim: TranscriptionSimulator;
beforeEach(async () => {
  sim = await startTranscriptionSimulator({ apiKey: KEY, text: ' Hello, this is Ada. ' });
});
afterEach(() => sim.stop());

function transcriber(options: { readonly model?: string; readonly apiKey?: string; readonly timeoutMs?: number } = {}) {
  return createTranscriber({ apiKey: KEY, baseUrl: sim.url, model: 'gpt-transcribe', timeoutMs: 10_000, ...options });
}

/** The error, after it was seen that the key is nowhere in it. */
async function failureOf(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason: Error) => reason,
  );
  const everything = JSON.stringify(
    [error, error.message, error.stack, String(error.cause)],
    Object.getOwnPropertyNames(error),
  );
  expect(everything).not.toContain(KEY);
  expect(everything).not.toContain(KEY.slice(0, 8));
  return error;
}

describe('a transcriber', () => {
  it('sends the recording as it is and answers with its text, the model and the language', async () => {
    expect(await transcriber()(sound)).toEqual({
      text: 'Hello, this is Ada.',
      model: 'gpt-transcribe',
      language: 'en',
    });
    expect(sim.requests).toEqual([
      {
        model: 'gpt-transcribe',
        responseFormat: 'json',
        fileName: 'recording.mp3',
        mimeType: 'audio/mpeg',
        bytes: sound.bytes,
      },
    ]);
  });

  it.each([
    ['whisper-1', 'verbose_json', 'english'],
    ['gpt-4o-mini-transcribe', 'json', null],
  ])('asks %s for %s, the form in which it tells the language if it can', async (model, format, language) => {
    expect(await transcriber({ model })(sound)).toMatchObject({ model, language });
    expect(sim.requests[0]?.responseFormat).toBe(format);
  });

  it('tries once more where the server is busy, and not for ever', async () => {
    sim.faults.refuse.push(500);
    expect(await transcriber()(sound)).toMatchObject({ text: 'Hello, this is Ada.' });
    sim.faults.refuse.push(503, 503, 503);
    expect(await failureOf(transcriber()(sound))).toMatchObject({ name: 'UpstreamError', retryable: true });
    expect(sim.faults.refuse).toEqual([503]);
  });

  it.each([
    ['a key that is refused', { apiKey: `${KEY}-wrong` }, 'OPENAI_API_KEY'],
    ['a model that is not there', { model: 'gpt-5-poet' }, 'OPENAI_RECORDING_MODEL'],
  ])('names the setting of %s', async (_, options, setting) => {
    const error = await failureOf(transcriber(options)(sound));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain(setting);
  });

  it('tells an account without credit from a busy one', async () => {
    sim.faults.quota = true;
    sim.faults.refuse.push(429, 429);
    expect((await failureOf(transcriber()(sound))).message).toContain('no credit');
    sim.faults.quota = false;
    sim.faults.refuse.push(429, 429);
    expect(await failureOf(transcriber()(sound))).toMatchObject({ retryable: true, code: 'rate_limit_exceeded' });
  });

  it('says that it took too long where nothing comes back', async () => {
    sim.faults.answer = 'hang';
    const error = await failureOf(transcriber({ timeoutMs: 50 })(sound));
    expect(error).toMatchObject({ name: 'UpstreamError', code: 'timeout', retryable: true });
    // It may have been written down, and charged.
    expect(sim.requests).toHaveLength(1);
  });

  it('says that the connection was closed', async () => {
    sim.faults.answer = 'drop';
    const error = await failureOf(transcriber()(sound));
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error).toMatchObject({ code: 'unreachable', retryable: true });
    expect(sim.requests).toHaveLength(1);
  });

  it.each(['html', 'no-text'] as const)('does not take %s for a transcription', async (answer) => {
    sim.faults.answer = answer;
    expect(await failureOf(transcriber()(sound))).toBeInstanceOf(ProtocolError);
  });

  it('sends nothing that cannot be written down', async () => {
    for (const bad of [
      { bytes: sound.bytes, mimeType: 'text/html' },
      { bytes: new Uint8Array(), mimeType: 'audio/mpeg' },
      { bytes: new Uint8Array(25 * 1024 * 1024 + 1), mimeType: 'audio/mpeg' },
    ])
      expect(await failureOf(transcriber()(bad))).toBeInstanceOf(UserInputError);
    expect(sim.requests).toEqual([]);
  });
});

describe('the simulated transcription endpoint', () => {
  const form = (fields: Readonly<Record<string, string | File>>) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return body;
  };
  const file = new File([sound.bytes], 'a.mp3', { type: 'audio/mpeg' });
  const post = (
    body: FormData | string,
    headers: Readonly<Record<string, string>> = { authorization: `Bearer ${KEY}` },
  ) => fetch(`${sim.url}/audio/transcriptions`, { method: 'POST', body, headers });

  it('refuses a request without a key, model or sound, or of a form that the model has not', async () => {
    const statuses = await Promise.all([
      post(form({ model: 'whisper-1', file }), {}),
      post(form({ file })),
      post(form({ model: 'whisper-1' })),
      post(form({ model: 'whisper-1', file: new File([sound.bytes], 'a.exe') })),
      post(form({ model: 'gpt-transcribe', file, response_format: 'srt' })),
      post('model=whisper-1'),
      post(form({ model: 'whisper-1', file })),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([401, 400, 400, 400, 400, 400, 200]);
  });
});
