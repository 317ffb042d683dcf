import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CallId } from '../../src/call/words.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { CallChange, Store } from '../../src/store/store.ts';
import { identifyDialled } from '../../src/switchboard/stranded.ts';
import { newCall } from '../fixtures/calls.ts';

const NOW_MS = 1_700_000_000_000;
let dataDir: string;
let mine: Store;
let theirs: Store;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'switchboard-identify-'));
  [mine, theirs] = [await openSqliteStore({ dataDir }), await openSqliteStore({ dataDir })];
});
afterEach(async () => {
  await Promise.all([mine.close(), theirs.close()]);
  rmSync(dataDir, { recursive: true, force: true });
});

async function place(store: Store, atMs: number, change: CallChange = {}): Promise<CallId> {
  const { callId } = await store.createCall(newCall({ createdAtMs: NOW_MS + atMs }));
  await store.updateCall(callId, { state: 'ringing', ...change });
  return callId;
}

const identify = (callId: CallId, atMs: number, ...carrierCallIds: string[]) =>
  identifyDialled(mine, { carrier: 'test', callId, to: '+14155550123', sinceMs: NOW_MS + atMs, carrierCallIds });

it('never takes a call that another process has for its own', async () => {
  const callId = await place(mine, 0);
  await place(theirs, 500, { carrierCallId: 'theirs' });
  expect(await identify(callId, 0, 'theirs')).toBe('none');
  expect(await identify(callId, 0, 'mine', 'theirs')).toEqual({ carrierCallId: 'mine' });
  // A stranger on the same account has called the number, too.
  expect(await identify(callId, 0, 'mine', 'strange')).toBe('unsure');
});

it('does not guess while another process may have dialled the same number, until there is one for each', async () => {
  const first = await place(theirs, 0);
  const second = await place(mine, 800);
  expect(await identify(second, 800, 'one')).toBe('unsure');
  expect(await identify(second, 800, 'one', 'two')).toEqual({ carrierCallId: 'two' });
  expect(await identify(first, 0, 'one', 'two')).toEqual({ carrierCallId: 'one' });
  await theirs.updateCall(first, { state: 'ended', outcome: 'refused' });
  expect(await identify(second, 800, 'one')).toEqual({ carrierCallId: 'one' });
});

it('remembers a call that was given up without an answer: it may still be on the line', async () => {
  await place(mine, 0, { state: 'ended', outcome: 'unknown' });
  const callId = await place(mine, 40_000);
  expect(await identify(callId, 40_000, 'one')).toBe('unsure');
});
