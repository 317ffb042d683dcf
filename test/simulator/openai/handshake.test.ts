import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Bench } from './realtime-client.ts';

const bench = new Bench();
afterEach(() => bench.closeAll());

describe('connecting to the simulated Realtime service', () => {
  it('greets a right key and model with the defaults that were seen on the wire', async () => {
    const client = bench.client(await bench.simulator());
    const { session, event_id } = await client.next('session.created');
    expect(event_id).toMatch(/^event_[0-9A-Za-z]{21}$/);
    const { id, expires_at, instructions, ...rest } = session as Record<string, unknown>;
    expect(id).toMatch(/^sess_[0-9A-Za-z]{21}$/);
    expect(Number(expires_at) - Date.now() / 1_000).toBeGreaterThan(3_500);
    expect(instructions).toContain('helpful');
    const format = { type: 'audio/pcm', rate: 24_000 };
    expect(rest).toEqual({
      type: 'realtime',
      object: 'realtime.session',
      model: 'gpt-realtime-2.1',
      output_modalities: ['audio'],
      audio: {
        input: {
          format,
          transcription: null,
          noise_reduction: null,
          turn_detection: {
            type: 'server_vad',
            threshold: 0.5,
            prefix_padding_ms: 300,
            silence_duration_ms: 200,
            idle_timeout_ms: null,
            create_response: true,
            interrupt_response: true,
          },
        },
        output: { format, voice: 'alloy', speed: 1 },
      },
      max_output_tokens: 'inf',
      truncation: 'auto',
      tools: [],
      tool_choice: 'auto',
      tracing: null,
      prompt: null,
      include: null,
    });
  });

  it.each([
    ['a wrong key', { headers: { Authorization: 'Bearer sk-wrong' } }, 'invalid_api_key', 3000],
    ['no key', { headers: {} }, 'invalid_api_key', 3000],
    ['no model', { query: '' }, 'missing_model', 4000],
    ['an unknown model', { query: '?model=parrot-1' }, 'invalid_model', 4000],
    [
      'the beta header',
      { headers: { Authorization: 'Bearer sk-simulated', 'OpenAI-Beta': 'realtime=v1' } },
      'beta_api_shape_disabled',
      4000,
    ],
  ])('opens, complains of %s, and closes', async (_what, options, code, closeCode) => {
    const simulator = await bench.simulator();
    const client = bench.client(simulator, options as Parameters<typeof bench.client>[1]);
    expect((await client.error()).code).toBe(code);
    expect(await client.end()).toEqual({ code: closeCode, reason: `invalid_request_error.${code}` });
    expect(client.types()).toEqual(['error']);
    expect(simulator.refused).toEqual([{ code, closeCode }]);
    expect(simulator.sessions).toEqual([]);
  });

  it('takes the key as a subprotocol and selects realtime', async () => {
    const simulator = await bench.simulator();
    const protocols = ['realtime', 'openai-insecure-api-key.sk-simulated'];
    const client = bench.client(simulator, { headers: {}, protocols });
    await client.next('session.created');
    expect(client.socket.protocol).toBe('realtime');
  });

  it('refuses upgrades with the HTTP statuses it was told, then lets one through', async () => {
    const simulator = await bench.simulator({ refuseUpgrades: [429, 500, 401] });
    for (const status of [429, 500, 401]) {
      const client = bench.client(simulator);
      await client.until(() => client.httpStatus !== null, 'an HTTP answer');
      expect(client.httpStatus).toBe(status);
    }
    await bench.client(simulator).next('session.created');
  });

  it('knows no other path', async () => {
    const simulator = await bench.simulator();
    const client = bench.client(simulator, { query: '/calls?model=gpt-realtime' });
    await client.until(() => client.httpStatus === 404, 'a 404');
  });

  it('speaks TLS with the certificate it is given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'realtime-tls-'));
    const path = (name: string): string => join(folder, name);
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', path('key.pem'), '-out', path('cert.pem')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    execFileSync('openssl', ['req', '-x509', ...curve, '-nodes', '-days', '2', ...subject, ...files], {
      stdio: 'ignore',
    });
    const [key, cert] = [readFileSync(path('key.pem'), 'utf8'), readFileSync(path('cert.pem'), 'utf8')];
    rmSync(folder, { recursive: true });
    const simulator = await bench.simulator({ tls: { key, cert } });
    expect(simulator.url).toMatch(/^wss:/);
    await bench.client(simulator, { ca: cert }).next('session.created');
  });

  it('closes every connection and its port when it is closed', async () => {
    const simulator = await bench.simulator();
    const client = bench.client(simulator);
    await client.next('session.created');
    await simulator.close();
    expect((await client.end()).code).toBe(1006);
    const late = bench.client(simulator);
    await late.end();
    expect(late.messages).toEqual([]);
  });
});
