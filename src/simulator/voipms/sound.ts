/** 8 kbit/s, MPEG-2 layer III, 16 kHz, one channel, no CRC (ISO 13818-3): 36 bytes a frame, 576 samples. */
const FRAME_HEADER = [0xff, 0xf3, 0x18, 0xc0];
const FRAME_BYTES = 36;
const FRAME_MS = 36;

/** An MP3 of so many seconds of silence: frames whose side information says that nothing is coded. */
export function silentMp3(seconds: number): Buffer {
  const frames = Math.max(1, Math.round((seconds * 1_000) / FRAME_MS));
  const sound = Buffer.alloc(frames * FRAME_BYTES);
  for (let at = 0; at < sound.length; at += FRAME_BYTES) sound.set(FRAME_HEADER, at);
  return sound;
}

/** As the vendor's own sample has it: a space every 76 characters. */
export function spacedBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/(.{76})/g, '$1 ');
}
