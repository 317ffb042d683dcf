/**
 * What the delays of mark echoes tell. They carry the round trip and its jitter, so they measure no playing; but all that come
 * after a stall of the carrier's playing are late by it, and that shows.
 */

export interface Delays {
  /** The least delay seen: the round trip. */
  readonly leastMs: number;
  /** Variation of the delay, as RFC 3550 section 6.4.1 reckons it, but a plain mean of the first samples. */
  readonly jitterMs: number;
  /** How much earlier than one before it an echo has come, of late. A stall is not made up for, so this is chance alone. */
  readonly chanceMs: number;
  readonly samples: number;
}

/** How many of a run's latest delays `stallShown` looks at. */
export const LAGS_KEPT = 4;
const SAMPLES_TRUSTED = 8;
/** What is kept of `chanceMs` with each echo: half is gone after 18 s of speech, so that a burst of the network does not hide stalls for ever. */
const CHANCE_KEPT = 127 / 128;
const LEAST_STALL_MS = 20;
/** A line with less jitter needs fewer late echoes in a row to be believed. */
const STEADY_MS = 10;
const ROUGH_MS = 40;
/** A mark may be late by so much before its audio counts as unplayed; more while little is known of the line. */
const LEAST_SLACK_MS = 40;
const UNKNOWN_SLACK_MS = 250;

/** `run`: the latest delays before this one in the same run of audio, oldest first, and the longest of all. */
export function learnDelay(
  known: Delays | null,
  run: { readonly lagsMs: readonly number[]; readonly mostLagMs: number },
  lagMs: number,
): Delays {
  if (!known) return { leastMs: lagMs, jitterMs: 0, chanceMs: 0, samples: 0 };
  const leastMs = Math.min(known.leastMs, lagMs);
  const previousMs = run.lagsMs.at(-1);
  if (previousMs === undefined) return { ...known, leastMs };
  // A stall is one jump and no variation: once the line is known, a single difference counts only so far.
  const believedMs = known.samples < SAMPLES_TRUSTED ? Number.POSITIVE_INFINITY : 3 * known.jitterMs + LEAST_STALL_MS;
  const differenceMs = Math.min(Math.abs(lagMs - previousMs), believedMs);
  const samples = known.samples + 1;
  return {
    leastMs,
    samples,
    jitterMs: known.jitterMs + (differenceMs - known.jitterMs) / Math.min(16, samples),
    chanceMs: Math.max(run.mostLagMs - lagMs, known.chanceMs * CHANCE_KEPT),
  };
}

/** The whole stall of a run that its latest delays (oldest first) show, when it is certainly longer than `knownMs`; else null. */
export function stallShown(delays: Delays, lagsMs: readonly number[], knownMs: number): number | null {
  const { jitterMs, chanceMs, samples } = delays;
  if (samples >= SAMPLES_TRUSTED && jitterMs < STEADY_MS) return late(delays, lagsMs, 2, knownMs, 3 * jitterMs);
  // Three echoes that are late and close together: chance would scatter them. A stall among few samples looks like much jitter.
  const three = lagsMs.slice(-3);
  const scatterMs = 6 * (Math.max(...three) - Math.min(...three));
  const usualMs = samples < SAMPLES_TRUSTED ? jitterMs : 3 * jitterMs;
  const beyondChanceMs = chanceMs + LEAST_STALL_MS;
  const shownMs = late(delays, lagsMs, 4, knownMs, Math.max(3 * jitterMs, beyondChanceMs));
  if (shownMs !== null || jitterMs > ROUGH_MS) return shownMs;
  return late(delays, lagsMs, 3, knownMs, Math.max(2 * LEAST_STALL_MS, scatterMs, usualMs, beyondChanceMs));
}

function late(
  { leastMs }: Delays,
  lagsMs: readonly number[],
  needed: number,
  knownMs: number,
  chanceMs: number,
): number | null {
  const lateMs = Math.min(...lagsMs.slice(-needed)) - leastMs;
  return lagsMs.length >= needed && lateMs > knownMs + Math.max(LEAST_STALL_MS, chanceMs) ? lateMs : null;
}

/** The latest that the echo of audio played without a stall comes back. */
export function latestMs({ leastMs, jitterMs, samples }: Delays): number {
  return leastMs + Math.max(samples < SAMPLES_TRUSTED ? UNKNOWN_SLACK_MS : LEAST_SLACK_MS, 6 * jitterMs);
}
