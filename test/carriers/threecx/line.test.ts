/** What the line of a call makes of what 3CX and the agent do, over the real client and a simulated 3CX. */
import { afterEach, describe, expect, it } from 'vitest';
import type { CarrierEvent } from '../../../src/call/events.ts';
import type { CallId } from '../../../src/call/words.ts';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { createThreeCxCarrier, type IncomingCall } from '../../../src/carriers/threecx/carrier.ts';
import { carrierCallIdOf, nameInLog, readCarrierCallId } from '../../../src/carriers/threecx/names.ts';
import { Audio } from '../../../src/media/audio.ts';
import type { FaultyAnswer } from '../../../src/simulator/threecx/faults.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { answers, noise, Probe, place, TO, voiced } from '../../contracts/carrier-probe.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { openRig, type Rig, type RigOptions } from './rig.ts';

const CALLER = '+14155550177';
const NEVER = { kind: 'never' } as const;
const speech = noise(8 * 300, 1);
const PARTICIPANT = { id: 6, dn: '8000', status: 'Connected', callId: 2, partyNumber: TO, partyDid: null };

const rigs: Rig[] = [];
afterEach(async () => {
  const opened = rigs.splice(0);
  await Promise.all(opened.map((rig) => rig.stop()));
  for (const { pbx } of opened) expect(pbx.violations).toEqual([]);
});
async function open(options: RigOptions = {}): Promise<Rig> {
  const rig = await openRig(options);
  rigs.push(rig);
  return rig;
}

function asked({ pbx }: Rig, path: RegExp): number {
  return pbx.requests.filter((one) => one.method === 'POST' && path.test(one.path)).length;
}

/** A line and all that it tells. */
function follow(carrier: Carrier) {
  const events: CarrierEvent[] = [];
  const line = carrier.line({
    callId: 'call-1' as CallId,
    emit: (event) => {
      events.push(event);
      if (event.type === 'carrier.streamFailed') line.redirect({ plan: 'reattach' });
    },
    hear: () => undefined,
  });
  const told = (): readonly string[] =>
    events.map((event) =>
      'status' in event ? event.status : 'outcome' in event ? `${event.type} ${event.outcome}` : event.type,
    );
  return { line, events, told, until: (what: string) => until(() => told().includes(what), 15_000) };
}

function dial(carrier: Carrier, to = TO, ringMs = 20_000) {
  const call = follow(carrier);
  call.line.dial({ to, ringMs, maxMs: 60_000 });
  return call;
}

/** A call up to its audio. */
async function talk(options: RigOptions = {}) {
  const probe = new Probe();
  const rig = await open({ answer: (to) => (to === TO ? answers(probe) : NEVER), ...options });
  const call = dial(rig.carrier);
  await call.until('carrier.streamStarted');
  return { rig, probe, call };
}

