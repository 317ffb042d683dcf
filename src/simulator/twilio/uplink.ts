import { BYTES_PER_MS, FRAME_BYTES, SILENCE_BYTE } from '../../media/mulaw.ts';

export interface UplinkFrame {
  readonly payload: Uint8Array;
  /** Milliseconds since the stream began. */
  readonly timestampMs: number;
}

export interface Windows {
  readonly everyMs: number;
  readonly forMs: number;
}

/** Recurring stretches of time, drawn from a seeded source: `forMs` long, `everyMs` apart on average. Asked with rising times. */
export class RecurringWindows {
  private readonly random: () => number;
  private fromMs = -1;
  private toMs = -1;

  constructor(random: () => number) {
    this.random = random;
  }

  contains(atMs: number, windows: Windows | null): boolean {
    if (windows === null) return false;
    while (atMs >= this.toMs) {
      this.fromMs = Math.max(this.toMs, 0) + windows.everyMs * (0.5 + this.random());
      this.toMs = this.fromMs + windows.forMs;
    }
    return atMs >= this.fromMs;
  }
}

/** Cuts the person's speech into the media messages that Twilio sends: 20 ms each, or odd sizes, with or without gaps. */
export class Uplink {
  private readonly random: () => number;
  private readonly lost: RecurringWindows;
  private waiting = new Uint8Array();
  private sentBytes = 0;
  private nextSize = FRAME_BYTES;

  constructor(random: () => number) {
    this.random = random;
    this.lost = new RecurringWindows(random);
  }

  /** 20 ms more; null stands for silence. */
  push(
    spoken: Uint8Array | null,
    how: { readonly odd: boolean; readonly gaps: Windows | null },
  ): readonly UplinkFrame[] {
    const frame = spoken ?? new Uint8Array(FRAME_BYTES).fill(SILENCE_BYTE);
    this.waiting = new Uint8Array(Buffer.concat([this.waiting, frame]));
    const frames: UplinkFrame[] = [];
    while (this.waiting.byteLength >= this.nextSize) {
      const payload = this.waiting.subarray(0, this.nextSize);
      const timestampMs = Math.floor(this.sentBytes / BYTES_PER_MS);
      this.waiting = this.waiting.subarray(this.nextSize);
      this.sentBytes += payload.byteLength;
      if (!this.lost.contains(timestampMs, how.gaps)) frames.push({ payload, timestampMs });
      this.nextSize = how.odd ? 40 + Math.floor(this.random() * 360) : FRAME_BYTES;
    }
    return frames;
  }
}
