/**
 * The frames of AudioSocket (Asterisk docs, "AudioSocket"; since 18): one byte of kind, two of length, big-endian, then the payload. Audio is
 * 16-bit signed linear, little-endian, 8 kHz, for the µ-law that Asterisk is asked for comes under a kind that it reads as linear itself.
 */
import { decode, encode } from '../../media/mulaw.ts';

export type AudioSocketFrame =
  | { readonly kind: 'hang-up' }
  /** The id that the dial plan gave: 16 bytes, as a UUID. */
  | { readonly kind: 'id'; readonly uuid: string }
  | { readonly kind: 'digit'; readonly digit: string }
  /** µ-law. */
  | { readonly kind: 'audio'; readonly bytes: Buffer }
  | { readonly kind: 'error' | 'other' };

const [HANG_UP, ID, DIGIT, AUDIO, ERROR] = [0x00, 0x01, 0x03, 0x10, 0xff];
const HEADER_BYTES = 3;

/** Bytes in, frames out, cut wherever the network likes. A frame is 65,538 bytes at most, so nothing can grow without end. */
export class AudioSocketReader {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): readonly AudioSocketFrame[] {
    this.#rest = this.#rest.byteLength === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: AudioSocketFrame[] = [];
    let at = 0;
    while (this.#rest.byteLength >= at + HEADER_BYTES) {
      const end = at + HEADER_BYTES + this.#rest.readUInt16BE(at + 1);
      if (this.#rest.byteLength < end) break;
      frames.push(frameOf(this.#rest[at] ?? 0, this.#rest.subarray(at + HEADER_BYTES, end)));
      at = end;
    }
    this.#rest = Buffer.from(this.#rest.subarray(at));
    return frames;
  }
}

function frameOf(kind: number, payload: Buffer): AudioSocketFrame {
  switch (kind) {
    case HANG_UP:
      return { kind: 'hang-up' };
    case ID:
      return payload.byteLength === 16 ? { kind: 'id', uuid: uuidOf(payload) } : { kind: 'other' };
    case DIGIT: {
      const digit = payload.toString('latin1');
      return /^[0-9A-D*#]$/.test(digit) ? { kind: 'digit', digit } : { kind: 'other' };
    }
    case AUDIO:
      return { kind: 'audio', bytes: Buffer.from(encode(samplesOf(payload))) };
    case ERROR:
      return { kind: 'error' };
    default:
      return { kind: 'other' };
  }
}

export function hangUpFrame(): Buffer {
  return Buffer.from([HANG_UP ?? 0, 0, 0]);
}

export function audioFrame(mulaw: Uint8Array): Buffer {
  const samples = decode(mulaw);
  const frame = Buffer.alloc(HEADER_BYTES + samples.length * 2);
  frame[0] = AUDIO ?? 0;
  frame.writeUInt16BE(samples.length * 2, 1);
  for (const [i, sample] of samples.entries()) frame.writeInt16LE(sample, HEADER_BYTES + i * 2);
  return frame;
}

function samplesOf(payload: Buffer): Int16Array {
  return Int16Array.from({ length: payload.byteLength >> 1 }, (_, i) => payload.readInt16LE(i * 2));
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
