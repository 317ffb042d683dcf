import { decodeSample, encodeSample } from '../../media/mulaw.ts';
import type { AudioFormat } from './defaults.ts';

/** The simulator hears and speaks µ-law at 8 kHz inside; these turn the other formats of a session into it and back. */

const UPSAMPLING = 3;

function aLawSample(code: number): number {
  const inverted = code ^ 0x55;
  const exponent = (inverted & 0x70) >> 4;
  const mantissa = inverted & 0x0f;
  const magnitude = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1);
  return inverted & 0x80 ? magnitude : -magnitude;
}

const A_TO_MU = Uint8Array.from({ length: 256 }, (_, code) => encodeSample(aLawSample(code)));

const MU_TO_A = Uint8Array.from({ length: 256 }, (_, code) => {
  const sample = decodeSample(code);
  let best = 0;
  for (let candidate = 1; candidate < 256; candidate += 1) {
    if (Math.abs(aLawSample(candidate) - sample) < Math.abs(aLawSample(best) - sample)) best = candidate;
  }
  return best;
});

/** Bytes that a client sent, as µ-law. Of 24 kHz every third sample is kept. */
export function toMulaw(bytes: Uint8Array, format: AudioFormat): Uint8Array {
  if (format.type === 'audio/pcmu') return bytes;
  if (format.type === 'audio/pcma') return bytes.map((code) => A_TO_MU[code] ?? 0xff);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.byteLength / (2 * UPSAMPLING));
  return Uint8Array.from({ length: count }, (_, n) => encodeSample(view.getInt16(n * 2 * UPSAMPLING, true)));
}

/** µ-law in the format that the client asked for. */
export function fromMulaw(mulaw: Uint8Array, format: AudioFormat): Uint8Array {
  if (format.type === 'audio/pcmu') return mulaw;
  if (format.type === 'audio/pcma') return mulaw.map((code) => MU_TO_A[code] ?? 0xd5);
  const bytes = new Uint8Array(mulaw.byteLength * 2 * UPSAMPLING);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < mulaw.byteLength * UPSAMPLING; n += 1) {
    view.setInt16(n * 2, decodeSample(mulaw[Math.floor(n / UPSAMPLING)] ?? 0xff), true);
  }
  return bytes;
}
