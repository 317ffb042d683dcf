/** What the line makes of a call that somebody makes to the route point. */
import { describe, expect, it } from 'vitest';
import type { IncomingCall } from '../../../src/carriers/threecx/carrier.ts';
import { Audio } from '../../../src/media/audio.ts';
import { answers, Probe, voiced } from '../../contracts/carrier-probe.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { asked, CALLER, dial, follow, open, speech } from './line.ts';

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
