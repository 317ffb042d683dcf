/** The contract suite of the store port: every implementation passes it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallId, Usage } from '../../src/call/words.ts';
import type { Note, Store } from '../../src/store/store.ts';
import { newCall, newLine } from '../fixtures/calls.ts';
import { leaseContract } from './store-leases.ts';

export interface StoreUnderTest {
  /** Another connection to the same data, with a lease of its own; closed by the suite. */
  open(options?: { readonly clock?: () => number; readonly leaseTtlMs?: number }): Promise<Store>;
  /** Throws the data away. */
  dispose(): Promise<void>;
}

const TOKENS: Usage = {
  inputTextTokens: 1,
  inputAudioTokens: 2,
  cachedTextTokens: 3,
  cachedAudioTokens: 4,
  outputTextTokens: 5,
  outputAudioTokens: 6,
  transcribedMs: 7.5,
  transcriptionInputTokens: 8,
  transcriptionOutputTokens: 9,
};

const STRANGE_QUERIES = [
  '',
  '   ',
  '"',
  `it's "quoted`,
  'AND',
  'a AND OR NOT b',
  'NEAR(a b, 2)',
  '*',
  'tab*',
  'text:table',
  '-table',
  '^table',
  '(table',
  '😀',
  "'; DROP TABLE lines; --",
  '\0',
  '\\',
  '%_',
  'word '.repeat(5000),
  'e\u0301\u0301',
  '\ud800',
];

export function storeContract(name: string, prepare: () => Promise<StoreUnderTest>): void {
  describe(`the store contract on ${name}`, () => {
    let under: StoreUnderTest;
    let store: Store;
    const opened: Store[] = [];
    const open: StoreUnderTest['open'] = async (options) => {
      const another = await under.open(options);
      opened.push(another);
      return another;
    };

    beforeEach(async () => {
      under = await prepare();
      store = await open();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((each) => each.close()));
      await under.dispose();
    });

    callContract(() => store, open);
    transcriptContract(() => store);
    searchContract(() => store);
    leaseContract(() => store, open);
  });
}

