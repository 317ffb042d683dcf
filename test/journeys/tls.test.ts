import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type Certificate, certificateIn } from '../fixtures/certificate.ts';
import { processes } from './process.ts';
import { AGREES, ringingForEver, shortCalls } from './short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

/** What a proxy in front does: TLS outside, plain inside. `target` is asked at each connection. */
async function tlsFront({ key, cert }: Certificate, target: () => Promise<number>): Promise<{ port: number }> {
  const sockets = new Set<{ destroy(): void }>();
  const front = createServer({ key, cert }, (outer) => {
    outer.on('error', () => undefined);
    sockets.add(outer);
    void target().then((port) => {
      const inner = connect(port, '127.0.0.1');
      sockets.add(inner);
      inner.on('error', () => outer.destroy());
      outer.on('close', () => inner.destroy());
      outer.pipe(inner).pipe(outer);
    });
  });
  front.on('tlsClientError', () => undefined);
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  here.later({
    close: async () => {
      for (const socket of sockets) socket.destroy();
      front.close();
    },
  });
  return { port: (front.address() as AddressInfo).port };
}

describe('TLS', { timeout: 60_000 }, () => {
  it('encrypts a whole call to the model and to Twilio, whose signatures over https and wss pass', async () => {
    const certificate = certificateIn(here.folder());
    const world = here.later(
      await shortCalls(AGREES, { realtime: { tls: certificate }, twilio: { ca: certificate.cert } }),
    );
    expect(world.env.OPENAI_WEBSOCKET_URL).toMatch(/^wss:/);
    let port: () => Promise<number> = () => Promise.reject(new Error('nobody listens yet'));
    const front = await tlsFront(certificate, () => port());
    const server = await here.start({
      env: {
        ...world.env,
        DATA_DIR: here.folder(),
        NODE_EXTRA_CA_CERTS: certificate.file,
        PUBLIC_URL: `https://127.0.0.1:${front.port}`,
        PORT: '0',
      },
      args: ['--simulate'],
    });
    port = () => server.listeningPort();
    const { data, lines } = await server.follow(await server.place());
    expect(data).toMatchObject({ outcome: 'completed' });
    expect(lines.map(({ speaker }) => speaker)).toEqual(['callee', 'agent', 'callee']);
    const [call] = world.twilio.calls;
    expect(call).toMatchObject({ endedBy: 'rest', errors: [], warnings: [] });
    expect(call?.webhooks.every(({ url }) => url.startsWith('https://'))).toBe(true);
    const document = call?.webhooks.find(({ kind }) => kind === 'voice')?.reply?.body;
    expect(document).toContain(`wss://127.0.0.1:${front.port}/call/connection-outgoing/`);
    expect(call?.ear?.heardText('a.goodbye', 1)).toContain('lovely evening');
    expect(world.realtime.sessions).toHaveLength(1);
  });

  it('to a model whose certificate is not trusted ends the call before anybody picks up, and says why', async () => {
    const certificate = certificateIn(here.folder());
    const answer = () => ({ kind: 'never' }) as const;
    const world = here.later(await shortCalls(AGREES, { answer, realtime: { tls: certificate } }));
    const server = await here.start({ env: { ...world.env, DATA_DIR: here.folder() }, args: ['--simulate'] });
    const callId = await server.place();
    const { data, lines } = await server.follow(callId);
    expect(data).toMatchObject({ state: 'ended', outcome: 'error' });
    expect(data.reason).toMatch(/certificate.*OPENAI_WEBSOCKET_URL.*NODE_EXTRA_CA_CERTS/);
    expect(lines).toEqual([]);
    expect(world.twilio.calls[0]).toMatchObject({ endedBy: 'rest', answeredAt: null });
    expect(world.realtime.sessions).toHaveLength(0);
  });

  it('to a public URL whose certificate nobody trusts is told before anything is dialled', async () => {
    const certificate = certificateIn(here.folder());
    const world = here.later(await ringingForEver());
    const front = await tlsFront(certificate, () => Promise.reject(new Error('nobody gets here')));
    const PUBLIC_URL = `https://127.0.0.1:${front.port}`;
    const env = { ...world.env, DATA_DIR: here.folder(), PUBLIC_URL, PORT: '0' };
    const server = await here.start({ env, args: ['--simulate'] });
    await expect(server.place()).rejects.toThrow(/PUBLIC_URL .*TLS certificate is not accepted/);
    expect(world.twilio.calls).toHaveLength(0);
  });
});
