import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { SCENARIOS } from '../../src/simulator/scenarios/scenarios.ts';
import { phrase } from '../../src/simulator/speech/load-phrasebook.ts';
import { startWorld } from '../../src/simulator/world.ts';
import { heldInTime, watchLag } from '../fixtures/lag.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { processes } from '../journeys/process.ts';
import { numberFor, PATIENCE, startPeople } from './people.ts';
import { briefTo, phaseOf } from './phases.ts';

const here = processes();
afterEach(() => here.cleanUp());

const STALL_MS = 500;
const MOST_ERROR_MS = 60;
const MOST_LAG_MS = 30;
const CALLEE = ['c.greeting', 'c.howmany', 'c.name', 'c.confirmed', 'c.bye'];

/** A whole call on a server that stands still six times. */
async function holdStalled() {
  const world = here.later(await startWorld({ scenario: 'reservation', twilio: { network: {} } }));
  const env = { ...world.env, DATA_DIR: here.folder() };
  const server = await here.start({ env, args: ['--simulate'] });
  const callId = await server.place();
  const [call] = world.twilio.calls;
  if (!call) throw new Error('There is no call');
  const following = server.follow(callId);
  following.catch(() => undefined);
  let stalls = 0;
  const stallWhen = async (condition: () => boolean): Promise<void> => {
    await until(() => condition() || call.isOver, 40_000);
    if (call.isOver) return;
    server.signal('SIGSTOP');
    await sleep(STALL_MS);
    server.signal('SIGCONT');
    stalls += 1;
  };
  const person = () => world.callees[0];
  const says = (id: string) => () => person()?.said.some((one) => one.phraseId === id && one.endMs === null) ?? false;
  const hears = (id: string, ms: number) => () => (call.ear?.heardMs(id, 1) ?? 0) >= ms;
  await stallWhen(says('c.greeting'));
  await stallWhen(hears('a.request', 500));
  await stallWhen(says('c.howmany'));
  await stallWhen(hears('a.four', 300));
  await stallWhen(says('c.name'));
  await stallWhen(hears('a.goodbye', 1_000));
  const { data, lines } = await following;
  const record = world.realtime.sessions[0]?.record;
  const [cut] = record?.truncations ?? [];
  const [truth] = person()?.interruptions ?? [];
  const errorMs = Math.abs((cut?.audioEndMs ?? 0) - (truth?.trulyHeardMs ?? 0));
  return { call, stalls, data, lines, record, truth, errorMs };
}

describe('a process that stands still for half a second', { timeout: 180_000 }, () => {
  it('goes on with its call each time: nothing lost, doubled or out of order, and cuts are where they were heard', async () => {
    const lag = watchLag();
    // The telephone is in this process, and takes the clear as late as that is.
    const faultOf = ({ errorMs }: { readonly errorMs: number }) =>
      errorMs > MOST_ERROR_MS ? `the cut was off by ${Math.round(errorMs)} ms` : null;
    const held = await heldInTime(lag, MOST_LAG_MS, holdStalled, { faultOf });
    lag.stop();
    const { call, stalls, data, lines, record, truth, errorMs } = held;
    expect(stalls).toBe(6);
    expect(data).toMatchObject({ state: 'ended', outcome: SCENARIOS.reservation?.outcome });
    expect(call.ear?.faults()).toEqual([]);
    expect(record?.errorCodes()).toEqual([]);
    const heard = record?.turns.flatMap((turn) => turn.heard) ?? [];
    expect(heard.map((one) => [one.phrase?.id, one.exact])).toEqual(CALLEE.map((id) => [id, true]));
    expect(record?.truncations).toHaveLength(1);
    expect(truth).toMatchObject({ phraseId: 'a.request', cutShort: true });
    // The person is heard half a second late, and the agent falls silent as much later.
    expect(truth?.trulyHeardMs).toBeGreaterThan((truth?.heardAtOnsetMs ?? 0) + STALL_MS);
    expect(errorMs).toBeLessThanOrEqual(MOST_ERROR_MS);
    const spoken = ['a.four', 'a.name', 'a.goodbye'].map((id) => phrase(id).text);
    expect(lines.filter(({ speaker }) => speaker === 'callee').map(({ text }) => text)).toEqual(
      CALLEE.map((id) => phrase(id).text),
    );
    const [first, ...others] = lines.filter(({ speaker }) => speaker === 'agent').map(({ text }) => text);
    expect(others).toEqual(spoken);
    // Which words those milliseconds were is an estimate.
    expect(phrase('a.request').text.startsWith(first ?? '?')).toBe(true);
    const wordsOf = (text: string | undefined) => (text ?? '').split(' ').length;
    expect(Math.abs(wordsOf(first) - wordsOf(truth?.heardText))).toBeLessThanOrEqual(3);
  });

  it.each(['placing', 'ringing', 'joining'] as const)(
    'while %s dials once, and the call comes up and is talked over all the same',
    async (phase) => {
      const world = here.later(await startPeople());
      const env = { ...world.env, ...PATIENCE, DATA_DIR: here.folder() };
      const server = await here.start({ env, args: ['--simulate'] });
      const to = numberFor('talking', 0);
      const stalled = new Promise<void>((resolve) => {
        world.twilio.onCall(() => {
          void until(() => phaseOf(world, to) === phase, 10_000).then(async () => {
            server.signal('SIGSTOP');
            await sleep(STALL_MS);
            server.signal('SIGCONT');
            resolve();
          });
        });
      });
      const callId = await server.place({ toNumber: to, callContext: briefTo(to) });
      await stalled;
      const { lines } = await server.follow(callId, (progress) => progress.lines.length > 0);
      expect(lines[0]?.text).toBe('Mm-hm.');
      await server.tool('end-call', { callId, mode: 'now' });
      expect((await server.follow(callId)).data).toMatchObject({ state: 'ended', outcome: 'canceled' });
      expect(world.twilio.calls.map(({ isOver }) => isOver)).toEqual([true]);
    },
  );
});
