import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallId } from '../../src/call/words.ts';
import type { Carrier } from '../../src/carriers/carrier.ts';
import { createTwilioCarrier } from '../../src/carriers/twilio/carrier.ts';
import { ConfigError } from '../../src/errors.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { startTwilioSimulator, type TwilioSimulator } from '../../src/simulator/twilio/account.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { NewCall, Store } from '../../src/store/store.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import type { Meter } from '../../src/switchboard/meter.ts';
import { createNews } from '../../src/switchboard/news.ts';
import { recover } from '../../src/switchboard/recovery.ts';
import { newCall } from '../fixtures/calls.ts';
import { parseExposition } from '../fixtures/exposition.ts';

const TO = '+14155550123';
const nothing = (): void => undefined;

describe('recovery', () => {
  let dataDir: string;
  let twilio: TwilioSimulator;
  let store: Store;
  const closing: (() => Promise<unknown> | undefined)[] = [];

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'switchboard-recovery-'));
    twilio = await startTwilioSimulator({ answer: () => ({ kind: 'never' }) });
    store = await open();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await twilio.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function open(): Promise<Store> {
    const opened = await openSqliteStore({ dataDir });
    closing.push(() => opened.close());
    return opened;
  }

  function newCarrier(): Carrier {
    const { accountSid, authToken, number, baseUrl: apiBaseUrl } = twilio;
    const publicUrl = 'http://127.0.0.1:9';
    const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    const account = { accountSid, authToken, number, apiBaseUrl, publicUrl };
    return createTwilioCarrier({ ...account, clock: systemClock, healthProof: String, logger });
  }

  /** Rings at the telephone company; the id is what a process would have written down. */
  function dial(carrier: Carrier = newCarrier()): Promise<string> {
    return new Promise((resolve) => {
      const emit = (event: { readonly type: string; readonly carrierCallId?: string | null }): void => {
        if (event.type === 'carrier.bound') resolve(event.carrierCallId ?? '');
      };
      carrier.line({ callId: 'any' as CallId, emit, hear: nothing }).dial({ to: TO, ringMs: 60_000, maxMs: 60_000 });
    });
  }

  /** A call of a process that is gone by the time this resolves. */
  async function leave(carrierCallId: string | null, more: Partial<NewCall> = {}): Promise<CallId> {
    const dead = await open();
    const call = newCall({ carrier: 'twilio', to: TO, createdAtMs: Date.now(), ...more });
    await dead.createCall(call);
    await dead.updateCall(call.callId, { state: 'ringing', ...(carrierCallId === null ? {} : { carrierCallId }) });
    await dead.close();
    return call.callId;
  }

  /** Looks after stranded calls as a process does, in a hurry. Returns the way to stop it, and what it put down. */
  function lookAfter(at: Store, carrier = () => Promise.resolve(newCarrier()), meter?: Meter) {
    const stopping = new AbortController();
    const putDown: unknown[] = [];
    let searches = 0;
    const counted = async (): Promise<Carrier> => {
      const ready = await carrier();
      const list = ready.listCalls.bind(ready);
      ready.listCalls = (query) => {
        searches += 1;
        return list(query);
      };
      return ready;
    };
    /** Resolves when what was listed has been judged so many times. */
    const judged = (times: number) => expect.poll(() => searches, { timeout: 5_000 }).toBeGreaterThan(times);
    const told: string[] = [];
    const warn = (fields: object, message: string): void => {
      if (message.includes('has been settled') && 'callId' in fields) putDown.push(fields.callId);
    };
    const news = createNews();
    news.listen(({ callId, kind }) => void told.push(`${kind} ${callId}`));
    const setTimer = (fire: () => void, delayMs: number) => systemClock.setTimer(fire, Math.min(delayMs, 30));
    const logger = { debug: nothing, info: nothing, warn, error: nothing };
    const clock = { ...systemClock, setTimer };
    const over = recover({
      store: at,
      clock,
      logger,
      meter,
      news,
      carriers: async () => [await counted()],
      stopping: stopping.signal,
    });
    const stop = (): Promise<void> => {
      stopping.abort();
      return over;
    };
    closing.unshift(stop);
    return { stop, putDown, told, judged };
  }

  const ended = async (callId: CallId) => {
    await expect.poll(async () => (await store.call(callId))?.state, { timeout: 5_000 }).toBe('ended');
    return store.call(callId);
  };
  const refuseHangUps = () => twilio.knobs.refuseUpdates.push(...Array.from({ length: 10_000 }, () => 500));
  const refusedHangUps = (atLeast: number) =>
    expect.poll(() => twilio.knobs.refuseUpdates.length, { timeout: 5_000 }).toBeLessThanOrEqual(10_000 - atLeast);
  const liveSids = () => twilio.calls.filter(({ isOver }) => !isOver).map(({ sid }) => sid);
  const seconds = (ago: number) => Date.now() - ago * 1_000;

  it('ends a call only when the line has been put down, and tells of both', async () => {
    refuseHangUps();
    const callId = await leave(await dial());
    const { told } = lookAfter(store);
    await refusedHangUps(3);
    expect(await store.call(callId)).toMatchObject({ state: 'ending', outcome: null, endedAtMs: null });
    twilio.knobs.refuseUpdates.length = 0;
    expect(await ended(callId)).toMatchObject({ outcome: 'error', reason: expect.stringMatching(/line was put down/) });
    expect(twilio.calls).toMatchObject([{ endedBy: 'rest' }]);
    expect(told).toEqual([`state ${callId}`, `ended ${callId}`]);
  });

  it('counts what became of it among the calls that have ended', async () => {
    const metrics = createMetrics({ simulated: true, processFigures: false });
    const bound = await leave(await dial());
    const unknown = await leave(null, { to: '+14155550199', createdAtMs: seconds(5 * 3_600) });
    lookAfter(store, undefined, metrics.meter);
    await ended(bound);
    await ended(unknown);
    const scrape = parseExposition(await metrics.text());
    metrics.close();
    expect(scrape.get('switchboard_calls_ended_total{outcome="error"}')).toBe(1);
    expect(scrape.get('switchboard_calls_ended_total{outcome="unknown"}')).toBe(1);
  });

  it('gives up on a call only when it must be over, whoever answers', async () => {
    refuseHangUps();
    const sid = await dial();
    const callId = await leave(sid, { createdAtMs: seconds(5 * 3_600) });
    lookAfter(store);
    expect(await ended(callId)).toMatchObject({
      outcome: 'unknown',
      reason: expect.stringMatching(/by now it is over\.$/),
    });
  });

  it('leaves a call to the next process when this one dies between the claim and the hang-up', async () => {
    refuseHangUps();
    const callId = await leave(await dial());
    const dying = await open();
    const { stop, putDown } = lookAfter(dying);
    await refusedHangUps(1);
    const other = lookAfter(store);
    await stop();
    expect(await store.call(callId)).toMatchObject({ state: 'ending', outcome: null });
    twilio.knobs.refuseUpdates.length = 0;
    await dying.close();
    expect(await ended(callId)).toMatchObject({ outcome: 'error' });
    expect([putDown, other.putDown]).toEqual([[], [callId]]);
    expect(liveSids()).toEqual([]);
  });

  it('shares the calls out when two processes look after them at once', async () => {
    const ids: CallId[] = [];
    for (let n = 0; n < 6; n += 1) ids.push(await leave(await dial()));
    const both = [lookAfter(store), lookAfter(await open())];
    for (const callId of ids) await ended(callId);
    await expect.poll(() => both.flatMap(({ putDown }) => putDown).length).toBe(6);
    expect(both.flatMap(({ putDown }) => putDown).sort()).toEqual(ids.sort());
  });

  it('takes up what a process leaves behind while this one is running', async () => {
    lookAfter(store);
    const callId = await leave(await dial());
    expect(await ended(callId)).toMatchObject({ outcome: 'error' });
    expect(liveSids()).toEqual([]);
  });

  it('says in the record that a line may still be up while settings are missing, and puts it down when they are there', async () => {
    const callId = await leave(await dial());
    let missing: ConfigError | null = new ConfigError('TWILIO_AUTH_TOKEN is not set.');
    lookAfter(store, () => (missing ? Promise.reject(missing) : Promise.resolve(newCarrier())));
    await expect.poll(async () => (await store.call(callId))?.state).toBe('ending');
    expect(await store.call(callId)).toMatchObject({
      outcome: null,
      reason: expect.stringMatching(/may still be up.*settings/),
    });
    expect(liveSids()).toHaveLength(1);
    missing = null;
    expect(await ended(callId)).toMatchObject({ outcome: 'error', reason: expect.stringMatching(/put down/) });
    expect(liveSids()).toEqual([]);
  });

  it('finds a call that was dialled before its id was written down, binds it and puts it down', async () => {
    const sid = await dial();
    twilio.knobs.refuseUpdates.push(500);
    const callId = await leave(null);
    lookAfter(store);
    expect(await ended(callId)).toMatchObject({
      carrierCallId: sid,
      outcome: 'error',
      reason: expect.stringMatching(/had been dialled; the line was put down/),
    });
    expect(twilio.calls).toMatchObject([{ endedBy: 'rest' }]);
  });

  it('says of one that it finds over that it had been dialled', async () => {
    await dial();
    twilio.calls[0]?.hangUp();
    const callId = await leave(null);
    lookAfter(store);
    expect(await ended(callId)).toMatchObject({
      outcome: 'error',
      reason: expect.stringMatching(/dialled, and was over/),
    });
  });

  it('does not give up at once on a call that the carrier does not list yet', async () => {
    const callId = await leave(null);
    const { judged } = lookAfter(store);
    await judged(2);
    const sid = await dial();
    expect(await ended(callId)).toMatchObject({ outcome: 'error', carrierCallId: sid });
    expect(liveSids()).toEqual([]);
  });

  it('says that it does not know when the carrier lists none after a while', async () => {
    const callId = await leave(null, { createdAtMs: seconds(20) });
    lookAfter(store);
    const reason = expect.stringMatching(/not known whether it was dialled.*Check before/);
    expect(await ended(callId)).toMatchObject({ outcome: 'unknown', carrierCallId: null, reason });
  });

  it('never touches a call to the same number that another call has, or is just getting', async () => {
    const [theirs, coming] = [newCall({ carrier: 'twilio', to: TO }), newCall({ carrier: 'twilio', to: TO })];
    for (const call of [theirs, coming]) await store.createCall({ ...call, createdAtMs: Date.now() });
    const [boundSid, comingSid] = [await dial(), await dial()];
    await store.updateCall(theirs.callId, { carrierCallId: boundSid });
    const callId = await leave(null, { createdAtMs: seconds(20) });
    const { judged } = lookAfter(await open());
    await judged(2);
    await store.updateCall(coming.callId, { carrierCallId: comingSid });
    expect(await ended(callId)).toMatchObject({ outcome: 'unknown' });
    expect(liveSids()).toEqual([boundSid, comingSid]);
  });

  it('touches none when there are more calls to the number than it has placed', async () => {
    const sids = [await dial(), await dial()];
    const callId = await leave(null, { createdAtMs: seconds(10) });
    const { judged } = lookAfter(store);
    await judged(2);
    expect(await store.call(callId)).toMatchObject({ state: 'ending', carrierCallId: null });
    expect(liveSids()).toEqual(sids);
    // Who is none of ours hangs up: now it is plain which one is meant.
    twilio.calls[0]?.hangUp();
    expect(await ended(callId)).toMatchObject({ outcome: 'error', carrierCallId: sids[1] });
    expect(liveSids()).toEqual([]);
  });

  it('puts down every one of several calls to one number that were being placed', async () => {
    await dial();
    await dial();
    const ids = [await leave(null), await leave(null)];
    lookAfter(store);
    const records = await Promise.all(ids.map(ended));
    expect(new Set(records.map((record) => record?.carrierCallId)).size).toBe(2);
    expect(liveSids()).toEqual([]);
  });
});
