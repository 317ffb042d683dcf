/** What a step shows of the agent's audio as the callee hears it, for whoever keeps it: the ledger's own figures, nothing new. */
import type { Call } from './call.ts';
import type { CallCommand } from './commands.ts';
import type { CallEvent } from './events.ts';
import { runOf } from './heard.ts';

export interface Hearing {
  /** The latest run was cut off: no more than its first so many bytes were heard. Comes before `opened`. */
  readonly cutBytes: number | null;
  /** The audio of this step's first `carrier.play` goes into an empty buffer. */
  readonly opened: boolean;
  /** When the first byte of the latest run played, by our monotonic clock and without the way there; null while there is none. */
  readonly startsAtMs: number | null;
  /** The way there and back, as far as it is known. */
  readonly roundTripMs: number;
}

export function hearingOf(step: {
  readonly event: CallEvent;
  readonly before: Call;
  readonly after: Call;
  readonly commands: readonly CallCommand[];
}): Hearing {
  const { event, before, after, commands } = step;
  const wayMs = before.playback.delays?.leastMs ?? 0;
  const isCut = before.playback.generation !== after.playback.generation;
  // A clear travels behind the audio; an end over there happened a round trip behind what we send.
  const cleared = commands.some((command) => command.type === 'carrier.clear');
  const cutAtMs = cleared ? event.atMs : event.atMs - wayMs;
  const run = runOf(after.playback, event.atMs);
  const playedBytes = run?.sentBytes ?? 0;
  const sameRun = !isCut && run !== null && before.playback.run?.startedAtMs === after.playback.run?.startedAtMs;
  return {
    cutBytes: isCut ? (runOf(before.playback, cutAtMs)?.heardBytes ?? null) : null,
    opened: run !== null && !sameRun && playedBytes > 0,
    startsAtMs: run?.startsAtMs ?? null,
    roundTripMs: after.playback.delays?.leastMs ?? wayMs,
  };
}
