const SAMPLE_RATE = 8_000;
const HEADER_BYTES = 44;
const TONE_HZ = 440;
const LOUDNESS = 8_000;

/** A quarter of a second of tone: RIFF, PCM, 16 bit, 8 kHz, mono (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0"). */
export function beepWav(): Uint8Array {
  const samples = SAMPLE_RATE / 4;
  const file = Buffer.alloc(HEADER_BYTES + samples * 2);
  file.write('RIFF', 0);
  file.writeUInt32LE(file.byteLength - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(SAMPLE_RATE, 24);
  file.writeUInt32LE(SAMPLE_RATE * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i += 1)
    file.writeInt16LE(Math.round(LOUDNESS * Math.sin((2 * Math.PI * TONE_HZ * i) / SAMPLE_RATE)), HEADER_BYTES + i * 2);
  return file;
}