function callContract(store: () => Store, open: StoreUnderTest['open']): void {
  it('remembers a call with every field and gives it back', async () => {
    const call = newCall({ idempotencyKey: 'key' });
    expect(await store().createCall(call)).toEqual({ status: 'created', callId: call.callId });
    const { idempotencyKey: _key, fingerprint: _print, ...facts } = call;
    expect(await store().call(call.callId)).toEqual({
      ...facts,
      position: expect.any(Number),
      carrierCallId: null,
      state: 'queued',
      outcome: null,
      reason: null,
      result: null,
      answeredAtMs: null,
      endedAtMs: null,
      cost: null,
      lineCount: 0,
      inbound: false,
    });
    const came = newCall({ inbound: true, carrierCallId: '1700000000.1' });
    await store().createCall(came);
    expect(await store().call(came.callId)).toMatchObject({ inbound: true, carrierCallId: '1700000000.1' });
    expect(await store().call('unknown' as CallId)).toBeNull();
  });

  it('changes only the fields that a change names, and may clear the result', async () => {
    const { callId } = await store().createCall(newCall());
    await store().updateCall(callId, { state: 'answered', carrierCallId: 'theirs', answeredAtMs: 5, result: 'booked' });
    await store().updateCall(callId, { reason: 'All went well.' });
    const expected = {
      state: 'answered',
      carrierCallId: 'theirs',
      answeredAtMs: 5,
      result: 'booked',
      reason: 'All went well.',
    };
    expect(await store().call(callId)).toMatchObject(expected);
    await store().updateCall(callId, { result: null });
    expect(await store().call(callId)).toMatchObject({ result: null, carrierCallId: 'theirs' });
  });

  it('keeps an ended call ended when a state arrives late', async () => {
    const { callId } = await store().createCall(newCall());
    await store().updateCall(callId, { state: 'ended', outcome: 'completed', endedAtMs: 9 });
    await store().updateCall(callId, { state: 'ringing' });
    expect(await store().call(callId)).toMatchObject({ state: 'ended', outcome: 'completed', endedAtMs: 9 });
  });

  it('answers a repeated idempotency key with the first call, and refuses it with other arguments', async () => {
    const first = await store().createCall(newCall({ idempotencyKey: 'k', fingerprint: 'a' }));
    const other = await open();
    const again = await other.createCall(newCall({ idempotencyKey: 'k', fingerprint: 'a' }));
    const different = await other.createCall(newCall({ idempotencyKey: 'k', fingerprint: 'b' }));
    expect(again).toEqual({ status: 'existing', callId: first.callId });
    expect(different).toEqual({ status: 'conflict', callId: first.callId });
    expect(await other.placedUnder('k', 'a')).toEqual(again);
    expect(await other.placedUnder('k', 'b')).toEqual(different);
    expect(await other.placedUnder('another', 'a')).toBeNull();
    expect(await store().calls({ limit: 10 })).toHaveLength(1);
  });

  it('lists calls newest first, by pages and by state', async () => {
    const ids: CallId[] = [];
    for (let n = 0; n < 5; n += 1) ids.unshift((await store().createCall(newCall())).callId);
    const page = await store().calls({ limit: 2 });
    const rest = await store().calls({ limit: 10, before: page.at(-1)?.position ?? 0 });
    expect([...page, ...rest].map((call) => call.callId)).toEqual(ids);
    const chosen = ids[2] ?? ('' as CallId);
    await store().updateCall(chosen, { state: 'ringing' });
    expect((await store().calls({ state: 'ringing', limit: 10 })).map((call) => call.callId)).toEqual([chosen]);
  });

  it('remembers no more calls than there is room for, over every process', async () => {
    const other = await open();
    const room = { live: 2, recent: 4, recentSinceMs: 1000 };
    const create = (at: Store, createdAtMs = 1000, idempotencyKey: string | null = null) =>
      at.createCall(newCall({ createdAtMs, idempotencyKey }), room);
    const end = (callId: CallId) => store().updateCall(callId, { state: 'ended' });
    await end((await create(store(), 999)).callId);
    const first = await create(store(), 1000, 'key');
    const second = await create(other);
    expect([first.status, second.status, (await create(other)).status]).toEqual(['created', 'created', 'full-live']);
    expect((await create(other, 1000, 'key')).status).toBe('existing');
    await end(first.callId);
    await end((await create(store())).callId);
    await end((await create(store())).callId);
    await end(second.callId);
    expect((await create(store())).status).toBe('full-recent');
    expect(await store().calls({ limit: 10 })).toHaveLength(5);
  });

  it('does not count a call that comes in among those that were placed, and yet among those that are live', async () => {
    const room = { live: 2, recent: 1, recentSinceMs: 1000 };
    const create = (inbound: boolean) => store().createCall(newCall({ createdAtMs: 1000, inbound }), room);
    expect((await create(true)).status).toBe('created');
    expect((await create(false)).status).toBe('created');
    expect((await create(true)).status).toBe('full-live');
  });

  it('answers in the order of the calls: a read sees every write asked before it', async () => {
    const call = newCall();
    void store().createCall(call);
    for (let index = 0; index < 50; index += 1) void store().putLine(call.callId, newLine(index));
    expect((await store().call(call.callId))?.lineCount).toBe(50);
  });

  it('rejects a change to a call that it does not know, without harm to its neighbours', async () => {
    const call = newCall();
    const results = await Promise.allSettled([
      store().createCall(call),
      store().updateCall('unknown' as CallId, { state: 'ended' }),
      store().putLine('unknown' as CallId, newLine(0)),
      store().putLine(call.callId, newLine(0)),
    ]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { name: 'UpstreamError', retryable: false } });
    expect(await store().call(call.callId)).toMatchObject({ lineCount: 1 });
  });

  it('rejects after close, and closing twice is harmless', async () => {
    const call = newCall();
    const pending = store().createCall(call);
    await Promise.all([store().close(), store().close()]);
    await expect(pending).resolves.toMatchObject({ status: 'created' });
    await expect(store().call(call.callId)).rejects.toMatchObject({
      name: 'UpstreamError',
      message: 'The store is closed.',
    });
    const other = await open();
    expect(await other.call(call.callId)).toMatchObject({ callId: call.callId });
  });
}

