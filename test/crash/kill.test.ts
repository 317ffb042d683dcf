import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/simulator/network/random.ts';
import type { World } from '../../src/simulator/world.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { processes, type ServerProcess } from '../journeys/process.ts';
import { type CallOnDisk, lineText, readDisk } from './disk.ts';
import { numberFor, PATIENCE, startPeople } from './people.ts';
import { briefTo, PHASES, type Phase, phaseOf, sessionTo } from './phases.ts';

const here = processes();
afterEach(() => here.cleanUp());

/** What a process is doing for one of its calls when it is killed; what it does for the others is as it happens. */
const AIMS = [
  'create applied',
  'create applied',
  'bound',
  'create applied',
  'any moment',
  'create applied',
  'hang-up applied',
  'create applied',
  'any moment',
  'create applied',
] as const;
type Aim = (typeof AIMS)[number];
/** Processes killed. Ten hold 129 calls at that moment; a hundred take some minutes. */
const KILLS = Number(process.env.CRASH_KILLS ?? AIMS.length);
/** So many processes hold calls at the same time. */
const AT_ONCE = 3;
/** Calls of each process, by the phase in which it is to be killed. */
const CAST: Readonly<Record<Phase, number>> = {
  placing: 3,
  ringing: 1,
  joining: 2,
  opening: 1,
  talking: 2,
  interrupted: 2,
  ending: 2,
};
const EARLY = ['ringing', 'opening', 'talking', 'interrupted', 'ending'] as const;
/** Within this of its handshake the next process has put down what was left up; a second or two, where nothing else runs. */
const PUT_DOWN_MS = 20_000;
/** What the outside knew so long before the kill is on disk. */
const WRITTEN_MS = 1_000;

interface Victim {
  readonly world: World;
  readonly env: Readonly<Record<string, string>>;
  readonly phases: Readonly<Record<string, Phase | 'over' | 'unread'>>;
  /** Lines that a client had been told, by number. */
  readonly told: ReadonlyMap<string, readonly string[]>;
  /** What the callees had said, as the model had written it down, by number. */
  readonly transcribed: ReadonlyMap<string, readonly string[]>;
  readonly onDisk: readonly CallOnDisk[];
}

const numbersOf = (phase: Phase): readonly string[] =>
  Array.from({ length: CAST[phase] }, (_, nth) => numberFor(phase, nth));
const EVERYBODY = PHASES.flatMap(numbersOf);
const keyOf = (to: string): string => `for ${to}`;

function ask(server: ServerProcess, to: string): Promise<string> {
  return server.place({ toNumber: to, callContext: briefTo(to), idempotencyKey: keyOf(to) });
}

/** Everything that a client is told of the call until the server is gone. */
async function listen(server: ServerProcess, to: string, told: Map<string, readonly string[]>): Promise<void> {
  try {
    const callId = await ask(server, to);
    await server.follow(callId, ({ lines }) => {
      told.set(to, lines.map(lineText));
      return false;
    });
  } catch {
    // The server was killed.
  }
}

/** Resolves in the middle of what is aimed at. */
function comesTo(aim: Aim, world: World, server: ServerProcess, random: () => number): Promise<void> {
  const [aimed = ''] = numbersOf('placing');
  const [talking = ''] = numbersOf('talking');
  const call = (to: string) => world.twilio.calls.find((one) => one.to === to);
  switch (aim) {
    case 'create applied':
      // The answer will find nobody.
      return new Promise((resolve) => world.twilio.onCall(({ to }) => to === aimed && resolve()));
    case 'bound':
      return until(() => call(aimed)?.webhooks.some(({ reply }) => reply !== null) === true, 10_000);
    case 'hang-up applied':
      void endNow(server, talking);
      return until(() => call(talking)?.isOver === true, 10_000);
    case 'any moment':
      return sleep(random() * 300);
    default:
      return aim satisfies never;
  }
}

/** Asks for the end of a call as its client would; the answer may find nobody. */
async function endNow(server: ServerProcess, to: string): Promise<void> {
  const callId = await ask(server, to).catch(() => null);
  if (callId !== null) await server.tool('end-call', { callId, mode: 'now' }).catch(() => undefined);
}

/** Holds calls in every phase, kills the process while more are being dialled, and reads what is left. */
async function kill(aim: Aim, random: () => number): Promise<Victim> {
  const world = here.later(await startPeople());
  const env = { ...world.env, ...PATIENCE, DATA_DIR: here.folder() };
  const server = await here.start({ env, args: ['--simulate'] });
  const told = new Map<string, readonly string[]>();
  const listening = EARLY.flatMap(numbersOf).map(async (to) => {
    await sleep(random() * 1_000);
    await listen(server, to, told);
  });
  const isThere = (phase: Phase) => numbersOf(phase).every((to) => phaseOf(world, to) === phase);
  await until(() => EARLY.every(isThere), 40_000);
  await sleep(random() * 600);
  listening.push(...numbersOf('joining').map((to) => listen(server, to, told)));
  await until(() => isThere('joining'), 10_000);
  await sleep(random() * 400);
  const moment = comesTo(aim, world, server, random);
  listening.push(...numbersOf('placing').map((to) => listen(server, to, told)));
  await moment;
  process.kill(server.pid, 'SIGKILL');
  const seen = new Map(EVERYBODY.map((to) => [to, phaseOf(world, to)]));
  const transcribed = new Map(EVERYBODY.map((to) => [to, transcriptsTo(world, to)]));
  await server.exit;
  await Promise.all(listening);
  const onDisk = readDisk(env.DATA_DIR);
  // Of a request that had not even been read there was no call yet.
  const isCall = (to: string) => onDisk.some((one) => one.to === to);
  const phases: Record<string, Phase | 'over' | 'unread'> = {};
  for (const [to, phase] of seen) phases[to] = isCall(to) ? phase : 'unread';
  return { world, env, phases, told, transcribed, onDisk };
}

