/** One run of the bench: a server under load in the world, a window of measuring, and what came of it. */

import type { FloorDuties } from './floor.ts';
import { type chooseCores, type Hired, hire } from './hired.ts';
import type { ProductDuties } from './product.ts';
import { stolenMs, stolenShare } from './stolen.ts';
import type { ProcessUsage } from './usage.ts';
import type { Carried } from './world/measures.ts';
import type { WorldDuties } from './world/world.ts';

export type Contender = 'floor' | 'product';

/** One window of measuring. CPU in milliseconds for each second of each call; `…Core` are shares of one core. */
export interface Window {
  readonly contender: Contender;
  readonly calls: number;
  readonly seconds: number;
  readonly cpuMsPerCallSecond: number;
  readonly serverCore: number;
  readonly harnessCore: number;
  /** Share of the machine that others took while this was measured: 0 to 1. */
  readonly stolen: number;
  readonly carried: Carried;
  readonly usage: ProcessUsage;
}

export interface BenchSetting {
  readonly command: readonly string[];
  readonly folder: string;
  readonly cores: ReturnType<typeof chooseCores>;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly profileDir?: string;
}

const ALL_TALK_MS = 60_000;
const SETTLE_MS = 5_000;

export async function openWorld(setting: BenchSetting): Promise<Hired<WorldDuties>> {
  const { command, folder, cores } = setting;
  return hire<WorldDuties>({ role: 'world', core: cores?.world ?? null, command, folder });
}

/** A server in a process of its own, and how calls come to it and go. */
export interface Served {
  /** Resolves when so many more calls are up and talking. */
  add(calls: number): Promise<void>;
  usage(collect: boolean): Promise<ProcessUsage>;
  close(): Promise<void>;
}

export async function serveFloorIn(world: Hired<WorldDuties>, setting: BenchSetting): Promise<Served> {
  const { command, folder, cores } = setting;
  const floor = await hire<FloorDuties>({ role: 'floor', core: cores?.server ?? null, command, folder });
  const { modelUrl } = await world.ask('settings', null);
  const { port } = await floor.ask('open', { modelUrl });
  return {
    add: async (more) => {
      const { talking } = await world.ask('counts', null);
      await world.ask('dial', { url: `ws://127.0.0.1:${port}/`, calls: more });
      await allTalking(world, talking + more);
    },
    usage: (collect) => floor.ask('usage', { collect }),
    close: async () => {
      await world.ask('clear', null);
      await floor.dismiss();
    },
  };
}

export interface ServedProduct extends Served {
  readonly process: Hired<ProductDuties>;
}

export async function serveProductIn(world: Hired<WorldDuties>, setting: BenchSetting): Promise<ServedProduct> {
  const { command, folder, cores, profileDir } = setting;
  const core = cores?.server ?? null;
  const profile = profileDir === undefined ? {} : { profileDir };
  const product = await hire<ProductDuties>({ role: 'product', core, command, folder, ...profile });
  const { env } = await world.ask('settings', null);
  productsOpened += 1;
  await product.ask('open', { env, folder: `${folder}/product-${productsOpened}` });
  return {
    process: product,
    add: async (more) => {
      const { talking } = await world.ask('counts', null);
      await product.ask('place', { calls: more });
      await allTalking(world, talking + more);
    },
    usage: (collect) => product.ask('usage', { collect }),
    close: async () => {
      await product.ask('close', null);
      await world.ask('clear', null);
      await product.dismiss();
    },
  };
}

let productsOpened = 0;

async function allTalking(world: Hired<WorldDuties>, calls: number): Promise<void> {
  const untilMs = performance.now() + ALL_TALK_MS;
  for (;;) {
    const { talking } = await world.ask('counts', null);
    if (talking >= calls) return;
    if (performance.now() > untilMs) {
      const { complaints } = await world.ask('carried', null);
      throw new Error(`Only ${talking} of ${calls} calls came up. ${complaints.join('; ')}`);
    }
    await pause(100);
  }
}

/** Warms the server up at this load, then measures. */
export async function measureWindow(
  world: Hired<WorldDuties>,
  served: Served,
  contender: Contender,
  calls: number,
  setting: BenchSetting,
): Promise<Window> {
  await pause(setting.warmUpSeconds * 1_000);
  await world.ask('begin', null);
  const [before, harnessBefore] = [await served.usage(false), await world.ask('usage', { collect: false })];
  const stolenBefore = stolenMs();
  await pause(setting.seconds * 1_000);
  const stolenAfter = stolenMs();
  const [usage, harness] = [await served.usage(false), await world.ask('usage', { collect: false })];
  await world.ask('end', null);
  const carried = await settled(world);
  const seconds = (usage.atMs - before.atMs) / 1_000;
  const cpuMs = usage.cpuMs - before.cpuMs;
  return {
    contender,
    calls,
    seconds,
    cpuMsPerCallSecond: cpuMs / calls / seconds,
    serverCore: cpuMs / 1_000 / seconds,
    harnessCore: (harness.cpuMs - harnessBefore.cpuMs) / (harness.atMs - harnessBefore.atMs),
    stolen: stolenShare(stolenBefore, stolenAfter, setting.seconds),
    carried,
    usage,
  };
}

/** What was under way when the window closed gets its time: on a machine that is busy it is late, which is not lost. */
async function settled(world: Hired<WorldDuties>): Promise<Carried> {
  for (const untilMs = performance.now() + SETTLE_MS; ; ) {
    await pause(100);
    const carried = await world.ask('carried', null);
    if (carried.lost === 0 || performance.now() > untilMs) return carried;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
