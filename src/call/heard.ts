/** What of the ledger the callee has heard by a moment, in bytes and in milliseconds. */
import { bytesOfMs, msOfBytes } from '../media/mulaw.ts';
import { latestMs } from './delays.ts';
import type { Playback, Run, Spoken } from './playback.ts';
import { LOST_MARK_MS } from './timing.ts';

/** Audio that the carrier holds and has not played. */
export function bufferedMs(playback: Playback, nowMs: number): number {
  const { run } = playback;
  return run ? msOfBytes(run.sentBytes - heardOfRun(playback, run, nowMs)) : 0;
}

export function playedByClock(run: Run, nowMs: number): number {
  return Math.min(run.sentBytes, bytesOfMs(Math.max(0, nowMs - run.startedAtMs - run.stallMs)));
}

/** Bytes of the run that have been heard by `nowMs`: by the clock, unless a mark is overdue by more than the line's own variation. */
export function heardOfRun(playback: Playback, run: Run, nowMs: number): number {
  let heardBytes = playedByClock(run, nowMs);
  const expected = playback.marks.find((mark) => mark.atByte >= 0);
  if (expected && playback.delays) {
    const dueBytes = expected.atByte + bytesOfMs(latestMs(playback.delays));
    // One that is overdue for very long was lost.
    if (nowMs < run.startedAtMs + run.stallMs + msOfBytes(dueBytes) + LOST_MARK_MS)
      heardBytes = Math.min(heardBytes, dueBytes);
  }
  return Math.max(run.confirmedBytes, heardBytes);
}

/** The latest run as far as it goes: bytes sent and heard by `nowMs`, and when its first byte played; null when the buffer is empty. */
export function runOf(
  playback: Playback,
  nowMs: number,
): { readonly startsAtMs: number; readonly sentBytes: number; readonly heardBytes: number } | null {
  const { run } = playback;
  if (!run) return null;
  const { startedAtMs, stallMs, sentBytes } = run;
  return { startsAtMs: startedAtMs + stallMs, sentBytes, heardBytes: heardOfRun(playback, run, nowMs) };
}

export function heardInRun(run: Run, itemId: string, playedBytes: number): number {
  let heard = 0;
  for (const segment of run.segments) {
    if (segment.itemId === itemId) heard += Math.min(segment.bytes, Math.max(0, playedBytes - segment.fromByte));
  }
  return heard;
}

/** Bytes of an item that the callee has heard by `nowMs`; never more than were sent. */
export function heardBytesOf(playback: Playback, item: Spoken, nowMs: number): number {
  if (item.finalMark === 'echoed') return item.sentBytes;
  const { run } = playback;
  return item.heardBytes + (run ? heardInRun(run, item.itemId, heardOfRun(playback, run, nowMs)) : 0);
}

/** When everything sent so far will have been heard; null when the carrier's buffer is empty. Not the echo's time. */
export function endsAt(playback: Playback): number | null {
  const { run } = playback;
  return run ? run.startedAtMs + run.stallMs + msOfBytes(run.sentBytes) : null;
}

/** Items with audio that has not been heard to its end. */
export function unheard(playback: Playback, nowMs: number): readonly Spoken[] {
  return playback.items.filter((item) => heardBytesOf(playback, item, nowMs) < item.receivedBytes);
}

/** Items that are complete and have been heard to the end, told by their last mark, or by the clock `lostMarkMs` after it should have come. */
export function heardOut(playback: Playback, nowMs: number, lostMarkMs: number): readonly Spoken[] {
  const endsAtMs = endsAt(playback);
  const quiet = endsAtMs === null || nowMs >= endsAtMs + (playback.delays?.leastMs ?? 0) + lostMarkMs;
  return playback.items.filter(
    (item) =>
      item.done &&
      item.sentBytes === item.receivedBytes &&
      (item.finalMark === 'echoed' || (quiet && item.finalMark === 'sent')),
  );
}