function transcriptsTo(world: World, to: string): readonly string[] {
  const sent = sessionTo(world, to)?.sent ?? [];
  return sent
    .filter(({ type }) => type === 'conversation.item.input_audio_transcription.completed')
    .filter(({ atMs }) => performance.now() - atMs > WRITTEN_MS)
    .map(({ event }) => `callee: ${String(event.transcript)}`);
}

/** Starts again on what is left; a client repeats every request at once. Resolves with how long the last line stayed up. */
async function restart(victim: Victim, processCount: number): Promise<number> {
  const { world, env, onDisk } = victim;
  const servers = await Promise.all(
    Array.from({ length: processCount }, () => here.start({ env, args: ['--simulate'] })),
  );
  const startedAtMs = performance.now();
  const [server] = servers;
  if (!server) throw new Error('There is no server');
  const calls = await Promise.all(
    EVERYBODY.map(async (to, nth) => {
      const at = servers[nth % processCount] ?? server;
      return { to, at, callId: await ask(at, to), before: onDisk.find((one) => one.to === to) };
    }),
  );
  for (const { to, callId, before } of calls) if (before) expect(callId, to).toBe(before.callId);
  const old = calls.filter(({ before }) => before);
  const isDown = ({ to }: { to: string }) => world.twilio.calls.every((call) => call.to !== to || call.isOver);
  await until(() => old.every(isDown), PUT_DOWN_MS);
  const putDownMs = performance.now() - startedAtMs;
  // What was never written down was never dialled: it is dialled now, and nobody takes it for a stranded call.
  for (const { to, at, callId } of calls.filter(({ before }) => !before)) {
    expect(victim.phases[to]).toBe('unread');
    await until(() => world.twilio.calls.some((call) => call.to === to), 10_000);
    expect(isDown({ to })).toBe(false);
    await at.tool('end-call', { callId, mode: 'now' });
  }
  for (const { to, at, callId, before } of calls) {
    const { data, lines } = await at.follow(callId);
    expect(data.state, to).toBe('ended');
    expect(data.reason, to).toMatch(/^\S.*\.$/);
    if (before) expect(lines.map(lineText).slice(0, before.lines.length), to).toEqual(before.lines);
    const creates = world.twilio.calls.filter((call) => call.to === to).length;
    expect(creates, `${to}: ${String(data.reason)}`).toBe(data.outcome === 'unknown' ? 0 : 1);
    if (before && before.carrierCallId === null && victim.phases[to] === 'placing')
      expect(data.reason, to).toMatch(/while this call was being placed/);
  }
  const settled = servers.flatMap(({ log }) => [
    ...log.matchAll(/"callId":"([^"]+)".*a call that a dead process left behind/g),
  ]);
  const ids = settled.map(([, id]) => id);
  const stranded = onDisk.filter(({ state }) => state !== 'ended').map(({ callId }) => callId);
  expect(ids.sort()).toEqual(stranded.sort());
  return putDownMs;
}

function checkDisk({ told, transcribed, onDisk }: Victim): void {
  for (const { to, lines } of onDisk) {
    expect(lines.slice(0, told.get(to)?.length ?? 0), to).toEqual(told.get(to) ?? []);
    for (const text of transcribed.get(to) ?? []) expect(lines, to).toContain(text);
  }
}

describe('kill -9', () => {
  it('at a hundred moments of running calls loses no committed line, strands no call, and dials none twice', {
    timeout: KILLS * 24_000,
  }, async () => {
    const random = seededRandom(20);
    const histogram: Record<string, number> = Object.fromEntries(PHASES.map((phase) => [phase, 0]));
    let linesOnDisk = 0;
    let linesTold = 0;
    const queue = Array.from({ length: KILLS }, (_, index) => ({
      aim: AIMS[index % AIMS.length] ?? 'any moment',
      index,
    }));
    const restarts: Promise<number>[] = [];
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { aim, index } = next;
        const victim = await kill(aim, random);
        for (const phase of Object.values(victim.phases)) histogram[phase] = (histogram[phase] ?? 0) + 1;
        linesOnDisk += victim.onDisk.reduce((sum, { lines }) => sum + lines.length, 0);
        linesTold += [...victim.told.values()].flat().length;
        checkDisk(victim);
        // Some are restarted twice at once: they must share what is left.
        const restarted = restart(victim, index % 5 === 4 ? 2 : 1);
        restarted.catch(() => undefined);
        restarts.push(restarted);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    const slowestMs = Math.max(...(await Promise.all(restarts)));
    console.info(
      `${KILLS} processes killed; their calls, by phase: ${JSON.stringify(histogram)}; ${linesOnDisk} lines on disk;`,
      `nothing left up ${Math.round(slowestMs)} ms after the next handshake`,
    );
    for (const phase of PHASES) expect(histogram[phase], phase).toBeGreaterThanOrEqual(10);
    const moments = PHASES.reduce((sum, phase) => sum + (histogram[phase] ?? 0), 0);
    expect(moments).toBeGreaterThanOrEqual(100);
    expect(linesOnDisk).toBeGreaterThanOrEqual(KILLS * 4);
    expect(linesTold).toBeGreaterThan(KILLS);
  });
});
