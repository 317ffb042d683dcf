import { afterEach, describe, expect, it } from 'vitest';
import { startThreeCxWorld } from '../../src/simulator/threecx/office-world.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { processes } from './process.ts';
import { AGREES, inMidSentence, LISTENS, ringingForEver, SENTENCES, shortCalls } from './short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

const CALLED = '+14155550123';

describe('two processes on one data folder', { timeout: 60_000 }, () => {
  it('both answer, and each sees and follows the calls of the other', async () => {
    const world = here.later(await shortCalls(AGREES));
    const env = { ...world.env, DATA_DIR: here.folder() };
    const [one, other] = await Promise.all([
      here.start({ env, args: ['--simulate'] }),
      here.start({ env, args: ['--simulate'] }),
    ]);
    const callId = await one.place();
    const followed = await other.follow(callId);
    expect(followed.data).toMatchObject({ outcome: 'completed', done: true });
    expect(followed.lines.map(({ text }) => text)).toEqual([
      'Wonderful, you are all set. See you on Friday.',
      'Thank you very much for your help. Goodbye, and have a lovely evening.',
      'Thanks, bye!',
    ]);
    for (const server of [one, other]) {
      expect((await server.tool('list-calls', {})).data).toMatchObject({ calls: [{ callId, outcome: 'completed' }] });
      expect((await server.tool('get-call', { callId })).data.lines).toEqual(followed.lines);
      expect((await server.tool('search-transcripts', { query: 'Friday' })).data).toMatchObject({
        matches: [{ callId }],
      });
    }
    const ended = await other.tool('end-call', { callId });
    expect(ended.data).toMatchObject({ state: 'ended' });
  });

  it('dial once for an idempotency key that is raced in both, count their calls together, and end each the calls of the other', async () => {
    const world = here.later(await ringingForEver());
    const env = { ...world.env, DATA_DIR: here.folder(), MAX_CONCURRENT_CALLS: '2' };
    const servers = await Promise.all([
      here.start({ env, args: ['--simulate'] }),
      here.start({ env, args: ['--simulate'] }),
    ]);
    const [one, other] = servers;
    const ids = await Promise.all(
      [...servers, ...servers, ...servers].map((server) => server.place({ idempotencyKey: 'raced' })),
    );
    expect(new Set(ids).size).toBe(1);
    expect(world.twilio.calls).toHaveLength(1);
    const callId = await other.place();
    const full = await one.tool('trigger-call', { toNumber: CALLED, callContext: 'One more.' });
    expect(full.text).toMatch(/already 2 calls/);
    expect(world.twilio.calls).toHaveLength(2);
    expect((await one.tool('end-call', { callId, mode: 'now' })).isError).toBe(false);
    expect((await other.tool('end-call', { callId: ids[0], mode: 'now' })).isError).toBe(false);
    await until(() => world.twilio.calls.every(({ isOver }) => isOver), 10_000);
  });
});

describe('a process that is killed with a live call', { timeout: 60_000 }, () => {
  it('leaves calls that the next owner ends, here and at Twilio, with every line that was told', async () => {
    const world = here.later(await shortCalls(LISTENS));
    const env = { ...world.env, DATA_DIR: here.folder() };
    const killed = await here.start({ env, args: ['--simulate'] });
    const living = await here.start({ env, args: ['--simulate'] });
    const callId = await killed.place();
    const told = await killed.follow(callId, ({ lines }) => lines.length > 0);
    expect(told.lines).toMatchObject([{ speaker: 'callee', text: 'Mm-hm.' }]);
    await inMidSentence(world, CALLED, SENTENCES.listens);
    const other = await living.place({ toNumber: '+14155550124' });
    await until(() => world.twilio.calls[1]?.status === 'in-progress', 20_000);
    killed.signal('SIGKILL');
    await killed.exit;
    // Twilio has noticed the broken streams by itself; the calls may live on, or have ended for want of an answer.
    for (const id of [callId, other]) {
      const { data, lines } = await living.follow(id);
      expect(data).toMatchObject({ state: 'ended', outcome: 'error' });
      expect(data.reason).toMatch(/^Switchboard stopped while this call was going on; /);
      if (id === callId) expect(lines).toEqual(told.lines);
    }
    expect(world.twilio.calls).toMatchObject([{ isOver: true }, { isOver: true }]);
  });

  it('harms no call when another process owns the telephone: its calls go on, and others may follow them', async () => {
    const world = here.later(await shortCalls(AGREES));
    const env = { ...world.env, DATA_DIR: here.folder() };
    const owner = await here.start({ env, args: ['--simulate'] });
    const killed = await here.start({ env, args: ['--simulate'] });
    const callId = await killed.place();
    killed.signal('SIGKILL');
    await killed.exit;
    expect((await owner.follow(callId)).data).toMatchObject({ outcome: 'completed', done: true });
  });

  it('leaves a ringing telephone, which the next start hangs up over REST, even when its port is taken', async () => {
    const world = here.later(await ringingForEver());
    const env = { ...world.env, DATA_DIR: here.folder() };
    const killed = await here.start({ env, args: ['--simulate'] });
    const callId = await killed.place();
    await killed.stored(callId);
    killed.signal('SIGKILL');
    await killed.exit;
    expect(world.twilio.calls[0]?.isOver).toBe(false);
    const PORT = new URL(world.twilio.baseUrl).port;
    const next = await here.start({ env: { ...env, PORT, PUBLIC_URL: `http://127.0.0.1:${PORT}` } });
    const refused = await next.tool('trigger-call', { toNumber: CALLED, callContext: 'Another.' });
    expect(refused.text).toContain(PORT);
    expect((await next.follow(callId)).data).toMatchObject({ state: 'ended', done: true });
    expect(world.twilio.calls[0]?.endedBy).toBe('rest');
    await until(() => next.log.includes('a call that a dead process left behind has been settled'), 10_000);
  });

  it('leaves a call over 3CX, which the next start drops', async () => {
    const world = here.later(await startThreeCxWorld());
    const env = { ...world.env, DATA_DIR: here.folder() };
    const killed = await here.start({ env, args: ['--simulate'] });
    const callId = await killed.place({ via: '3cx' });
    await killed.follow(callId, ({ data }) => data.state === 'answered');
    killed.signal('SIGKILL');
    await killed.exit;
    expect(world.pbx.liveCalls).toBe(1);
    const next = await here.start({ env, args: ['--simulate'] });
    const { data } = await next.follow(callId);
    expect(data).toMatchObject({
      outcome: 'error',
      reason: expect.stringContaining('the line was put down afterwards'),
    });
    expect(world.pbx.liveCalls).toBe(0);
    expect(world.pbx.requests.filter(({ path }) => path.endsWith('/makecall'))).toHaveLength(1);
  });
});
