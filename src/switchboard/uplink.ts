import type { UplinkTarget } from '../call/commands.ts';
import { Audio } from '../media/audio.ts';
import { newTimeline, place } from '../media/gaps.ts';
import { bytesOfMs, silence } from '../media/mulaw.ts';

/** The gate for the caller's audio: keeps it, gives it to the model in order, or lets it go. */
export interface Uplink {
  hear(audio: Audio, mediaMs: number): void;
  set(to: UplinkTarget, keepMs: number): void;
  /** A new stream has a clock of its own. */
  restart(): void;
}

export function createUplink(send: (audio: Audio) => void): Uplink {
  let target: UplinkTarget = 'off';
  let keepBytes = 0;
  let kept: Audio[] = [];
  let keptBytes = 0;
  let timeline = newTimeline;

  function pass(audio: Audio): void {
    if (target === 'model') {
      send(audio);
      return;
    }
    if (target === 'off') return;
    kept.push(audio);
    keptBytes += audio.byteLength;
    while (keptBytes > keepBytes && kept.length > 1) keptBytes -= kept.shift()?.byteLength ?? 0;
  }

  return {
    hear(audio, mediaMs) {
      const placed = place(timeline, mediaMs, audio.byteLength);
      timeline = placed.timeline;
      if (placed.late) return;
      if (placed.padMs > 0) pass(Audio.fromBytes(silence(placed.padMs)));
      pass(audio);
    },
    set(to, keepMs) {
      target = to;
      keepBytes = bytesOfMs(keepMs);
      if (to === 'model') for (const audio of kept) send(audio);
      if (to !== 'hold') {
        kept = [];
        keptBytes = 0;
      }
    },
    restart() {
      timeline = newTimeline;
    },
  };
}
