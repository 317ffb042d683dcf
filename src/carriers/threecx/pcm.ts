/** The audio of 3CX's Call Control API (3CX docs, "Call Control API"): headerless PCM, signed 16 bit little-endian, 8 kHz, mono. */
import { decodeSample, encodeSample, FRAME_BYTES } from '../../media/mulaw.ts';

/** Of one frame of µ-law. */
export const PCM_FRAME_BYTES = FRAME_BYTES * 2;

/** PCM in pieces of any size, µ-law in whole frames: a sample may be cut in two by the network. */
export class PcmReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Empty while there is no whole frame. */
  push(piece: Buffer): Buffer {
    const all = this.#rest.byteLength === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const whole = all.byteLength - (all.byteLength % PCM_FRAME_BYTES);
    const mulaw = Buffer.alloc(whole / 2);
    for (let i = 0; i < mulaw.byteLength; i += 1) mulaw[i] = encodeSample(all.readInt16LE(i * 2));
    this.#rest = Buffer.from(all.subarray(whole));
    return mulaw;
  }
}

export function pcmOf(mulaw: Uint8Array): Buffer {
  const pcm = Buffer.alloc(mulaw.byteLength * 2);
  for (const [i, code] of mulaw.entries()) pcm.writeInt16LE(decodeSample(code), i * 2);
  return pcm;
}
