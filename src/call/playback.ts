/**
 * The playback ledger: what was received from the model, what was sent to the carrier, and what the callee has heard.
 *
 * Audio is sent faster than it plays, so the carrier's buffer plays a contiguous *run* from the moment its first byte came into
 * the empty buffer. Media and `clear` travel the same way and take the same time, so at a clear the heard time of the run is
 * `clear sent at − first byte sent at`, whatever the round trip. Mark echoes carry a whole round trip: they give lower bounds,
 * and what they come too late by, beyond the least delay ever seen, shows that the carrier's playing stalled.
 */
import { bytesOfMs, msOfBytes } from '../media/mulaw.ts';
import { MARK_EVERY_BYTES } from './timing.ts';

/** An agent item with audio. Bytes are µ-law bytes; `heardBytes` counts earlier runs, the current one is measured. */
export interface Spoken {
  readonly itemId: string;
  readonly replyId: string;
  readonly contentIndex: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly heardBytes: number;
  /** Nothing more will be received. */
  readonly done: boolean;
  /** Its last mark has been sent, or has come back. */
  readonly finalMark: 'none' | 'sent' | 'echoed';
  /** When its first byte began to play; monotonic. */
  readonly startsAtMs: number | null;
}

interface Segment {
  readonly itemId: string;
  readonly fromByte: number;
  readonly bytes: number;
}

interface Run {
  readonly startedAtMs: number;
  readonly sentBytes: number;
  readonly confirmedBytes: number;
  readonly stallMs: number;
  readonly segments: readonly Segment[];
  /** Delays of the latest mark echoes against the run's own clock, oldest first. */
  readonly lagsMs: readonly number[];
}

interface Mark {
  readonly markId: number;
  readonly atByte: number;
  readonly finalOf: string | null;
}

interface Chunk {
  readonly chunkId: number;
  readonly itemId: string;
  readonly bytes: number;
}

export interface Playback {
  readonly generation: number;
  readonly nextMarkId: number;
  readonly run: Run | null;
  readonly marks: readonly Mark[];
  readonly bytesSinceMark: number;
  readonly items: readonly Spoken[];
  /** Received, but beyond the carrier's look-ahead. */
  readonly queue: readonly Chunk[];
  /** The least delay of a mark echo in this call: the round trip. */
  readonly leastLagMs: number | null;
  /** Variation of that delay, as RFC 3550 section 6.4.1 reckons it. */
  readonly jitterMs: number;
}

/** What to do with the carrier, in order. */
export type Sent = { readonly play: number } | { readonly mark: number };

const LAGS_KEPT = 6;
const LAGS_NEEDED = 4;
const LEAST_STALL_MS = 40;

export function initialPlayback(): Playback {
  return {
    generation: 1,
    nextMarkId: 1,
    run: null,
    marks: [],
    bytesSinceMark: 0,
    items: [],
    queue: [],
    leastLagMs: null,
    jitterMs: 0,
  };
}

/** Takes a chunk of the model's audio into the ledger; `pump` sends it. */
export function receive(
  playback: Playback,
  chunk: {
    readonly replyId: string;
    readonly itemId: string;
    readonly contentIndex: number;
    readonly chunkId: number;
    readonly bytes: number;
  },
): Playback {
  const known = playback.items.find((item) => item.itemId === chunk.itemId);
  const item: Spoken = known ?? {
    itemId: chunk.itemId,
    replyId: chunk.replyId,
    contentIndex: chunk.contentIndex,
    receivedBytes: 0,
    sentBytes: 0,
    heardBytes: 0,
    done: false,
    finalMark: 'none',
    startsAtMs: null,
  };
  const grown = { ...item, receivedBytes: item.receivedBytes + chunk.bytes };
  const items = known ? playback.items.map((each) => (each === known ? grown : each)) : [...playback.items, grown];
  return {
    ...playback,
    items,
    queue: [...playback.queue, { chunkId: chunk.chunkId, itemId: chunk.itemId, bytes: chunk.bytes }],
  };
}

