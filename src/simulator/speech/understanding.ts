import { bytesOfMs, decode, FRAME_BYTES, msOfBytes } from '../../media/mulaw.ts';
import { BANDS, bandEnergies, distance, isLoud, noiseFloor } from './bands.ts';
import { type Fault, findFaults } from './faults.ts';
import { loadPhrasebook } from './load-phrasebook.ts';
import type { Phrase } from './phrasebook.ts';

/** One stretch of speech. `phrase` is null when it was heard but not understood; `exact` when every frame of it was in its place. */
export interface Understood {
  readonly phrase: Phrase | null;
  readonly exact: boolean;
  readonly faults: readonly Fault[];
  /** From the start of the audio that was given. */
  readonly startMs: number;
  readonly endMs: number;
}

interface Known {
  readonly phrase: Phrase;
  readonly samples: Int16Array;
  /** A row every 20 ms. */
  readonly bands: Float32Array;
  readonly rows: number;
}

interface Heard {
  readonly samples: Int16Array;
  /** A row every 10 ms. */
  readonly bands: Float32Array;
  readonly floor: Float32Array;
  readonly loud: Uint8Array;
}

interface Walk {
  readonly known: Known;
  /** Rows of what was heard; the start may be negative when the beginning is lost. */
  readonly start: number;
  readonly end: number;
  readonly matched: number;
}

const HOP_MS = 10;
const ROWS_PER_FRAME = 2;
const MATCH_DB = 5;
const ENOUGH = 0.8;
/** Gaps of 100 ms or more are not understood. */
const GAP_FRAMES = 5;
/** A phrase that fits less than half of these at its start is not looked at further. */
const TRIAL_FRAMES = 12;
/** Less sound than this beside a phrase is a click, not speech. */
const LEAST_SPEECH_MS = 120;

/**
 * Matches what came up the line against the phrases that a callee speaks: by the energies in ten bands every 20 ms, at least
 * 80 % of a phrase in order and no gap of 100 ms. Light noise does not matter; loss does.
 */
export class Understanding {
  private readonly known: readonly Known[];

  constructor(
    phrases: readonly Phrase[] = loadPhrasebook().filter((one) => one.voice === 'callee' && one.text !== ''),
  ) {
    this.known = phrases.map((phrase) => {
      const samples = decode(phrase.audio);
      const bands = bandEnergies(samples, FRAME_BYTES);
      return { phrase, samples, bands, rows: bands.length / BANDS };
    });
  }

  /** `audio` is µ-law. What was said in it, in order; empty when there is only silence. A few milliseconds of work. */
  understand(audio: Uint8Array): readonly Understood[] {
    const samples = decode(audio);
    const bands = bandEnergies(samples, bytesOfMs(HOP_MS));
    const floor = noiseFloor(bands);
    const loud = Uint8Array.from({ length: bands.length / BANDS }, (_, row) => (isLoud(bands, row, floor) ? 1 : 0));
    const found: Understood[] = [];
    this.search({ samples, bands, floor, loud }, 0, loud.length, found);
    return found;
  }

  private search(heard: Heard, from: number, to: number, found: Understood[]): void {
    const span = soundIn(heard.loud, from, to);
    if (span === null) return;
    const tail = 2 * GAP_FRAMES * ROWS_PER_FRAME;
    const best = this.bestWalk(heard, span.first, Math.min(to, span.last + 1 + tail));
    if (best === null) {
      const endMs = (span.last + 1) * HOP_MS;
      found.push({ phrase: null, exact: false, faults: [], startMs: span.first * HOP_MS, endMs });
      return;
    }
    const start = Math.max(best.start, from);
    const end = Math.min(best.end, to);
    this.search(heard, from, start, found);
    const faults = findFaults(best.known.samples, heard.samples, bytesOfMs(best.start * HOP_MS));
    const { phrase } = best.known;
    found.push({ phrase, exact: faults.length === 0, faults, startMs: start * HOP_MS, endMs: end * HOP_MS });
    this.search(heard, end, to, found);
  }

  private bestWalk(heard: Heard, from: number, to: number): Walk | null {
    let best: Walk | null = null;
    for (const known of this.known) {
      for (let start = from - (GAP_FRAMES - 1) * ROWS_PER_FRAME; start < to; start += 1) {
        const walk = walkAlong(known, heard, start, to);
        if (walk === null || (best !== null && walk.matched <= best.matched)) continue;
        if (loudRows(heard.loud, walk) * msOfBytes(FRAME_BYTES) >= known.rows) best = walk;
      }
    }
    return best;
  }
}

function soundIn(loud: Uint8Array, from: number, to: number): { first: number; last: number } | null {
  let first = -1;
  let last = -1;
  let rows = 0;
  for (let row = from; row < to; row += 1) {
    if (loud[row] !== 1) continue;
    if (first < 0) first = row;
    last = row;
    rows += 1;
  }
  return rows * HOP_MS >= LEAST_SPEECH_MS ? { first, last } : null;
}

function loudRows(loud: Uint8Array, walk: Walk): number {
  let rows = 0;
  for (let row = Math.max(0, walk.start); row < walk.end; row += 1) rows += loud[row] ?? 0;
  return rows;
}

/** Follows a phrase from a place in what was heard, over small losses and repeats; null as soon as it cannot be that phrase. */
function walkAlong(known: Known, heard: Heard, start: number, to: number): Walk | null {
  const fits = (frame: number, row: number): boolean =>
    row >= 0 && row < to && distance(known.bands, frame, heard.bands, row, heard.floor) < MATCH_DB;
  const misses = Math.floor(known.rows * (1 - ENOUGH));
  let row = start;
  let matched = 0;
  let gap = 0;
  for (let frame = 0; frame < known.rows; ) {
    if (fits(frame, row)) {
      matched += 1;
      gap = 0;
    } else {
      gap += 1;
      if (gap >= GAP_FRAMES || frame + 1 - matched > misses) return null;
      if (frame === TRIAL_FRAMES && matched < TRIAL_FRAMES / 2) return null;
      const jump = gap > 2 || matched < 2 ? null : jumpAt(known, frame, row, fits);
      if (jump !== null) {
        frame += jump.frames;
        row += jump.rows;
        continue;
      }
    }
    frame += 1;
    row += ROWS_PER_FRAME;
  }
  return matched < ENOUGH * known.rows ? null : { known, start, end: row, matched };
}

/** Where a phrase goes on after a fault: frames of it to leave out, or rows of what was heard to skip. */
function jumpAt(
  known: Known,
  frame: number,
  row: number,
  fits: (frame: number, row: number) => boolean,
): { frames: number; rows: number } | null {
  const goesOn = (nextFrame: number, nextRow: number): boolean =>
    nextFrame < known.rows &&
    [0, 1, 2].every((n) => nextFrame + n >= known.rows || fits(nextFrame + n, nextRow + n * ROWS_PER_FRAME));
  for (let step = 1; step < GAP_FRAMES; step += 1) {
    if (goesOn(frame + step, row + step * ROWS_PER_FRAME)) return null;
    if (goesOn(frame + step, row)) return { frames: step, rows: 0 };
    if (goesOn(frame, row + step * ROWS_PER_FRAME)) return { frames: 0, rows: step * ROWS_PER_FRAME };
  }
  return null;
}
