import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { CallId } from '../../src/call/words.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import { createScribe, type Scribe } from '../../src/switchboard/scribe.ts';
import { newCall, newLine } from '../fixtures/calls.ts';

interface Busy {
  readonly callId: CallId;
  readonly store: Store;
  readonly scribe: Scribe;
  readonly triedInVain: Promise<void>;
  /** The store is busy no more. */
  free(): void;
  /** What has failed is tried again. */
  passes(): void;
}

/** In a store that another process keeps busy at first. */
async function whileBusy(work: (busy: Busy) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-scribe-'));
  const store = await openSqliteStore({ dataDir, busyTimeoutMs: 20 });
  const { callId } = await store.createCall(newCall());
  const retries: (() => void)[] = [];
  let passing = false;
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
        if (passing) setImmediate(fire);
        else retries.push(fire);
        retryAsked();
        return () => undefined;
      },
    },
    logger: pino({ level: 'silent' }),
    onWritten: () => {
      throw new Error('a watcher that makes mistakes');
    },
  });
  const other = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
  try {
    other.exec('BEGIN IMMEDIATE');
    await work({
      callId,
      store,
      scribe,
      triedInVain,
      passes: () => {
        passing = true;
        for (const retry of retries) retry();
      },
      free: () => other.exec('ROLLBACK'),
    });
  } finally {
    other.close();
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const told = (index: number) => {
  const { final: _final, ...line } = newLine(index);
  return { type: 'scribe.line', itemId: 'item', ...line } as const;
};
const ENDED = { type: 'scribe.ended', outcome: 'completed', reason: 'Done.', result: null, lineStatus: null } as const;

it('writes the end of a call behind its last line, also when the store was busy for the line', () =>
  whileBusy(async ({ callId, store, scribe, triedInVain, free, passes }) => {
    scribe.write(told(0));
    await triedInVain;
    free();
    scribe.write(ENDED);
    // The store answers in order, so this sees everything that was asked of it before.
    expect(await store.call(callId)).toMatchObject({ state: 'queued', lineCount: 0 });
    passes();
    await scribe.settled();
    expect(await store.call(callId)).toMatchObject({ state: 'ended', lineCount: 1 });
  }));

it('lets what is written late overwrite nothing that came after it', () =>
  whileBusy(async ({ callId, store, scribe, triedInVain, free, passes }) => {
    scribe.write({ ...told(0), text: '[not understood]' });
    scribe.state('ringing');
    await triedInVain;
    free();
    scribe.write({ ...told(0), text: 'Thanks, bye!' });
    scribe.state('answered');
    expect(await store.lines(callId, { from: 0, limit: 9 })).toMatchObject([{ text: 'Thanks, bye!' }]);
    passes();
    await scribe.settled();
    expect(await store.lines(callId, { from: 0, limit: 9 })).toMatchObject([{ text: 'Thanks, bye!' }]);
    expect(await store.call(callId)).toMatchObject({ state: 'answered' });
  }));
