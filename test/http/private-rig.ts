import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Access } from '../../src/config/access.ts';
import { addressTokenOf, createPrivateServer, type PrivateServerOptions } from '../../src/http/private-server.ts';

/** The private listener on a port of its own, and requests to it by hand, since `fetch` sets the Host header itself. */

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export function ask(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  { host = '127.0.0.1', method = 'GET' } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host, port, path, method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on('error', reject);
    request.end();
  });
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** A door that lets everybody on this machine in. */
export const OPEN: PrivateServerOptions['door'] = {
  authToken: null,
  tokensFile: null,
  allowQueryToken: false,
  oauth: null,
  requestsPerMinute: 1_000,
};

export const ADDRESSES: PrivateServerOptions['addresses'] = { mcpUrl: null, allowedHosts: [], allowedOrigins: [] };

export interface Opened {
  readonly port: number;
  /** Who was let in, the addresses that the route saw, and everything that was logged. */
  readonly came: Access[];
  readonly urls: (string | undefined)[];
  readonly log: string[];
}

/** Closes with the test that opens it. */
export async function openDoor(
  door: Partial<PrivateServerOptions['door']> = {},
  addresses: Partial<PrivateServerOptions['addresses']> = {},
): Promise<Opened> {
  const came: Access[] = [];
  const urls: (string | undefined)[] = [];
  const log: string[] = [];
  const keep = (fields: object, message: string): void => void log.push(`${JSON.stringify(fields)} ${message}`);
  const server = createPrivateServer({
    host: '127.0.0.1',
    port: 0,
    door: { ...OPEN, ...door },
    addresses: { ...ADDRESSES, ...addresses },
    routes: [
      {
        methods: ['GET', 'POST'],
        path: '/any',
        scope: 'any',
        handle: (request, response, access) => {
          came.push(access);
          urls.push(request.url, addressTokenOf(request) === null ? 'no token' : 'a token');
          response.end('in');
        },
      },
      {
        methods: ['GET'],
        path: '/reads',
        scope: 'calls:read',
        handle: (_request, response) => void response.end('read'),
      },
      {
        methods: ['GET'],
        path: '/open',
        scope: 'open',
        handle: (request, response) => void response.end(`open at ${request.url}`),
      },
    ],
    logger: { warn: keep, error: keep },
  });
  const { port } = await server.start();
  onTestFinished(() => server.stop());
  return { port, came, urls, log };
}
