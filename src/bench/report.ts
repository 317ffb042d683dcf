/** What a run of the bench found, and whether it is good enough. One plain object, which `--json` prints as it is. */
import type { Window } from './run.ts';
import type { TruncationReport } from './truncation.ts';
import type { Spread } from './world/measures.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** False where there is one core only, or no `taskset`: then the figures are of both sides together. */
  readonly pinned: boolean;
}

/** The same load on the floor and on the product, one after the other. */
export interface Pair {
  readonly calls: number;
  readonly floor: Window;
  readonly product: Window;
  readonly ratio: number;
}

export interface MemoryReport {
  readonly fromCalls: number;
  readonly toCalls: number;
  readonly rssBytesFrom: number;
  readonly rssBytesTo: number;
  /** By resident memory, and by what lives in the heap and in buffers after a collection. */
  readonly rssBytesPerCall: number;
  readonly heapBytesPerCall: number;
}

export interface Target {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  /** Controls are wrong on purpose, and must be found to be. */
  readonly mustMiss: boolean;
  readonly ok: boolean;
}

export interface BenchReport {
  readonly machine: Machine;
  readonly takenAt: string;
  readonly seconds: number;
  /** At the load that the targets are for. */
  readonly pairs: readonly Pair[];
  /** With those that were disturbed and measured again. */
  readonly pairsMeasured: number;
  /** One pair at each other load. */
  readonly curve: readonly Pair[];
  readonly memory: MemoryReport | null;
  readonly truncation: TruncationReport | null;
  readonly targets: readonly Target[];
  /** Most that the world used of its core in any window: above 80 % nothing was measured but the harness. */
  readonly harnessCore: number;
  readonly ok: boolean;
}

export const MOST_HARNESS_CORE = 0.8;
const MOST_RATIO = 1.25;
const MOST_DELAY_MS = 3;
const MOST_BYTES_PER_CALL = 150_000;
const MOST_TRUNCATION_MS = 20;

/** Share of the machine that others may take in a window: 32 ms of two cores in 8 s, of which the slowest 80 ms make the 99th percentile. */
const MOST_STOLEN = 0.002;

/** The figures of such a pair are those of the other machines on the same hardware. */
export function isDisturbed(pair: Pair): boolean {
  return stolenOf(pair) > MOST_STOLEN;
}

/** Those of which least was stolen, whatever their figures, in the order in which they were measured. */
export function leastDisturbed(pairs: readonly Pair[], count: number): readonly Pair[] {
  const kept = new Set([...pairs].sort((a, b) => stolenOf(a) - stolenOf(b)).slice(0, count));
  return pairs.filter((pair) => kept.has(pair));
}

