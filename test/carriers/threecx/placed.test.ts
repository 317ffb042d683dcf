/** What the line makes of a call that it places, up to its answer and its end. */
import { describe, expect, it } from 'vitest';
import type { FaultyAnswer } from '../../../src/simulator/threecx/faults.ts';
import { answers, Probe, TO } from '../../contracts/carrier-probe.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { asked, dial, follow, NEVER, open, talk } from './line.ts';
import type { Rig } from './rig.ts';

describe('a call that was placed', () => {
  it('is dropped when nobody looks after it any more, or it would be silent for ever', async () => {
    const { rig, call } = await talk();
    call.line.release();
    await until(() => rig.pbx.liveCalls === 0);
  });

  it('is dropped as soon as 3CX lets it be when it did not at first', async () => {
    const { rig, call } = await talk();
    rig.pbx.faults.answers = [{ path: /drop$/, how: { kind: 'status', status: 503 } }];
    call.line.release();
    await until(() => asked(rig, /drop$/) === 1);
    expect(rig.pbx.liveCalls).toBe(1);
    await until(() => rig.pbx.liveCalls === 0);
    expect(asked(rig, /drop$/)).toBe(2);
  });

  it('is dropped also when it was placed for nobody any more', async () => {
    const rig = await open({ answer: () => NEVER });
    const call = dial(rig.carrier);
    call.line.release();
    await until(() => asked(rig, /makecall$/) === 1 && rig.pbx.liveCalls === 0);
    expect(call.events).toEqual([]);
  });

  it('is refused with a reason when 3CX says no', async () => {
    const rig = await open();
    rig.pbx.faults.answers = [{ path: /makecall$/, how: { kind: 'failed', reason: 'PhoneNotRegistered' } }];
    const call = dial(rig.carrier);
    await call.until('carrier.refused');
    expect(call.events).toEqual([
      { type: 'carrier.refused', code: 'failed', reason: expect.stringContaining('no telephone is registered') },
    ]);
    expect(asked(rig, /makecall$/)).toBe(1);
  });

  it.each(['14155550199', '9911', '10000', 'SP1'])(
    'is not placed to digits that 3CX does not list within the office: %s',
    async (to) => {
      const rig = await open();
      const call = dial(rig.carrier, to);
      await call.until('carrier.refused');
      expect(call.told()).toEqual(['carrier.refused']);
      expect(JSON.stringify(call.events)).toContain('with + and the country code');
      // It comes into logs.
      expect(JSON.stringify(call.events)).not.toContain(to);
      expect(asked(rig, /makecall$/)).toBe(0);
    },
  );

  it('is placed to an extension of the app’s own also where it may not look up others', async () => {
    const rig = await open({ answer: () => NEVER });
    rig.pbx.faults.answers = [{ path: '/xapi/', times: 9, how: { kind: 'status', status: 403 } }];
    await dial(rig.carrier, '101').until('ringing');
    const other = dial(rig.carrier, '103');
    await other.until('carrier.refused');
    expect(JSON.stringify(other.events)).toContain('List the extension');
    expect(JSON.stringify(other.events)).not.toContain('103');
    expect(asked(rig, /makecall$/)).toBe(1);
  });

  it('is placed to an extension that 3CX lists, also where the app may not see its calls', async () => {
    const rig = await open({ answer: () => NEVER });
    for (const to of ['101', '103', '800']) await dial(rig.carrier, to).until('ringing');
    expect(asked(rig, /makecall$/)).toBe(3);
  });

  it('is not placed at all while there is nobody to tell of its answer', async () => {
    const rig = await open();
    rig.pbx.faults.refuseEvents = { how: 'http-401', times: 50 };
    rig.pbx.dropEvents();
    await until(() => !rig.exchange.isConnected);
    const call = dial(rig.carrier);
    await call.until('carrier.refused');
    expect(asked(rig, /makecall$/)).toBe(0);
  });

  it('is not placed when it was ended before', async () => {
    const rig = await open();
    const call = follow(rig.carrier);
    call.line.hangUp();
    call.line.dial({ to: TO, ringMs: 1_000, maxMs: 60_000 });
    await call.until('carrier.refused');
    expect(asked(rig, /makecall$/)).toBe(0);
  });

  it('is told to have failed to be put down when it was, and is put down when asked again', async () => {
    const { rig, call } = await talk();
    rig.pbx.faults.answers = [{ path: /drop$/, how: { kind: 'status', status: 422 } }];
    call.line.hangUp();
    await call.until('carrier.hungUp failed');
    expect(rig.pbx.liveCalls).toBe(1);
    call.line.hangUp();
    await call.until('carrier.hungUp done');
    expect(rig.pbx.liveCalls).toBe(0);
  });

  it('is over, and no stream has broken, when the drop was done but not answered', async () => {
    const { rig, call } = await talk();
    rig.pbx.faults.answers = [{ path: /drop$/, how: { kind: 'broken', applied: true } }];
    call.line.hangUp();
    await until(() => call.told().some((one) => one.startsWith('carrier.hungUp')));
    expect(call.told()).not.toContain('carrier.hungUp failed');
    expect(call.events).toContainEqual({ type: 'carrier.streamEnded', epoch: 1, how: 'stopped' });
  });

  it('rings out when nobody takes it for about as long as it was to ring, and has failed when it is gone before', async () => {
    const rig = await open({ answer: (to) => (to === TO ? NEVER : { kind: 'busy', ringMs: 20 }) });
    const [never, busy] = [dial(rig.carrier, TO, 1_000), dial(rig.carrier, '101', 1_000)];
    await never.until('no-answer');
    await busy.until('failed');
  });
});

