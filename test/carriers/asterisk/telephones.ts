/** A telephone system that says nothing by itself, and the carrier on it: for what the carrier decides alone. */
import type { CarrierEvent } from '../../../src/call/events.ts';
import type { CallId } from '../../../src/call/words.ts';
import {
  type AsteriskCarrierOptions,
  createAsteriskCarrier,
  type IncomingCall,
  MEDIA_PATH,
} from '../../../src/carriers/asterisk/carrier.ts';
import type { Exchange, ExchangeNews, OriginateRequest } from '../../../src/carriers/asterisk/exchange.ts';
import type { Carrier, Line, MediaSocket } from '../../../src/carriers/carrier.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { QUIET } from '../../system/office.ts';

export const MEDIA = { username: 'asterisk', password: 'media-password-for-tests' };
export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
export const GOOD = basic(MEDIA.username, MEDIA.password);

const START = JSON.stringify({
  event: 'MEDIA_START',
  channel: 'WebSocket/switchboard/0x1',
  channel_id: '1.2',
  format: 'ulaw',
  optimal_frame_size: 160,
});

/** Asterisk's end of a media socket. */
export class AsteriskSocket implements MediaSocket {
  readonly commands: string[] = [];
  bytes = 0;
  isClosed = false;
  #message: (data: Buffer, isBinary: boolean) => void = () => undefined;
  readonly #closed: ((code: number) => void)[] = [];

  send(data: string | Uint8Array): void {
    if (typeof data === 'string') this.commands.push(String(JSON.parse(data).command));
    else this.bytes += data.byteLength;
  }
  readonly bufferedAmount = 0;
  sendEncoded(): void {
    throw new Error('Nothing on this socket is put together elsewhere.');
  }
  close(): void {
    this.isClosed = true;
  }
  terminate(): void {
    this.isClosed = true;
  }
  onMessage(listener: (data: Buffer, isBinary: boolean) => void): void {
    this.#message = listener;
  }
  onClose(listener: (code: number) => void): void {
    this.#closed.push(listener);
  }
  start(): void {
    this.#message(Buffer.from(START), false);
  }
  /** Asterisk has closed it. */
  closes(code = 1000): void {
    for (const listener of this.#closed) listener(code);
  }
}

export interface Telephones {
  readonly carrier: Carrier;
  readonly asked: OriginateRequest[];
  /** What the telephone system was asked to do, in order. */
  readonly done: string[];
  door(query: string, authorization?: string): unknown;
  /** Asterisk connects audio. */
  connect(query: string): AsteriskSocket;
  call(carrier?: Carrier): { readonly line: Line; readonly events: CarrierEvent[] };
  tell(news: ExchangeNews): void;
}

export interface TelephonesOptions extends Partial<AsteriskCarrierOptions> {
  /** Whether it says that it has taken a call on. */
  readonly accepts?: boolean;
  readonly digitsTakeMs?: number;
}

/** `taken` gets what comes in. */
export function openTelephones(options: TelephonesOptions = {}, taken?: (call: IncomingCall) => void): Telephones {
  const { accepts = true, digitsTakeMs = 0, ...more } = options;
  const asked: OriginateRequest[] = [];
  const done: string[] = [];
  let told: (news: ExchangeNews) => void = () => undefined;
  const exchange: Exchange = {
    ready: async () => undefined,
    originate: async (request, tell) => {
      asked.push(request);
      told = tell;
      if (accepts) tell({ kind: 'accepted' });
    },
    hangUp: async () => {
      done.push('hang up');
      return 'done';
    },
    isUp: async () => true,
    channels: async () => [],
    transfer: async () => 'done',
    apologise: async () => {
      done.push('apologise');
      return 'done';
    },
    sendDigits: async (_id, digits) => {
      for (const digit of digits) {
        done.push(digit);
        await new Promise((resolve) => setTimeout(resolve, digitsTakeMs));
      }
      return 'done';
    },
    whoseAudioSocket: async () => null,
    follow: (_id, tell) => {
      told = tell;
    },
    forget: () => {
      told = () => undefined;
    },
    close: () => undefined,
  };
  const incoming = taken ? { mayTake: () => true, take: taken } : undefined;
  const carrier = createAsteriskCarrier({ exchange, ...MEDIA, clock: systemClock, logger: QUIET, incoming, ...more });
  const targetOf = (query: string): string => `${MEDIA_PATH}${query}`;
  return {
    carrier,
    asked,
    done,
    door: (query, authorization) =>
      carrier.sockets[0]?.authorize({ params: {}, target: targetOf(query), headers: { authorization } }),
    connect: (query) => {
      const socket = new AsteriskSocket();
      carrier.sockets[0]?.connect(socket, { params: {}, target: targetOf(query), headers: {} });
      return socket;
    },
    call: (from = carrier) => {
      const events: CarrierEvent[] = [];
      const line = from.line({
        callId: 'call-1' as CallId,
        emit: (event) => events.push(event),
        hear: () => undefined,
      });
      line.dial({ to: '1002', ringMs: 1_000, maxMs: 60_000 });
      return { line, events };
    },
    tell: (news) => told(news),
  };
}
