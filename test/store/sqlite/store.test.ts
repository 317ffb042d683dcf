import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { CallId } from '../../../src/call/words.ts';
import { openSqliteStore } from '../../../src/store/sqlite/store.ts';
import { storeContract } from '../../contracts/store.ts';
import { newCall } from '../../fixtures/calls.ts';

storeContract('SQLite', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-store-'));
  return {
    open: (options = {}) => openSqliteStore({ dataDir, ...options }),
    dispose: async () => rmSync(dataDir, { recursive: true, force: true }),
  };
});

it('tells of a disk that is full, so that readiness can', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-store-'));
  const pages = new Int32Array(new SharedArrayBuffer(4));
  const store = await openSqliteStore({ dataDir, pages });
  onTestFinished(async () => {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  await expect(store.updateCall('nobody' as CallId, { state: 'ringing' })).rejects.toThrow();
  expect(store.trouble()).toBeNull();
  Atomics.store(pages, 0, 1);
  await expect(store.createCall(newCall({ context: 'x'.repeat(100_000) }))).rejects.toThrow(/disk|full|space/i);
  expect(store.trouble()).toMatch(/^[A-Z].*\.$/);
});
