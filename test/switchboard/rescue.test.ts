import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallId, Line } from '../../src/call/words.ts';
import { UpstreamError } from '../../src/errors.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import { createNews } from '../../src/switchboard/news.ts';
import { createRescue, type Rescue } from '../../src/switchboard/rescue.ts';
import { rescueFileName } from '../../src/switchboard/rescue-files.ts';
import { createScribe } from '../../src/switchboard/scribe.ts';
import { newCall, newLine } from '../fixtures/calls.ts';

let dataDir: string;
let folder: string;
let store: Store;
const rescues: Rescue[] = [];
const logger = pino({ level: 'silent' });

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'switchboard-rescue-'));
  folder = join(dataDir, 'rescued');
  store = await openSqliteStore({ dataDir, busyTimeoutMs: 30 });
});
afterEach(async () => {
  for (const rescue of rescues.splice(0)) rescue.stop();
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function linesOf(name: string): unknown[] {
  const text = readFileSync(join(folder, name), 'utf8').trim();
  return text.split('\n').map((line): unknown => JSON.parse(line));
}

function rescue(into = folder, given = store): Rescue {
  const made = createRescue({ folder: into, store: given, clock: systemClock, logger, news: createNews() });
  rescues.push(made);
  return made;
}

const line = (index: number) => {
  const { final: _final, ...told } = newLine(index);
  return { type: 'scribe.line', itemId: `item ${index}`, ...told } as const;
};
const ENDED = { type: 'scribe.ended', outcome: 'completed', reason: 'Done.', result: null, lineStatus: null } as const;

describe('what the store cannot take', () => {
  it('is kept beside it in time when the server stops, for this user alone, and taken in at the next start', async () => {
    const { callId } = await store.createCall(newCall());
    const hurry = new AbortController();
    const scribe = createScribe({
      callId,
      store,
      clock: systemClock,
      logger,
      rescue: rescue(),
      hurry: hurry.signal,
      onWritten: () => undefined,
    });
    const other = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    for (const index of [0, 1, 2]) scribe.write(line(index));
    scribe.write({ type: 'scribe.note', kind: 'digit', data: { digit: '5' } });
    scribe.write(ENDED);
    const stoppedAtMs = performance.now();
    hurry.abort();
    await scribe.settled();
    expect(performance.now() - stoppedAtMs).toBeLessThan(4_000);
    const [name = ''] = readdirSync(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, name), 'utf8').trim().split('\n')).toHaveLength(5);
    other.close();

    await rescue().takeIn();
    expect(await store.call(callId)).toMatchObject({ state: 'ended', outcome: 'completed', lineCount: 3 });
    expect(await store.notes(callId)).toMatchObject([{ kind: 'digit', data: { digit: '5' } }]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken once: what is left of a file when the store is busy again is the rest', async () => {
    const { callId } = await store.createCall(newCall());
    const usage = { ...(await store.usage(callId)), inputTextTokens: 7 };
    await rescue().keep(callId, { kind: 'usage', usage });
    await rescue().keep(callId, { kind: 'line', line: newLine(0) });
    const busy = rescue();
    const other = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    await busy.takeIn();
    other.close();
    expect(readdirSync(folder)).toHaveLength(1);
    await busy.takeIn();
    await busy.takeIn();
    expect((await store.usage(callId)).inputTextTokens).toBe(7);
    expect(await store.call(callId)).toMatchObject({ lineCount: 1 });
  });

  it('stays in memory where it cannot be kept beside the store, and is taken from there', async () => {
    const { callId } = await store.createCall(newCall());
    const blocked = join(dataDir, 'blocked');
    writeFileSync(blocked, 'a file where the folder should be');
    const kept = rescue(blocked);
    await kept.keep(callId, { kind: 'line', line: newLine(0) });
    expect(await store.call(callId)).toMatchObject({ lineCount: 0 });
    await kept.takeIn();
    expect(await store.call(callId)).toMatchObject({ lineCount: 1 });
  });

  it('is taken from memory also while a file of another process, which lives, is left', async () => {
    const { callId } = await store.createCall(newCall());
    const { callId: others } = await store.createCall({ ...newCall(), idempotencyKey: null });
    const kept = rescue();
    writeFileSync(folder, 'a file where the folder should be');
    await kept.keep(callId, { kind: 'line', line: newLine(0) });
    rmSync(folder);
    mkdirSync(folder);
    writeFileSync(join(folder, `${others}.${process.ppid}.jsonl`), '');
    await kept.takeIn();
    expect(await store.call(callId)).toMatchObject({ lineCount: 1 });
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('keeps its order when it could not be kept beside the store at first', async () => {
    const { callId } = await store.createCall(newCall());
    writeFileSync(folder, 'a file where the folder should be');
    const kept = rescue();
    await kept.keep(callId, { kind: 'line', line: newLine(0) });
    rmSync(folder);
    await kept.keep(callId, { kind: 'line', line: newLine(1) });
    const [name = ''] = readdirSync(folder);
    expect(linesOf(name)).toMatchObject([{ line: { index: 0 } }, { line: { index: 1 } }]);
    await kept.takeIn();
    expect(await store.call(callId)).toMatchObject({ lineCount: 2 });
  });

  it('stays on disk as far as the store has not taken it, under the name of who takes it in', async () => {
    const { callId } = await store.createCall(newCall());
    const usage = { ...(await store.usage(callId)), inputTextTokens: 7 };
    await rescue().keep(callId, { kind: 'usage', usage });
    await rescue().keep(callId, { kind: 'line', line: newLine(0) });
    const [ours = ''] = readdirSync(folder);
    renameSync(join(folder, ours), join(folder, `${callId}.99999999.jsonl`));
    const putLine = (): Promise<void> => Promise.reject(new UpstreamError('Busy.', { retryable: true }));
    const busy = new Proxy(store, {
      get(target, name: keyof Store) {
        return name === 'putLine' ? putLine : target[name].bind(target);
      },
    });
    await rescue(folder, busy).takeIn();
    expect(readdirSync(folder)).toEqual([ours]);
    expect(linesOf(ours)).toMatchObject([{ kind: 'line' }]);
    await rescue().takeIn();
    expect(readdirSync(folder)).toEqual([]);
    expect((await store.usage(callId)).inputTextTokens).toBe(7);
    expect(await store.call(callId)).toMatchObject({ lineCount: 1 });
  });

  it('is left alone while the process that wrote it lives, and survives a last line that was cut off', async () => {
    const { callId } = await store.createCall(newCall());
    await rescue().keep(callId, { kind: 'line', line: newLine(0) });
    const [name = ''] = readdirSync(folder);
    const text = readFileSync(join(folder, name), 'utf8');
    rmSync(join(folder, name));
    // The parent of this process lives; no process has the greatest number that there is.
    writeFileSync(join(folder, `${callId}.${process.ppid}.jsonl`), text);
    await rescue().takeIn();
    expect(await store.call(callId)).toMatchObject({ lineCount: 0 });
    writeFileSync(join(folder, `${callId}.99999999.jsonl`), `${text}{"kind":"li`);
    await rescue().takeIn();
    expect(await store.call(callId)).toMatchObject({ lineCount: 1 });
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('is left to the process that wrote it on another machine, or in another container with our pid, until it touches it no more', async () => {
    const { callId } = await store.createCall(newCall());
    await rescue().keep(callId, { kind: 'line', line: newLine(0) });
    const [ours = ''] = readdirSync(folder);
    const theirs = rescueFileName(callId, { host: 'another.example.com', pid: process.pid, processStarted: '4711' });
    expect(theirs).not.toBe(ours);
    renameSync(join(folder, ours), join(folder, theirs));
    await rescue().takeIn();
    expect(readdirSync(folder)).toEqual([theirs]);
    expect(await store.call(callId)).toMatchObject({ lineCount: 0 });
    const longAgo = new Date(Date.now() - 660_000);
    utimesSync(join(folder, theirs), longAgo, longAgo);
    await rescue().takeIn();
    expect(await store.call(callId)).toMatchObject({ lineCount: 1 });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken in when its pid belongs to a later process by now, and under names of old', async () => {
    const names = (callId: CallId): readonly string[] => [
      rescueFileName(callId, { host: hostname(), pid: process.ppid, processStarted: '1' }),
      `${callId}.${process.pid}.jsonl`,
    ];
    for (const index of [0, 1]) {
      const { callId } = await store.createCall(newCall());
      await rescue().keep(callId, { kind: 'line', line: newLine(0) });
      const [ours = ''] = readdirSync(folder);
      renameSync(join(folder, ours), join(folder, names(callId)[index] ?? ''));
      await rescue().takeIn();
      expect(await store.call(callId)).toMatchObject({ lineCount: 1 });
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it('touches what is still its own, so that others see that it lives', async () => {
    const { callId } = await store.createCall(newCall());
    const kept = rescue();
    await kept.keep(callId, { kind: 'line', line: newLine(0) });
    const path = join(folder, readdirSync(folder)[0] ?? '');
    utimesSync(path, new Date(0), new Date(0));
    const other = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    await kept.takeIn();
    other.close();
    expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000);
  });

  it('blocks nothing behind it when the store will never take it: that alone is put aside', async () => {
    const first = await store.createCall(newCall());
    const second = await store.createCall(newCall());
    const impossible = { ...newLine(1), startMs: { not: 'a time' } } as unknown as Line;
    const kept = rescue();
    for (const line of [newLine(0), impossible, newLine(2)]) await kept.keep(first.callId, { kind: 'line', line });
    await kept.keep(second.callId, { kind: 'line', line: newLine(0) });
    await kept.takeIn();
    expect((await store.lines(first.callId, { from: 0, limit: 9 })).map(({ index }) => index)).toEqual([0, 2]);
    expect(await store.call(second.callId)).toMatchObject({ lineCount: 1 });
    const [name = '', ...others] = readdirSync(folder);
    expect([name, others]).toEqual([expect.stringMatching(/\.refused$/), []]);
    expect(linesOf(name)).toEqual([{ kind: 'line', line: impossible }]);
  });

  it('counts once when the store took it after all, behind the back of who gave it up for time', async () => {
    const { callId } = await store.createCall(newCall());
    const hurry = new AbortController();
    const releases: (() => void)[] = [];
    /** Carries everything out, but does not answer in time. */
    const slow = new Proxy(store, {
      get: (target, name: keyof Store) => {
        const method = target[name].bind(target) as (...args: readonly unknown[]) => Promise<unknown>;
        if (name !== 'addNote' && name !== 'addUsage') return method;
        return async (...args: readonly unknown[]) => {
          await method(...args);
          await new Promise<void>((resolve) => releases.push(resolve));
        };
      },
    });
    const kept = rescue();
    const onWritten = (): void => undefined;
    const clock = systemClock;
    const scribe = createScribe({ callId, store: slow, clock, logger, rescue: kept, hurry: hurry.signal, onWritten });
    const usage = { ...(await store.usage(callId)), inputTextTokens: 7 };
    scribe.write({ type: 'scribe.usage', usage });
    scribe.write({ type: 'scribe.note', kind: 'digit', data: { digit: '5' } });
    hurry.abort();
    await scribe.settled();
    expect(linesOf(readdirSync(folder)[0] ?? '')).toHaveLength(2);
    await kept.takeIn();
    expect(readdirSync(folder)).toEqual([]);
    expect((await store.usage(callId)).inputTextTokens).toBe(7);
    expect(await store.notes(callId)).toHaveLength(1);
    for (const release of releases) release();
  });

  it('of a call that the store does not know is put aside, and tried no more', async () => {
    const { callId } = newCall();
    await rescue().keep(callId, { kind: 'line', line: newLine(0) });
    await rescue().takeIn();
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/\.refused$/)]);
  });
});
