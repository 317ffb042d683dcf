import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import { createScribe } from '../../src/switchboard/scribe.ts';
import { newCall, newLine } from '../fixtures/calls.ts';

it('writes the end of a call behind its last line, also when the store was busy for the line', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-scribe-'));
  const store = await openSqliteStore({ dataDir, busyTimeoutMs: 20 });
  const { callId } = await store.createCall(newCall());
  const retries: (() => void)[] = [];
  let retryAsked: () => void = () => undefined;
  const triedInVain = new Promise<void>((resolve) => {
    retryAsked = resolve;
  });
  const scribe = createScribe({
    callId,
    store,
    clock: {
      ...systemClock,
      setTimer(fire) {
        retries.push(fire);
        retryAsked();
        return () => undefined;
      },
    },
    logger: pino({ level: 'silent' }),
    onWritten: () => undefined,
  });
  const other = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
  try {
    other.exec('BEGIN IMMEDIATE');
    const { final: _final, ...line } = newLine(0);
    scribe.write({ type: 'scribe.line', itemId: 'item', ...line });
    await triedInVain;
    other.exec('ROLLBACK');
    scribe.write({ type: 'scribe.ended', outcome: 'completed', reason: 'Done.', result: null, lineStatus: null });
    // The store answers in order, so this sees everything that was asked of it before.
    expect(await store.call(callId)).toMatchObject({ state: 'queued', lineCount: 0 });
    for (const retry of retries) retry();
    await scribe.settled();
    expect(await store.call(callId)).toMatchObject({ state: 'ended', lineCount: 1 });
  } finally {
    other.close();
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
