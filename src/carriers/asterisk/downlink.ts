/**
 * What is sent to Asterisk, and when. It takes whole frames of 160 bytes only and drops the tail of a message that is none, so the rest
 * of a piece waits for the next one; when none comes before the queue runs dry, it is filled up with silence. A mark behind a rest
 * waits with it, so that it is never processed before what it stands behind.
 */
import { BYTES_PER_MS, FRAME_BYTES, SILENCE_BYTE } from '../../media/mulaw.ts';
import { FLUSH, markCommand } from './stream.ts';

export interface DownlinkClock {
  now(): number;
  setTimer(fire: () => void, delayMs: number): () => void;
}

/** A message above 65,500 bytes ends the call. */
const MOST_BYTES = 200 * FRAME_BYTES;
/** So long before the queue runs dry a rest is filled up. */
const LEAD_MS = 30;
/**
 * Where nothing is sent Asterisk sends the telephone no packet at all, and what lies between may take the call for dead: a frame of
 * silence now and then keeps it alive without delaying anything that is heard.
 */
const KEEP_ALIVE_MS = 1_000;

export class Downlink {
  readonly #send: (data: string | Uint8Array) => void;
  readonly #clock: DownlinkClock;
  #rest = Buffer.alloc(0);
  #marks: string[] = [];
  /** Messages that wait until Asterisk has room. */
  #held: (string | Uint8Array)[] | null = null;
  /** When what was sent will have been played. */
  #dryAtMs = 0;
  #cancelFill: () => void = () => undefined;
  #cancelKeepAlive: () => void = () => undefined;

  constructor(send: (data: string | Uint8Array) => void, clock: DownlinkClock) {
    this.#send = send;
    this.#clock = clock;
    this.#keepAlive();
  }

  play(bytes: Uint8Array): void {
    const all = this.#rest.byteLength === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    const whole = all.byteLength - (all.byteLength % FRAME_BYTES);
    if (this.#marks.length > 0 && whole > 0) {
      // The marks stand behind the first bytes of this frame: they go out with it.
      this.#frames(all.subarray(0, FRAME_BYTES));
      this.#sendMarks();
      this.#frames(all.subarray(FRAME_BYTES, whole));
    } else this.#frames(all.subarray(0, whole));
    this.#rest = all.subarray(whole);
    this.#fillInTime();
  }

  mark(generation: number, markId: number): void {
    const command = markCommand(generation, markId);
    if (this.#rest.byteLength === 0) this.#out(command);
    else this.#marks.push(command);
  }

  /** What has not been played is forgotten, here and there. */
  clear(): void {
    this.#cancelFill();
    this.#rest = Buffer.alloc(0);
    this.#marks = [];
    if (this.#held !== null) this.#held = [];
    this.#dryAtMs = this.#clock.now();
    this.#send(FLUSH);
  }

  hold(): void {
    this.#held ??= [];
  }

  goOn(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const message of held) this.#send(message);
  }

  close(): void {
    this.#cancelFill();
    this.#cancelKeepAlive();
  }

  #frames(bytes: Buffer): void {
    if (bytes.byteLength === 0) return;
    for (let at = 0; at < bytes.byteLength; at += MOST_BYTES) this.#out(bytes.subarray(at, at + MOST_BYTES));
    this.#dryAtMs = Math.max(this.#dryAtMs, this.#clock.now()) + bytes.byteLength / BYTES_PER_MS;
  }

  #out(message: string | Uint8Array): void {
    if (this.#held === null) this.#send(message);
    else this.#held.push(message);
  }

  #sendMarks(): void {
    for (const command of this.#marks.splice(0)) this.#out(command);
  }

  #fillInTime(): void {
    this.#cancelFill();
    if (this.#rest.byteLength === 0) return;
    const inMs = Math.max(0, this.#dryAtMs - LEAD_MS - this.#clock.now());
    this.#cancelFill = this.#clock.setTimer(() => {
      const frame = Buffer.alloc(FRAME_BYTES, SILENCE_BYTE);
      this.#rest.copy(frame);
      this.#rest = Buffer.alloc(0);
      this.#frames(frame);
      this.#sendMarks();
    }, inMs);
  }

  #keepAlive(): void {
    this.#cancelKeepAlive = this.#clock.setTimer(() => {
      const isQuiet = this.#clock.now() - this.#dryAtMs >= KEEP_ALIVE_MS && this.#rest.byteLength === 0;
      if (isQuiet && this.#held === null) this.#frames(Buffer.alloc(FRAME_BYTES, SILENCE_BYTE));
      this.#keepAlive();
    }, KEEP_ALIVE_MS);
  }
}