export function stolenOf({ floor, product }: Pair): number {
  return Math.max(floor.stolen, product.stolen);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Median over the pairs of one figure of one side. */
export function medianOf(pairs: readonly Pair[], of: (pair: Pair) => number): number {
  return median(pairs.map(of));
}

export type Way = 'up' | 'down' | 'clear';

/** The 50th and 99th percentile of a delay and its floor's, each the median over the pairs. */
export function delayOf(pairs: readonly Pair[], way: Way) {
  const of = (side: 'floor' | 'product', figure: (spread: Spread) => number) =>
    medianOf(pairs, (pair) => figure(pair[side].carried[way]));
  return {
    p50Ms: of('product', (spread) => spread.p50Ms),
    p99Ms: of('product', (spread) => spread.p99Ms),
    maxMs: Math.max(...pairs.map((pair) => pair.product.carried[way].maxMs)),
    floorP50Ms: of('floor', (spread) => spread.p50Ms),
    floorP99Ms: of('floor', (spread) => spread.p99Ms),
  };
}

/** What the product adds to the floor's 99th percentile, which is the kernel's and the world's own. */
function addedOf(pairs: readonly Pair[], way: Way): number {
  const { p99Ms, floorP99Ms } = delayOf(pairs, way);
  return p99Ms - floorP99Ms;
}

export function reportOf(found: Omit<BenchReport, 'targets' | 'harnessCore' | 'ok'>): BenchReport {
  const all = [...found.pairs, ...found.curve];
  const harnessCore = Math.max(0, ...all.flatMap((pair) => [pair.floor.harnessCore, pair.product.harnessCore]));
  const targets = [
    ...costTargets(found.pairs),
    ...carryingTargets(all),
    ...memoryTargets(found.memory),
    ...heldTargets(found.curve),
    ...truncationTargets(found.truncation),
  ];
  const ok = targets.every((target) => target.ok) && harnessCore <= MOST_HARNESS_CORE;
  return { ...found, targets, harnessCore, ok };
}

function target(name: string, value: number, limit: number, unit: string): Target {
  return { name, value, limit, unit, mustMiss: false, ok: value <= limit };
}

function costTargets(pairs: readonly Pair[]): readonly Target[] {
  const [first] = pairs;
  if (first === undefined) return [];
  const at = `at ${first.calls} calls`;
  return [
    target(
      `CPU per call-second over the floor's, ${at}`,
      medianOf(pairs, (pair) => pair.ratio),
      MOST_RATIO,
      '×',
    ),
    target(`telephone → model, added p99 ${at}`, addedOf(pairs, 'up'), MOST_DELAY_MS, 'ms'),
    target(`model → telephone, added p99 ${at}`, addedOf(pairs, 'down'), MOST_DELAY_MS, 'ms'),
    // Absolute: how long the callee hears on.
    target(`speech_started → clear, p99 ${at}`, delayOf(pairs, 'clear').p99Ms, MOST_DELAY_MS, 'ms'),
  ];
}

/** Everything that was sent came out, once and in order, and nothing came that should not have. */
function carryingTargets(pairs: readonly Pair[]): readonly Target[] {
  if (pairs.length === 0) return [];
  const total = (of: (window: Window) => number) => pairs.reduce((sum, pair) => sum + of(pair.product), 0);
  return [
    target(
      'frames lost',
      total(({ carried }) => carried.lost),
      0,
      '',
    ),
    target(
      'frames reordered or doubled',
      total(({ carried }) => carried.disordered),
      0,
      '',
    ),
    target(
      'interruptions without a clear',
      total(({ carried }) => carried.unclearedInterruptions),
      0,
      '',
    ),
    target(
      'messages that should not have come',
      total(({ carried }) => carried.complaints.length),
      0,
      '',
    ),
  ];
}

function memoryTargets(memory: MemoryReport | null): readonly Target[] {
  if (memory === null) return [];
  const from = `from ${memory.fromCalls} to ${memory.toCalls} calls`;
  return [
    target(`memory a call, resident, ${from}`, memory.rssBytesPerCall / 1_000, MOST_BYTES_PER_CALL / 1_000, 'kB'),
    target(`memory a call, live objects, ${from}`, memory.heapBytesPerCall / 1_000, MOST_BYTES_PER_CALL / 1_000, 'kB'),
  ];
}

/** The largest load is carried by one core. */
function heldTargets(curve: readonly Pair[]): readonly Target[] {
  const largest = curve.at(-1);
  if (largest === undefined) return [];
  return [target(`core used to hold ${largest.calls} calls`, largest.product.serverCore * 100, 100, '%')];
}

function truncationTargets(truncation: TruncationReport | null): readonly Target[] {
  if (truncation === null) return [];
  const { product, controls, roundTripMs } = truncation;
  const name = `truncation against the ear, ${roundTripMs} ms round trip, p99`;
  return [
    target(name, product.p99Ms, MOST_TRUNCATION_MS, 'ms'),
    ...controls.map((control) => ({
      ...target(control.name, control.p99Ms, MOST_TRUNCATION_MS, 'ms'),
      mustMiss: true,
      ok: control.p99Ms > MOST_TRUNCATION_MS,
    })),
  ];
}
