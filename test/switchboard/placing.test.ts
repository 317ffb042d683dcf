import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Carrier, LineOptions } from '../../src/carriers/carrier.ts';
import { ConfigError, UserInputError } from '../../src/errors.ts';
import type { Model } from '../../src/models/model.ts';
import { openRecordingFolder } from '../../src/store/files/recordings.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { createArchive } from '../../src/switchboard/archive.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import { createSwitchboard, type RunningSwitchboard } from '../../src/switchboard/switchboard.ts';
import { newCall, newLine } from '../fixtures/calls.ts';
import { switchboardSettings } from '../fixtures/settings.ts';

/** A telephone company that takes every order and never says a word more. */
class MuteCarrier implements Carrier {
  readonly name = 'test';
  readonly traits = {
    lookAheadMs: 1_000,
    clearEchoesMarks: false,
    canSay: false,
    canReattach: false,
    canSendDigits: false,
  };
  readonly webhooks = [];
  readonly sockets = [];
  dials = 0;
  preflight: () => Promise<void> = () => Promise.resolve();
  /** Answers of `hangUpStranded`, in order; `done` when there are no more. */
  readonly strandedAnswers: 'failed'[] = [];
  readonly strandedAsked: string[] = [];

  line({ emit }: LineOptions): ReturnType<Carrier['line']> {
    const nothing = (): void => undefined;
    return {
      dial: () => {
        this.dials += 1;
        queueMicrotask(() => emit({ type: 'carrier.bound', carrierCallId: 'theirs' }));
      },
      hangUp: () => queueMicrotask(() => emit({ type: 'carrier.hungUp', outcome: 'done' })),
      play: nothing,
      mark: nothing,
      clear: nothing,
      redirect: nothing,
      inquire: nothing,
      release: nothing,
    };
  }

  hangUpStranded(carrierCallId: string): Promise<'done' | 'failed'> {
    this.strandedAsked.push(carrierCallId);
    return Promise.resolve(this.strandedAnswers.shift() ?? 'done');
  }

  listCalls(): Promise<'failed'> {
    return Promise.resolve('failed');
  }

  close(): void {}
}

const never = (): void => undefined;
const MUTE_MODEL: Model = {
  name: 'mute',
  billed: { model: 'mute', transcriptionModel: null },
  open: () => ({
    append: never,
    configure: never,
    reply: never,
    cancel: never,
    truncate: never,
    remember: never,
    answerTool: never,
    commitInput: never,
    close: never,
  }),
};

const REQUEST = { to: '+14155550123', context: 'Book a table.', idempotencyKey: 'key' };

