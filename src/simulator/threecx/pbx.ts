/**
 * A 3CX v20 on loopback: its sign-in, its Call Control API with events and audio, and its configuration API, over real HTTP and
 * WebSockets, with the telephony behind them. Made from 3CX's own documents (XAPI tutorial, call-control-examples, Call Control
 * API); what they leave open is said where it is decided.
 */
import { randomBytes } from 'node:crypto';
import { BYTES_PER_MS } from '../../media/mulaw.ts';
import type { Answer, Callee } from '../callee/callee.ts';
import { EventsSockets } from './events.ts';
import { Exchange, SILENT_OFFICE } from './exchange.ts';
import type { ThreeCxFaults } from './faults.ts';
import { DEFAULT_OFFICE, Office, type SimulatedExtension } from './office.ts';
import { type SeenRequest, ThreeCxServer } from './server.ts';
import { Tokens } from './tokens.ts';
import { Xapi } from './xapi.ts';

export interface ThreeCxSimulatorOptions {
  /** Who takes the call at an extension or number; by default somebody who stays silent, after 300 ms. */
  readonly answer?: (to: string) => Answer;
  /** Also the DN of the app's route point. */
  readonly clientId?: string;
  readonly extensions?: readonly SimulatedExtension[];
  /** How long a token is good. */
  readonly tokenMinutes?: number;
  /** What `expires_in` says: 60 means minutes, 3600 seconds. */
  readonly expiresIn?: number;
  /** Wall clock, in milliseconds. */
  readonly wall?: () => number;
}

export interface IncomingOptions {
  readonly to: string;
  /** A number outside, or an extension. */
  readonly from: string;
  readonly name?: string;
  /** The caller gives up after so long. */
  readonly ringMs?: number;
  readonly callee: () => Callee;
}

export interface ThreeCxSimulator {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly routePoint: string;
  /** The settings with which a server finds it, by their names in the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** May be turned while it runs. */
  readonly faults: ThreeCxFaults;
  readonly requests: readonly SeenRequest[];
  /** What a client must never do, in sentences. */
  readonly violations: readonly string[];
  /** Calls that are up, or ring. */
  readonly liveCalls: number;
  /** Audio towards calls that came too fast and was thrown away. */
  readonly lostMs: number;
  /** Somebody calls the route point or an extension. The id is of the participant that is called. */
  call(options: IncomingOptions): { hangUp(): void; readonly participantId: number };
  /** Breaks the events sockets without a word. */
  dropEvents(): void;
  /** Breaks all audio connections without a word. */
  dropStreams(): void;
  /** The next event is lost, and leaves a gap in the sequence. */
  skipSequence(): void;
  /** The tokens that were given out are worthless. */
  revokeToken(): void;
  stop(): Promise<void>;
}

const DEFAULT_CLIENT_ID = '8000';
const DEFAULT_TOKEN_MINUTES = 60;
const DEFAULT_EXPIRES_IN = 60;

export async function startThreeCxSimulator(options: ThreeCxSimulatorOptions = {}): Promise<ThreeCxSimulator> {
  const { clientId = DEFAULT_CLIENT_ID, wall = Date.now } = options;
  const clientSecret = randomBytes(16).toString('hex');
  const faults: ThreeCxFaults = {};
  const violations: string[] = [];
  const violated = (sentence: string): void => void violations.push(sentence);
  const lifeMinutes = options.tokenMinutes ?? DEFAULT_TOKEN_MINUTES;
  const expiresIn = options.expiresIn ?? DEFAULT_EXPIRES_IN;
  const tokens = new Tokens({ clientId, clientSecret, lifeMinutes, expiresIn, wall, faults, violated });
  const events = new EventsSockets(faults);
  const office = new Office(options.extensions ?? DEFAULT_OFFICE, clientId);
  const exchange = new Exchange({ office, events, answer: options.answer ?? SILENT_OFFICE, wall });
  const world = { office, exchange, faults, violated };
  const server = new ThreeCxServer({ ...world, tokens, events, xapi: new Xapi({ ...world, wall }) });
  const baseUrl = await server.listen();
  return {
    baseUrl,
    clientId,
    clientSecret,
    routePoint: clientId,
    env: {
      PBX_FQDN: baseUrl,
      PBX_CLIENT_ID: clientId,
      PBX_CLIENT_SECRET: clientSecret,
      PBX_DEFAULT_EXTENSION: office.extensions[0]?.number ?? '',
    },
    faults,
    requests: server.requests,
    violations,
    get liveCalls() {
      return exchange.calls.size;
    },
    get lostMs() {
      return exchange.lostBytes / BYTES_PER_MS;
    },
    call: ({ to, from, name = '', ringMs, callee }) => {
      const leg = exchange.ring(to, from, name, callee, ringMs);
      return { participantId: leg.id, hangUp: () => leg.call.end('completed') };
    },
    dropEvents: () => events.drop(),
    dropStreams: () => exchange.dropStreams(),
    skipSequence: () => events.skip(),
    revokeToken: () => tokens.revoke(),
    stop: async () => {
      exchange.endAll();
      await server.close();
    },
  };
}
