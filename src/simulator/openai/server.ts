import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { close, listen } from '../loopback.ts';
import { Understanding } from '../speech/understanding.ts';
import { complaint } from './failure.ts';
import { newId } from './ids.ts';
import { DEFAULT_KNOBS, type RealtimeKnobs, type RealtimeSimulatorOptions } from './knobs.ts';
import { RealtimeSession } from './session.ts';

export interface RealtimeSimulator {
  /** `ws://127.0.0.1:<port>/v1/realtime` (or `wss:`), without a query. */
  readonly url: string;
  readonly port: number;
  readonly apiKey: string;
  /** Those that got as far as a session, in the order of their coming. */
  readonly sessions: readonly RealtimeSession[];
  /** Connections turned away after the upgrade: their error code and close code. */
  readonly refused: readonly { readonly code: string; readonly closeCode: number }[];
  /** Resolves with the session number `index` as soon as it exists. */
  session(index: number, timeoutMs?: number): Promise<RealtimeSession>;
  /** Changes knobs for what begins from now on: new sessions, new responses. */
  turn(knobs: Partial<RealtimeKnobs>): void;
  close(): Promise<void>;
}

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly closeCode: number;
}

/** What the service says to a connection that `refuseSessions` turns away, and the code that it closes with. */
const REFUSED_SESSIONS: Readonly<Record<NonNullable<RealtimeKnobs['refuseSessions']>, Fault>> = {
  invalid_api_key: { code: 'invalid_api_key', message: 'Incorrect API key provided.', closeCode: 3000 },
  invalid_model: { code: 'invalid_model', message: 'The model is not supported in realtime mode.', closeCode: 4000 },
  insufficient_quota: {
    code: 'insufficient_quota',
    message: 'You exceeded your current quota, please check your plan and billing details.',
    closeCode: 4000,
  },
};

const PATH = '/v1/realtime';
const LARGEST_MESSAGE = 32 * 1024 * 1024;
const KNOWN_MODELS = /^(gpt-realtime|gpt-audio|gpt-4o-(mini-)?realtime-preview)/;
const KEY_PROTOCOL = 'openai-insecure-api-key.';

function protocolsOf(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
}

function keyOf(request: IncomingMessage): string | undefined {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  return (
    bearer ??
    protocolsOf(request)
      .find((one) => one.startsWith(KEY_PROTOCOL))
      ?.slice(KEY_PROTOCOL.length)
  );
}

/** Key, model and dialect are judged only after the upgrade, as OpenAI does since 2026: an `error` event, then a close of 3000 or 4000. */
function judge(request: IncomingMessage, apiKey: string, dialect: 'ga' | 'beta'): Fault | null {
  const key = keyOf(request);
  if (key !== apiKey) {
    const shown = key === undefined ? 'none' : `${key.slice(0, 3)}***`;
    return { code: 'invalid_api_key', message: `Incorrect API key provided: ${shown}.`, closeCode: 3000 };
  }
  const beta =
    request.headers['openai-beta'] === 'realtime=v1' || protocolsOf(request).includes('openai-beta.realtime-v1');
  if (beta && dialect === 'ga') {
    return {
      code: 'beta_api_shape_disabled',
      message: 'The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.',
      closeCode: 4000,
    };
  }
  if (!beta && dialect === 'beta') {
    return { code: 'ga_api_shape_disabled', message: 'This server speaks the beta shape only.', closeCode: 4000 };
  }
  const model = new URL(request.url ?? '/', 'ws://localhost').searchParams.get('model');
  if (model === null || model === '') {
    const example = 'wss://api.openai.com/v1/realtime?model=gpt-realtime';
    const message = `You must provide a model parameter, for example ${example}`;
    return { code: 'missing_model', message, closeCode: 4000 };
  }
  if (KNOWN_MODELS.test(model)) return null;
  return { code: 'invalid_model', message: `Model "${model}" is not supported in realtime mode.`, closeCode: 4000 };
}

