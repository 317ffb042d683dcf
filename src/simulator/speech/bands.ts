/** What a stretch of 20 ms sounds like: its energy in ten bands of the telephone's range, in decibels. */

const SIZE = 256;
const WINDOW_SAMPLES = 160;
const EDGES_HZ = [200, 320, 450, 620, 820, 1060, 1370, 1750, 2220, 2800, 3500];
export const BANDS = EDGES_HZ.length - 1;

/** Nothing quieter than this counts: a telephone's hiss lies below it, speech well above (full scale is about 125 dB here). */
export const FLOOR_DB = 78;

const BIN_HZ = 8000 / SIZE;
const WINDOW = Float64Array.from(
  { length: WINDOW_SAMPLES },
  (_, n) => Math.sin((Math.PI * (n + 0.5)) / WINDOW_SAMPLES) ** 2,
);
const COSINES = Float64Array.from({ length: SIZE / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / SIZE));
const SINES = Float64Array.from({ length: SIZE / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / SIZE));
const REVERSED = Uint16Array.from({ length: SIZE }, (_, index) => {
  let mirrored = 0;
  for (let bit = 1, value = index; bit < SIZE; bit <<= 1, value >>= 1) mirrored = (mirrored << 1) | (value & 1);
  return mirrored;
});

const real = new Float64Array(SIZE);
const imaginary = new Float64Array(SIZE);

function transform(): void {
  for (let span = 1; span < SIZE; span <<= 1) {
    const stride = SIZE / (2 * span);
    for (let start = 0; start < SIZE; start += 2 * span) {
      for (let k = 0; k < span; k += 1) {
        const cosine = COSINES[k * stride] ?? 0;
        const sine = SINES[k * stride] ?? 0;
        const low = start + k;
        const high = low + span;
        const re = (real[high] ?? 0) * cosine - (imaginary[high] ?? 0) * sine;
        const im = (real[high] ?? 0) * sine + (imaginary[high] ?? 0) * cosine;
        real[high] = (real[low] ?? 0) - re;
        imaginary[high] = (imaginary[low] ?? 0) - im;
        real[low] = (real[low] ?? 0) + re;
        imaginary[low] = (imaginary[low] ?? 0) + im;
      }
    }
  }
}

function writeBands(samples: Int16Array, at: number, into: Float32Array, row: number): void {
  real.fill(0);
  imaginary.fill(0);
  for (let n = 0; n < WINDOW_SAMPLES; n += 1) {
    real[REVERSED[n] ?? 0] = (samples[at + n] ?? 0) * (WINDOW[n] ?? 0);
  }
  transform();
  for (let band = 0; band < BANDS; band += 1) {
    const from = Math.round((EDGES_HZ[band] ?? 0) / BIN_HZ);
    const to = Math.round((EDGES_HZ[band + 1] ?? 0) / BIN_HZ);
    let power = 0;
    for (let bin = from; bin < to; bin += 1) power += (real[bin] ?? 0) ** 2 + (imaginary[bin] ?? 0) ** 2;
    into[row * BANDS + band] = Math.max(FLOOR_DB, 10 * Math.log10(power + 1));
  }
}

/** Rows of `BANDS` decibels: one row for every window of 20 ms, a window every `hopSamples` of 8 kHz audio. */
export function bandEnergies(samples: Int16Array, hopSamples: number): Float32Array {
  const rows = Math.max(0, Math.ceil((samples.length - WINDOW_SAMPLES / 2) / hopSamples));
  const energies = new Float32Array(rows * BANDS);
  for (let row = 0; row < rows; row += 1) writeBands(samples, row * hopSamples, energies, row);
  return energies;
}

/** Per band, the level below which there is only noise: a little above the quietest tenth of what was heard (and never much above `FLOOR_DB`). */
export function noiseFloor(energies: Float32Array): Float32Array {
  const rows = energies.length / BANDS;
  return Float32Array.from({ length: BANDS }, (_, band) => {
    const levels = Float32Array.from(
      { length: rows },
      (_unused, row) => energies[row * BANDS + band] ?? FLOOR_DB,
    ).sort();
    const quiet = levels[Math.floor(rows / 10)] ?? FLOOR_DB;
    return quiet <= FLOOR_DB ? FLOOR_DB : Math.min(quiet + 6, FLOOR_DB + 8);
  });
}

/** Mean difference in decibels between one row of `a` and one of `b`, both taken as no quieter than `floor`. */
export function distance(a: Float32Array, rowA: number, b: Float32Array, rowB: number, floor: Float32Array): number {
  let sum = 0;
  for (let band = 0; band < BANDS; band += 1) {
    const least = floor[band] ?? FLOOR_DB;
    const one = a[rowA * BANDS + band] ?? FLOOR_DB;
    const two = b[rowB * BANDS + band] ?? FLOOR_DB;
    sum += Math.abs(Math.max(one, least) - Math.max(two, least));
  }
  return sum / BANDS;
}

/** Whether a row stands out of the noise in any band. */
export function isLoud(energies: Float32Array, row: number, floor: Float32Array): boolean {
  for (let band = 0; band < BANDS; band += 1) {
    if ((energies[row * BANDS + band] ?? FLOOR_DB) > (floor[band] ?? FLOOR_DB) + 10) return true;
  }
  return false;
}
