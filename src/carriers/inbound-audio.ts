/**
 * What the telephone says, without holes, for carriers whose network sends nothing (or may) while a telephone is quiet: the model would wait
 * for the end of a sentence that has long been over. Real time that brings no audio is silence. Audio that comes late after all is passed on,
 * and the time it is ahead by then is not filled again.
 */
import { Audio } from '../media/audio.ts';
import { bytesOfMs, decodeSample, FRAME_BYTES, msOfBytes, SILENCE_BYTE } from '../media/mulaw.ts';

interface InboundClock {
  now(): number;
  setTimer(fire: () => void, delayMs: number): () => void;
}

const LOOK_MS = 100;
/** Before the first sound there is nothing that silence could tear, and what is behind then would stay so, and leave less to come late. */
const PATIENCE_AT_FIRST_MS = 160;
/**
 * A telephone that suppresses silence sends nothing. The network's jitter, a packet that TCP repeats and a busy machine are no silence: most
 * telephones go on sending in a pause, which must not become longer. Shorter than the 500 ms of silence that end a turn.
 */
const PATIENCE_MS = 400;
/** So much is left to come late. */
const MARGIN_MS = 60;
/**
 * A telephone that suppresses silence goes on sending for a moment when its user is quiet. What breaks off in a word is late, by the network
 * or by a busy machine: it is waited for so much longer, as a hole would be heard in the word for ever.
 */
const IN_A_WORD_FRAMES = 10;
const PATIENCE_IN_A_WORD_MS = 1_000;
/** Mean of a frame's 16 bit samples. Soft speech is 300 and more, the hiss of a line 25. */
const LOUD = 150;
/** A look that is so late had to wait for a busy process, as had the audio. That is read first: so many looks in time come before a judgement. */
const LATE_MS = 30;
const LOOKS_IN_TIME = 2;
/** A process that is never in time judges all the same. */
const PATIENCE_WHEN_BUSY_MS = 1_500;

export class InboundAudio {
  readonly #clock: InboundClock;
  readonly #hear: (audio: Audio, mediaMs: number) => void;
  readonly #startMs: number;
  #bytes = 0;
  /** What came last, as pieces: looked into only where audio is missing. */
  readonly #latest: Buffer[] = [];
  #hasBegun = false;
  /** In a row. */
  #looksInTime = 0;
  #cancel: () => void = () => undefined;

  constructor(clock: InboundClock, hear: (audio: Audio, mediaMs: number) => void) {
    this.#clock = clock;
    this.#hear = hear;
    this.#startMs = clock.now();
    this.#look();
  }

  /** µ-law, in whole frames. */
  take(frames: Buffer): void {
    this.#hasBegun = true;
    this.#pass(frames);
  }

  close(): void {
    this.#cancel();
  }

  #look(): void {
    const dueMs = this.#clock.now() + LOOK_MS;
    this.#cancel = this.#clock.setTimer(() => {
      this.#looksInTime = this.#clock.now() - dueMs > LATE_MS ? 0 : this.#looksInTime + 1;
      this.#look();
      this.#fill();
    }, LOOK_MS);
  }

  #fill(): void {
    const behindMs = this.#clock.now() - this.#startMs - msOfBytes(this.#bytes);
    if (!this.#isSilence(behindMs)) return;
    const missing = bytesOfMs(behindMs - MARGIN_MS);
    this.#pass(Buffer.alloc(missing - (missing % FRAME_BYTES), SILENCE_BYTE));
  }

  #isSilence(behindMs: number): boolean {
    if (!this.#hasBegun) return behindMs > PATIENCE_AT_FIRST_MS;
    if (behindMs <= PATIENCE_MS) return false;
    if (this.#looksInTime < LOOKS_IN_TIME) return behindMs > PATIENCE_WHEN_BUSY_MS;
    return behindMs > PATIENCE_IN_A_WORD_MS || !this.#isInAWord();
  }

  #pass(frames: Buffer): void {
    const mediaMs = msOfBytes(this.#bytes);
    this.#bytes += frames.byteLength;
    this.#latest.push(frames);
    if (this.#latest.length > IN_A_WORD_FRAMES) this.#latest.shift();
    this.#hear(Audio.fromBytes(frames), mediaMs);
  }

  #isInAWord(): boolean {
    const latest = Buffer.concat(this.#latest).subarray(-IN_A_WORD_FRAMES * FRAME_BYTES);
    for (let at = 0; at < latest.byteLength; at += FRAME_BYTES)
      if (isLoud(latest.subarray(at, at + FRAME_BYTES))) return true;
    return false;
  }
}

function isLoud(frame: Uint8Array): boolean {
  let sum = 0;
  for (const code of frame) sum += Math.abs(decodeSample(code));
  return sum > LOUD * frame.byteLength;
}
