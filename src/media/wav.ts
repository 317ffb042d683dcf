/**
 * WAV files of G.711 µ-law, 8 kHz, so that nothing that is recorded has to be decoded. Form: RIFF with a `fmt ` chunk of 18
 * bytes (WAVE_FORMAT_MULAW, tag 7), a `fact` chunk, which every format but PCM has to have, and the `data` chunk as the last
 * (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0", and "New Multimedia Data Types", rev. 3.0).
 */

/** Bytes before the first sample. */
export const WAV_HEADER_BYTES = 58;
export const SAMPLE_RATE = 8_000;

const MULAW_TAG = 7;
const FACT_AT = 46;
const DATA_SIZE_AT = 54;

/** What a header of ours says. `dataBytes` counts the samples of all channels, one byte each. */
export interface WavFacts {
  readonly channels: number;
  readonly dataBytes: number;
}

/** The header of a file with `dataBytes` of interleaved samples behind it. An odd size is padded behind the data by the writer. */
export function wavHeader({ channels, dataBytes }: WavFacts): Uint8Array {
  const header = new Uint8Array(WAV_HEADER_BYTES);
  const view = new DataView(header.buffer);
  const name = (at: number, text: string): void => header.set(new TextEncoder().encode(text), at);
  name(0, 'RIFF');
  view.setUint32(4, WAV_HEADER_BYTES - 8 + dataBytes + (dataBytes % 2), true);
  name(8, 'WAVE');
  name(12, 'fmt ');
  view.setUint32(16, 18, true);
  view.setUint16(20, MULAW_TAG, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, SAMPLE_RATE * channels, true);
  view.setUint16(32, channels, true);
  view.setUint16(34, 8, true);
  view.setUint16(36, 0, true);
  name(38, 'fact');
  view.setUint32(42, 4, true);
  view.setUint32(FACT_AT, dataBytes / channels, true);
  name(50, 'data');
  view.setUint32(DATA_SIZE_AT, dataBytes, true);
  return header;
}

/** What a header of ours says; null when it is none. */
export function readWavHeader(bytes: Uint8Array): WavFacts | null {
  if (bytes.byteLength < WAV_HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at: number): string => new TextDecoder('latin1').decode(bytes.subarray(at, at + 4));
  const named = name(0) === 'RIFF' && name(8) === 'WAVE' && name(12) === 'fmt ' && name(38) === 'fact';
  if (!named || name(50) !== 'data' || view.getUint16(20, true) !== MULAW_TAG) return null;
  const channels = view.getUint16(22, true);
  return channels === 0 ? null : { channels, dataBytes: view.getUint32(DATA_SIZE_AT, true) };
}

/** The header that a file of `fileBytes` should have, whatever its own says: whole samples of all channels, up to its end. */
export function repairedHeader(fileBytes: number, channels: number): Uint8Array {
  const dataBytes = Math.max(0, fileBytes - WAV_HEADER_BYTES);
  return wavHeader({ channels, dataBytes: dataBytes - (dataBytes % channels) });
}

/** Milliseconds that a file of `fileBytes` lasts. */
export function durationOfWav(fileBytes: number, channels: number): number {
  return Math.floor((Math.max(0, fileBytes - WAV_HEADER_BYTES) / channels / SAMPLE_RATE) * 1_000);
}
