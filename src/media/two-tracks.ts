/**
 * Two tracks of µ-law on one clock, put together into interleaved stereo as they become certain. Knows neither calls nor time:
 * positions are samples, 8 a millisecond, from the recording's start. What was taken stays as it is.
 */
import { SILENCE_BYTE } from './mulaw.ts';

/** Timestamps are whole milliseconds and frames need not be: a frame this near to the end of the one before goes on from it. */
const NEARLY = 8;
/** A change of a run's place below this is the measure's own unrest. */
const UNREST = 160;

interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Audio that plays without a break, from `at` on. Its place may be corrected until it is taken. */
interface Run {
  at: number;
  /** Where its next byte goes, once some of it has been taken; null before. */
  next: number | null;
  takenBytes: number;
  readonly pieces: { readonly from: number; readonly bytes: Uint8Array }[];
  bytes: number;
}

export class TwoTracks {
  #taken = 0;
  #left: Piece[] = [];
  #leftEnd = 0;
  #runs: Run[] = [];
  #rightEnd = 0;

  /** Samples that have been taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Where the left track's last frame ends. */
  get leftEnd(): number {
    return this.#leftEnd;
  }

  /** Where the audio that is known so far ends. */
  get end(): number {
    let rightEnd = this.#rightEnd;
    for (const run of this.#runs) {
      const left = run.bytes - run.takenBytes;
      if (left > 0) rightEnd = Math.max(placeOf(run, rightEnd), this.#taken) + left;
    }
    return Math.max(this.#leftEnd, rightEnd, this.#taken);
  }

  /** Bytes that are held in memory. */
  get heldBytes(): number {
    const left = this.#left.reduce((sum, piece) => sum + piece.bytes.byteLength, 0);
    return (
      left + this.#runs.reduce((sum, run) => sum + run.pieces.reduce((all, { bytes }) => all + bytes.byteLength, 0), 0)
    );
  }

  /** A frame of the left track in its place, also a late one. What would stand before `taken` is lost, and said so by `false`. */
  placeLeft(at: number, bytes: Uint8Array): boolean {
    const from = Math.abs(at - this.#leftEnd) < NEARLY ? this.#leftEnd : at;
    const lost = Math.max(0, this.#taken - from);
    if (lost >= bytes.byteLength) return false;
    this.#left.push({ at: from + lost, bytes: lost === 0 ? bytes : bytes.subarray(lost) });
    this.#leftEnd = Math.max(this.#leftEnd, from + bytes.byteLength);
    return lost === 0;
  }

  /** A new run of the right track. It never begins before the one before it has ended. */
  openRun(at: number): void {
    this.#runs.push({ at, next: null, takenBytes: 0, pieces: [], bytes: 0 });
  }

  /** The latest run begins elsewhere than was thought: what of it is not taken moves, forward at any time, back only as far as there is room. */
  moveRun(at: number): void {
    const run = this.#runs.at(-1);
    if (run) run.at = at;
  }

  /** More of the latest run. `kept` false: it counts, but its place stays silent. */
  extendRun(bytes: Uint8Array, kept = true): void {
    const run = this.#runs.at(-1);
    if (!run) return;
    if (kept) run.pieces.push({ from: run.bytes, bytes });
    run.bytes += bytes.byteLength;
  }

  /** Nothing of the latest run beyond its first `bytes` was ever heard. */
  cutRun(bytes: number): void {
    const run = this.#runs.at(-1);
    if (!run || bytes >= run.bytes) return;
    run.bytes = Math.max(bytes, run.takenBytes);
    const kept = run.pieces.filter((piece) => piece.from < run.bytes);
    run.pieces.splice(
      0,
      run.pieces.length,
      ...kept.map((piece) => ({ from: piece.from, bytes: piece.bytes.subarray(0, run.bytes - piece.from) })),
    );
  }

  /** Interleaved samples, left first, from `taken` up to `until`; empty when there is nothing. */
  take(until: number): Uint8Array {
    const length = Math.max(0, until - this.#taken);
    const stereo = new Uint8Array(length * 2).fill(SILENCE_BYTE);
    if (length === 0) return stereo;
    this.#takeLeft(stereo, until);
    this.#takeRight(stereo, until);
    this.#taken = until;
    return stereo;
  }

  #takeLeft(stereo: Uint8Array, until: number): void {
    const later: Piece[] = [];
    for (const piece of this.#left) {
      const end = Math.min(until, piece.at + piece.bytes.byteLength);
      for (let at = piece.at; at < end; at += 1)
        stereo[(at - this.#taken) * 2] = piece.bytes[at - piece.at] ?? SILENCE_BYTE;
      if (end === until && piece.at + piece.bytes.byteLength > until) {
        const from = Math.max(0, until - piece.at);
        later.push({ at: piece.at + from, bytes: piece.bytes.subarray(from) });
      }
    }
    this.#left = later;
  }

  #takeRight(stereo: Uint8Array, until: number): void {
    for (const run of this.#runs) {
      const at = Math.max(placeOf(run, this.#rightEnd), this.#taken);
      const count = Math.min(run.bytes - run.takenBytes, until - at);
      if (count <= 0) {
        if (run.takenBytes < run.bytes) break;
        continue;
      }
      copyRun(run, stereo, at - this.#taken, count);
      run.takenBytes += count;
      run.next = at + count;
      this.#rightEnd = at + count;
    }
    // The latest one may still grow.
    this.#runs = this.#runs.filter((run, index) => run.takenBytes < run.bytes || index === this.#runs.length - 1);
  }
}

function placeOf(run: Run, rightEnd: number): number {
  const wanted = run.at + run.takenBytes;
  if (run.next === null) return Math.max(wanted, rightEnd);
  return wanted - run.next >= UNREST ? wanted : run.next;
}

function copyRun(run: Run, stereo: Uint8Array, offset: number, count: number): void {
  const [from, to] = [run.takenBytes, run.takenBytes + count];
  for (const piece of run.pieces) {
    const end = Math.min(to, piece.from + piece.bytes.byteLength);
    for (let at = Math.max(from, piece.from); at < end; at += 1)
      stereo[(offset + at - from) * 2 + 1] = piece.bytes[at - piece.from] ?? SILENCE_BYTE;
  }
  while (run.pieces[0] && run.pieces[0].from + run.pieces[0].bytes.byteLength <= to) run.pieces.shift();
}
