import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../fixtures/mcp-pair.ts';
import { processes } from './process.ts';
import { ASKS, inMidSentence, ringingForEver, SENTENCES, shortCalls } from './short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

describe('the end of the process', { timeout: 60_000 }, () => {
  it('says goodbye in a live call when stdin closes or a signal comes, stores it, and exits 0 in time', async () => {
    const world = here.later(await shortCalls(ASKS));
    const ways = [
      { to: '+14155550123', stop: 'stdin' },
      { to: '+14155550124', stop: 'SIGTERM' },
      { to: '+14155550125', stop: 'SIGINT' },
    ] as const;
    await Promise.all(
      ways.map(async ({ to, stop }) => {
        const env = { ...world.env, DATA_DIR: here.folder() };
        const server = await here.start({ env, args: ['--simulate'] });
        const callId = await server.place({ toNumber: to });
        await inMidSentence(world, to, SENTENCES.asks);
        const stoppedAtMs = performance.now();
        if (stop === 'stdin') server.endInput();
        else server.signal(stop);
        expect(await server.exit, stop).toEqual({ code: 0, signal: null });
        // Ten seconds for the goodbye, five for the hang-up.
        expect(performance.now() - stoppedAtMs, stop).toBeLessThan(16_000);
        const call = world.twilio.calls.find((one) => one.to === to);
        expect(call, stop).toMatchObject({ status: 'completed', endedBy: 'rest' });
        expect(call?.ear?.heardMs('a.farewell', 1), stop).toBeGreaterThan(1_800);
        expect(server.foreign, stop).toEqual([]);

        const next = await here.start({ env, args: ['--simulate'] });
        const { data } = await next.tool('get-call', { callId });
        expect(data, stop).toMatchObject({ state: 'ended', outcome: 'canceled' });
        expect(data.reason, stop).toBe('The server was stopped during the call.');
        expect(data.lines, stop).toMatchObject([
          { speaker: 'callee', text: 'Yes, of course.' },
          { speaker: 'agent', text: call?.ear?.heardText(SENTENCES.asks, 1) },
          { speaker: 'agent', text: 'Thank you for your time. Goodbye.' },
        ]);
      }),
    );
  });

  it('hangs up what still rings, and exits 0', async () => {
    const world = here.later(await ringingForEver());
    const server = await here.start({ env: { ...world.env, DATA_DIR: here.folder() }, args: ['--simulate'] });
    await server.place();
    server.endInput();
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(world.twilio.calls[0]).toMatchObject({ endedBy: 'rest' });
  });

  it('interrupted while it is still placing the call, switchboard call ends it as soon as it can', async () => {
    const knobs = { dialMs: 1_500, createAnswer: 'after-webhook', statusWebhooks: 'reversed' } as const;
    const world = here.later(await ringingForEver({ knobs }));
    const env = { ...world.env, DATA_DIR: here.folder() };
    const command = here.spawn({ env, args: ['--simulate', 'call', '+14155550123', 'Book a table for two.'] });
    await until(() => world.twilio.calls.length === 1, 20_000);
    command.signal('SIGINT');
    expect(await command.exit).toEqual({ code: 1, signal: null });
    expect(world.twilio.calls[0]).toMatchObject({ isOver: true, endedBy: 'rest' });
  });
});
