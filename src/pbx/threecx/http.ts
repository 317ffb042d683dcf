/** One exchange over HTTP: bounded in time and size, and exact on whether the server can have heard of it. */
import { type IncomingMessage, Agent as PlainAgent, request as requestPlain } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import type { CallControlClock } from './call-control.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly timeoutMs: number;
  readonly mostBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfterSeconds: number | null;
  readonly bytes: Buffer;
}

/** No answer. `wasSent` is false only when the server cannot have heard of it. */
export class HttpFailure extends Error {
  readonly kind: 'network' | 'timeout' | 'certificate' | 'too-large';
  readonly wasSent: boolean;
  constructor(kind: HttpFailure['kind'], wasSent: boolean, cause?: unknown) {
    super(`HTTP failed (${kind})`, { cause });
    this.kind = kind;
    this.wasSent = wasSent;
  }
}

export interface Http {
  ask(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

export const isTls = (url: string): boolean => url.startsWith('https:');

export function createHttp(clock: CallControlClock): Http {
  const plain = new PlainAgent({ keepAlive: true });
  const tls = new TlsAgent({ keepAlive: true });
  return {
    ask: (request) => ask(request, clock, isTls(request.url) ? tls : plain),
    close() {
      plain.destroy();
      tls.destroy();
    },
  };
}

function ask(asked: HttpRequest, clock: CallControlClock, agent: PlainAgent): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let wasSent = false;
    let isOver = false;
    const { method, url, headers, body } = asked;
    const request = (isTls(url) ? requestTls : requestPlain)(url, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      // On a connection that was kept, a change could be lost with nobody knowing whether it was heard.
      agent: method === 'GET' ? agent : false,
    });
    const end = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      cancelTimer();
      settle();
    };
    const fail = (kind: HttpFailure['kind'], cause?: unknown): void =>
      end(() => {
        request.destroy();
        reject(new HttpFailure(kind, wasSent, cause));
      });
    const cancelTimer = clock.setTimer(() => fail('timeout'), asked.timeoutMs);
    request.on('socket', (socket) => {
      // On one that was kept there is nothing to wait for.
      if (!socket.connecting) wasSent = true;
      else
        socket.once(isTls(url) ? 'secureConnect' : 'connect', () => {
          wasSent = true;
        });
    });
    request.on('error', (error) => fail(isCertificateFault(error) ? 'certificate' : 'network', error));
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > asked.mostBytes) fail('too-large');
        else chunks.push(chunk);
      });
      response.on('error', (error) => fail('network', error));
      response.on('close', () => fail('network'));
      response.on('end', () => end(() => resolve(answerOf(response, Buffer.concat(chunks)))));
    });
    request.end(body);
  });
}

function answerOf(response: IncomingMessage, bytes: Buffer): HttpAnswer {
  const retryAfter = Number(response.headers['retry-after'] ?? Number.NaN);
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null,
    bytes,
  };
}

export function isCertificateFault(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code);
}
