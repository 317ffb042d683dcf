import type { UplinkTarget } from '../call/commands.ts';
import { Audio } from '../media/audio.ts';
import { Timeline } from '../media/gaps.ts';
import { bytesOfMs, silence } from '../media/mulaw.ts';

/** Takes the callee's audio; a model's session is one. */
export interface UplinkEnd {
  append(audio: Audio): void;
}

/** The gate for the callee's audio: keeps it, gives it to the model in order, or lets it go. */
export class Uplink {
  /** Where it leads when it is open; null while there is nobody. */
  end: UplinkEnd | null = null;
  #target: UplinkTarget = 'off';
  #timeline = new Timeline();
  #keepBytes = 0;
  #kept: Audio[] = [];
  #keptBytes = 0;

  hear(audio: Audio, mediaMs: number): void {
    const padMs = this.#timeline.place(mediaMs, audio.byteLength);
    if (padMs === null) return;
    if (padMs > 0) this.#pass(Audio.fromBytes(silence(padMs)));
    this.#pass(audio);
  }

  set(to: UplinkTarget, keepMs: number): void {
    this.#target = to;
    this.#keepBytes = bytesOfMs(keepMs);
    if (to === 'model') for (const audio of this.#kept) this.end?.append(audio);
    if (to !== 'hold') {
      this.#kept = [];
      this.#keptBytes = 0;
    }
  }

  /** A new stream has a clock of its own. */
  restart(): void {
    this.#timeline = new Timeline();
  }

  #pass(audio: Audio): void {
    if (this.#target === 'model') {
      this.end?.append(audio);
      return;
    }
    if (this.#target === 'off') return;
    this.#kept.push(audio);
    this.#keptBytes += audio.byteLength;
    while (this.#keptBytes > this.#keepBytes && this.#kept.length > 1) {
      this.#keptBytes -= this.#kept.shift()?.byteLength ?? 0;
    }
  }
}
