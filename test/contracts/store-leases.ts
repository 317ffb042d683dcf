/** The part of the store's contract that is about processes: who looks after which calls, and what becomes of them. */
import { expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { newCall } from '../fixtures/calls.ts';
import type { StoreUnderTest } from './store.ts';

/** Asks by trying; what was created for it is ended at once. */
async function hasRoomFor(store: Store, live: number): Promise<boolean> {
  const { status, callId } = await store.createCall(newCall(), { live, recent: 1000, recentSinceMs: 0 });
  if (status === 'created') await store.updateCall(callId, { state: 'ended' });
  return status === 'created';
}

const claim = (store: Store) => store.claimStranded('test', 'Claimed.');

export function leaseContract(store: () => Store, open: StoreUnderTest['open']): void {
  it('gives the calls of a dead lease to one process, which ends them, and leaves live ones alone', async () => {
    let nowMs = 1_000_000;
    const sleeper = await open({ clock: () => 0 });
    const clock = (): number => nowMs;
    const mine = await open({ clock, leaseTtlMs: 30_000 });
    const other = await open({ clock, leaseTtlMs: 30_000 });
    for (const ms of [20_000, 20_000]) {
      nowMs += ms;
      await Promise.all([mine.heartbeat(), other.heartbeat()]);
    }
    const lost = await sleeper.createCall(newCall());
    await sleeper.updateCall(lost.callId, { state: 'answered', carrierCallId: 'theirs' });
    const over = await sleeper.createCall(newCall());
    await sleeper.updateCall(over.callId, { state: 'ended', outcome: 'completed' });
    const live = await mine.createCall(newCall());
    expect(await hasRoomFor(other, 2)).toBe(true);
    expect(await hasRoomFor(other, 1)).toBe(false);
    const taken = [...(await claim(other)), ...(await claim(mine)), ...(await claim(other))];
    expect(taken).toEqual([
      { callId: lost.callId, carrierCallId: 'theirs', to: '+14155550123', createdAtMs: 1_700_000_000_000 },
    ]);
    expect(await mine.call(lost.callId)).toMatchObject({ state: 'ending', outcome: null, reason: 'Claimed.' });
    const end = { outcome: 'error', reason: 'Put down.' } as const;
    expect([await mine.endStranded(lost.callId, end), await other.endStranded(lost.callId, end)]).toEqual([
      false,
      true,
    ]);
    expect(await other.endStranded(lost.callId, { ...end, outcome: 'unknown' })).toBe(false);
    expect(await mine.call(lost.callId)).toMatchObject({ ...end, state: 'ended', endedAtMs: nowMs });
    expect(await mine.call(over.callId)).toMatchObject({ outcome: 'completed' });
    expect(await mine.call(live.callId)).toMatchObject({ state: 'queued' });

    nowMs += 20_000;
    await mine.heartbeat();
    nowMs += 20_000;
    expect(await claim(other)).toEqual([]);
  });

  it('gives a claimed call to the next process when the one that claimed it is gone before it ended it', async () => {
    const leaver = await open();
    const { callId } = await leaver.createCall(newCall());
    await leaver.close();
    const first = await open();
    expect(await claim(first)).toMatchObject([{ callId }]);
    expect(await claim(store())).toEqual([]);
    await first.close();
    expect(await claim(store())).toMatchObject([{ callId, carrierCallId: null }]);
    expect(await claim(store())).toEqual([]);
    expect(await store().call(callId)).toMatchObject({ state: 'ending' });
  });

  it('gives calls of its own carrier only, and writes on the others why they are not put down', async () => {
    const leaver = await open();
    const { callId } = await leaver.createCall(newCall());
    await leaver.close();
    expect(await store().claimStranded('another', 'Claimed.')).toEqual([]);
    expect(await store().markStranded('Waits.')).toEqual([callId]);
    expect(await store().markStranded('Waits.')).toEqual([]);
    expect(await store().call(callId)).toMatchObject({ state: 'ending', reason: 'Waits.', outcome: null });
    expect(await claim(store())).toMatchObject([{ callId }]);
    expect(await store().markStranded('Waits.')).toEqual([]);
  });

  it('takes nobody for dead by the time alone when it has slept itself', async () => {
    let nowMs = 1_000_000;
    const clock = (): number => nowMs;
    const [living, looker] = [await open({ clock, leaseTtlMs: 30_000 }), await open({ clock, leaseTtlMs: 30_000 })];
    const { callId } = await living.createCall(newCall());
    nowMs += 60_000;
    // Its own heartbeat may come first, and that of the other some seconds later.
    await looker.heartbeat();
    nowMs += 1_000;
    expect(await claim(looker)).toEqual([]);
    nowMs += 60_000;
    expect(await claim(looker)).toEqual([]);
    nowMs += 20_000;
    await looker.heartbeat();
    nowMs += 20_000;
    expect(await claim(looker)).toMatchObject([{ callId }]);
  });

  it('takes nobody for dead by the time alone before it has watched for a lease time itself', async () => {
    let nowMs = 1_000_000;
    const clock = (): number => nowMs;
    const living = await open({ clock, leaseTtlMs: 30_000 });
    const { callId } = await living.createCall(newCall());
    // The machine slept, or its clock jumped, and a new process is faster than the next heartbeat of the old one.
    nowMs += 60_000;
    const newcomer = await open({ clock, leaseTtlMs: 30_000 });
    expect(await hasRoomFor(newcomer, 1)).toBe(false);
    expect(await claim(newcomer)).toEqual([]);
    nowMs += 20_000;
    expect(await claim(newcomer)).toEqual([]);
    nowMs += 20_000;
    expect(await claim(newcomer)).toMatchObject([{ callId }]);
  });

  it('finds the calls to a number in their time', async () => {
    const times = [1_000, 3_000, 2_000, 9_000];
    const ids = [];
    for (const createdAtMs of times) ids.push((await store().createCall(newCall({ createdAtMs }))).callId);
    await store().createCall(newCall({ createdAtMs: 2_000, to: '+14155550124' }));
    const query = { carrier: 'test', to: '+14155550123', fromMs: 1_000, untilMs: 3_000 };
    expect((await store().callsTo(query)).map(({ callId }) => callId)).toEqual([ids[0], ids[2], ids[1]]);
    expect(await store().callsTo({ ...query, carrier: 'another' })).toEqual([]);
  });

  it('gives the calls that a closed store left open', async () => {
    const leaver = await open();
    const { callId } = await leaver.createCall(newCall());
    expect(await hasRoomFor(store(), 1)).toBe(false);
    await leaver.close();
    expect(await hasRoomFor(store(), 1)).toBe(true);
    expect((await claim(store())).map((call) => call.callId)).toEqual([callId]);
  });

  it('counts a process that was taken for dead as alive again with its next call', async () => {
    let nowMs = 1_000_000;
    const clock = (): number => nowMs;
    const sleeper = await open({ clock, leaseTtlMs: 30_000 });
    const looker = await open({ clock, leaseTtlMs: 30_000 });
    await sleeper.createCall(newCall());
    for (const ms of [20_000, 20_000]) {
      nowMs += ms;
      await looker.heartbeat();
    }
    const [stranded] = await claim(looker);
    expect(stranded).toBeDefined();
    if (stranded) await looker.endStranded(stranded.callId, { outcome: 'error', reason: 'Put down.' });
    await sleeper.createCall(newCall());
    expect(await hasRoomFor(looker, 1)).toBe(false);
    expect(await claim(looker)).toEqual([]);
  });
}
