/** Telephone calls over an Asterisk of one's own: it connects the audio of each to us (chan_websocket), and is asked for the rest through its manager. */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { CallId, CarrierTraits } from '../../call/words.ts';
import { ConfigError } from '../../errors.ts';
import type { Carrier, Line, LineOptions, MediaSocket, UpgradeRequest } from '../carrier.ts';
import { withLine } from '../with-line.ts';
import { startAudioSocketServer } from './audiosocket-server.ts';
import type { DownlinkClock } from './downlink.ts';
import type { Exchange } from './exchange.ts';
import type { MediaLeg } from './leg.ts';
import { AsteriskLine, type LineSetUp } from './line.ts';
import { readMediaEvent } from './stream.ts';
import { WebSocketLeg } from './websocket-leg.ts';

export const MEDIA_PATH = '/call/asterisk/media';

/** A call that rings with us. Whoever takes it makes a line of it with `carrier`; else it is declined, and the dial plan goes on. */
export interface IncomingCall {
  readonly carrier: Carrier;
  readonly uniqueId: string;
  /** As the telephone system tells it: anybody's text. */
  readonly from: string;
  readonly to: string;
  decline(): void;
}

export interface AsteriskCarrierOptions {
  readonly exchange: Exchange;
  readonly username: string;
  readonly password: string;
  readonly clock: DownlinkClock & { wall(): number };
  readonly logger: AsteriskLog;
  /** Absent: calls that come in are refused at once. `mayTake` is asked before the upgrade. */
  readonly incoming?: { readonly mayTake: () => boolean; readonly take: (call: IncomingCall) => void } | undefined;
  readonly startDeadlineMs?: number;
  /** Where Asterisk connects the audio of calls by AudioSocket, for servers without chan_websocket. */
  readonly audioSocket?: { readonly host: string; readonly port: number } | undefined;
}

export interface AsteriskLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

const TRAITS: CarrierTraits = {
  // Asterisk takes 1,000 frames, says so late, and throws the rest away: half of that is never in danger.
  lookAheadMs: 10_000,
  clearEchoesMarks: false,
  // A recorded sentence of the dial plan's.
  canSay: true,
  canReattach: false,
  canSendDigits: true,
  canTransfer: true,
};