/** Marks an item as complete; its final mark goes out with the next `pump`. */
export function finish(playback: Playback, itemId: string): Playback {
  return {
    ...playback,
    items: playback.items.map((item) => (item.itemId === itemId ? { ...item, done: true } : item)),
  };
}

/** Sends what the carrier's buffer takes now. */
export function pump(
  playback: Playback,
  nowMs: number,
  lookAheadMs: number,
): { playback: Playback; sent: readonly Sent[] } {
  let next = playback;
  const sent: Sent[] = [];
  for (let chunk = next.queue[0]; chunk && fits(next, chunk, nowMs, lookAheadMs); chunk = next.queue[0]) {
    next = sendChunk(next, chunk, nowMs);
    sent.push({ play: chunk.chunkId });
    if (next.bytesSinceMark >= MARK_EVERY_BYTES) {
      sent.push({ mark: next.nextMarkId });
      next = addMark(next, null);
    }
  }
  for (const item of next.items) {
    if (!item.done || item.finalMark !== 'none' || item.sentBytes < item.receivedBytes) continue;
    sent.push({ mark: next.nextMarkId });
    next = addMark(next, item.itemId);
  }
  return { playback: next, sent };
}

/** When `pump` should be called again for what is still queued; null when nothing is. */
export function pumpDueMs(playback: Playback, lookAheadMs: number): number | null {
  const chunk = playback.queue[0];
  const endsAtMs = endsAt(playback);
  if (!chunk) return null;
  return endsAtMs === null ? 0 : Math.min(endsAtMs, endsAtMs + msOfBytes(chunk.bytes) - lookAheadMs);
}

function fits(playback: Playback, chunk: Chunk, nowMs: number, lookAheadMs: number): boolean {
  const aheadMs = Math.max(0, (endsAt(playback) ?? nowMs) - nowMs);
  return aheadMs === 0 || aheadMs + msOfBytes(chunk.bytes) <= lookAheadMs;
}

function sendChunk(playback: Playback, chunk: Chunk, nowMs: number): Playback {
  const endsAtMs = endsAt(playback);
  const opened = endsAtMs === null || endsAtMs <= nowMs ? closeRun(playback) : playback;
  const run: Run = opened.run ?? {
    startedAtMs: nowMs,
    sentBytes: 0,
    confirmedBytes: 0,
    stallMs: 0,
    segments: [],
    lagsMs: [],
  };
  const startsAtMs = run.startedAtMs + run.stallMs + msOfBytes(run.sentBytes);
  return {
    ...opened,
    queue: playback.queue.slice(1),
    bytesSinceMark: opened.bytesSinceMark + chunk.bytes,
    run: {
      ...run,
      sentBytes: run.sentBytes + chunk.bytes,
      segments: withSegment(run, chunk),
    },
    items: opened.items.map((item) =>
      item.itemId === chunk.itemId
        ? { ...item, sentBytes: item.sentBytes + chunk.bytes, startsAtMs: item.startsAtMs ?? startsAtMs }
        : item,
    ),
  };
}

function withSegment(run: Run, chunk: Chunk): readonly Segment[] {
  const last = run.segments.at(-1);
  if (last?.itemId === chunk.itemId)
    return [...run.segments.slice(0, -1), { ...last, bytes: last.bytes + chunk.bytes }];
  return [...run.segments, { itemId: chunk.itemId, fromByte: run.sentBytes, bytes: chunk.bytes }];
}

/** The run has been played to its end: what it held counts as heard for good. Marks on their way stay expected. */
function closeRun(playback: Playback): Playback {
  const { run } = playback;
  if (!run) return playback;
  return {
    ...playback,
    run: null,
    marks: playback.marks.map((mark) => ({ ...mark, atByte: -1 })),
    items: playback.items.map((item) => ({
      ...item,
      heardBytes: item.heardBytes + heardInRun(run, item.itemId, run.sentBytes),
    })),
  };
}

function addMark(playback: Playback, finalOf: string | null): Playback {
  const mark: Mark = { markId: playback.nextMarkId, atByte: playback.run?.sentBytes ?? -1, finalOf };
  return {
    ...playback,
    nextMarkId: playback.nextMarkId + 1,
    bytesSinceMark: 0,
    marks: [...playback.marks, mark],
    items:
      finalOf === null
        ? playback.items
        : playback.items.map((item) => (item.itemId === finalOf ? { ...item, finalMark: 'sent' } : item)),
  };
}