describe('a call of which 3CX did not say whether it was placed', () => {
  const lost = (applied: boolean, times = 1): FaultyAnswer[] => [
    { path: /makecall$/, times, how: { kind: 'broken', applied } },
  ];

  /** A call that 3CX has not placed, and says nothing of. */
  const findsNone = async (rig: Rig): Promise<void> => {
    rig.pbx.faults.answers = lost(false);
    const call = dial(rig.carrier);
    await call.until('carrier.uncertain');
    call.line.inquire();
    await call.until('carrier.notFound');
  };

  it('is found by asking, and never placed again', async () => {
    const probe = new Probe();
    const rig = await open({ answer: () => answers(probe, 300) });
    rig.pbx.faults.answers = lost(true);
    const call = dial(rig.carrier);
    await call.until('carrier.uncertain');
    call.line.dial({ to: TO, ringMs: 1_000, maxMs: 60_000 });
    call.line.inquire();
    await call.until('carrier.streamStarted');
    expect(call.told().slice(0, 2)).toEqual(['carrier.uncertain', 'carrier.bound']);
    expect(asked(rig, /makecall$/)).toBe(1);
    call.line.hangUp();
    await call.until('carrier.hungUp done');
  });

  it('may also be one in the midst of which 3CX had a fault of its own', async () => {
    const rig = await open({ answer: () => NEVER });
    rig.pbx.faults.answers = [{ path: /makecall$/, how: { kind: 'status', status: 500 } }];
    const call = dial(rig.carrier);
    await call.until('carrier.uncertain');
    expect(asked(rig, /makecall$/)).toBe(1);
  });

  it('is put down as soon as it is found when that was asked for', async () => {
    const rig = await open({ answer: () => NEVER });
    rig.pbx.faults.answers = lost(true);
    const call = dial(rig.carrier);
    call.line.hangUp();
    await call.until('carrier.uncertain');
    expect(rig.pbx.liveCalls).toBe(1);
    call.line.inquire();
    await call.until('carrier.hungUp done');
    expect(rig.pbx.liveCalls).toBe(0);
  });

  it('was not placed when it is not there', async () => {
    const rig = await open({ answer: () => NEVER });
    await findsNone(rig);
  });

  it('is none that was there before, or that another line has', async () => {
    const rig = await open({ answer: () => NEVER });
    const other = dial(rig.carrier);
    await other.until('ringing');
    await findsNone(rig);
    expect(rig.pbx.liveCalls).toBe(1);
  });

  it('is none that a process before us has left there', async () => {
    const rig = await open({ answer: () => NEVER });
    await rig.exchange.makeCall({ dn: rig.pbx.routePoint, destination: TO, timeoutSeconds: 20 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await findsNone(rig);
    expect(rig.pbx.liveCalls).toBe(1);
  });

  it('is left alone when two may be meant', async () => {
    const rig = await open({ answer: () => NEVER });
    rig.pbx.faults.answers = lost(true, 2);
    const calls = [dial(rig.carrier), dial(rig.carrier)];
    await Promise.all(calls.map((call) => call.until('carrier.uncertain')));
    for (const call of calls) call.line.inquire();
    await until(() => rig.pbx.requests.filter(({ path }) => path.endsWith('/participants')).length >= 3);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const call of calls) expect(call.told()).toEqual(['carrier.uncertain']);
  });
});