function transcriptContract(store: () => Store): void {
  it('keeps lines in order, replaces the one with the same index, and gives them from a position on', async () => {
    const { callId } = await store().createCall(newCall());
    for (const index of [2, 0, 1]) await store().putLine(callId, newLine(index));
    const changed = newLine(1, {
      speaker: 'agent',
      text: 'Hello',
      planned: 'Hello, I am calling',
      interrupted: true,
      estimated: true,
    });
    await store().putLine(callId, changed);
    expect(await store().lines(callId, { from: 0, limit: 10 })).toEqual([newLine(0), changed, newLine(2)]);
    expect(await store().lines(callId, { from: 1, limit: 1 })).toEqual([changed]);
    await store().putLine(callId, newLine(1));
    expect((await store().lines(callId, { from: 1, limit: 1 }))[0]).toEqual(newLine(1));
  });

  it('keeps the timeline in the order it was told', async () => {
    const { callId } = await store().createCall(newCall());
    const notes: readonly Note[] = [
      { atMs: 20, kind: 'barge-in', data: { heardMs: 1200, cleared: true, item: 'x', nothing: null } },
      { atMs: 10, kind: 'state', data: {} },
    ];
    for (const note of notes) await store().addNote(callId, note);
    expect(await store().notes(callId)).toEqual(notes);
  });

  it('takes a note or usage with an id once, however often it comes, and the same id of another call as well', async () => {
    const { callId } = await store().createCall(newCall());
    const other = await store().createCall(newCall());
    const note = { atMs: 1, kind: 'digit', data: { digit: '5' } };
    for (const of of [callId, callId, other.callId]) {
      await store().addNote(of, note, 'one');
      await store().addUsage(of, TOKENS, 'one');
    }
    await store().addNote(callId, note, 'two');
    expect(await store().notes(callId)).toEqual([note, note]);
    expect(await store().notes(other.callId)).toEqual([note]);
    expect([await store().usage(callId), await store().usage(other.callId)]).toEqual([TOKENS, TOKENS]);
    await store().addUsage(callId, TOKENS, 'two');
    expect((await store().usage(callId)).inputTextTokens).toBe(2 * TOKENS.inputTextTokens);
  });

  it('adds usage up, and an unused call has none', async () => {
    const { callId } = await store().createCall(newCall());
    const zero = await store().usage(callId);
    expect(Object.values(zero)).toEqual(Object.values(TOKENS).map(() => 0));
    await store().addUsage(callId, TOKENS);
    await store().addUsage(callId, TOKENS);
    const doubled = Object.fromEntries(Object.entries(TOKENS).map(([key, count]) => [key, count * 2]));
    expect(await store().usage(callId)).toEqual(doubled);
  });
}

function searchContract(store: () => Store): void {
  const find = async (text: string): Promise<readonly string[]> =>
    (await store().search({ text, limit: 10, offset: 0 })).map((match) => match.snippet);
  const tell = async (...texts: readonly string[]): Promise<CallId> => {
    const { callId } = await store().createCall(newCall());
    for (const [index, text] of texts.entries()) await store().putLine(callId, newLine(index, { text }));
    return callId;
  };

  it('finds lines by all their words and marks what was found', async () => {
    const callId = await tell('We have a table at eight.', 'No table today.', 'Eight people? Fine.');
    const matches = await store().search({ text: 'TABLE eight', limit: 10, offset: 0 });
    expect(matches).toEqual([
      {
        callId,
        to: '+14155550123',
        createdAtMs: 1_700_000_000_000,
        line: newLine(0, { text: 'We have a table at eight.' }),
        snippet: 'We have a «table» at «eight».',
      },
    ]);
  });

  it('finds words by their beginning, without accents, and in scripts without spaces', async () => {
    await tell('Your reservations are kept.', 'Un café, s’il vous plaît', '明日の七時に予約をお願いします');
    expect(await find('reservation')).toEqual(['Your «reservations» are kept.']);
    expect(await find('cafe')).toEqual(['Un «café», s’il vous plaît']);
    expect(await find('予約')).toEqual(['明日の七時に«予約»をお願いします']);
  });

  it('searches what a line says now, not what it said before', async () => {
    const callId = await tell('It costs fourty.');
    await store().putLine(callId, newLine(0, { text: 'It costs forty.' }));
    expect(await find('fourty')).toEqual([]);
    expect(await find('forty')).toEqual(['It costs «forty».']);
  });

  it('keeps the marks apart from marks in the text', async () => {
    await tell('Il a dit «bonjour» deux fois.');
    expect(await find('bonjour')).toEqual(['Il a dit “«bonjour»” deux fois.']);
  });

  it('pages without a gap or a repetition', async () => {
    await tell(...Array.from({ length: 7 }, (_, n) => `number ${n}`));
    const seen: number[] = [];
    for (let offset = 0; offset < 8; offset += 3) {
      const page = await store().search({ text: 'number', limit: 3, offset });
      seen.push(...page.map((match) => match.line.index));
    }
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('takes any text as plain words, whatever it means elsewhere', async () => {
    await tell('A table and an OR.');
    for (const text of STRANGE_QUERIES) {
      await expect(
        store().search({ text, limit: 10, offset: 0 }),
        JSON.stringify(text.slice(0, 40)),
      ).resolves.toBeInstanceOf(Array);
    }
    expect(await find('table')).toHaveLength(1);
  });
}
