/**
 * Every payload of the bench carries its call and its number, so that a loss, a duplicate or a reordering shows exactly, and the
 * moment it was sent is known where it comes out. Twelve bytes are sixteen characters of base64, so the rest is encoded once.
 */
import { loadPhrasebook } from '../../simulator/speech/load-phrasebook.ts';

const STAMP_BYTES = 12;
export const STAMP_CHARACTERS = 16;
const MAGIC = 0x53_42;

export interface Stamp {
  readonly call: number;
  readonly number: number;
}

/** Base64 of `bytes` of µ-law, real speech but for the stamp at its front. */
export class StampedSpeech {
  readonly #tails: readonly string[];

  constructor(bytes: number) {
    const speech = loadPhrasebook().find((one) => one.voice === 'callee' && one.audio.length > 8_000);
    const audio = speech?.audio ?? new Uint8Array(8_000);
    const tails: string[] = [];
    for (let from = 0; from + bytes <= audio.length && tails.length < 64; from += bytes) {
      tails.push(Buffer.from(audio.subarray(from + STAMP_BYTES, from + bytes)).toString('base64'));
    }
    this.#tails = tails;
  }

  payload(call: number, number: number): string {
    const stamp = Buffer.allocUnsafe(STAMP_BYTES);
    stamp.writeUInt32BE(MAGIC, 0);
    stamp.writeUInt32BE(call, 4);
    stamp.writeUInt32BE(number, 8);
    return stamp.toString('base64') + (this.#tails[number % this.#tails.length] ?? '');
  }
}

/** Null when the text is not one of ours. */
export function readStamp(base64: string): Stamp | null {
  const stamp = Buffer.from(base64, 'base64');
  if (stamp.length !== STAMP_BYTES || stamp.readUInt32BE(0) !== MAGIC) return null;
  return { call: stamp.readUInt32BE(4), number: stamp.readUInt32BE(8) };
}

/** How late frames of one direction came out, and whether all of them did, in order. */
export class Way {
  readonly #sentAtMs = new Float64Array(1_024);
  readonly #delaysMs: number[];
  #sent = 0;
  #next: number | null = null;
  #marked = 0;
  lost = 0;
  disordered = 0;
  recording = false;

  /** `delaysMs` is shared by all calls of a direction. */
  constructor(delaysMs: number[]) {
    this.#delaysMs = delaysMs;
  }

  get sent(): number {
    return this.#sent;
  }

  /** The number of the frame that is being sent now. */
  send(nowMs: number): number {
    const number = this.#sent;
    this.#sentAtMs[number % this.#sentAtMs.length] = nowMs;
    this.#sent += 1;
    return number;
  }

  /** What came before the first that ever arrived had nowhere to go yet. */
  arrive(number: number, nowMs: number): void {
    const expected = this.#next ?? number;
    if (number < expected) this.disordered += 1;
    else {
      this.lost += number - expected;
      this.#next = number + 1;
    }
    if (this.recording && this.#sent - number < this.#sentAtMs.length)
      this.#delaysMs.push(nowMs - (this.#sentAtMs[number % this.#sentAtMs.length] ?? 0));
  }

  /** What has been sent by now must have arrived when `missing` is asked. */
  mark(): void {
    this.#marked = this.#sent;
  }

  get missing(): number {
    return this.#next === null ? 0 : Math.max(0, this.#marked - this.#next);
  }
}
