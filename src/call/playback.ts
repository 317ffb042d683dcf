/**
 * The playback ledger: what was received from the model, what was sent to the carrier, and what the callee has heard.
 *
 * Audio is sent faster than it plays, so the carrier's buffer plays a contiguous *run* from the moment its first byte came into
 * the empty buffer. Media and `clear` travel the same way and take the same time, so at a clear the heard time of the run is
 * `clear sent at − first byte sent at`, whatever the round trip. Mark echoes carry a whole round trip: they give lower bounds,
 * and what they come too late by, beyond the least delay ever seen, shows that the carrier's playing stalled.
 */
import { msOfBytes } from '../media/mulaw.ts';
import { type Delays, LAGS_KEPT, learnDelay, stallShown } from './delays.ts';
import { bufferedMs, heardInRun, heardOfRun, playedByClock } from './heard.ts';
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
  /** It was broken off while it was made: its words run ahead of its audio. */
  readonly partial: boolean;
  /** The session that said it is gone: the one there is now knows no such item. */
  readonly disowned: boolean;
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

export interface Run {
  readonly startedAtMs: number;
  readonly sentBytes: number;
  readonly confirmedBytes: number;
  readonly stallMs: number;
  readonly segments: readonly Segment[];
  /** Delays of the latest mark echoes against the run's own clock, oldest first. */
  readonly lagsMs: readonly number[];
  /** The longest of all. */
  readonly mostLagMs: number;
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
  /** Counts within a generation: the two together name a mark. */
  readonly nextMarkId: number;
  readonly run: Run | null;
  readonly marks: readonly Mark[];
  readonly bytesSinceMark: number;
  readonly items: readonly Spoken[];
  /** Received, but beyond the carrier's look-ahead. */
  readonly queue: readonly Chunk[];
  /** Of mark echoes on this stream, once one has come back. */
  readonly delays: Delays | null;
}

/** What to do with the carrier, in order. */
export type Sent = { readonly play: number } | { readonly mark: number };

const POLL_MS = 20;
const ROUNDING_MS = 0.25;
/** A carrier that plays ten minutes from its buffer echoes as many; one that echoes none must not fill the memory. */
const MOST_MARKS = 4_000;

export function initialPlayback(): Playback {
  return {
    generation: 1,
    nextMarkId: 1,
    run: null,
    marks: [],
    bytesSinceMark: 0,
    items: [],
    queue: [],
    delays: null,
  };
}