/** A mark came back. One of an older generation was flushed by a clear and says nothing. */
export function echo(playback: Playback, generation: number, markId: number, nowMs: number): Playback {
  if (generation !== playback.generation) return playback;
  const index = playback.marks.findIndex((mark) => mark.markId === markId);
  const mark = playback.marks[index];
  if (!mark) return playback;
  // Marks come back in order: those before this one are answered with it.
  const passed = playback.marks.slice(0, index + 1);
  const finals = new Set(passed.map((each) => each.finalOf));
  const settled: Playback = {
    ...playback,
    marks: playback.marks.slice(index + 1),
    items: playback.items.map((item) => (finals.has(item.itemId) ? { ...item, finalMark: 'echoed' } : item)),
  };
  return settled.run && mark.atByte >= 0 ? measure(settled, settled.run, mark.atByte, nowMs) : settled;
}

function measure(playback: Playback, run: Run, atByte: number, nowMs: number): Playback {
  const lagMs = nowMs - run.startedAtMs - msOfBytes(atByte);
  const previousMs = run.lagsMs.at(-1);
  const jitterMs =
    previousMs === undefined
      ? playback.jitterMs
      : playback.jitterMs + (Math.abs(lagMs - previousMs) - playback.jitterMs) / 16;
  const leastLagMs = Math.min(playback.leastLagMs ?? lagMs, lagMs);
  const lagsMs = [...run.lagsMs.slice(1 - LAGS_KEPT), lagMs];
  const lateMs = Math.min(...lagsMs.slice(-LAGS_NEEDED)) - leastLagMs;
  const certain = lagsMs.length >= LAGS_NEEDED && lateMs > Math.max(LEAST_STALL_MS, 3 * jitterMs);
  const stallMs = certain ? Math.max(run.stallMs, lateMs) : run.stallMs;
  return {
    ...playback,
    leastLagMs,
    jitterMs,
    run: { ...run, lagsMs, stallMs, confirmedBytes: Math.max(run.confirmedBytes, atByte) },
  };
}

/** Bytes of the run that have been heard by `nowMs`. */
function heardOfRun(playback: Playback, run: Run, nowMs: number): number {
  let elapsedMs = nowMs - run.startedAtMs - run.stallMs;
  const expected = playback.marks.find((mark) => mark.atByte >= 0);
  if (expected && playback.leastLagMs !== null) {
    // A mark that is overdue by more than the line's own variation has not been played yet.
    const slackMs = playback.leastLagMs + Math.max(2 * LEAST_STALL_MS, 4 * playback.jitterMs);
    elapsedMs = Math.min(elapsedMs, msOfBytes(expected.atByte) + slackMs);
  }
  return Math.min(run.sentBytes, Math.max(run.confirmedBytes, bytesOfMs(Math.max(0, elapsedMs))));
}

function heardInRun(run: Run, itemId: string, playedBytes: number): number {
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
  const quiet = endsAtMs === null || nowMs >= endsAtMs + (playback.leastLagMs ?? 0) + lostMarkMs;
  return playback.items.filter(
    (item) =>
      item.done &&
      item.sentBytes === item.receivedBytes &&
      (item.finalMark === 'echoed' || (quiet && item.finalMark === 'sent')),
  );
}

export function forget(playback: Playback, itemIds: ReadonlySet<string>): Playback {
  return { ...playback, items: playback.items.filter((item) => !itemIds.has(item.itemId)) };
}

/** The carrier's buffer is emptied (or the stream is gone): a new generation, and the chunks that will never play. */
export function clear(playback: Playback): { playback: Playback; dropped: readonly number[] } {
  return {
    playback: {
      ...playback,
      generation: playback.generation + 1,
      run: null,
      marks: [],
      bytesSinceMark: 0,
      items: [],
      queue: [],
    },
    dropped: playback.queue.map((chunk) => chunk.chunkId),
  };
}
