/** G.711 µ-law at 8 kHz (ITU-T G.711): sizes, silence, and the two conversions. */

export const BYTES_PER_MS = 8;
export const FRAME_BYTES = 160;
export const SILENCE_BYTE = 0xff;

/** Milliseconds (fractional) that `bytes` of µ-law last. */
export function msOfBytes(bytes: number): number {
  return bytes / BYTES_PER_MS;
}

/** Bytes of µ-law that `durationMs` lasts, rounded down to a whole sample. */
export function bytesOfMs(durationMs: number): number {
  return Math.floor(durationMs * BYTES_PER_MS);
}

export function silence(durationMs: number): Uint8Array {
  return new Uint8Array(bytesOfMs(durationMs)).fill(SILENCE_BYTE);
}

const DECODED = Int16Array.from({ length: 256 }, (_, code) => {
  const inverted = ~code & 0xff;
  const magnitude = (((inverted & 0x0f) << 3) + 0x84) << ((inverted & 0x70) >> 4);
  return inverted & 0x80 ? 0x84 - magnitude : magnitude - 0x84;
});

/** One µ-law code (0–255) as a 16-bit linear sample. */
export function decodeSample(code: number): number {
  return DECODED[code & 0xff] ?? 0;
}

/** One 16-bit linear sample as a µ-law code. */
export function encodeSample(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(Math.round(sample)), 32_635) + 0x84;
  let exponent = 7;
  for (let mask = 0x4000; (magnitude & mask) === 0 && exponent > 0; mask >>= 1) exponent -= 1;
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

export function decode(bytes: Uint8Array): Int16Array {
  return Int16Array.from(bytes, decodeSample);
}

export function encode(samples: ArrayLike<number>): Uint8Array {
  return Uint8Array.from({ length: samples.length }, (_, i) => encodeSample(samples[i] ?? 0));
}
