import { afterEach, describe, expect, it } from 'vitest';
import type { ModelEvent, ModelFailure } from '../../src/call/events.ts';
import { Audio } from '../../src/media/audio.ts';
import { FRAME_BYTES, silence } from '../../src/media/mulaw.ts';
import type { Model, ModelSession, SessionSpec } from '../../src/models/model.ts';
import { type RecordedSession, recordSession } from '../models/recorded-session.ts';

/** What can be wrong with the outside world before a session opens. */
export type ModelFault = 'bad-key' | 'unknown-model' | 'no-quota' | 'nobody-listens' | 'short-life';

/** A model, the server that it talks to, and the network between them. */
export interface ModelWorld {
  readonly model: Model;
  /** A person's turn as µ-law, a word that its transcript has, and words of the answer. The reply to it lasts a second or more. */
  readonly turn: { readonly audio: Uint8Array; readonly transcript: RegExp };
  /** A turn after which the server's model calls `end_call`. */
  readonly toolTurn: Uint8Array;
  /** Every connection ends without a goodbye. */
  sever(): void;
  /** Nothing passes any more, and nobody is told. */
  freeze(): void;
  close(): Promise<void>;
}

export interface ModelHarness {
  readonly name: string;
  start(fault?: ModelFault): Promise<ModelWorld>;
}

const MANUAL = { create: false, interrupt: false, silenceMs: 300, guarded: false };
const AUTOMATIC = { create: true, interrupt: true, silenceMs: 300, guarded: false };

/** Says the bytes in frames of 20 ms, then half a second of silence that ends the turn. Audio has its own clock: no waiting. */
function say(session: ModelSession, speech: Uint8Array): void {
  const bytes = Buffer.concat([silence(200), speech, silence(600)]);
  for (let at = 0; at < bytes.length; at += FRAME_BYTES)
    session.append(Audio.fromBytes(bytes.subarray(at, at + FRAME_BYTES)));
}

function typesOf(events: readonly ModelEvent[]): readonly string[] {
  return events.map((event) => event.type);
}

