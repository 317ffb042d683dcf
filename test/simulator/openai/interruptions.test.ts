import { afterEach, describe, expect, it } from 'vitest';
import { scriptedBrain } from '../../../src/simulator/openai/brain.ts';
import { phrase } from '../../../src/simulator/speech/load-phrasebook.ts';
import { Bench, type Message, type RealtimeClient } from './realtime-client.ts';

const bench = new Bench();
afterEach(() => bench.closeAll());

const LONG = scriptedBrain([{ when: {}, reply: { speak: ['a.long'] } }]);

function response(message: Message): Record<string, unknown> {
  return message.response as Record<string, unknown>;
}

async function speaking(client: RealtimeClient): Promise<Message> {
  client.send({ type: 'response.create' });
  return client.next('response.output_audio.delta', 1);
}

describe('an interruption', () => {
  it('stops a response by speech, with every open part closed and the item incomplete', async () => {
    const client = await bench.ready(await bench.simulator({ burstFactor: 4 }, LONG), {
      turn: { create_response: false },
    });
    const { item_id } = await speaking(client);
    client.speak('c.stop');
    const done = response(await client.next('response.done'));
    expect(done).toMatchObject({
      status: 'cancelled',
      status_details: { type: 'cancelled', reason: 'turn_detected' },
      output: [{ id: item_id, status: 'incomplete' }],
    });
    const types = client.types();
    const from = types.indexOf('input_audio_buffer.speech_started');
    expect(types.slice(from, from + 7)).toEqual([
      'input_audio_buffer.speech_started',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
    ]);
    expect(done.usage).not.toBeNull();
  });

  it('does not stop a response when interrupt_response is off', async () => {
    const turn = { create_response: false, interrupt_response: false };
    const client = await bench.ready(await bench.simulator({ burstFactor: 40 }, LONG), { turn });
    await speaking(client);
    client.speak('c.stop');
    await client.next('input_audio_buffer.speech_started');
    expect(response(await client.next('response.done')).status).toBe('completed');
  });

  it('by the client’s cancel says so, and there is nothing to cancel twice', async () => {
    const client = await bench.ready(await bench.simulator({ burstFactor: 4 }, LONG));
    await speaking(client);
    client.send({ type: 'response.cancel' });
    expect(response(await client.next('response.done')).status_details).toEqual({
      type: 'cancelled',
      reason: 'client_cancelled',
    });
    client.send({ type: 'response.cancel' });
    expect(await client.error()).toMatchObject({
      code: 'response_cancel_not_active',
      message: 'Cancellation failed: no active response found',
    });
  });

  it.each(['before-done', 'after-done'] as const)('lets late deltas through %s, as told', async (when) => {
    const knobs = { burstFactor: 4, lateDeltas: { count: 3, when } };
    const client = await bench.ready(await bench.simulator(knobs, LONG), { turn: { create_response: false } });
    await speaking(client);
    client.speak('c.hello');
    await client.next('response.done');
    await client.next('conversation.item.input_audio_transcription.completed');
    const types = client.types();
    const late = types
      .map((type, n) => ({ type, n }))
      .filter(
        ({ type, n }) =>
          type === 'response.output_audio.delta' && n > types.indexOf('input_audio_buffer.speech_started'),
      );
    expect(late).toHaveLength(3);
    const doneAt = types.indexOf('response.done');
    expect(late.every(({ n }) => (when === 'before-done' ? n < doneAt : n > doneAt))).toBe(true);
  });
});

describe('a truncation', () => {
  it('is confirmed, takes the words away and is written down with its phrase', async () => {
    const simulator = await bench.simulator({}, LONG);
    const client = await bench.ready(simulator);
    const { item_id } = await speaking(client);
    await client.next('response.done');
    client.send({ type: 'conversation.item.truncate', item_id, content_index: 0, audio_end_ms: 1_234 });
    expect(await client.next('conversation.item.truncated')).toMatchObject({
      item_id,
      content_index: 0,
      audio_end_ms: 1_234,
    });
    client.send({ type: 'conversation.item.retrieve', item_id });
    const { item } = await client.next('conversation.item.retrieved');
    expect((item as { content: unknown }).content).toEqual([{ type: 'output_audio' }]);
    const { durationMs } = phrase('a.long');
    expect(simulator.sessions[0]?.record.truncations).toMatchObject([
      { itemId: item_id, phraseId: 'a.long', audioEndMs: 1_234, generatedMs: durationMs, accepted: true },
    ]);
  });

  it('beyond the audio is refused, and truncates nothing', async () => {
    const simulator = await bench.simulator({}, LONG);
    const client = await bench.ready(simulator);
    const { item_id } = await speaking(client);
    await client.next('response.done');
    const { durationMs } = phrase('a.long');
    client.send({ type: 'conversation.item.truncate', item_id, content_index: 0, audio_end_ms: durationMs + 1 });
    expect(await client.error()).toMatchObject({
      code: 'invalid_value',
      message: `Audio content of ${durationMs}ms is already shorter than ${durationMs + 1}ms`,
    });
    client.send({ type: 'conversation.item.truncate', item_id, content_index: 0, audio_end_ms: durationMs });
    await client.next('conversation.item.truncated');
    expect(client.all('conversation.item.truncated')).toHaveLength(1);
    expect(simulator.sessions[0]?.record.truncations.map((one) => one.accepted)).toEqual([false, true]);
  });

  it('beyond the audio is refused and done all the same by a lax server', async () => {
    const client = await bench.ready(await bench.simulator({ truncateBeyondEnd: 'lax' }, LONG));
    const { item_id } = await speaking(client);
    await client.next('response.done');
    client.send({ type: 'conversation.item.truncate', item_id, content_index: 0, audio_end_ms: 99_999 });
    expect((await client.next('conversation.item.truncated')).audio_end_ms).toBe(phrase('a.long').durationMs);
    expect((await client.error()).code).toBe('invalid_value');
  });

  it('cannot go beyond what was generated of an item that is still being spoken', async () => {
    const client = await bench.ready(await bench.simulator({ burstFactor: 4 }, LONG));
    const { item_id } = await speaking(client);
    client.send({
      type: 'conversation.item.truncate',
      item_id,
      content_index: 0,
      audio_end_ms: phrase('a.long').durationMs,
    });
    expect((await client.error()).code).toBe('invalid_value');
  });

  it.each([
    ['an unknown item', { item_id: 'item_none', content_index: 0, audio_end_ms: 1 }, 'item_truncate_invalid_item_id'],
    ['a fraction', { content_index: 0, audio_end_ms: 10.5 }, 'invalid_type'],
    ['a time before the beginning', { content_index: 0, audio_end_ms: -1 }, 'integer_below_min_value'],
    ['another content', { content_index: 1, audio_end_ms: 10 }, 'invalid_value'],
  ])('of %s is refused', async (_what, members, code) => {
    const client = await bench.ready(await bench.simulator({}, LONG));
    const { item_id } = await speaking(client);
    client.send({ type: 'conversation.item.truncate', item_id, ...members });
    expect((await client.error()).code).toBe(code);
  });

  it('of the caller’s own audio is refused', async () => {
    const client = await bench.ready(await bench.simulator({}, LONG), { turn: { create_response: false } });
    client.speak('c.hello');
    const { item_id } = await client.next('input_audio_buffer.committed');
    client.send({ type: 'conversation.item.truncate', item_id, content_index: 0, audio_end_ms: 10 });
    expect((await client.error()).message).toBe('Only model output audio messages can be truncated');
  });
});
