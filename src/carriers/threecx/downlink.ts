/**
 * What is said to 3CX, and when. 3CX plays at once what it is given and has no way to take it back, so the queue, the pace and the marks are
 * ours: little is sent ahead of real time, so that a clear is heard at once. 3CX allows 500 ms (3CX's own call control examples).
 */
import { bytesOfMs, FRAME_BYTES, msOfBytes, SILENCE_BYTE } from '../../media/mulaw.ts';
import type { AudioSink, ThreeCxClock } from './exchange.ts';
import { PCM_FRAME_BYTES, pcmOf } from './pcm.ts';

const FRAME_MS = 20;
/** Speech is sent so far ahead, against the jitter of our timers. */
const AHEAD_MS = 60;
/** Silence only as it is needed: speech waits behind it. */
const IDLE_AHEAD_MS = FRAME_MS;
/** The way to 3CX, and its own clock's next tick: a mark is never told before its sound has left. */
const PLAYOUT_MS = 20;
/** So much that the network has not taken (200 ms) means that it takes nothing. */
const MOST_UNSENT_BYTES = 10 * PCM_FRAME_BYTES;
const STALLED_MS = 5_000;
/** What is beyond is thrown away; who plays keeps to the carrier's look-ahead, which is less. */
export const MOST_QUEUED_MS = 20_000;

type Entry = { readonly bytes: Uint8Array; taken: number } | { readonly mark: Mark };
type Mark = readonly [generation: number, markId: number];

export interface DownlinkEvents {
  marked(generation: number, markId: number): void;
  /** The network takes nothing; told once. */
  blocked(): void;
  /** It has taken nothing for so long that it will not. Nothing is sent any more. */
  stalled(): void;
}

export class Downlink {
  readonly #clock: Pick<ThreeCxClock, 'now' | 'setTimer'>;
  readonly #events: DownlinkEvents;
  #sink: AudioSink | null = null;
  #queue: Entry[] = [];
  #queuedBytes = 0;
  /** When everything that was sent will have been played, and of that what was no silence. */
  #dryAtMs = 0;
  #soundEndsAtMs = 0;
  /** Marks that have been passed, in order, and when their sound will have been heard. */
  #echoes: { readonly atMs: number; readonly mark: Mark }[] = [];
  #blockedSinceMs: number | null = null;
  #wasBlocked = false;
  #cancelTick: () => void = () => undefined;
  #cancelEcho: () => void = () => undefined;

  constructor(clock: Pick<ThreeCxClock, 'now' | 'setTimer'>, events: DownlinkEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** From now on it goes out. */
  start(sink: AudioSink): void {
    this.#sink = sink;
    this.#tick();
  }

  /** µ-law. */
  play(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, Math.max(0, bytesOfMs(MOST_QUEUED_MS) - this.#queuedBytes));
    if (kept.byteLength === 0) return;
    this.#queue.push({ bytes: kept, taken: 0 });
    this.#queuedBytes += kept.byteLength;
  }

  mark(generation: number, markId: number): void {
    const mark: Mark = [generation, markId];
    if (this.#queue.length > 0) this.#queue.push({ mark });
    else this.#echo(mark, this.#soundEndsAtMs);
  }

  /** What has not been sent is forgotten, and the marks in it without an echo. */
  clear(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#echoes = [];
    this.#cancelEcho();
  }

  close(): void {
    this.#sink = null;
    this.clear();
    this.#cancelTick();
  }

  #tick(): void {
    const sink = this.#sink;
    if (sink === null) return;
    const nowMs = this.#clock.now();
    // After a stall 3CX has played silence by itself: what was not sent then is sent now, not made up for.
    this.#dryAtMs = Math.max(this.#dryAtMs, nowMs);
    if (this.#isBlocked(sink, nowMs)) {
      if (nowMs - (this.#blockedSinceMs ?? nowMs) >= STALLED_MS) {
        this.close();
        return this.#events.stalled();
      }
      this.#cancelTick = this.#clock.setTimer(() => this.#tick(), FRAME_MS);
      return;
    }
    while (this.#dryAtMs + FRAME_MS <= nowMs + this.#aheadMs()) {
      sink.write(pcmOf(this.#frame()));
      this.#dryAtMs += FRAME_MS;
    }
    // By when the next one is due, not by when this one was sent: so the pace does not drift with the timers.
    const dueMs = this.#dryAtMs + FRAME_MS - this.#aheadMs();
    this.#cancelTick = this.#clock.setTimer(() => this.#tick(), dueMs - nowMs);
  }

  /** The rest of a piece waits for the next one, until nothing else is left. */
  #aheadMs(): number {
    return this.#queuedBytes >= FRAME_BYTES ? AHEAD_MS : IDLE_AHEAD_MS;
  }

  #isBlocked(sink: AudioSink, nowMs: number): boolean {
    if (sink.bufferedBytes <= MOST_UNSENT_BYTES) {
      this.#blockedSinceMs = null;
      return false;
    }
    this.#blockedSinceMs ??= nowMs;
    if (!this.#wasBlocked) this.#events.blocked();
    this.#wasBlocked = true;
    return true;
  }

  /** Filled up with silence. */
  #frame(): Uint8Array {
    const frame = new Uint8Array(FRAME_BYTES).fill(SILENCE_BYTE);
    let filled = 0;
    for (let entry = this.#queue[0]; entry !== undefined; entry = this.#queue[0]) {
      if ('mark' in entry) {
        this.#queue.shift();
        this.#echo(entry.mark, this.#dryAtMs + msOfBytes(filled));
        continue;
      }
      if (filled === FRAME_BYTES) break;
      const piece = entry.bytes.subarray(entry.taken, entry.taken + FRAME_BYTES - filled);
      frame.set(piece, filled);
      filled += piece.byteLength;
      entry.taken += piece.byteLength;
      if (entry.taken === entry.bytes.byteLength) this.#queue.shift();
    }
    this.#queuedBytes -= filled;
    if (filled > 0) this.#soundEndsAtMs = this.#dryAtMs + msOfBytes(filled);
    return frame;
  }

  /** What is before the mark will have been played at `playedAtMs`. */
  #echo(mark: Mark, playedAtMs: number): void {
    const atMs = Math.max(this.#clock.now(), playedAtMs + PLAYOUT_MS, this.#echoes.at(-1)?.atMs ?? 0);
    this.#echoes.push({ atMs, mark });
    if (this.#echoes.length === 1) this.#awaitEcho(atMs);
  }

  #awaitEcho(atMs: number): void {
    this.#cancelEcho = this.#clock.setTimer(
      () => {
        const [first] = this.#echoes;
        if (first === undefined) return;
        this.#echoes.shift();
        const next = this.#echoes[0];
        if (next !== undefined) this.#awaitEcho(next.atMs);
        this.#events.marked(...first.mark);
      },
      Math.max(0, atMs - this.#clock.now()),
    );
  }
}