/** The behaviour that every model adapter shows (the contract of src/models/model.ts). */
export function modelContract(harness: ModelHarness): void {
  const cleanups: Array<() => unknown> = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function worldWith(fault?: ModelFault): Promise<ModelWorld> {
    const world = await harness.start(fault);
    cleanups.push(() => world.close());
    return world;
  }
  async function ready(
    spec: Partial<SessionSpec> = {},
    fault?: ModelFault,
  ): Promise<RecordedSession & { world: ModelWorld }> {
    const world = await worldWith(fault);
    const recorded = recordSession(world.model, { turn: MANUAL, ...spec });
    cleanups.push(() => recorded.session.close());
    await recorded.until('model.ready');
    return { ...recorded, world };
  }

  describe(`the model contract on ${harness.name}`, () => {
    it('is ready first and once, and drops audio that comes earlier', async () => {
      const world = await worldWith();
      const { session, events, until } = recordSession(world.model, { turn: AUTOMATIC });
      cleanups.push(() => session.close());
      say(session, world.turn.audio);
      expect(events).toEqual([]);
      const { expiresAtMs } = await until('model.ready');
      if (expiresAtMs !== null) expect(expiresAtMs).toBeGreaterThan(Date.now());
      session.remember('One round more.');
      await until('model.itemAdded');
      expect(typesOf(events)).toEqual(['model.ready', 'model.itemAdded']);
    });

    it("turns a person's speech into speech events, a committed item and its words, and lets the server answer", async () => {
      const { session, events, until, audio, world } = await ready({ turn: AUTOMATIC });
      say(session, world.turn.audio);
      const started = await until('model.speechStarted');
      const stopped = await until('model.speechStopped');
      const committed = await until('model.committed');
      expect([stopped.itemId, committed.itemId]).toEqual([started.itemId, started.itemId]);
      expect(stopped.audioMs).toBeGreaterThan(started.audioMs);
      const added = await until('model.itemAdded', ({ itemId }) => itemId === committed.itemId);
      expect(added.role).toBe('callee');
      const transcribed = await until('model.transcribed', ({ itemId }) => itemId === committed.itemId);
      expect(transcribed.text).toMatch(world.turn.transcript);
      const done = await until('model.replyDone');
      const created = await until('model.replyCreated');
      expect(created).toMatchObject({ replyId: done.replyId, requestId: null });
      expect(done.status).toBe('completed');
      const order = typesOf(events);
      const landmarks = [
        'speechStarted',
        'speechStopped',
        'committed',
        'replyCreated',
        'spoke',
        'itemDone',
        'replyDone',
      ];
      const places = landmarks.map((name) => order.indexOf(`model.${name}`));
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(places).not.toContain(-1);
      expect(audio.size).toBeGreaterThan(0);
    });

    it('gives a reply that we asked for its request, audio, words, item and usage, in order', async () => {
      const { session, events, until, audio } = await ready();
      session.reply({ requestId: 'req-1', purpose: 'opener', instructions: 'Greet them.', tools: true });
      const done = await until('model.replyDone');
      expect(done.status).toBe('completed');
      expect(done.usage?.outputAudioTokens).toBeGreaterThan(0);
      expect(await until('model.replyCreated')).toMatchObject({ replyId: done.replyId, requestId: 'req-1' });
      const spoken = events.filter((event) => event.type === 'model.spoke');
      const itemId = spoken[0]?.itemId ?? '';
      expect(new Set(spoken.map((event) => event.chunkId)).size).toBe(spoken.length);
      for (const event of spoken) {
        expect(event).toMatchObject({ replyId: done.replyId, itemId, contentIndex: 0 });
        expect(audio.get(event.chunkId)?.bytes().byteLength).toBe(event.bytes);
      }
      const words = events.filter((event) => event.type === 'model.worded');
      const pieces = words.filter((event) => !event.whole).map((event) => event.text);
      const whole = words.filter((event) => event.whole).map((event) => event.text);
      expect(whole).toEqual([pieces.join('')]);
      expect(await until('model.itemAdded', (event) => event.itemId === itemId)).toMatchObject({ role: 'agent' });
      expect(events.filter((event) => event.type === 'model.itemDone')).toEqual([
        { type: 'model.itemDone', itemId, complete: true },
      ]);
      const order = typesOf(events);
      expect(order.indexOf('model.replyCreated')).toBeLessThan(order.indexOf('model.spoke'));
      expect(order.lastIndexOf('model.spoke')).toBeLessThan(order.indexOf('model.itemDone'));
      expect(order.indexOf('model.itemDone')).toBeLessThan(order.indexOf('model.replyDone'));
    });

    it('objects to a second reply while one is active, naming it, and the first goes on', async () => {
      const { session, until } = await ready();
      session.reply({ requestId: 'first', purpose: 'opener', tools: true });
      session.reply({ requestId: 'second', purpose: 'answer', tools: true });
      expect(await until('model.objected')).toMatchObject({ objection: 'reply-active', requestId: 'second' });
      const done = await until('model.replyDone');
      expect(done.status).toBe('completed');
      expect(await until('model.replyCreated')).toMatchObject({ requestId: 'first', replyId: done.replyId });
    });

    it('cancels the active reply, and objects harmlessly when there is none', async () => {
      const { session, until, events } = await ready();
      session.reply({ requestId: 'req', purpose: 'opener', tools: true });
      const { replyId } = await until('model.replyCreated');
      session.cancel(replyId);
      expect(await until('model.replyDone')).toMatchObject({ replyId, status: 'cancelled' });
      session.cancel(replyId);
      expect(await until('model.objected')).toMatchObject({ objection: 'nothing-to-cancel' });
      expect(typesOf(events)).not.toContain('model.failed');
    });

    it('truncates what was said to what was heard, and objects to more than was said', async () => {
      const { session, until } = await ready();
      session.reply({ requestId: 'req', purpose: 'opener', tools: true });
      await until('model.replyDone');
      const { itemId } = await until('model.spoke');
      session.truncate(itemId, 0, 400.9);
      expect(await until('model.truncated')).toEqual({ type: 'model.truncated', itemId, audioEndMs: 400 });
      session.truncate(itemId, 0, 3_600_000);
      expect(await until('model.objected')).toMatchObject({ objection: 'truncate-refused' });
    });

    it('remembers a sentence without answering it', async () => {
      const { session, until, events } = await ready();
      session.remember('The person on the line changed.');
      expect(await until('model.itemAdded')).toMatchObject({ role: 'other' });
      session.reply({ requestId: 'req', purpose: 'answer', tools: true });
      await until('model.replyDone');
      expect(events.filter((event) => event.type === 'model.replyCreated')).toHaveLength(1);
    });

    it('reports a tool call whole, takes its answer, and speaks on when asked', async () => {
      const { session, until, events, world } = await ready({ turn: AUTOMATIC });
      say(session, world.toolTurn);
      const call = await until('model.toolCalled');
      expect(call.name).toBe('end_call');
      expect(JSON.parse(call.args)).toHaveProperty('outcome');
      await until('model.replyDone', ({ replyId }) => replyId === call.replyId);
      const order = typesOf(events);
      expect(order.indexOf('model.toolCalled')).toBeLessThan(order.indexOf('model.replyDone'));
      session.answerTool(call.toolCallId, '{"ok":true}');
      session.reply({ requestId: 'farewell', purpose: 'goodbye', instructions: 'Say goodbye.', tools: false });
      const { replyId } = await until('model.replyCreated', ({ requestId }) => requestId === 'farewell');
      expect(await until('model.replyDone', (event) => event.replyId === replyId)).toMatchObject({
        status: 'completed',
      });
    });

    it('starts from the conversation so far', async () => {
      const seed = [
        { speaker: 'agent', text: 'Hello, I would like to book a table.' },
        { speaker: 'callee', text: 'For how many people?' },
        { speaker: 'system', text: 'The line was lost for a moment.' },
      ] as const;
      const { session, until, events } = await ready({ seed });
      session.reply({ requestId: 'req', purpose: 'answer', tools: true });
      await until('model.replyDone');
      expect(typesOf(events)[0]).toBe('model.ready');
      const seeded = events.filter((event) => event.type === 'model.itemAdded').slice(0, 3);
      expect(seeded.map((event) => event.role)).toEqual(['other', 'other', 'other']);
      expect(seeded.map((event) => event.previousItemId).slice(1)).toEqual(
        seeded.map((event) => event.itemId).slice(0, 2),
      );
    });

    it('changes how turns are taken in the middle of the session', async () => {
      const { session, until, events, world } = await ready({ turn: AUTOMATIC });
      session.configure(MANUAL);
      say(session, world.turn.audio);
      await until('model.committed');
      session.remember('A round after the turn.');
      await until('model.itemAdded', ({ role }) => role === 'other');
      expect(typesOf(events)).not.toContain('model.replyCreated');
      session.reply({ requestId: 'ours', purpose: 'answer', tools: true });
      expect(await until('model.replyCreated')).toMatchObject({ requestId: 'ours' });
    });

    it('commits what was said so far when told to', async () => {
      const { session, until, world } = await ready({ turn: { ...MANUAL, silenceMs: 2_000 } });
      for (let at = 0; at < world.turn.audio.length; at += FRAME_BYTES) {
        session.append(Audio.fromBytes(world.turn.audio.subarray(at, at + FRAME_BYTES)));
      }
      session.commitInput();
      const { itemId } = await until('model.committed');
      expect((await until('model.transcribed', (event) => event.itemId === itemId)).text).toMatch(
        world.turn.transcript,
      );
    });

    it.each<[ModelFault, ModelFailure, boolean]>([
      ['bad-key', 'refused-key', false],
      ['unknown-model', 'refused-model', false],
      ['no-quota', 'quota', false],
      ['nobody-listens', 'unreachable', true],
      ['short-life', 'expired', true],
    ])('fails once and last by %s: %s', async (fault, kind, retryable) => {
      const world = await worldWith(fault);
      const { session, until, events } = recordSession(world.model, { turn: MANUAL });
      session.reply({ requestId: 'req', purpose: 'opener', tools: true });
      expect(await until('model.failed')).toMatchObject({ kind, retryable });
      session.reply({ requestId: 'late', purpose: 'opener', tools: true });
      session.append(Audio.fromBytes(silence(20)));
      await world.close();
      // Whatever the dead connection still brings has arrived when another session is ready.
      await ready();
      session.close();
      expect(typesOf(events).filter((type) => type === 'model.failed')).toHaveLength(1);
      expect(typesOf(events).at(-1)).toBe('model.failed');
    });

    it('fails once and last when the connection breaks in mid-word', async () => {
      const { session, until, events, world } = await ready();
      session.reply({ requestId: 'req', purpose: 'opener', tools: true });
      await until('model.spoke');
      world.sever();
      expect(await until('model.failed')).toMatchObject({ kind: 'dropped', retryable: true });
      session.truncate('item', 0, 1);
      await world.close();
      await ready();
      expect(typesOf(events).filter((type) => type === 'model.failed')).toHaveLength(1);
      expect(typesOf(events).at(-1)).toBe('model.failed');
    });

    it('notices a network that went silent', async () => {
      const { until, world } = await ready();
      world.freeze();
      expect(await until('model.failed')).toMatchObject({ kind: 'dropped', retryable: true });
    });

    it('is silent when it is closed while it connects', async () => {
      const world = await worldWith();
      const { session, events } = recordSession(world.model);
      session.close();
      session.close();
      session.reply({ requestId: 'late', purpose: 'opener', tools: true });
      const other = recordSession(world.model);
      cleanups.push(() => other.session.close());
      await other.until('model.ready');
      expect(events).toEqual([]);
    });

    it('says nothing after close, in the middle of a reply', async () => {
      const { session, until, events, world } = await ready();
      session.reply({ requestId: 'req', purpose: 'opener', tools: true });
      await until('model.spoke');
      session.close();
      const count = events.length;
      // A whole other conversation on the same server is time enough for the rest of the reply to arrive.
      const other = recordSession(world.model, { turn: MANUAL });
      cleanups.push(() => other.session.close());
      await other.until('model.ready');
      other.session.reply({ requestId: 'other', purpose: 'opener', tools: true });
      await other.until('model.replyDone');
      expect(events).toHaveLength(count);
    });
  });
}