describe('a call to the route point', () => {
  async function ringing(options: { readonly mayTake?: boolean; readonly ringMs?: number } = {}) {
    const calls: IncomingCall[] = [];
    const probe = new Probe();
    const { mayTake = true, ringMs = 20_000 } = options;
    const rig = await open({ incoming: { mayTake: () => mayTake, take: (call) => calls.push(call) } });
    const caller = rig.pbx.call({ to: rig.pbx.routePoint, from: CALLER, ringMs, callee: () => probe });
    const taken = async () => {
      await until(() => calls.length > 0);
      const call = follow(calls[0]?.carrier ?? rig.carrier);
      call.line.dial({ to: CALLER, ringMs: 20_000, maxMs: 60_000 });
      return call;
    };
    return { rig, calls, probe, caller, taken };
  }

  it('rings until the agent speaks, is answered with its first word, and nothing of it is lost', async () => {
    const { rig, calls, probe, taken } = await ringing();
    const call = await taken();
    expect(calls).toEqual([expect.objectContaining({ from: CALLER, to: rig.pbx.routePoint })]);
    expect(call.told()).toEqual(['carrier.bound', 'ringing', 'carrier.streamStarted']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(asked(rig, /answer$/)).toBe(0);
    call.line.play(Audio.fromBytes(speech));
    call.line.mark(1, 1);
    await call.until('answered');
    await call.until('carrier.markEchoed');
    expect(voiced(probe.heardBytes()).equals(speech)).toBe(true);
    expect(asked(rig, /answer$/)).toBe(1);
    expect(calls).toHaveLength(1);
    call.line.hangUp();
    await call.until('carrier.hungUp done');
    expect(call.told().slice(-3)).toEqual(['carrier.streamEnded', 'completed', 'carrier.hungUp done']);
  });

  it('is heard from its answer on', async () => {
    const { probe, taken } = await ringing();
    const call = await taken();
    call.line.play(Audio.fromBytes(speech));
    await call.until('answered');
    probe.press('7');
    await call.until('carrier.digitPressed');
  });

  it('is over when the caller gives up while it rings', async () => {
    const { rig, taken, caller } = await ringing();
    const call = await taken();
    caller.hangUp();
    await call.until('canceled');
    expect(call.told().slice(-2)).toEqual(['carrier.streamEnded', 'canceled']);
    call.line.play(Audio.fromBytes(speech));
    call.line.hangUp();
    await call.until('carrier.hungUp gone');
    expect(asked(rig, /answer$|drop$/)).toBe(0);
  });

  it('is over when the caller has given up just before the answer', async () => {
    const { taken, caller } = await ringing();
    const call = await taken();
    caller.hangUp();
    call.line.play(Audio.fromBytes(speech));
    await call.until('canceled');
    expect(call.told()).not.toContain('answered');
  });

  it('is left ringing when nobody takes it', async () => {
    const { rig, calls } = await ringing({ mayTake: false });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(calls).toEqual([]);
    expect(rig.pbx.liveCalls).toBe(1);
    expect(asked(rig, /participants/)).toBe(0);
  });

  it('rings on when the agent cannot say a word, and is not taken a second time', async () => {
    const { rig, calls, taken } = await ringing();
    const call = await taken();
    call.line.redirect({ plan: 'say', language: 'en', text: 'There is a problem.' });
    call.line.hangUp();
    await call.until('carrier.hungUp done');
    expect(call.told()).toContain('carrier.redirected failed');
    call.line.release();
    rig.pbx.dropEvents();
    await until(() => !rig.exchange.isConnected);
    await until(() => rig.exchange.isConnected);
    expect(rig.pbx.liveCalls).toBe(1);
    expect(calls).toHaveLength(1);
    expect(asked(rig, /participants/)).toBe(0);
  });

  it('fails when 3CX does not let us answer it, and is not asked to again', async () => {
    const { rig, taken } = await ringing();
    const call = await taken();
    rig.pbx.faults.answers = [{ path: /answer$/, times: 9, how: { kind: 'status', status: 422 } }];
    call.line.play(Audio.fromBytes(speech));
    await call.until('failed');
    call.line.play(Audio.fromBytes(speech));
    expect(asked(rig, /answer$/)).toBe(1);
  });

  it('is not given up when it may have been answered: the events tell', async () => {
    const { rig, probe, taken } = await ringing();
    const call = await taken();
    rig.pbx.faults.answers = [{ path: /answer$/, how: { kind: 'broken', applied: true } }];
    call.line.play(Audio.fromBytes(speech));
    await call.until('answered');
    await probe.until(() => probe.heardBytes().includes(speech));
    expect(call.told()).not.toContain('failed');

    const other = await ringing();
    const unanswered = await other.taken();
    other.rig.pbx.faults.answers = [{ path: /answer$/, how: { kind: 'broken', applied: false } }];
    unanswered.line.play(Audio.fromBytes(speech));
    await until(() => asked(other.rig, /answer$/) === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(unanswered.told()).not.toContain('failed');
    unanswered.line.hangUp();
    await unanswered.until('carrier.hungUp done');
  });

  it('is left to another program that answers it, before us or at the same moment', async () => {
    for (const isBefore of [true, false]) {
      const { rig, taken } = await ringing();
      const call = await taken();
      const [participant] = await rig.exchange.participants(rig.pbx.routePoint);
      const other = rig.exchange.act(rig.pbx.routePoint, participant?.id ?? 0, 'answer');
      if (isBefore) await call.until('canceled');
      call.line.play(Audio.fromBytes(speech));
      await other;
      await call.until('canceled');
      // Long enough for audio that was asked for before to have come up.
      await new Promise((resolve) => setTimeout(resolve, 100));
      call.line.release();
      expect(call.told().at(-1)).toBe('canceled');
      expect(rig.pbx.liveCalls).toBe(1);
      expect(asked(rig, /drop$/)).toBe(0);
      if (isBefore) expect(rig.pbx.requests.filter(({ path }) => path.endsWith('/stream'))).toEqual([]);
    }
  });

  it('is taken once also when it rang before anybody was there', async () => {
    const calls: IncomingCall[] = [];
    const rig = await open({
      incoming: { mayTake: () => true, take: (call) => calls.push(call) },
      before: (pbx) => pbx.call({ to: pbx.routePoint, from: CALLER, callee: () => new Probe() }),
    });
    await until(() => calls.length > 0);
    rig.pbx.dropEvents();
    await until(() => !rig.exchange.isConnected);
    await until(() => rig.exchange.isConnected);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(calls).toHaveLength(1);
  });

  it('is not one of ours that 3CX shows before it has said which it is', async () => {
    const calls: IncomingCall[] = [];
    const probe = new Probe();
    const rig = await open({
      answer: () => answers(probe),
      incoming: { mayTake: () => true, take: (call) => calls.push(call) },
    });
    rig.pbx.faults.answers = [{ path: /makecall$/, how: { kind: 'late', afterMs: 200 } }];
    const call = dial(rig.carrier);
    await call.until('carrier.streamStarted');
    expect(calls).toEqual([]);
  });
});

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
    rig.pbx.faults.answers = lost(false);
    const call = dial(rig.carrier);
    await call.until('carrier.uncertain');
    call.line.inquire();
    await call.until('carrier.notFound');
  });

  it('is none that was there before, or that another line has', async () => {
    const rig = await open({ answer: () => NEVER });
    const other = dial(rig.carrier);
    await other.until('ringing');
    rig.pbx.faults.answers = lost(false);
    const call = dial(rig.carrier);
    await call.until('carrier.uncertain');
    call.line.inquire();
    await call.until('carrier.notFound');
    expect(rig.pbx.liveCalls).toBe(1);
  });

  it('is none that a process before us has left there', async () => {
    const rig = await open({ answer: () => NEVER });
    await rig.exchange.makeCall({ dn: rig.pbx.routePoint, destination: TO, timeoutSeconds: 20 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    rig.pbx.faults.answers = lost(false);
    const call = dial(rig.carrier);
    await call.until('carrier.uncertain');
    call.line.inquire();
    await call.until('carrier.notFound');
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

describe('the audio of a call', () => {
  it('stops at a clear: no more than 80 ms are heard after it', async () => {
    const { probe, call } = await talk();
    const long = noise(8 * 3_000, 3);
    call.line.play(Audio.fromBytes(long));
    await probe.until(() => voiced(probe.heardBytes()).byteLength >= 8 * 1_000);
    call.line.clear(2);
    const atClear = voiced(probe.heardBytes()).byteLength;
    const ticks = probe.heardBytes().byteLength;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const after = voiced(probe.heardBytes());
    expect((after.byteLength - atClear) / 8).toBeLessThanOrEqual(80);
    expect(after.equals(long.subarray(0, after.byteLength))).toBe(true);
    expect(probe.heardBytes().byteLength).toBeGreaterThan(ticks);
  });

  it('is asked for again for some seconds when it does not open, and the core is told when it stays away', async () => {
    const probe = new Probe();
    const rig = await open({ answer: () => answers(probe) });
    rig.pbx.faults.answers = [{ method: 'GET', path: /stream$/, times: 1_000, how: { kind: 'status', status: 424 } }];
    const call = dial(rig.carrier);
    const failedMs = performance.now();
    await call.until('carrier.streamFailed');
    expect(performance.now() - failedMs).toBeLessThan(5_000);
    expect(call.events).toContainEqual({ type: 'carrier.streamFailed', epoch: 1 });
    rig.pbx.faults.answers = [];
    await call.until('carrier.streamStarted');
    call.line.play(Audio.fromBytes(speech));
    await probe.until(() => probe.heardBytes().includes(speech));
  });

  it('is not opened a second time beside itself', async () => {
    const { rig, probe, call } = await talk();
    call.line.redirect({ plan: 'reattach' });
    call.line.play(Audio.fromBytes(speech));
    await probe.until(() => probe.heardBytes().includes(speech));
    expect(rig.pbx.requests.filter(({ path }) => path.endsWith('/stream'))).toHaveLength(2);
  });

  it('opens at the second try when 3CX is not ready for it at the first', async () => {
    const probe = new Probe();
    const rig = await open({ answer: () => answers(probe) });
    rig.pbx.faults.answers = [{ method: 'GET', path: /stream$/, times: 1, how: { kind: 'status', status: 422 } }];
    const call = dial(rig.carrier);
    await call.until('carrier.streamStarted');
    expect(call.told()).not.toContain('carrier.streamFailed');
  });

  it('ends with the call, also when nobody told of its end', async () => {
    const { rig, probe, call } = await talk();
    rig.pbx.faults.refuseEvents = { how: 'http-401', times: 50 };
    rig.pbx.dropEvents();
    await until(() => !rig.exchange.isConnected);
    probe.hangUp();
    await call.until('completed');
    expect(call.events).toContainEqual({ type: 'carrier.streamEnded', epoch: 1, how: 'stopped' });
  });

  it('goes on while the events are lost, and the answer of a call is heard of without them', async () => {
    const probes = [new Probe(), new Probe()];
    const rig = await open({
      answer: (to) =>
        answers(to === TO ? (probes[0] ?? new Probe()) : (probes[1] ?? new Probe()), to === TO ? 30 : 600),
    });
    const [first, second] = [dial(rig.carrier), dial(rig.carrier, '101')];
    await first.until('carrier.streamStarted');
    await second.until('ringing');
    rig.pbx.faults.refuseEvents = { how: 'http-401', times: 50 };
    rig.pbx.dropEvents();
    await second.until('carrier.streamStarted');
    expect(rig.exchange.isConnected).toBe(false);
    for (const [i, { line }] of [first, second].entries()) {
      line.play(Audio.fromBytes(speech));
      await probes[i]?.until(() => probes[i]?.heardBytes().includes(speech) ?? false);
    }
    expect(first.told()).not.toContain('carrier.streamEnded');
  });
});

describe('handing a call over', () => {
  /** What would take seconds takes tenths of them. */
  const hurried = {
    ...systemClock,
    setTimer: (fire: () => void, delayMs: number) =>
      systemClock.setTimer(fire, delayMs >= 5_000 ? delayMs / 20 : delayMs),
  };

  it('is done when the other has taken it, and our part ends without a hang-up', async () => {
    const colleague = new Probe();
    const probe = new Probe();
    const { rig, call } = await talk({ answer: (to) => answers(to === TO ? probe : colleague) });
    call.line.redirect({ plan: 'transfer', to: '101' });
    await call.until('carrier.redirected done');
    expect(call.told()).not.toContain('completed');
    call.line.release();
    probe.say(speech);
    await colleague.until(() => colleague.heardBytes().includes(speech));
    expect(rig.pbx.liveCalls).toBe(1);
    expect(asked(rig, /drop$/)).toBe(0);
  });

  it('is done also when 3CX has done it and did not answer', async () => {
    const { rig, call } = await talk({ answer: () => answers(new Probe(), 200) });
    rig.pbx.faults.answers = [{ path: /transferto$/, how: { kind: 'broken', applied: true } }];
    call.line.redirect({ plan: 'transfer', to: '101' });
    await call.until('carrier.redirected done');
    expect(call.told()).not.toContain('carrier.redirected failed');
    expect(asked(rig, /transferto$/)).toBe(1);
  });

  it('has failed when 3CX refuses it, and the call goes on', async () => {
    const { rig, probe, call } = await talk();
    rig.pbx.faults.answers = [{ path: /transferto$/, how: { kind: 'status', status: 422 } }];
    call.line.redirect({ plan: 'transfer', to: '101' });
    await call.until('carrier.redirected failed');
    call.line.play(Audio.fromBytes(speech));
    await probe.until(() => probe.heardBytes().includes(speech));
  });

  it('is not asked for when the digits may lead outside', async () => {
    const { rig, call } = await talk();
    call.line.redirect({ plan: 'transfer', to: '14155550199' });
    await call.until('carrier.redirected failed');
    expect(asked(rig, /transferto$/)).toBe(0);
  });

  it('has failed when whoever waited has hung up before the other took it', async () => {
    const { rig, probe, call } = await talk();
    call.line.redirect({ plan: 'transfer', to: '101' });
    await until(() => asked(rig, /transferto$/) === 1);
    probe.hangUp();
    await call.until('carrier.streamEnded');
    await until(() => call.told().some((one) => one.startsWith('carrier.redirected')));
    expect(call.told()).toContain('carrier.redirected failed');
    expect(call.told()).not.toContain('carrier.redirected done');
  });

  it('has failed when nobody takes it in time, and whoever waited is with us again', async () => {
    const probe = new Probe();
    const { rig, call } = await talk({
      answer: (to) => (to === TO ? answers(probe) : { kind: 'busy', ringMs: 50 }),
      clock: hurried,
    });
    call.line.redirect({ plan: 'transfer', to: '101' });
    await call.until('carrier.redirected failed');
    expect(rig.pbx.requests.find(({ path }) => path.endsWith('transferto'))?.body).toEqual({
      destination: '101',
      timeout: 25,
    });
    expect(call.told()).not.toContain('carrier.streamEnded');
    call.line.play(Audio.fromBytes(speech));
    await probe.until(() => probe.heardBytes().includes(speech));
  });

  it('has failed when the audio broke meanwhile as well, which is told then', async () => {
    const { rig, call } = await talk({ clock: hurried });
    call.line.redirect({ plan: 'transfer', to: '101' });
    await until(() => asked(rig, /transferto$/) === 1);
    rig.pbx.dropStreams();
    await call.until('carrier.streamEnded');
    expect(call.told().slice(-2)).toEqual(['carrier.redirected failed', 'carrier.streamEnded']);
    call.line.redirect({ plan: 'reattach' });
    await until(() => call.told().filter((one) => one === 'carrier.streamStarted').length === 2);
  });

  it('cannot be before anybody has answered', async () => {
    const rig = await open({ answer: () => NEVER });
    const call = dial(rig.carrier);
    await call.until('ringing');
    call.line.redirect({ plan: 'transfer', to: '101' });
    await call.until('carrier.redirected failed');
    expect(asked(rig, /transferto$/)).toBe(0);
  });
});

describe('a call that a dead process left behind', () => {
  it('is not taken for another one that has its participant now', async () => {
    const { rig, call } = await talk();
    const bound = call.events.find((event) => event.type === 'carrier.bound');
    const id = (bound?.type === 'carrier.bound' && bound.carrierCallId) || '';
    expect(id).toMatch(/^3cx-8000-\d+-\d+-14155550123$/);
    const [, , participant, callId] = id.split('-');
    for (const other of [
      `3cx-8000-${participant}-${Number(callId) + 90}-14155550123`,
      `3cx-8000-${Number(participant) + 90}-${callId}-14155550123`,
      'switchboard-1-2-3',
    ])
      expect(await rig.carrier.hangUpStranded(other)).toBe('gone');
    // Whoever was called may have forwarded it, so it is not said to be over, and it may be a stranger's, so it is left alone.
    expect(await rig.carrier.hangUpStranded(id.replace('14155550123', '14155550124'))).toBe('failed');
    expect(rig.pbx.liveCalls).toBe(1);
    expect(await rig.another().hangUpStranded(id)).toBe('done');
    await call.until('completed');
  });

  it('is not put down when it rang on and has been taken again since', async () => {
    const calls: IncomingCall[] = [];
    const rig = await open({ incoming: { mayTake: () => true, take: (call) => calls.push(call) } });
    rig.pbx.call({ to: rig.pbx.routePoint, from: CALLER, callee: () => new Probe() });
    await until(() => calls.length > 0);
    const call = follow(calls[0]?.carrier ?? rig.carrier);
    call.line.dial({ to: CALLER, ringMs: 20_000, maxMs: 60_000 });
    call.line.play(Audio.fromBytes(speech));
    await call.until('answered');
    expect(await rig.carrier.hangUpStranded(calls[0]?.uniqueId ?? '')).toBe('gone');
    expect(rig.pbx.liveCalls).toBe(1);
    expect(await rig.another().hangUpStranded(calls[0]?.uniqueId ?? '')).toBe('done');
  });

  it('is found by its name also where the route point has a name with a hyphen', () => {
    const name = carrierCallIdOf({ ...PARTICIPANT, dn: 'voice-agent' }, TO);
    expect(readCarrierCallId(name)).toMatchObject({ dn: 'voice-agent', participantId: 6 });
    expect(nameInLog(name)).toBe('3cx-voice-agent-6-2');
  });

  it('is left ringing when it came in and was not answered', async () => {
    const calls: IncomingCall[] = [];
    const rig = await open({ incoming: { mayTake: () => true, take: (call) => calls.push(call) } });
    rig.pbx.call({ to: rig.pbx.routePoint, from: CALLER, callee: () => new Probe() });
    await until(() => calls.length > 0);
    expect(await rig.another().hangUpStranded(calls[0]?.uniqueId ?? '')).toBe('gone');
    expect(rig.pbx.liveCalls).toBe(1);
  });

  it('is not on the list when it is one that somebody makes to us', async () => {
    const rig = await open();
    rig.pbx.call({ to: rig.pbx.routePoint, from: TO, callee: () => new Probe() });
    await until(() => rig.pbx.liveCalls === 1);
    expect(await rig.carrier.listCalls({ to: TO, fromMs: 0, untilMs: Date.now() })).toEqual([]);
  });
});

describe('the preflight', () => {
  it('says that the route point is not shown', async () => {
    const { exchange } = await open();
    const logger = { info: () => undefined, warn: () => undefined };
    const carrier = createThreeCxCarrier({
      exchange,
      routePoint: '8001',
      checkExtension: () => Promise.resolve(),
      clock: systemClock,
      logger,
    });
    await expect(carrier.preflight()).rejects.toMatchObject({ name: 'ConfigError', settings: ['PBX_CLIENT_ID'] });
  });

  it('is content with a 3CX that answers', async () => {
    const { carrier } = await open();
    await expect(carrier.preflight()).resolves.toBeUndefined();
  });
});

it('keeps the numbers of two calls apart that end alike only by chance', async () => {
  const rig = await open({ answer: () => NEVER });
  const call = place(rig.carrier);
  await call.until('carrier.bound');
  const list = (to: string) => rig.another().listCalls({ to, fromMs: 0, untilMs: Date.now() });
  await call.status('ringing');
  expect(await list('123')).toEqual([]);
  expect(await list('+14155550124')).toEqual([]);
  expect(await list('4155550123')).toHaveLength(1);
});
