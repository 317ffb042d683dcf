import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Audio } from '../../../src/media/audio.ts';
import { recordSession } from '../recorded-session.ts';
import { cleanUpAfterEach, cleanups, error, modelAt, readySession, scripted } from './scripted-session.ts';

cleanUpAfterEach();

describe('failing', () => {
  it.each([
    [401, '', 'refused-key', false],
    [403, '', 'refused-key', false],
    [404, '', 'refused-model', false],
    [400, '{"error":{"code":"OpperationNotSupported"}}', 'refused-model', false],
    [400, '', 'configuration', false],
    [429, '', 'unreachable', true],
    [429, '{"error":{"code":"insufficient_quota"}}', 'quota', false],
    [503, '', 'unreachable', true],
  ])('reads an HTTP %i %s at the upgrade as %s', async (status, body, kind, retryable) => {
    const server = await scripted({ status, body });
    const { until, types } = recordSession(modelAt(server.url));
    expect(await until('model.failed')).toMatchObject({ kind, retryable });
    expect(types()).toEqual(['model.failed']);
  });

  it.each([
    ['invalid_api_key', 3000, 'refused-key', false],
    ['missing_model', 4000, 'refused-model', false],
    ['invalid_model', 4000, 'refused-model', false],
    ['beta_api_shape_disabled', 4000, 'configuration', false],
    ['insufficient_quota', 4000, 'quota', false],
    ['session_expired', 1001, 'expired', true],
  ])(
    'reads %s as the end, once, whether an error or only the close with %i says it',
    async (code, close, kind, retryable) => {
      for (const withError of [true, false]) {
        const server = await scripted();
        const { until, types, session } = recordSession(modelAt(server.url));
        const client = await server.client();
        if (withError) client.send(error(code));
        client.socket.close(close, `invalid_request_error.${code}`);
        expect(await until('model.failed')).toEqual({ type: 'model.failed', kind, retryable, code });
        session.close();
        session.reply({ requestId: 'late', purpose: 'opener', tools: true });
        expect(types()).toEqual(['model.failed']);
      }
    },
  );

  it('reads an abrupt end in the middle as dropped, and says nothing more', async () => {
    const { client, until, types, session } = await readySession();
    client.send({ type: 'input_audio_buffer.speech_started', audio_start_ms: 1, item_id: 'u' });
    await until('model.speechStarted');
    client.socket.terminate();
    expect(await until('model.failed')).toMatchObject({ kind: 'dropped', retryable: true });
    session.append(Audio.fromBytes(new Uint8Array(160)));
    session.truncate('a', 0, 10);
    expect(types()).toEqual(['model.ready', 'model.speechStarted', 'model.failed']);
  });

  it('reports the quota after the reply that failed for it', async () => {
    const { client, until, types } = await readySession();
    client.send(
      { type: 'response.created', response: { id: 'resp', metadata: null } },
      {
        type: 'response.done',
        response: {
          id: 'resp',
          status: 'failed',
          status_details: { type: 'failed', error: { code: 'insufficient_quota' } },
        },
      },
      { type: 'input_audio_buffer.speech_started', audio_start_ms: 1, item_id: 'u' },
    );
    expect(await until('model.failed')).toMatchObject({ kind: 'quota', retryable: false });
    expect(types()).toEqual(['model.ready', 'model.replyCreated', 'model.replyDone', 'model.failed']);
  });

  it('calls a server that nobody runs, an address that is none and a silent one unreachable or misconfigured', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => silent.close());
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const connections: Array<{ destroy(): void }> = [];
    silent.on('connection', (socket) => connections.push(socket));
    cleanups.push(() => connections.forEach((socket) => void socket.destroy()));

    const gone = recordSession(modelAt('ws://127.0.0.1:1/v1/realtime'));
    expect(await gone.until('model.failed')).toMatchObject({
      kind: 'unreachable',
      retryable: true,
      code: 'ECONNREFUSED',
    });
    const nonsense = recordSession(modelAt('not an address'));
    expect(nonsense.events).toEqual([]);
    expect(await nonsense.until('model.failed')).toMatchObject({ kind: 'configuration', retryable: false });
    const mute = recordSession(modelAt(`ws://127.0.0.1:${port}/`, { connectTimeoutMs: 50 }));
    expect(await mute.until('model.failed')).toMatchObject({ kind: 'unreachable', retryable: true, code: 'timeout' });
  });

  it('gives up a server that opens the socket and never greets', async () => {
    const server = await scripted();
    const { until } = recordSession(modelAt(server.url, { connectTimeoutMs: 100 }));
    expect(await until('model.failed')).toMatchObject({ kind: 'unreachable', retryable: true, code: 'timeout' });
  });

  it('notices a peer that no longer answers its pings', async () => {
    const { client, until } = await readySession({ heartbeatMs: 30 });
    // ws answers a ping in its receiver; without reading there is no answer.
    client.socket.pause();
    expect(await until('model.failed')).toMatchObject({ kind: 'dropped', retryable: true, code: 'no-pong' });
  });

  it('keeps a quiet session that answers its pings', async () => {
    const { client, types } = await readySession({ heartbeatMs: 10 });
    let pings = 0;
    await new Promise<void>((resolve) => {
      client.socket.on('ping', () => {
        pings += 1;
        if (pings === 10) resolve();
      });
    });
    expect(types()).toEqual(['model.ready']);
  });

  it('survives close at any moment of connecting, silently', async () => {
    const server = await scripted();
    const now = recordSession(modelAt(server.url));
    now.session.close();
    now.session.close();
    const open = recordSession(modelAt(server.url));
    const client = await server.client();
    open.session.close();
    await new Promise((resolve) => client.socket.on('close', resolve));
    expect([...now.events, ...open.events]).toEqual([]);
  });

  it('closes politely, and nothing is heard after it', async () => {
    const { client, session, types } = await readySession();
    const closed = new Promise<number>((resolve) => client.socket.on('close', resolve));
    client.send({ type: 'input_audio_buffer.speech_started', audio_start_ms: 1, item_id: 'u' });
    session.close();
    expect(await closed).toBe(1000);
    expect(types()).toEqual(['model.ready']);
  });
});
