import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { World } from '../../src/simulator/world.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { processes, type ServerProcess } from '../journeys/process.ts';
import { lineText, readDisk } from './disk.ts';
import { numberFor, PATIENCE, startPeople } from './people.ts';
import { briefTo, type Phase, phaseOf } from './phases.ts';

const here = processes();
afterEach(() => here.cleanUp());

const LIVE = ['ringing', 'opening', 'talking', 'interrupted', 'ending'] as const;
/** Ten seconds for the goodbyes, five for the hang-ups, and a little for the way out. */
const BOUND_MS = 17_000;

interface Busy {
  readonly world: World;
  readonly env: Readonly<Record<string, string>>;
  readonly server: ServerProcess;
  readonly callIds: Readonly<Record<string, string>>;
}

/** A server with a call in each of these phases, and another that is just being dialled. */
async function busy(phases: readonly Phase[] = LIVE): Promise<Busy> {
  const world = here.later(await startPeople());
  const env = { ...world.env, ...PATIENCE, DATA_DIR: here.folder() };
  const server = await here.start({ env, args: ['--simulate'] });
  const place = (phase: Phase) =>
    server.place({ toNumber: numberFor(phase, 0), callContext: briefTo(numberFor(phase, 0)) });
  const callIds: Record<string, string> = {};
  await Promise.all(
    phases.map(async (phase) => {
      callIds[phase] = await place(phase);
    }),
  );
  await until(() => phases.every((phase) => phaseOf(world, numberFor(phase, 0)) === phase), 40_000);
  callIds.joining = await place('joining');
  return { world, env, server, callIds };
}

function expectNothingLeft({ world, env, server }: Busy, how: string): void {
  expect(server.foreign, how).toEqual([]);
  expect(
    world.twilio.calls.filter(({ isOver }) => !isOver).map(({ to }) => to),
    how,
  ).toEqual([]);
  const calls = readDisk(env.DATA_DIR ?? '');
  expect(calls, how).toHaveLength(world.twilio.calls.length);
  for (const call of calls) {
    expect(call, `${how}, ${call.to}`).toMatchObject({ state: 'ended', reason: expect.stringMatching(/^\S.*\.$/) });
  }
}

