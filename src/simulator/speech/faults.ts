import { bytesOfMs, FRAME_BYTES, msOfBytes } from '../../media/mulaw.ts';

/** Something that happened to a phrase on its way. `atMs` counts in the phrase's clip. */
export interface Fault {
  readonly kind: 'missing' | 'extra' | 'swapped' | 'altered';
  readonly atMs: number;
  readonly durationMs: number;
}

const REACH_BYTES = bytesOfMs(100);
const ALIGN_BYTES = bytesOfMs(120);
/** Of a frame's energy: speech never repeats itself so closely. */
const CLOSE = 0.1;

/** Shifts to try where the clip is lost: whole frames first, since frames are what gets lost, then every sample. */
const SHIFTS: readonly number[] = [
  ...[1, 2, 3, 4, 5].flatMap((frames) => [frames * FRAME_BYTES, -frames * FRAME_BYTES]),
  ...Array.from({ length: REACH_BYTES }, (_, index) => [index + 1, -index - 1]).flat(),
];

/** Mean squared difference between a frame of the clip and the heard samples at `at`; infinite where nothing was heard. */
function difference(clip: Int16Array, frame: number, heard: Int16Array, at: number): number {
  const start = frame * FRAME_BYTES;
  const size = Math.min(FRAME_BYTES, clip.length - start);
  if (at < 0 || at + size > heard.length) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let n = 0; n < size; n += 1) sum += ((clip[start + n] ?? 0) - (heard[at + n] ?? 0)) ** 2;
  return sum / size;
}

function energy(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum / Math.max(1, samples.length);
}

/**
 * The sample at which the clip starts in what was heard (may be negative), within 120 ms of `nearBytes`: where its first two clear
 * frames in a row both fit.
 */
function align(clip: Int16Array, heard: Int16Array, nearBytes: number): number {
  const frames = Math.floor(clip.length / FRAME_BYTES);
  const clear = 0.2 * energy(clip);
  for (let frame = 0; frame + 1 < frames; frame += 1) {
    const one = energy(clip.subarray(frame * FRAME_BYTES, (frame + 1) * FRAME_BYTES));
    const two = energy(clip.subarray((frame + 1) * FRAME_BYTES, (frame + 2) * FRAME_BYTES));
    if (one < clear || two < clear) continue;
    const at = bestLag(clip, frame, heard, nearBytes + frame * FRAME_BYTES);
    const fits =
      difference(clip, frame, heard, at) < CLOSE * one &&
      difference(clip, frame + 1, heard, at + FRAME_BYTES) < CLOSE * two;
    if (fits) return at - frame * FRAME_BYTES;
  }
  return nearBytes;
}

function bestLag(clip: Int16Array, frame: number, heard: Int16Array, nearBytes: number): number {
  let best = nearBytes;
  let least = Number.POSITIVE_INFINITY;
  for (let at = nearBytes - ALIGN_BYTES; at <= nearBytes + ALIGN_BYTES; at += 1) {
    const one = difference(clip, frame, heard, at);
    if (one >= least) continue;
    least = one;
    best = at;
  }
  return best;
}

/** How much difference is noise: four times the usual, but never so much that a frame of speech could pass for another. */
function tolerance(clip: Int16Array, heard: Int16Array, start: number): number {
  const frames = Math.ceil(clip.length / FRAME_BYTES);
  const usual: number[] = [];
  for (let frame = 0; frame < frames; frame += 1) {
    let least = Number.POSITIVE_INFINITY;
    for (const shift of [0, ...SHIFTS.slice(0, 10)]) {
      least = Math.min(least, difference(clip, frame, heard, start + frame * FRAME_BYTES + shift));
    }
    usual.push(least);
  }
  usual.sort((a, b) => a - b);
  return Math.min(4 * (usual[Math.floor(usual.length / 2)] ?? 0), 0.05 * energy(clip));
}

/**
 * Everything that is not in its place when a clip is looked for in what was heard (both linear, 8 kHz), the clip starting within 120 ms
 * of sample `nearBytes`. Without noise a single altered sample shows; with light noise a frame of speech in the wrong place does.
 */
export function findFaults(clip: Int16Array, heard: Int16Array, nearBytes: number): Fault[] {
  const start = align(clip, heard, nearBytes);
  const allowed = tolerance(clip, heard, start);
  const frames = Math.ceil(clip.length / FRAME_BYTES);
  const fits = (frame: number, at: number): boolean => frame >= frames || difference(clip, frame, heard, at) <= allowed;
  const faults: Fault[] = [];
  const note = (kind: Fault['kind'], frame: number, bytes: number): void => {
    faults.push({ kind, atMs: msOfBytes(frame * FRAME_BYTES), durationMs: msOfBytes(bytes) });
  };
  const clearStart = allowed < CLOSE * energy(clip.subarray(0, FRAME_BYTES));
  if (clearStart && fits(0, start - FRAME_BYTES)) note('extra', 0, FRAME_BYTES);
  let at = start;
  for (let frame = 0; frame < frames; frame += 1, at += FRAME_BYTES) {
    if (fits(frame, at)) continue;
    if (frame + 1 < frames && fits(frame, at + FRAME_BYTES) && fits(frame + 1, at)) {
      note('swapped', frame, 2 * FRAME_BYTES);
      frame += 1;
      at += FRAME_BYTES;
      continue;
    }
    const straight = fits(frame + 1, at + FRAME_BYTES) && fits(frame + 2, at + 2 * FRAME_BYTES);
    const shift = straight ? 0 : reshift(frame, at, fits);
    if (shift === 0) note('altered', frame, FRAME_BYTES);
    else note(shift < 0 ? 'missing' : 'extra', frame, Math.abs(shift));
    at += shift;
  }
  return faults;
}

/** How far the rest of the clip has moved at `frame`; 0 when that cannot be told. */
function reshift(frame: number, at: number, fits: (frame: number, at: number) => boolean): number {
  const found = SHIFTS.find(
    (shift) => fits(frame + 1, at + FRAME_BYTES + shift) && fits(frame + 2, at + 2 * FRAME_BYTES + shift),
  );
  return found ?? 0;
}
