/** What every carrier does, whatever its protocol: one suite, run on each of them with a simulated telephone network behind it. */
import { afterEach, describe, expect, it } from 'vitest';
import type { LineStatus } from '../../src/call/events.ts';
import type { Carrier } from '../../src/carriers/carrier.ts';
import { Audio } from '../../src/media/audio.ts';
import { bytesOfMs, FRAME_BYTES, msOfBytes } from '../../src/media/mulaw.ts';
import type { Answer } from '../../src/simulator/callee/callee.ts';
import { answers, noise, type Placed, Probe, place, TO, voiced } from './carrier-probe.ts';

export interface CarrierWorld {
  readonly carrier: Carrier;
  /** Breaks the media connections without a word, as a network does. */
  dropStreams(): void;
  /** A carrier with the same account, of a process that was started later. */
  successor(): Carrier;
  /** Calls that the telephone network still has up. */
  liveCalls(): number;
  stop(): Promise<void>;
}

export interface CarrierHarness {
  readonly name: string;
  /** How much audio the network's playback buffer takes when nothing else is said. */
  readonly networkCapMs: number;
  /** The network's buffer is as it is; what is beyond it is thrown away all the same. */
  readonly isCapFixed?: boolean;
  /** How much later than the network says a telephone may have heard a sound, by the timers of both; 20 where absent. */
  readonly playoutMs?: number;
  /** The network forgets calls that are over. */
  readonly forgetsCalls?: boolean;
  /** The network does not say why a call was not taken: a busy line is one that failed. */
  readonly tellsNoReason?: boolean;
  /** The network does not say since when a call has been there: it is no later than when it was seen first. */
  readonly tellsNoTimes?: boolean;
  /** `capMs` makes the network's buffer smaller, so that a test need not play for minutes. */
  open(options: { readonly answer: (to: string) => Answer; readonly capMs?: number }): Promise<CarrierWorld>;
}

const RANK: readonly LineStatus[] = ['queued', 'dialling', 'ringing', 'answered', 'completed'];

export function describeCarrier(harness: CarrierHarness): void {
  describe(`the ${harness.name} carrier keeps the contract of the port:`, () => {
    const worlds: CarrierWorld[] = [];
    afterEach(async () => {
      await Promise.all(worlds.splice(0).map((world) => world.stop()));
    });
    const open = async (answer: (to: string) => Answer, capMs?: number): Promise<CarrierWorld> => {
      const world = await harness.open({ answer, ...(capMs === undefined ? {} : { capMs }) });
      worlds.push(world);
      return world;
    };
    /** A call that is answered by a probe, up to its stream. */
    const talk = async (capMs?: number) => {
      const probe = new Probe();
      const world = await open(() => answers(probe), capMs);
      const call = place(world.carrier);
      await call.until('carrier.streamStarted');
      return { world, probe, call };
    };
    placing(harness, open, talk);
    audio(harness, open, talk);
    ending(harness, open, talk);
  });
}

type Open = (answer: (to: string) => Answer, capMs?: number) => Promise<CarrierWorld>;
type Talk = (capMs?: number) => Promise<{ readonly world: CarrierWorld; readonly probe: Probe; readonly call: Placed }>;

function placing(harness: CarrierHarness, open: Open, talk: Talk): void {
  it('binds the call once, follows it from ringing to answered, and starts its stream', async () => {
    const { call } = await talk();
    await call.status('answered');
    expect(call.events.filter(({ type }) => type === 'carrier.bound')).toHaveLength(1);
    expect(call.events.filter(({ type }) => type === 'carrier.streamStarted')).toEqual([
      { type: 'carrier.streamStarted', epoch: 1 },
    ]);
    const statuses = call.events.flatMap((event) =>
      event.type === 'carrier.progressed' ? [RANK.indexOf(event.status)] : [],
    );
    expect(statuses).toContain(RANK.indexOf('ringing'));
    expect(call.events.findIndex(({ type }) => type === 'carrier.bound')).toBeLessThan(
      call.events.findIndex(({ type }) => type === 'carrier.progressed'),
    );
  });

  it('never places a second call for one line', async () => {
    const { world, call } = await talk();
    call.line.dial({ to: TO, ringMs: 5_000, maxMs: 60_000 });
    await call.heardMore(5);
    expect(world.liveCalls()).toBe(1);
  });

  it.each<[Answer, LineStatus]>([
    [{ kind: 'busy', ringMs: 20 }, 'busy'],
    [{ kind: 'fails', ringMs: 20 }, 'failed'],
    [{ kind: 'never' }, 'no-answer'],
  ])('says how a call ended that nobody took: $kind', async (answer, status) => {
    const { carrier } = await open(() => answer);
    const call = place(carrier, 1_000);
    await call.status(harness.tellsNoReason && status === 'busy' ? 'failed' : status);
    expect(call.events.some(({ type }) => type === 'carrier.streamStarted')).toBe(false);
  });
}

