/**
 * The one message that goes out fifty times a second for each call, written straight into the WebSocket's connection as one masked
 * text frame (RFC 6455, 5.2): ws would build three objects, copy it twice and mask it byte by byte. Everything else goes through ws.
 */
import { randomFillSync } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Audio } from '../../media/audio.ts';

/** What stands before and behind the base64 in the message; ASCII. */
export interface Envelope {
  readonly head: Buffer;
  readonly tail: Buffer;
}

const FINAL_TEXT = 0x81;
/** Masked, and the length stands in the two bytes that follow. */
const MASKED_16_BIT_LENGTH = 0x80 | 126;
const LEAST_16_BIT = 126;
const MOST_16_BIT = 65_535;
/** Opcode, length and mask: a whole number of words, so that what follows can be masked by words. */
const HEADER_BYTES = 8;
const MASK_WORD = 1;
const FIRST_WORD = 2;

/** Bytes of a frame, and the same memory by words. */
interface Space {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
}

/** Frames are made in the same place again and again, for all calls: it stays in the processor's cache. */
export class AudioFrames {
  readonly #envelope: Envelope;
  readonly #random = new Uint32Array(1_024);
  #randomLeft = 0;
  #length = 0;
  #plain = spaceOf(0);
  #masked = spaceOf(0);

  constructor(envelope: Envelope) {
    this.#envelope = envelope;
  }

  /** False, and nothing written, when the message is too short or too long for this form of a frame. */
  write(connection: Socket, audio: Audio): boolean {
    const { head, tail } = this.#envelope;
    const length = head.length + audio.wireLength + tail.length;
    if (length < LEAST_16_BIT || length > MOST_16_BIT) return false;
    if (length !== this.#length) this.#prepare(length);
    const { bytes, words } = this.#plain;
    audio.copyWire(bytes, HEADER_BYTES + head.length);
    const target = this.#masked.words;
    const mask = this.#nextMask();
    target[MASK_WORD] = mask;
    for (let at = FIRST_WORD; at < target.length; at += 1) target[at] = (words[at] ?? 0) ^ mask;
    connection.write(this.#masked.bytes);
    // The kernel has not taken it yet: the memory belongs to the connection until it has.
    if (connection.writableLength > 0) this.#masked = this.#newMasked(length);
    return true;
  }

  #prepare(length: number): void {
    const { head, tail } = this.#envelope;
    this.#length = length;
    this.#plain = spaceOf(HEADER_BYTES + length);
    this.#plain.bytes.set(head, HEADER_BYTES);
    this.#plain.bytes.set(tail, HEADER_BYTES + length - tail.length);
    this.#masked = this.#newMasked(length);
  }

  #newMasked(length: number): Space {
    const space = spaceOf(HEADER_BYTES + length);
    space.bytes[0] = FINAL_TEXT;
    space.bytes[1] = MASKED_16_BIT_LENGTH;
    space.bytes.writeUInt16BE(length, 2);
    return space;
  }

  /** Unpredictable, as RFC 6455 asks for (5.3). */
  #nextMask(): number {
    if (this.#randomLeft === 0) {
      randomFillSync(this.#random);
      this.#randomLeft = this.#random.length;
    }
    this.#randomLeft -= 1;
    return this.#random[this.#randomLeft] ?? 0;
  }
}

function spaceOf(length: number): Space {
  const words = new Uint32Array(Math.ceil(length / 4));
  return { bytes: Buffer.from(words.buffer, 0, length), words };
}