describe('placing a call', () => {
  let dataDir: string;
  let store: Store;
  let carrier: MuteCarrier;
  let missing: ConfigError | null;
  let switchboard: RunningSwitchboard;

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'switchboard-placing-'));
    store = await openSqliteStore({ dataDir });
    carrier = new MuteCarrier();
    missing = null;
    const logger = pino({ level: 'silent' });
    switchboard = createSwitchboard({
      settings: switchboardSettings({ maxCallsPerHour: 5 }),
      store,
      archive: createArchive({
        store,
        folder: openRecordingFolder(join(dataDir, 'recordings')),
        clock: systemClock,
        logger,
      }),
      outside: () => (missing ? Promise.reject(missing) : Promise.resolve({ carrier, model: MUTE_MODEL })),
      carriers: () => (missing ? Promise.reject(missing) : Promise.resolve([carrier])),
      // Retries need not be waited for.
      clock: { ...systemClock, setTimer: (fire, delayMs) => systemClock.setTimer(fire, Math.min(delayMs, 50)) },
      logger,
    });
  });

  afterEach(async () => {
    await switchboard.stop(0);
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('gives a reader no line before the one that is written late', async () => {
    const { callId } = await store.createCall(newCall());
    for (const index of [0, 2]) await store.putLine(callId, newLine(index));
    const read = async (cursor: number) => {
      const page = await switchboard.lines(callId, { cursor, limit: 10 });
      return [page.lines.map(({ index }) => index), page.cursor];
    };
    expect(await read(0)).toEqual([[0], 1]);
    expect(await read(1)).toEqual([[], 1]);
    await store.putLine(callId, newLine(1));
    expect(await read(1)).toEqual([[1, 2], 3]);
    await store.putLine(callId, newLine(4));
    await store.updateCall(callId, { state: 'ended' });
    expect(await read(3)).toEqual([[4], 5]);
  });

  it('answers a repeated key with the call that was placed, whatever is wrong by now', async () => {
    const { callId } = await switchboard.place(REQUEST);
    carrier.preflight = () => Promise.reject(new ConfigError('PUBLIC_URL leads nowhere.'));
    expect(await switchboard.place(REQUEST)).toMatchObject({ callId, repeated: true });
    missing = new ConfigError('OPENAI_API_KEY is missing.');
    expect(await switchboard.place(REQUEST)).toMatchObject({ callId, repeated: true });
    await expect(switchboard.place({ ...REQUEST, context: 'Cancel it.' })).rejects.toThrow(UserInputError);
    await expect(switchboard.place({ ...REQUEST, idempotencyKey: 'other' })).rejects.toThrow(missing.message);
    expect(carrier.dials).toBe(1);
  });

  it('takes a key from before calls could be recorded for the same request, and another wish to record for another', async () => {
    const { to, context, idempotencyKey } = REQUEST;
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([to, context, null, null, null]))
      .digest('hex');
    const earlier = newCall({ idempotencyKey, fingerprint });
    await store.createCall(earlier);
    expect(await switchboard.place(REQUEST)).toMatchObject({ callId: earlier.callId, repeated: true });
    await expect(switchboard.place({ ...REQUEST, record: false })).rejects.toThrow('other arguments');
    expect(carrier.dials).toBe(0);
  });

  it('does not dial again what was purged, and says so', async () => {
    const earlier = newCall({ idempotencyKey: REQUEST.idempotencyKey });
    await store.createCall(earlier);
    await store.updateCall(earlier.callId, { state: 'ended', outcome: 'completed', endedAtMs: 1 });
    await store.purgeCalls([earlier.callId], { nowMs: Date.now(), keepKeysUntilMs: Date.now() + 1_000 });
    await expect(switchboard.place(REQUEST)).rejects.toThrow(`has placed call ${earlier.callId} before`);
    expect(carrier.dials).toBe(0);
  });

  it('refuses what is no language tag with a sentence that shows some', async () => {
    await expect(switchboard.place({ ...REQUEST, language: 'english' })).rejects.toThrow(/no language tag.*pt-BR/);
    expect(carrier.dials).toBe(0);
    await switchboard.place({ ...REQUEST, language: 'zh-Hant-TW' });
    expect(carrier.dials).toBe(1);
  });

  it('dials nothing any more when the server began to stop meanwhile', async () => {
    let pass: () => void = never;
    const asked = new Promise<void>((resolve) => {
      carrier.preflight = () => {
        resolve();
        return new Promise((go) => {
          pass = go;
        });
      };
    });
    const placing = expect(switchboard.place(REQUEST)).rejects.toThrow('shutting down');
    await asked;
    await switchboard.stop(0);
    pass();
    await placing;
    expect(carrier.dials).toBe(0);
    expect(await store.calls({ limit: 1 })).toEqual([]);
  });

  it('also when that was while the call was being written down, which it then says', async () => {
    const created = new Promise<void>((resolve) => {
      carrier.preflight = () => {
        // Runs after `createCall` has been asked for, and before it has been answered.
        setImmediate(() => resolve(switchboard.stop(0)));
        return Promise.resolve();
      };
    });
    const placing = switchboard.place(REQUEST).catch((error: unknown) => String(error));
    await created;
    const answer = await placing;
    expect(answer).toContain('shutting down');
    expect(carrier.dials).toBe(0);
    expect(await store.calls({ limit: 1 })).toMatchObject([{ state: 'ended', outcome: 'canceled' }]);
  });

  it('hangs up what a dead process left behind, again when that fails', async () => {
    const dead = await openSqliteStore({ dataDir });
    const { callId } = await dead.createCall(newCall({ createdAtMs: Date.now() }));
    await dead.updateCall(callId, { carrierCallId: 'left' });
    await dead.close();
    carrier.strandedAnswers.push('failed', 'failed');
    void switchboard.recover();
    await expect.poll(async () => (await store.call(callId))?.state).toBe('ended');
    expect(carrier.strandedAsked).toEqual(['left', 'left', 'left']);
  });
});
