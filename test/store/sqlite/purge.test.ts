import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallId } from '../../../src/call/words.ts';
import { calls as firstSchema } from '../../../src/store/sqlite/migrations/0001-calls.ts';
import { openSqliteStore } from '../../../src/store/sqlite/store.ts';
import type { Store } from '../../../src/store/store.ts';
import { newCall, newLine } from '../../fixtures/calls.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 1_800_000_000_000;
const TIMES = { nowMs: NOW_MS, keepKeysUntilMs: NOW_MS + 365 * DAY_MS };
/** Words that stand nowhere else. */
const SECRET = 'Zyzzogeton';

describe('what is purged', () => {
  let dataDir: string;
  const stores: Store[] = [];
  const open = async (): Promise<Store> => {
    const store = await openSqliteStore({ dataDir });
    stores.push(store);
    return store;
  };

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'switchboard-purge-'));
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** A call in which those words were said, meant, noted and reported. */
  async function spoken(store: Store, words: string, endedAtMs: number | null): Promise<CallId> {
    const call = newCall({ context: `Ask for ${words}.`, idempotencyKey: `key of ${words}` });
    const { callId } = call;
    await store.createCall(call);
    const text = `Is ${words} there? `.repeat(40);
    for (let index = 0; index < 30; index += 1)
      await store.putLine(callId, newLine(index, { text: `${index} ${text}`, planned: `${text} Goodbye.` }));
    // Also words that were replaced by others.
    await store.putLine(callId, newLine(0, { text: 'Hello?' }));
    await store.addNote(callId, { atMs: 1, kind: 'interrupted', data: { heard: words } });
    const path = { kind: 'local', name: `${callId}.wav`, url: null, channels: 2, bytes: 1, durationMs: 1 } as const;
    await store.putRecording({ callId, ...path, state: 'complete', reason: words, startedAtMs: 1 });
    if (endedAtMs !== null)
      await store.updateCall(callId, { state: 'ended', outcome: 'completed', reason: words, result: words, endedAtMs });
    return callId;
  }

  function filesWith(words: string): readonly string[] {
    // The index of words keeps them in lower case.
    const needles = [words, words.toLowerCase()];
    return readdirSync(dataDir).filter((name) => {
      const bytes = readFileSync(join(dataDir, name)).toString('latin1');
      return needles.some((needle) => bytes.includes(needle));
    });
  }

  it('stands in no file of the store any more, while another process has it open, and its space is given back', async () => {
    const store = await open();
    const other = await open();
    const callId = await spoken(store, SECRET, NOW_MS - 40 * DAY_MS);
    const kept = await spoken(store, 'Quagga', NOW_MS - DAY_MS);
    expect(filesWith(SECRET)).not.toEqual([]);
    expect(await other.search({ text: SECRET, limit: 5, offset: 0 })).not.toEqual([]);
    await store.scrub();
    const before = statSync(join(dataDir, 'switchboard.sqlite')).size;

    expect(await store.purgeable({ endedBeforeMs: NOW_MS - 30 * DAY_MS, limit: 10 })).toEqual([callId]);
    expect(await store.purgeCalls([callId], TIMES)).toEqual([callId]);
    expect(await store.scrub()).toBe(true);

    expect(filesWith(SECRET)).toEqual([]);
    expect(filesWith(callId)).not.toEqual([]);
    expect(statSync(join(dataDir, 'switchboard.sqlite')).size).toBeLessThan(before);
    expect(await other.call(callId)).toBeNull();
    expect(await other.search({ text: SECRET, limit: 5, offset: 0 })).toEqual([]);
    expect(await store.recordings({ limit: 10 })).toMatchObject([{ callId: kept }]);
    expect(await other.search({ text: 'Quagga', limit: 100, offset: 0 })).toHaveLength(29);
  });

  it('stands in no file either when the store was made before there was a purge', async () => {
    const old = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
    old.exec('PRAGMA journal_mode = WAL');
    old.exec(`${firstSchema}; PRAGMA user_version = 1`);
    old.close();
    const store = await open();
    const callId = await spoken(store, SECRET, NOW_MS - 40 * DAY_MS);
    await spoken(store, 'Quagga', NOW_MS - DAY_MS);
    expect(await store.purgeCalls([callId], TIMES)).toEqual([callId]);
    expect(await store.scrub()).toBe(true);
    expect(filesWith(SECRET)).toEqual([]);
    expect(await store.search({ text: 'Quagga', limit: 100, offset: 0 })).toHaveLength(29);
  });

  it('is never a call that has not ended', async () => {
    const store = await open();
    const live = await spoken(store, SECRET, null);
    expect(await store.purgeable({ endedBeforeMs: NOW_MS + DAY_MS, limit: 10 })).toEqual([]);
    expect(await store.purgeCalls([live, 'no-such-call' as CallId], TIMES)).toEqual([]);
    expect(await store.lines(live, { from: 0, limit: 100 })).toHaveLength(30);
  });

  it('is not dialled again by its key until a year is over, although the key itself is gone', async () => {
    const store = await open();
    const callId = await spoken(store, SECRET, NOW_MS - DAY_MS);
    const key = `key of ${SECRET}`;
    await store.purgeCalls([callId], TIMES);
    await store.scrub();
    expect(filesWith(key)).toEqual([]);
    expect(await store.placedUnder(key, 'any')).toEqual({ status: 'purged', callId });
    expect(await store.createCall(newCall({ idempotencyKey: key }))).toEqual({ status: 'purged', callId });
    await store.purgeCalls([], { nowMs: NOW_MS + 366 * DAY_MS, keepKeysUntilMs: 0 });
    expect(await store.placedUnder(key, 'any')).toBeNull();
  });
});

describe('the recordings of a call', () => {
  it('are kept with their latest state, which never goes back to the beginning', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-recordings-'));
    const store = await openSqliteStore({ dataDir });
    try {
      const call = newCall();
      const { callId } = call;
      await store.createCall(call);
      const begun = {
        callId,
        kind: 'carrier',
        name: `RE${'0'.repeat(32)}`,
        url: null,
        channels: 2,
        bytes: null,
        durationMs: null,
        state: 'recording',
        reason: null,
        startedAtMs: 5,
      } as const;
      const done = { ...begun, state: 'complete', durationMs: 7_000, url: 'https://api.example.com/x' } as const;
      await store.putRecording(begun);
      expect(await store.recordings({ goingOn: true, limit: 5 })).toEqual([begun]);
      await store.putRecording(done);
      await store.putRecording(begun);
      expect(await store.recordings({ callId, limit: 5 })).toEqual([done]);
      expect(await store.recordings({ goingOn: true, limit: 5 })).toEqual([]);
      await expect(store.putRecording({ ...begun, callId: 'nobody' as CallId })).rejects.toMatchObject({
        code: 'unknown-call',
      });
    } finally {
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
