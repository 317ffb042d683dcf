import { describe, expect, it } from 'vitest';
import { durationOfWav, readWavHeader, repairedHeader, WAV_HEADER_BYTES, wavHeader } from '../../src/media/wav.ts';

describe('a WAV header', () => {
  it('is that of G.711 µ-law, to the byte', () => {
    const header = Buffer.from(wavHeader({ channels: 2, dataBytes: 32_000 }));
    expect(header.byteLength).toBe(WAV_HEADER_BYTES);
    expect(header.toString('latin1', 0, 4)).toBe('RIFF');
    expect(header.readUInt32LE(4)).toBe(32_000 + 50);
    expect(header.toString('latin1', 8, 16)).toBe('WAVEfmt ');
    expect([header.readUInt32LE(16), header.readUInt16LE(20), header.readUInt16LE(22)]).toEqual([18, 7, 2]);
    expect([header.readUInt32LE(24), header.readUInt32LE(28)]).toEqual([8_000, 16_000]);
    expect([header.readUInt16LE(32), header.readUInt16LE(34), header.readUInt16LE(36)]).toEqual([2, 8, 0]);
    expect(header.toString('latin1', 38, 42)).toBe('fact');
    expect([header.readUInt32LE(42), header.readUInt32LE(46)]).toEqual([4, 16_000]);
    expect(header.toString('latin1', 50, 54)).toBe('data');
    expect(header.readUInt32LE(54)).toBe(32_000);
  });

  it('is read back, and made anew for a file that was cut off in the middle of a sample', () => {
    expect(readWavHeader(wavHeader({ channels: 2, dataBytes: 10 }))).toEqual({ channels: 2, dataBytes: 10 });
    expect(readWavHeader(new Uint8Array(100))).toBeNull();
    expect(readWavHeader(new Uint8Array(3))).toBeNull();
    expect(readWavHeader(repairedHeader(WAV_HEADER_BYTES + 33, 2))).toEqual({ channels: 2, dataBytes: 32 });
    expect(durationOfWav(WAV_HEADER_BYTES + 16_000, 2)).toBe(1_000);
  });
});