const START_DEADLINE_MS = 5_000;
/** `switchboard-<milliseconds since 1970>-<digits or extension>-<our id>`: tells all that is needed to find a call again. */
const UNIQUE_ID = /^switchboard-(\d{13})-([A-Za-z0-9*#_]{1,40})-([^;]{1,64})$/;

export function createAsteriskCarrier(options: AsteriskCarrierOptions): Carrier {
  return new AsteriskCarrier(options);
}

class AsteriskCarrier implements Carrier {
  readonly name = 'asterisk';
  readonly traits = TRAITS;
  readonly webhooks = [];
  readonly sockets;
  readonly #options: AsteriskCarrierOptions;
  readonly #lines = new Set<AsteriskLine>();
  readonly #authorization: Buffer;
  readonly #audioSocket: { close(): void } | null;
  #trouble: ConfigError | null = null;

  constructor(options: AsteriskCarrierOptions) {
    this.#options = options;
    const { username, password, audioSocket, clock, logger } = options;
    this.#audioSocket = audioSocket
      ? startAudioSocketServer({
          ...audioSocket,
          clock,
          take: (leg, uuid) => void this.#takeAudioSocket(leg, uuid),
          failed: (err) => {
            this.#trouble = new ConfigError(
              `The AudioSocket listener could not be started at ${audioSocket.host}:${audioSocket.port}: another program has the port, or the address is not this machine's.`,
              { settings: ['ASTERISK_AUDIOSOCKET'], cause: err },
            );
            logger.warn({ err }, this.#trouble.message);
          },
          listening: () => {
            this.#trouble = null;
          },
        })
      : null;
    this.#authorization = digestOf(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
    this.sockets = [
      {
        path: MEDIA_PATH,
        authorize: (request: UpgradeRequest) => this.#authorize(request),
        connect: (socket: MediaSocket, request: UpgradeRequest) => this.#connect(socket, request),
      },
    ];
  }

  async preflight(): Promise<void> {
    if (this.#trouble !== null) throw this.#trouble;
    await this.#options.exchange.ready();
  }

  line(options: LineOptions): Line {
    const { wall } = this.#options.clock;
    return this.#made(options, {
      uniqueIdFor: (to) => uniqueIdOf(options.callId, to, wall()),
      ref: randomBytes(24).toString('base64url'),
      uuid: randomUUID(),
    });
  }

  hangUpStranded(carrierCallId: string): Promise<'done' | 'gone' | 'failed'> {
    return this.#options.exchange.hangUp(carrierCallId);
  }

  /** Asterisk knows only the calls that are up; one that is over is not listed. */
  async listCalls({ to, fromMs, untilMs }: { readonly to: string; readonly fromMs: number; readonly untilMs: number }) {
    const channels = await this.#options.exchange.channels();
    if (channels === null) return 'failed';
    return channels
      .filter((uniqueId) => {
        const [, createdAtMs, dialled] = UNIQUE_ID.exec(uniqueId) ?? [];
        const isMeant = dialled === plain(to) && Number(createdAtMs) >= fromMs && Number(createdAtMs) <= untilMs;
        return isMeant && ![...this.#lines].some((line) => line.uniqueId === uniqueId);
      })
      .map((carrierCallId) => ({ carrierCallId, isLive: true }));
  }

  close(): void {
    this.#audioSocket?.close();
    for (const line of [...this.#lines]) line.release();
    this.#options.exchange.close();
  }

  #authorize({ headers, target }: UpgradeRequest): ReturnType<Carrier['sockets'][number]['authorize']> {
    const given = digestOf(headers.authorization ?? '');
    if (!timingSafeEqual(given, this.#authorization)) return { accept: false, status: 401 };
    const query = queryOf(target);
    const ref = query.get('ref');
    if (ref === null) {
      const mayTake = query.get('uniqueid') !== null && this.#options.incoming?.mayTake() === true;
      // Asterisk goes on in its dial plan then.
      return mayTake ? { accept: true } : { accept: false, status: 503 };
    }
    const line = this.#lineOf(ref);
    return line?.reserve() ? { accept: true } : { accept: false, status: 403 };
  }

  #connect(socket: MediaSocket, { target }: UpgradeRequest): void {
    const query = queryOf(target);
    const ref = query.get('ref');
    if (ref === null) return this.#ring(socket, query);
    const line = this.#lineOf(ref);
    if (line) line.attach(new WebSocketLeg(socket, this.#options.clock));
    else socket.close(1008);
  }

  /** Compared as digests, so that how long it takes tells nothing of them. */
  #lineOf(ref: string): AsteriskLine | undefined {
    const given = digestOf(ref);
    return [...this.#lines].find((line) => line.references.some((one) => timingSafeEqual(digestOf(one), given)));
  }

  /** A telephone calls: its media socket is there, and the call rings until somebody takes it. */
  #ring(socket: MediaSocket, query: URLSearchParams): void {
    const { clock, startDeadlineMs = START_DEADLINE_MS } = this.#options;
    const uniqueId = query.get('uniqueid') ?? '';
    let isStarted = false;
    const cancelDeadline = clock.setTimer(() => socket.close(1002), startDeadlineMs);
    socket.onClose(() => cancelDeadline());
    socket.onMessage((data, isBinary) => {
      if (isBinary || isStarted) return;
      const event = readMediaEvent(data.toString('utf8'));
      if (event?.kind !== 'start') return;
      isStarted = true;
      cancelDeadline();
      const leg = new WebSocketLeg(socket, clock, true);
      if (event.isMulaw8k)
        this.#offer(leg, { uniqueId, from: query.get('caller') ?? '', to: query.get('called') ?? '' });
      else decline(leg);
    });
  }

  /** An AudioSocket says nothing but an id: of a call that we have placed, or of a channel that Asterisk says it has this id. */
  async #takeAudioSocket(leg: MediaLeg, uuid: string): Promise<void> {
    const line = this.#lineOf(uuid);
    if (line) {
      if (line.reserve()) line.attach(leg);
      else leg.close();
      return;
    }
    const call = this.#options.incoming?.mayTake() ? await this.#options.exchange.whoseAudioSocket(uuid) : null;
    if (call === null) leg.close();
    else this.#offer(leg, call);
  }

  #offer(leg: MediaLeg, call: { readonly uniqueId: string; readonly from: string; readonly to: string }): void {
    this.#options.logger.info({ call: nameInLog(call.uniqueId) }, 'a call comes in');
    let isTaken = false;
    const line = (options: LineOptions): Line => {
      isTaken = true;
      return this.#made(options, { uniqueId: call.uniqueId, leg });
    };
    this.#options.incoming?.take({
      ...call,
      carrier: withLine(this, line),
      decline: () => {
        if (!isTaken) decline(leg);
      },
    });
  }

  #made(options: LineOptions, way: LineSetUp['way']): AsteriskLine {
    const { exchange, clock } = this.#options;
    const forget = (line: AsteriskLine): boolean => this.#lines.delete(line);
    const made = new AsteriskLine({ options, exchange, clock, way, forget });
    this.#lines.add(made);
    return made;
  }
}

/** One that we placed and handed on may come back to us; the number in its id stays out of the log. */
export function nameInLog(uniqueId: string): string {
  return UNIQUE_ID.exec(uniqueId)?.[3] ?? uniqueId;
}

function decline(leg: MediaLeg): void {
  leg.hangUp();
  leg.close();
}

function uniqueIdOf(callId: CallId, to: string, wallMs: number): string {
  return `switchboard-${Math.floor(wallMs)}-${plain(to)}-${callId}`;
}

/** A number or extension as part of an id. */
function plain(to: string): string {
  return to.replace(/[^A-Za-z0-9*#_]/g, '').slice(0, 40);
}

function queryOf(target: string): URLSearchParams {
  return new URLSearchParams(target.split('?')[1] ?? '');
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