function refuseUpgrade(socket: Duplex, status: number): void {
  const error = { type: 'invalid_request_error', code: null, message: STATUS_CODES[status] ?? 'Refused', param: null };
  const body = JSON.stringify({ error });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function turnAway(socket: WebSocket, fault: Fault): void {
  const error = { ...complaint(fault.code, fault.message), event_id: null };
  socket.on('error', () => undefined);
  socket.send(JSON.stringify({ type: 'error', event_id: newId('event'), error }));
  socket.close(fault.closeCode, `invalid_request_error.${fault.code}`);
}

/**
 * A Realtime service on loopback, as strict as OpenAI's: what the service refuses is refused here, with its error. It hears real
 * speech, understands the phrasebook's callee, and answers in the phrasebook's voice as the brain decides.
 */
export async function startRealtimeSimulator(options: RealtimeSimulatorOptions): Promise<RealtimeSimulator> {
  const { brain, apiKey = 'sk-simulated', dialect = 'ga', tls, network, port = 0, ...given } = options;
  // One object, so that a change by `turn` reaches the sessions that are already open.
  const knobs: RealtimeKnobs = { ...DEFAULT_KNOBS, ...given };
  const understanding = new Understanding();
  const sessions: RealtimeSession[] = [];
  const refused: { code: string; closeCode: number }[] = [];
  const waiting = new Set<() => void>();
  const refusals = [...knobs.refuseUpgrades];
  const web = tls === undefined ? createServer() : createTlsServer({ key: tls.key, cert: tls.cert });
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: true,
    maxPayload: LARGEST_MESSAGE,
    handleProtocols: (offered) => (offered.has('realtime') ? 'realtime' : false),
  });

  const accept = (socket: WebSocket, request: IncomingMessage): void => {
    const fault = judge(request, apiKey, dialect);
    if (fault !== null) {
      refused.push({ code: fault.code, closeCode: fault.closeCode });
      turnAway(socket, fault);
      return;
    }
    if (knobs.refuseSessions !== null) {
      const refusal = REFUSED_SESSIONS[knobs.refuseSessions];
      refused.push({ code: refusal.code, closeCode: refusal.closeCode });
      socket.on('error', () => undefined);
      const timer = setTimeout(() => turnAway(socket, refusal), knobs.sessionCreatedDelayMs);
      socket.once('close', () => clearTimeout(timer));
      return;
    }
    const model = new URL(request.url ?? '/', 'ws://localhost').searchParams.get('model') ?? '';
    const number = sessions.length;
    const session = new RealtimeSession({ socket, number, model, knobs, brain, understanding, dialect, network });
    sessions.push(session);
    session.start();
    for (const look of waiting) look();
  };

  web.on('request', (_request, response) => response.writeHead(404).end());
  web.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    const status = refusals.shift() ?? null;
    const { pathname } = new URL(request.url ?? '/', 'ws://localhost');
    if (status !== null) refuseUpgrade(socket, status);
    else if (pathname !== PATH) refuseUpgrade(socket, 404);
    else sockets.handleUpgrade(request, socket, head, (accepted) => accept(accepted, request));
  });
  const bound = await listen(web, port);

  return {
    url: `${tls === undefined ? 'ws' : 'wss'}://127.0.0.1:${bound}${PATH}`,
    port: bound,
    apiKey,
    sessions,
    refused,
    session: (index, timeoutMs = 10_000) => {
      const found = sessions[index];
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve, reject) => {
        const give = (): void => {
          const come = sessions[index];
          if (come === undefined) return;
          clearTimeout(timer);
          waiting.delete(give);
          resolve(come);
        };
        const timer = setTimeout(() => {
          waiting.delete(give);
          reject(new Error(`Session ${index} did not begin within ${timeoutMs} ms`));
        }, timeoutMs);
        waiting.add(give);
      });
    },
    turn: (changes) => {
      Object.assign(knobs, changes);
      if (changes.refuseUpgrades !== undefined) refusals.splice(0, refusals.length, ...changes.refuseUpgrades);
    },
    close: async () => {
      for (const session of sessions) session.dispose();
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      await close(web);
    },
  };
}
