import { request as ask, createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { TwilioOptions } from '../../../src/carriers/twilio/carrier.ts';
import { ConfigError } from '../../../src/errors.ts';
import { hostCarrier } from '../host.ts';
import { HandClock, makeRig } from './rig.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const prove = (nonce: string) => `proof of ${nonce}`;

/** The carrier behind the real listener; `front` changes the public URL that it is told. */
async function hosted(front: (publicUrl: string) => string = (url) => url, proof = prove) {
  const clock = new HandClock();
  const make = (publicUrl: string, options: Partial<TwilioOptions> = {}) =>
    makeRig('http://127.0.0.1:9', { publicUrl, clock, requestTimeoutMs: 1_000, ...options }).carrier;
  const host = await hostCarrier((publicUrl) => make(front(publicUrl)), proof);
  cleanups.push(host.stop);
  return { ...host, clock };
}

async function serve(listener: RequestListener): Promise<{ readonly url: string; readonly seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    listener(request, response);
  });
  server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function sentenceOf(preflight: Promise<void>): Promise<string> {
  const error: unknown = await preflight.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConfigError);
  expect(error instanceof ConfigError ? error.settings : []).toEqual(['PUBLIC_URL']);
  return error instanceof Error ? error.message : '';
}

describe('the preflight', () => {
  it('passes when the public URL leads to this process, for a request and for a stream', async () => {
    const { carrier } = await hosted();
    await expect(carrier.preflight()).resolves.toBeUndefined();
  });

  it('is shared by callers at the same time, believed for ten minutes, and repeated after that', async () => {
    const proofs: string[] = [];
    const { carrier, clock } = await hosted(undefined, (nonce) => {
      proofs.push(nonce);
      return prove(nonce);
    });
    await Promise.all([carrier.preflight(), carrier.preflight(), carrier.preflight()]);
    clock.pass(599_999);
    await carrier.preflight();
    expect(proofs).toHaveLength(1);
    clock.pass(2);
    await carrier.preflight();
    expect(proofs).toHaveLength(2);
  });

  it('does not remember a failure', async () => {
    let isRight = false;
    const { carrier } = await hosted(undefined, (nonce) => (isRight ? prove(nonce) : 'another'));
    expect(await sentenceOf(carrier.preflight())).toMatch(/another program or another instance/);
    isRight = true;
    await carrier.preflight();
  });

  it.each<[string, RequestListener, RegExp]>([
    [
      'a redirect',
      (_q, r) => r.writeHead(301, { location: 'https://example.com/' }).end(),
      /redirects to another address/,
    ],
    ['a missing path', (_q, r) => r.writeHead(404).end(), /no \/health \(status 404\)/],
    ['a login page', (_q, r) => r.writeHead(401).end(), /asks for a login/],
    ['a proxy without a server behind it', (_q, r) => r.writeHead(502).end(), /does not reach this server/],
    ['a page of somebody else', (_q, r) => r.writeHead(200).end('<html>hello</html>'), /another program/],
    ['a server that never answers', () => undefined, /did not answer in time/],
  ])('names %s', async (_name, listener, sentence) => {
    const { url } = await serve(listener);
    const { carrier } = await hosted(() => url);
    expect(await sentenceOf(carrier.preflight())).toMatch(sentence);
  });

  it('names a refused connection, a name that does not resolve and TLS that is none', async () => {
    const { url } = await serve((_request, response) => response.end());
    const taken = new URL(url);
    for (const [publicUrl, sentence] of [
      ['http://127.0.0.1:2', /connection was refused/],
      ['http://no-such-host.invalid', /does not resolve|failed/],
      [`https://${taken.host}`, /TLS certificate/],
    ] as const) {
      const { carrier } = await hosted(() => publicUrl);
      expect(await sentenceOf(carrier.preflight())).toMatch(sentence);
    }
  });

  it('names a proxy that lets requests through but no WebSockets', async () => {
    let target = '';
    const proxy = await serve((request, response) => {
      ask(target + request.url, (answer) => {
        response.writeHead(answer.statusCode ?? 0);
        answer.pipe(response);
      }).end();
    });
    const { carrier, publicUrl } = await hosted((own) => {
      target = own;
      return proxy.url;
    });
    expect(target).toBe(publicUrl);
    expect(await sentenceOf(carrier.preflight())).toMatch(/WebSocket.*status 400.*Upgrade/);
    expect(proxy.seen[0]).toMatch(/^\/health\?nonce=/);
  });

  it('names a stream that is refused because its signature does not fit', async () => {
    const { publicUrl } = await hosted();
    const stranger = makeRig('http://127.0.0.1:9', { publicUrl, authToken: 'another account' });
    expect(await sentenceOf(stranger.carrier.preflight())).toMatch(/status 403.*X-Twilio-Signature/);
  });
});
