/** Calls that come and go for a chosen time: what a server is left with when they are gone. */
import type { BenchOptions } from './bench.ts';
import { inFolder, machineOf } from './bench.ts';
import type { Machine } from './report.ts';
import { openWorld, pause, type ServedProduct, serveProductIn } from './run.ts';
import type { ProcessUsage } from './usage.ts';

export interface SoakReport {
  readonly machine: Machine;
  readonly takenAt: string;
  readonly seconds: number;
  /** Most at the same time. */
  readonly calls: number;
  readonly callsHeld: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly linesWritten: number;
  /** With no call up: before the first, after a first round that warmed the server up, and at the end. */
  readonly start: SoakFigures;
  readonly warm: SoakFigures;
  readonly end: SoakFigures;
  /** What there is more of at the end than after the first round, by kind. */
  readonly left: Readonly<Record<string, number>>;
  readonly ok: boolean;
}

export interface SoakFigures {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly sockets: number;
  readonly timers: number;
  /** By kind, as Node names them. */
  readonly handles: Readonly<Record<string, number>>;
}

const GONE_MS = 60_000;
/** For last webhooks, which are answered for a minute after a call, and for closing sockets. */
const QUIET_MS = 65_000;
/** What the heap may have grown by, for each call held since the first round. */
const MOST_BYTES_LEFT_PER_CALL = 20_000;

/**
 * Rounds of calls: all are placed and talk for as long as a warm-up, then half are ended by us and half by the callee. The last round
 * begins before `seconds` are over.
 */
export async function soak(options: BenchOptions, quietMs = QUIET_MS): Promise<SoakReport> {
  return inFolder(options, async (setting) => {
    const world = await openWorld(setting);
    const product = await serveProductIn(world, setting);
    try {
      const { calls, seconds, tell } = options;
      const hold = async (): Promise<void> => {
        await product.add(calls);
        await pause(setting.warmUpSeconds * 1_000);
        await product.process.ask('end', { calls: Math.ceil(calls / 2) });
        await world.ask('hangUp', { calls });
        await allGone(product);
      };
      const start = figuresOf(await product.usage(true));
      await hold();
      await pause(quietMs);
      const warm = figuresOf(await product.usage(true));
      let held = calls;
      for (const untilMs = performance.now() + seconds * 1_000; performance.now() < untilMs; held += calls) {
        await hold();
        tell(`${held + calls} calls held`);
      }
      await pause(quietMs);
      const end = figuresOf(await product.usage(true));
      const { lines, outcomes } = await product.process.ask('written', null);
      const left = grown(warm.handles, end.handles);
      const grownBytes = end.heapBytes - warm.heapBytes;
      return {
        machine: machineOf(setting),
        takenAt: new Date().toISOString(),
        seconds,
        calls,
        callsHeld: held,
        outcomes,
        linesWritten: lines,
        start,
        warm,
        end,
        left,
        ok: (left.TCPSocketWrap ?? 0) <= 0 && grownBytes <= held * MOST_BYTES_LEFT_PER_CALL,
      };
    } finally {
      await product.close();
      await world.dismiss();
    }
  });
}

async function allGone({ process: product }: ServedProduct): Promise<void> {
  const untilMs = performance.now() + GONE_MS;
  for (;;) {
    const live = await product.ask('live', null);
    if (live === 0) return;
    if (performance.now() > untilMs) throw new Error(`${live} calls did not end.`);
    await pause(100);
  }
}

function figuresOf({ rssBytes, heapBytes, resources }: ProcessUsage): SoakFigures {
  return {
    rssBytes,
    heapBytes,
    sockets: resources.TCPSocketWrap ?? 0,
    timers: resources.Timeout ?? 0,
    handles: resources,
  };
}

function grown(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const kinds = new Set([...Object.keys(before), ...Object.keys(after)]);
  const differences = [...kinds].map((kind) => [kind, (after[kind] ?? 0) - (before[kind] ?? 0)] as const);
  return Object.fromEntries(differences.filter(([, difference]) => difference > 0));
}
