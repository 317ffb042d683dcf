import { afterEach } from 'vitest';
import { createOpenAiModel, type OpenAiModelOptions } from '../../../src/models/openai/model.ts';
import { clockOf, recordSession } from '../recorded-session.ts';
import { type ScriptedServer, startScriptedServer } from './scripted-server.ts';

export const cleanups: Array<() => unknown> = [];
/** Each test file says this once: what a test opened is closed after it. */
export function cleanUpAfterEach(): void {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });
}

export function modelAt(url: string, options: Partial<OpenAiModelOptions> = {}) {
  return createOpenAiModel({
    apiKey: 'test-key',
    url,
    model: 'gpt-realtime-2.1',
    dialect: 'ga',
    transcriptionModel: 'gpt-transcribe',
    noiseReduction: 'near_field',
    turnDetection: 'server_vad',
    vadThreshold: 0.5,
    clock: clockOf(),
    ...options,
  });
}

export async function scripted(refuse?: { status: number; body: string }): Promise<ScriptedServer> {
  const server = await startScriptedServer(refuse ?? null);
  cleanups.push(() => server.close());
  return server;
}

/** A session that is ready, and the server's end of it. */
export async function readySession(
  options: Partial<OpenAiModelOptions> = {},
  spec: Parameters<typeof recordSession>[1] = {},
) {
  const server = await scripted();
  const recorded = recordSession(modelAt(server.url, options), spec);
  cleanups.push(() => recorded.session.close());
  const client = await server.client();
  const update = await client.greet();
  await recorded.until('model.ready');
  return { ...recorded, client, update };
}

export const created = { type: 'session.created', session: { id: 'sess_1' } };
export const error = (code: string | null, more: object = {}) => ({
  type: 'error',
  event_id: 'event_1',
  error: { type: 'invalid_request_error', code, message: 'x', param: null, event_id: null, ...more },
});
