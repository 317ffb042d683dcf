/** What the carrier does beside its lines: calls that were left behind, its list, and the preflight. */
import { describe, expect, it } from 'vitest';
import { createThreeCxCarrier, type IncomingCall } from '../../../src/carriers/threecx/carrier.ts';
import { carrierCallIdOf, nameInLog, readCarrierCallId } from '../../../src/carriers/threecx/names.ts';
import { Audio } from '../../../src/media/audio.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { Probe, place, TO } from '../../contracts/carrier-probe.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { CALLER, follow, NEVER, open, speech, talk } from './line.ts';

const PARTICIPANT = { id: 6, dn: '8000', status: 'Connected', callId: 2, partyNumber: TO, partyDid: null };

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