/** A new stream may take another way: what was learnt of the old one's delays is forgotten. */
export function newLine(playback: Playback): Playback {
  return { ...playback, delays: null };
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
    partial: false,
    disowned: false,
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

/** Nothing more comes of these items, whole or broken off; their final marks go out with the next `pump`. */
export function finish(playback: Playback, isDone: (item: Spoken) => boolean, partial: boolean): Playback {
  return {
    ...playback,
    items: playback.items.map((item) => (!item.done && isDone(item) ? { ...item, done: true, partial } : item)),
  };
}

/** The session is gone: what it said may go on playing. */
export function disown(playback: Playback): Playback {
  return { ...playback, items: playback.items.map((item) => ({ ...item, disowned: true })) };
}

/** Sends what the carrier's buffer takes now. */
export function pump(
  playback: Playback,
  nowMs: number,
  lookAheadMs: number,
): { playback: Playback; sent: readonly Sent[] } {
  const sent: Sent[] = [];
  let next = markComplete(playback, sent);
  for (let chunk = next.queue[0]; chunk; chunk = next.queue[0]) {
    const aheadMs = bufferedMs(next, nowMs);
    if (!fits(aheadMs, chunk.bytes, lookAheadMs)) break;
    if (next.run === null || aheadMs < ROUNDING_MS) {
      // Into the empty buffer goes a mark first: it comes back at once and so tells the round trip, whatever stalls later.
      next = openRun(next, nowMs);
      sent.push({ mark: next.nextMarkId });
      next = addMark(next, null);
    }
    next = sendChunk(next, chunk);
    sent.push({ play: chunk.chunkId });
    if (next.bytesSinceMark >= MARK_EVERY_BYTES) {
      sent.push({ mark: next.nextMarkId });
      next = addMark(next, null);
    }
    next = markComplete(next, sent);
  }
  return { playback: next, sent };
}

/** The final mark of each item that is complete and has been sent to its end. */
function markComplete(playback: Playback, sent: Sent[]): Playback {
  let next = playback;
  for (const item of playback.items) {
    if (!item.done || item.finalMark !== 'none' || item.sentBytes < item.receivedBytes) continue;
    sent.push({ mark: next.nextMarkId });
    next = addMark(next, item.itemId);
  }
  return next;
}

/** When `pump` should be called again for what is still queued; null when nothing is. */
export function pumpDueMs(playback: Playback, nowMs: number, lookAheadMs: number): number | null {
  const chunk = playback.queue[0];
  const { run } = playback;
  if (!chunk) return null;
  const aheadMs = bufferedMs(playback, nowMs);
  const waitMs = Math.max(0, Math.min(aheadMs, aheadMs + msOfBytes(chunk.bytes) - usable(lookAheadMs)));
  // While the carrier's playing stalls nobody knows when it goes on.
  const stalled = run !== null && heardOfRun(playback, run, nowMs) < playedByClock(run, nowMs);
  return nowMs + (stalled ? Math.max(POLL_MS, waitMs) : waitMs);
}

/** A stall is noticed late, and what is beyond the look-ahead is lost: some of it stays unused. */
function usable(lookAheadMs: number): number {
  return lookAheadMs - Math.min(1_000, lookAheadMs / 5);
}

/** Into a buffer that holds `aheadMs`. */
function fits(aheadMs: number, bytes: number, lookAheadMs: number): boolean {
  return aheadMs < ROUNDING_MS || aheadMs + msOfBytes(bytes) <= usable(lookAheadMs) + ROUNDING_MS;
}

function openRun(playback: Playback, nowMs: number): Playback {
  const run: Run = {
    startedAtMs: nowMs,
    sentBytes: 0,
    confirmedBytes: 0,
    stallMs: 0,
    segments: [],
    lagsMs: [],
    mostLagMs: 0,
  };
  return { ...closeRun(playback), run };
}

function sendChunk(playback: Playback, chunk: Chunk): Playback {
  const { run } = playback;
  if (!run) return playback;
  const startsAtMs = run.startedAtMs + run.stallMs + msOfBytes(run.sentBytes);
  return {
    ...playback,
    queue: playback.queue.slice(1),
    bytesSinceMark: playback.bytesSinceMark + chunk.bytes,
    run: withChunk(run, chunk),
    items: playback.items.map((item) =>
      item.itemId === chunk.itemId
        ? { ...item, sentBytes: item.sentBytes + chunk.bytes, startsAtMs: item.startsAtMs ?? startsAtMs }
        : item,
    ),
  };
}

/**
 * Takes a chunk that goes on with what is playing and sends it at once, as `receive` and `pump` would; with a mark behind it where
 * one is due. Null when there is more to it: another item, an empty or a full buffer, something queued.
 */
export function continueRun(
  playback: Playback,
  chunk: { readonly itemId: string; readonly bytes: number },
  nowMs: number,
  lookAheadMs: number,
): { readonly playback: Playback; readonly markId: number | null } | null {
  const { run, items, queue } = playback;
  const item = items.at(-1);
  if (!run || !item || item.itemId !== chunk.itemId || item.done || queue.length > 0) return null;
  if (run.segments.at(-1)?.itemId !== chunk.itemId || items.some(({ done, finalMark }) => done && finalMark === 'none'))
    return null;
  const aheadMs = bufferedMs(playback, nowMs);
  if (aheadMs < ROUNDING_MS || !fits(aheadMs, chunk.bytes, lookAheadMs)) return null;
  const receivedBytes = item.receivedBytes + chunk.bytes;
  const sentBytes = item.sentBytes + chunk.bytes;
  const sent: Playback = {
    ...playback,
    items: items.with(-1, { ...item, receivedBytes, sentBytes }),
    bytesSinceMark: playback.bytesSinceMark + chunk.bytes,
    run: withChunk(run, chunk),
  };
  if (sent.bytesSinceMark < MARK_EVERY_BYTES) return { playback: sent, markId: null };
  return { playback: addMark(sent, null), markId: sent.nextMarkId };
}

function withChunk(run: Run, { itemId, bytes }: Pick<Chunk, 'itemId' | 'bytes'>): Run {
  const last = run.segments.at(-1);
  const segments =
    last?.itemId === itemId
      ? run.segments.with(-1, { ...last, bytes: last.bytes + bytes })
      : [...run.segments, { itemId, fromByte: run.sentBytes, bytes }];
  return { ...run, sentBytes: run.sentBytes + bytes, segments };
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
    marks: [...(playback.marks.length < MOST_MARKS ? playback.marks : playback.marks.slice(1)), mark],
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
  const settled: Playback = {
    ...playback,
    marks: playback.marks.slice(index + 1),
    items: withEchoes(playback.items, playback.marks.slice(0, index + 1)),
  };
  return settled.run && mark.atByte >= 0 ? measure(settled, settled.run, mark.atByte, nowMs) : settled;
}

/** The same items when none of these marks is the last one of an item. */
function withEchoes(items: readonly Spoken[], echoed: readonly Mark[]): readonly Spoken[] {
  const isHeard = ({ itemId }: Spoken): boolean => echoed.some(({ finalOf }) => finalOf === itemId);
  if (!items.some(isHeard)) return items;
  return items.map((item) => (isHeard(item) ? { ...item, finalMark: 'echoed' } : item));
}

/** What an echo tells of the run. Every later echo bounds a stall from above, which also takes back one that was none. */
function measure(playback: Playback, run: Run, atByte: number, nowMs: number): Playback {
  const lagMs = nowMs - run.startedAtMs - msOfBytes(atByte);
  const delays = learnDelay(playback.delays, run, lagMs);
  const lagsMs = [...run.lagsMs.slice(1 - LAGS_KEPT), lagMs];
  const boundMs = Math.min(run.stallMs, lagMs - delays.leastMs);
  const shownMs = stallShown(delays, lagsMs, boundMs);
  return {
    ...playback,
    delays,
    run: {
      ...run,
      lagsMs,
      mostLagMs: Math.max(run.mostLagMs, lagMs),
      stallMs: shownMs ?? boundMs,
      confirmedBytes: Math.max(run.confirmedBytes, atByte),
    },
  };
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
      nextMarkId: 1,
      run: null,
      marks: [],
      bytesSinceMark: 0,
      items: [],
      queue: [],
    },
    dropped: playback.queue.map((chunk) => chunk.chunkId),
  };
}