describe('the end of a busy process', { timeout: 90_000 }, () => {
  it('by a signal or a closed stdin says goodbye or hangs up in every phase, keeps what was said, and exits 0 in time', async () => {
    await Promise.all(
      (['SIGTERM', 'SIGINT', 'SIGHUP', 'stdin'] as const).map(async (how) => {
        const all = await busy();
        const { world, env, server } = all;
        const heard = (phase: Phase) => world.twilio.calls.find(({ to }) => to === numberFor(phase, 0))?.ear;
        const stoppedAtMs = performance.now();
        if (how === 'stdin') server.endInput();
        else server.signal(how);
        expect(await server.exit, how).toEqual({ code: 0, signal: null });
        expect(performance.now() - stoppedAtMs, how).toBeLessThan(BOUND_MS);
        expectNothingLeft(all, how);
        for (const phase of ['opening', 'talking'] as const)
          expect(heard(phase)?.heardMs('a.farewell', 1), `${how}, ${phase}`).toBeGreaterThan(1_800);
        expect(heard('ending')?.heardMs('a.goodbye', 1), how).toBeGreaterThan(3_000);
        const disk = readDisk(env.DATA_DIR ?? '');
        const lines = (phase: Phase) => disk.find(({ to }) => to === numberFor(phase, 0))?.lines;
        expect(lines('ending')?.slice(0, 2), how).toEqual([
          'callee: Wonderful, you are all set. See you on Friday.',
          'agent: Thank you very much for your help. Goodbye, and have a lovely evening.',
        ]);
        expect(lines('talking')?.[0], how).toBe('callee: Mm-hm.');
        expect(lines('talking')?.at(-1), how).toBe(
          lineText({ speaker: 'agent', text: 'Thank you for your time. Goodbye.' }),
        );
        expect(lines('ringing'), how).toEqual([]);
      }),
    );
  });

  it.each([
    ['answers as ever', 'at-once'],
    ['has applied it and gives no answer', 'hangs'],
  ] as const)(
    'while a call is being created by a carrier that %s puts that call down, and dials it no more',
    async (_, createAnswer) => {
      await Promise.all(
        (['SIGTERM', 'SIGINT', 'SIGHUP', 'stdin'] as const).map(async (how) => {
          const world = here.later(await startPeople());
          world.twilio.knobs.createAnswer = createAnswer;
          const env = { ...world.env, ...PATIENCE, DATA_DIR: here.folder() };
          const server = await here.start({ env, args: ['--simulate'] });
          const to = numberFor('placing', 0);
          const dialled = new Promise<void>((resolve) => world.twilio.onCall(() => resolve()));
          // The answer may find nobody.
          server.place({ toNumber: to, callContext: briefTo(to) }).catch(() => undefined);
          await dialled;
          expect(phaseOf(world, to), how).toBe('placing');
          if (how === 'stdin') server.endInput();
          else server.signal(how);
          expect(await server.exit, how).toEqual({ code: 0, signal: null });
          expectNothingLeft({ world, env, server, callIds: {} }, how);
          expect(world.twilio.calls, how).toHaveLength(1);
        }),
      );
    },
  );

  it('as the MCP SDK ends it – stdin, a signal after two seconds, a kill after two more – leaves no line up and no word behind', async () => {
    const all = await busy(['talking', 'ending']);
    const { env, server } = all;
    const gone = server.exit;
    server.endInput();
    await sleep(2_000);
    server.signal('SIGTERM');
    await Promise.race([gone, sleep(2_000)]);
    server.signal('SIGKILL');
    expect(await gone).toEqual({ code: 0, signal: null });
    expectNothingLeft(all, 'SDK');
    const lines = readDisk(env.DATA_DIR ?? '').find(({ to }) => to === numberFor('talking', 0))?.lines ?? [];
    expect(lines[0]).toBe('callee: Mm-hm.');
    expect(lines.at(-1)).toMatch(/^agent: \S/);
  });

  it('by a second signal is at once, and the next start puts down what is left', async () => {
    const all = await busy(['talking', 'ringing']);
    const { world, env, server } = all;
    server.signal('SIGTERM');
    await until(() => server.log.includes('"stopping"'), 10_000);
    const askedAtMs = performance.now();
    server.signal('SIGINT');
    expect(await server.exit).toEqual({ code: 130, signal: null });
    expect(performance.now() - askedAtMs).toBeLessThan(2_000);
    const next = await here.start({ env, args: ['--simulate'] });
    for (const callId of Object.values(all.callIds)) {
      expect((await next.follow(callId)).data).toMatchObject({ state: 'ended', reason: expect.stringMatching(/\.$/) });
    }
    expectNothingLeft({ ...all, server: next }, 'second signal');
    expect(world.twilio.calls).toHaveLength(3);
  });
});

describe('a client that is gone without a word', { timeout: 90_000 }, () => {
  it('leaves calls that are ended politely when stdout cannot be written to any more, whatever stdin says', async () => {
    const all = await busy(['talking', 'ringing']);
    const { world, server } = all;
    server.breakPipe('stdout', 'stderr');
    // The answer finds nobody.
    void server.request('tools/list', {}).catch(() => undefined);
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(
      world.twilio.calls.find(({ to }) => to === numberFor('talking', 0))?.ear?.heardMs('a.farewell', 1),
    ).toBeGreaterThan(1_800);
    expectNothingLeft(all, 'broken pipes');
  });

  it('costs nothing but the log when only stderr is broken: calls go on, and the process idles', async () => {
    const { world, server, callIds } = await busy(['opening']);
    server.breakPipe('stderr');
    const callId = await server.place({
      toNumber: numberFor('talking', 0),
      callContext: briefTo(numberFor('talking', 0)),
    });
    const { lines } = await server.follow(callId, (progress) => progress.lines.length > 0);
    expect(lines[0]?.text).toBe('Mm-hm.');
    expect(phaseOf(world, numberFor('opening', 0))).toBe('opening');
    await server.tool('end-call', { callId: callIds.opening ?? '', mode: 'now' });
    await server.tool('end-call', { callId: callIds.joining ?? '', mode: 'now' });
    await server.tool('end-call', { callId, mode: 'now' });
    server.endInput();
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(server.foreign).toEqual([]);
  });
});