function audio(harness: CarrierHarness, open: Open, talk: Talk): void {
  it('brings what the callee says, whole and in order', async () => {
    const { probe, call } = await talk();
    const speech = noise(30 * FRAME_BYTES, 1);
    probe.say(speech);
    await call.heard((bytes) => voiced(bytes).byteLength >= speech.byteLength);
    expect(voiced(call.bytes()).equals(speech)).toBe(true);
    const times = call.mediaTimes;
    expect(times.every((ms, i) => i === 0 || ms > (times[i - 1] ?? 0))).toBe(true);
  });

  it('plays what it is given, whole and in order, in pieces of any size', async () => {
    const { probe, call } = await talk();
    const speech = noise(40 * FRAME_BYTES, 2);
    const sizes = [1, 159, 160, 161, 333, 1_600];
    for (let at = 0, i = 0; at < speech.byteLength; i += 1) {
      const end = Math.min(at + (sizes[i % sizes.length] ?? 1), speech.byteLength);
      const piece = speech.subarray(at, end);
      call.line.play(i % 2 === 0 ? Audio.fromBytes(piece) : Audio.fromBase64(piece.toString('base64')));
      at = end;
    }
    await probe.until(() => voiced(probe.heardBytes()).byteLength >= speech.byteLength);
    expect(voiced(probe.heardBytes()).equals(speech)).toBe(true);
  });

  it('echoes a mark when what came before it has been played, and at once when nothing waits', async () => {
    const { probe, call } = await talk();
    call.line.mark(1, 1);
    await call.until('carrier.markEchoed', 1);
    call.line.play(Audio.fromBytes(noise(bytesOfMs(300), 3)));
    call.line.mark(1, 2);
    call.line.play(Audio.fromBytes(noise(bytesOfMs(200), 4)));
    call.line.mark(1, 3);
    for (const [count, ms] of [
      [2, 300],
      [3, 500],
    ] as const) {
      await call.until('carrier.markEchoed', count);
      expect(msOfBytes(voiced(probe.heardBytes()).byteLength)).toBeGreaterThanOrEqual(ms - (harness.playoutMs ?? 20));
    }
    expect(call.marks()).toEqual(['1:1', '1:2', '1:3']);
  });

  it('forgets at a clear what has not been played, treats pending marks as its traits say, and plays on', async () => {
    const { world, probe, call } = await talk();
    call.line.play(Audio.fromBytes(noise(bytesOfMs(3_000), 5)));
    call.line.mark(1, 1);
    await probe.until(() => voiced(probe.heardBytes()).byteLength > 0);
    call.line.clear(2);
    const after = noise(bytesOfMs(200), 6);
    call.line.play(Audio.fromBytes(after));
    call.line.mark(2, 2);
    await call.mark('2:2');
    await probe.until(() => probe.heardBytes().includes(after));
    expect(msOfBytes(voiced(probe.heardBytes()).byteLength)).toBeLessThan(2_500);
    expect(call.marks()).toEqual(world.carrier.traits.clearEchoesMarks ? ['1:1', '2:2'] : ['2:2']);
  });

  it('promises no more look-ahead than its network has, which throws away what is beyond', async () => {
    if (harness.isCapFixed) {
      const { carrier } = await open(() => ({ kind: 'never' }));
      expect(carrier.traits.lookAheadMs).toBeLessThanOrEqual(harness.networkCapMs);
      return;
    }
    const { world, probe, call } = await talk(400);
    expect(world.carrier.traits.lookAheadMs).toBeLessThanOrEqual(harness.networkCapMs);
    const speech = noise(bytesOfMs(1_600), 7);
    for (let at = 0; at < speech.byteLength; at += bytesOfMs(100))
      call.line.play(Audio.fromBytes(speech.subarray(at, at + bytesOfMs(100))));
    call.line.mark(1, 1);
    await call.mark('1:1');
    await probe.until(() => voiced(probe.heardBytes()).byteLength >= bytesOfMs(400));
    const heard = voiced(probe.heardBytes());
    expect(msOfBytes(heard.byteLength)).toBeLessThan(1_000);
    expect(heard.subarray(0, bytesOfMs(400)).equals(speech.subarray(0, bytesOfMs(400)))).toBe(true);
  });

  it('tells of the digits that the callee presses', async () => {
    const { probe, call } = await talk();
    probe.press('5');
    expect(await call.until('carrier.digitPressed')).toMatchObject({ digit: '5' });
  });

  it('keeps two calls apart', async () => {
    const probes = [new Probe(), new Probe()];
    let answered = 0;
    const world = await open(() => {
      const probe = probes[answered % 2] ?? new Probe();
      answered += 1;
      return answers(probe);
    });
    const [one, two] = [place(world.carrier), place(world.carrier)];
    await Promise.all([one, two].map((call) => call.until('carrier.streamStarted')));
    const speeches = [noise(10 * FRAME_BYTES, 8), noise(10 * FRAME_BYTES, 9)] as const;
    const replies = [noise(10 * FRAME_BYTES, 10), noise(10 * FRAME_BYTES, 11)] as const;
    for (const [i, call] of [one, two].entries()) call.line.play(Audio.fromBytes(speeches[i] ?? replies[0]));
    for (const [i, probe] of probes.entries()) {
      await probe.until(() => voiced(probe.heardBytes()).byteLength >= speeches[0].byteLength);
      probe.say(replies[i] ?? speeches[0]);
    }
    for (const call of [one, two]) await call.heard((bytes) => voiced(bytes).byteLength >= replies[0].byteLength);
    // Which of the two the network took first is its own affair; what matters is that nothing is mixed.
    const crossed = probes[0]?.heardBytes().includes(speeches[0]) ? 0 : 1;
    for (const [i, call] of [one, two].entries()) {
      const other = (i + crossed) % 2;
      expect(voiced(probes[other]?.heardBytes() ?? Buffer.alloc(0)).equals(speeches[i] ?? Buffer.alloc(0))).toBe(true);
      expect(voiced(call.bytes()).equals(replies[other] ?? Buffer.alloc(0))).toBe(true);
    }
    one.line.hangUp();
    await one.until('carrier.streamEnded');
    await two.heardMore(3);
    expect(two.events.some(({ type }) => type === 'carrier.streamEnded')).toBe(false);
  });
}

