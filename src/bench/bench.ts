/** The bench: the product against a bare relay under the same load, side by side in the same run. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { chooseCores, type Hired, thisCommand } from './hired.ts';
import {
  type BenchReport,
  isDisturbed,
  leastDisturbed,
  type Machine,
  type MemoryReport,
  type Pair,
  reportOf,
} from './report.ts';
import {
  type BenchSetting,
  measureWindow,
  openWorld,
  pause,
  type Served,
  serveFloorIn,
  serveProductIn,
  type Window,
} from './run.ts';
import { measureTruncation } from './truncation.ts';
import type { WorldDuties } from './world/world.ts';

export const PARTS = ['cost', 'curve', 'truncation'] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  readonly parts: readonly Part[];
  /** The load that the targets are for. The curve adds a tenth of it and its double. */
  readonly calls: number;
  readonly pairs: number;
  /** Of each window, after a warm-up. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Where the CPU profiles of the product are written, if they are wanted. */
  readonly profileDir?: string;
  /** How the processes of the bench are started. Default: this very program. */
  readonly command?: readonly string[];
  readonly version: string;
  readonly tell: (text: string) => void;
}

export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const { parts, pairs } = options;
  return inFolder(options, async (setting) => {
    const world = await openWorld(setting);
    try {
      const found = parts.includes('cost') ? await measurePairs(world, setting, options) : [];
      const curve = parts.includes('curve') ? await measureCurve(world, setting, options) : null;
      if (parts.includes('truncation')) options.tell('truncation, against the ear of the simulated telephone');
      const { command, version } = options;
      const truncation = parts.includes('truncation')
        ? await measureTruncation({ version, ...(command ? { command } : {}) })
        : null;
      return reportOf({
        machine: machineOf(setting),
        takenAt: new Date().toISOString(),
        seconds: options.seconds,
        pairs: leastDisturbed(found, pairs),
        pairsMeasured: found.length,
        curve: curve?.pairs ?? [],
        memory: curve?.memory ?? null,
        truncation,
      });
    } finally {
      await world.dismiss();
    }
  });
}

/** Does the work with a folder of its own for logs and stores. What went wrong in a process stands in its log. */
export async function inFolder<T>(options: BenchOptions, work: (setting: BenchSetting) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-bench-'));
  const { command = thisCommand(), seconds, warmUpSeconds, profileDir } = options;
  const profile = profileDir === undefined ? {} : { profileDir };
  try {
    return await work({ command, folder, cores: chooseCores(), seconds, warmUpSeconds, ...profile });
  } catch (error) {
    for (const role of ['world', 'floor', 'product']) options.tell(lastLines(join(folder, `${role}.log`)));
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(-10).join('\n');
  } catch {
    return '';
  }
}

/** As many as are wanted, and more in place of those during which the machine was taken from us: twice as many at most. */
async function measurePairs(
  world: Hired<WorldDuties>,
  setting: BenchSetting,
  options: BenchOptions,
): Promise<readonly Pair[]> {
  const { calls, pairs, tell } = options;
  const found: Pair[] = [];
  while (found.filter((pair) => !isDisturbed(pair)).length < pairs && found.length < 2 * pairs) {
    const pair = await measurePair(world, calls, setting, options);
    found.push(pair);
    if (isDisturbed(pair)) tell('other machines took part of this one meanwhile: the pair is measured again');
  }
  return found;
}

async function measurePair(
  world: Hired<WorldDuties>,
  calls: number,
  setting: BenchSetting,
  { tell }: BenchOptions,
): Promise<Pair> {
  const floor = await withServed(await serveFloorIn(world, setting), async (served) => {
    await served.add(calls);
    return measureWindow(world, served, 'floor', calls, setting);
  });
  tell(windowText(floor));
  const product = await withServed(await serveProductIn(world, setting), async (served) => {
    await served.add(calls);
    return measureWindow(world, served, 'product', calls, setting);
  });
  tell(windowText(product));
  return pairOf(floor, product);
}

function pairOf(floor: Window, product: Window): Pair {
  return { calls: floor.calls, floor, product, ratio: product.cpuMsPerCallSecond / floor.cpuMsPerCallSecond };
}

/** A pair at a tenth of the load and one at its double, where memory is looked at on the way up. */
async function measureCurve(
  world: Hired<WorldDuties>,
  setting: BenchSetting,
  options: BenchOptions,
): Promise<{ readonly pairs: readonly Pair[]; readonly memory: MemoryReport }> {
  const { calls, tell } = options;
  const small = await measurePair(world, Math.max(1, Math.round(calls / 10)), setting, options);
  const floor = await withServed(await serveFloorIn(world, setting), async (served) => {
    await served.add(2 * calls);
    return measureWindow(world, served, 'floor', 2 * calls, setting);
  });
  tell(windowText(floor));
  return withServed(await serveProductIn(world, setting), async (served) => {
    await served.add(calls);
    await pause((setting.warmUpSeconds + setting.seconds) * 1_000);
    const from = await served.usage(true);
    await served.add(calls);
    const product = await measureWindow(world, served, 'product', 2 * calls, setting);
    tell(windowText(product));
    const to = await served.usage(true);
    const memory: MemoryReport = {
      fromCalls: calls,
      toCalls: 2 * calls,
      rssBytesFrom: from.rssBytes,
      rssBytesTo: to.rssBytes,
      rssBytesPerCall: (to.rssBytes - from.rssBytes) / calls,
      heapBytesPerCall: (to.heapBytes - from.heapBytes) / calls,
    };
    return { pairs: [small, pairOf(floor, product)], memory };
  });
}

async function withServed<T>(served: Served, work: (served: Served) => Promise<T>): Promise<T> {
  try {
    return await work(served);
  } finally {
    await served.close();
  }
}

function windowText({
  contender,
  calls,
  cpuMsPerCallSecond,
  serverCore,
  harnessCore,
  stolen,
  carried,
}: Window): string {
  const cost = `${cpuMsPerCallSecond.toFixed(3)} ms a call-second`;
  const cores = `server ${(serverCore * 100).toFixed(0)} %, harness ${(harnessCore * 100).toFixed(0)} % of a core, ${(stolen * 100).toFixed(2)} % stolen`;
  const delays = `p99 up ${carried.up.p99Ms.toFixed(2)}, down ${carried.down.p99Ms.toFixed(2)}, clear ${carried.clear.p99Ms.toFixed(2)} ms`;
  const faults =
    carried.lost + carried.disordered === 0 ? '' : `, ${carried.lost} lost, ${carried.disordered} disordered`;
  return `${contender.padEnd(8)}${String(calls).padStart(4)} calls: ${cost} (${cores}), ${delays}${faults}${carried.complaints.map((what) => `, ${what}`).join('')}`;
}

export function machineOf(setting: BenchSetting): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    pinned: setting.cores !== null,
  };
}
