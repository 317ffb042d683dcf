import { afterEach, describe, expect, it } from 'vitest';
import { processes } from '../journeys/process.ts';
import { ringingForEver } from '../journeys/short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

describe('a ringing telephone that a killed process left behind', { timeout: 90_000 }, () => {
  it('is told of plainly while settings are missing, and put down by the next start that has them', async () => {
    const world = here.later(await ringingForEver());
    const DATA_DIR = here.folder();
    const killed = await here.start({ env: { ...world.env, DATA_DIR }, args: ['--simulate'] });
    const callId = await killed.place();
    await killed.stored(callId);
    killed.signal('SIGKILL');
    await killed.exit;

    const blind = await here.start({ env: { DATA_DIR, PORT: '0' } });
    await expect
      .poll(async () => (await blind.tool('get-call', { callId })).data, { timeout: 10_000 })
      .toMatchObject({ state: 'ending', outcome: null });
    for (const [tool, args] of [
      ['list-calls', {}],
      ['get-call', { callId }],
      ['end-call', { callId, mode: 'now' }],
    ] as const) {
      expect((await blind.tool(tool, args)).text, tool).toMatch(/the line may still be up.*settings/);
    }
    expect(world.twilio.calls).toMatchObject([{ isOver: false }]);
    blind.endInput();
    expect(await blind.exit).toEqual({ code: 0, signal: null });

    // A complaint about something else does not keep a line up, though no call can be placed with it.
    const env = { ...world.env, DATA_DIR, PUBLIC_URL: 'http://127.0.0.1:9', PORT: '0', VAD_THRESHOLD: '7' };
    const next = await here.start({ env });
    expect((await next.tool('trigger-call', { toNumber: '+14155550124', callContext: 'More.' })).text).toMatch(/VAD_/);
    expect((await next.follow(callId)).data).toMatchObject({ state: 'ended', outcome: 'error' });
    expect(world.twilio.calls).toMatchObject([{ endedBy: 'rest' }]);
  });
});