function ending(harness: CarrierHarness, open: Open, talk: Talk): void {
  it('hangs up, and takes being asked again', async () => {
    const { world, call } = await talk();
    call.line.hangUp();
    call.line.hangUp();
    await call.until('carrier.hungUp');
    await call.status('completed');
    expect(await call.until('carrier.streamEnded')).toMatchObject({ epoch: 1 });
    const before = call.events.filter(({ type }) => type === 'carrier.hungUp').length;
    call.line.hangUp();
    await call.until('carrier.hungUp', before + 1);
    const outcomes = call.events.flatMap((event) => (event.type === 'carrier.hungUp' ? [event.outcome] : []));
    expect(outcomes).not.toContain('failed');
    expect(outcomes.at(-1)).toBe('gone');
    await noneLeft(world);
  });

  it('hangs up as soon as the call is bound when it is asked before', async () => {
    const world = await open(() => answers(new Probe(), 2_000));
    const call = place(world.carrier);
    call.line.hangUp();
    expect((await call.until('carrier.hungUp')).outcome).not.toBe('failed');
    expect(call.events[0]?.type).toBe('carrier.bound');
    expect(call.events.some(({ type }) => type === 'carrier.streamStarted')).toBe(false);
    await noneLeft(world);
  });

  it('ends stream and call, each once, when the callee hangs up', async () => {
    const { probe, call } = await talk();
    probe.hangUp();
    await call.until('carrier.streamEnded');
    await call.status('completed');
    expect(call.events.filter(({ type }) => type === 'carrier.streamEnded')).toHaveLength(1);
  });

  it('tells of a stream that breaks, and attaches it again where its traits say so', async () => {
    const { world, probe, call } = await talk();
    call.onEnded = (line) => line.redirect({ plan: 'reattach' });
    world.dropStreams();
    expect(await call.until('carrier.streamEnded')).toEqual({ type: 'carrier.streamEnded', epoch: 1, how: 'dropped' });
    if (!world.carrier.traits.canReattach) {
      await call.status('completed');
      return;
    }
    expect(await call.until('carrier.streamStarted', 2)).toEqual({ type: 'carrier.streamStarted', epoch: 2 });
    const speech = noise(10 * FRAME_BYTES, 9);
    call.line.play(Audio.fromBytes(speech));
    await probe.until(() => probe.heardBytes().includes(speech));
  });

  it('says a sentence by itself where its traits say so, and says when it cannot', async () => {
    const { world, call } = await talk();
    call.line.redirect({ plan: 'say', text: 'We are sorry, the call has to end.', language: 'en' });
    const { outcome } = await call.until('carrier.redirected');
    expect(outcome).toBe(world.carrier.traits.canSay ? 'done' : 'failed');
    if (outcome === 'done') await call.status('completed');
  });

  it('says nothing more after release', async () => {
    const { probe, call } = await talk();
    const sounds = call.mediaTimes.length;
    const count = call.events.length;
    call.line.release();
    probe.say(noise(5 * FRAME_BYTES, 10));
    for (const ask of [
      () => call.line.mark(1, 1),
      () => call.line.clear(1),
      () => call.line.hangUp(),
      () => call.line.inquire(),
      () => call.line.redirect({ plan: 'say', text: 'x', language: 'en' }),
    ])
      ask();
    call.line.play(Audio.fromBytes(noise(FRAME_BYTES, 11)));
    // Long enough for whatever was under way to come back over loopback.
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([call.events.length, call.mediaTimes.length]).toEqual([count, sounds]);
  });

  it('ends a call that a dead process left behind, once', async () => {
    const { world, call } = await talk();
    const bound = await call.until('carrier.bound');
    const carrierCallId = bound.carrierCallId ?? '';
    expect(await world.carrier.hangUpStranded(carrierCallId)).toBe('done');
    expect(await world.carrier.hangUpStranded(carrierCallId)).toBe('gone');
    await noneLeft(world);
  });

  it('lists the calls to a number in their time, those that it holds itself left out', async () => {
    const fromMs = Date.now();
    const { world, call } = await talk();
    const carrierCallId = (await call.until('carrier.bound')).carrierCallId ?? '';
    const list = (carrier: Carrier, more: { to?: string; fromMs?: number; untilMs?: number } = {}) =>
      carrier.listCalls({ to: TO, fromMs, untilMs: Date.now() + 1_000, ...more });
    expect(await list(world.carrier)).toEqual([]);
    const next = world.successor();
    expect(await list(next)).toEqual([{ carrierCallId, isLive: true }]);
    expect(await list(next, { to: '+14155550199' })).toEqual([]);
    expect(await list(next, { fromMs: fromMs + 60_000, untilMs: fromMs + 90_000 })).toEqual([]);
    const earlier = await list(next, { fromMs: fromMs - 90_000, untilMs: fromMs - 60_000 });
    expect(earlier).toEqual(harness.tellsNoTimes ? [{ carrierCallId, isLive: true }] : []);
    expect(await next.hangUpStranded(carrierCallId)).toBe('done');
    expect(await list(next)).toEqual(harness.forgetsCalls ? [] : [{ carrierCallId, isLive: false }]);
    await call.status('completed');
  });

  it('says so when the network does not tell which calls there are', async () => {
    const world = await open(() => ({ kind: 'never' }));
    const next = world.successor();
    await world.stop();
    expect(await next.listCalls({ to: TO, fromMs: 0, untilMs: Date.now() })).toBe('failed');
  });
}

/** The news of it may be some moments on its way to the telephone. */
async function noneLeft(world: CarrierWorld): Promise<void> {
  await expect.poll(() => world.liveCalls(), { interval: 5, timeout: 1_000 }).toBe(0);
}
