/** What the line makes of a call that is up: its audio, and how it is handed over. */
import { describe, expect, it } from 'vitest';
import { Audio } from '../../../src/media/audio.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { answers, noise, Probe, TO, voiced } from '../../contracts/carrier-probe.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { asked, dial, NEVER, open, speech, talk } from './line.ts';

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
