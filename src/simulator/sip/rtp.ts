/** One telephone's audio: RTP (RFC 3550) with 20 ms of µ-law each, and digits as telephone events (RFC 4733). */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { FRAME_BYTES, SILENCE_BYTE } from '../../media/mulaw.ts';
import type { Callee } from '../callee/callee.ts';

export const FRAME_MS = 20;
const HEADER_BYTES = 12;
const PCMU = 0;
const TELEPHONE_EVENT = 101;
const KEYS = '0123456789*#ABCD';
/** A key is held for 100 ms, and its end is told three times. */
const KEY_FRAMES = 5;
const END_FRAMES = 3;

export interface RtpOptions {
  readonly callee: Callee;
  readonly hangUp: () => void;
}

export class RtpLeg {
  readonly #socket: Socket = createSocket('udp4');
  readonly #ssrc = randomBytes(4);
  readonly #heard: Uint8Array[] = [];
  readonly #digitsHeard: string[] = [];
  #lastEvent = -1;
  #remote: { readonly host: string; readonly port: number } | null = null;
  #sequence = 1;
  #timestamp = 0;
  #timer: NodeJS.Timeout | null = null;
  #key: { readonly event: number; readonly at: number; step: number } | null = null;
  #isClosed = false;
  #packets = 0;

  /** Packets of audio that came. */
  get packets(): number {
    return this.#packets;
  }

  /** Keys that the other side pressed, in order. */
  get digits(): string {
    return this.#digitsHeard.join('');
  }

  /** Binds on loopback; answers with its port. */
  open(): Promise<number> {
    this.#socket.on('message', (packet) => this.#take(packet));
    this.#socket.on('error', () => undefined);
    return new Promise((resolve) => this.#socket.bind(0, '127.0.0.1', () => resolve(this.#socket.address().port)));
  }

  /** Speaks and hears from now on. The nth frame is due at a time that does not drift with the timers. */
  start(remote: { readonly host: string; readonly port: number }, { callee, hangUp }: RtpOptions): void {
    if (this.#remote !== null) return;
    this.#remote = remote;
    const startMs = performance.now();
    const tick = (n: number): void => {
      if (this.#isClosed) return;
      const turn = callee.tick(this.#heard.shift() ?? null, n * FRAME_MS);
      if (turn.digit !== undefined) this.#press(turn.digit);
      this.#speak(turn.spoken);
      if (turn.hangUp) return hangUp();
      this.#timer = setTimeout(() => tick(n + 1), Math.max(0, startMs + (n + 1) * FRAME_MS - performance.now()));
    };
    tick(0);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket.close();
  }

  #take(packet: Buffer): void {
    const type = (packet[1] ?? 0) & 0x7f;
    if (type === PCMU) {
      this.#packets += 1;
      this.#heard.push(new Uint8Array(packet.subarray(HEADER_BYTES)));
    } else if (type === TELEPHONE_EVENT) this.#takeEvent(packet);
    // Anything else is comfort noise, which says that there is nothing to hear.
  }

  /** The packets of one key press have the same timestamp. */
  #takeEvent(packet: Buffer): void {
    const timestamp = packet.readUInt32BE(4);
    if (timestamp === this.#lastEvent) return;
    this.#lastEvent = timestamp;
    this.#digitsHeard.push(KEYS[packet[HEADER_BYTES] ?? 0] ?? '');
  }

  #press(digit: string): void {
    const event = KEYS.indexOf(digit);
    if (event >= 0) this.#key = { event, at: this.#timestamp, step: 0 };
  }

  #speak(spoken: Uint8Array | null): void {
    const key = this.#key;
    if (key === null) {
      this.#send(PCMU, this.#timestamp, spoken ?? new Uint8Array(FRAME_BYTES).fill(SILENCE_BYTE));
    } else {
      const length = FRAME_BYTES * Math.min(key.step + 1, KEY_FRAMES);
      const isEnd = key.step >= KEY_FRAMES;
      const event = Buffer.from([key.event, (isEnd ? 0x80 : 0) | 10, length >> 8, length & 0xff]);
      this.#send(TELEPHONE_EVENT | (key.step === 0 ? 0x80 : 0), key.at, event);
      key.step += 1;
      if (key.step === KEY_FRAMES + END_FRAMES) this.#key = null;
    }
    this.#timestamp += FRAME_BYTES;
  }

  #send(type: number, timestamp: number, payload: Uint8Array): void {
    if (this.#remote === null) return;
    const header = Buffer.alloc(HEADER_BYTES);
    header[0] = 0x80;
    header[1] = type;
    header.writeUInt16BE(this.#sequence & 0xffff, 2);
    header.writeUInt32BE(timestamp >>> 0, 4);
    this.#ssrc.copy(header, 8);
    this.#sequence += 1;
    this.#socket.send(Buffer.concat([header, payload]), this.#remote.port, this.#remote.host);
  }
}
