import { describe, expect, it } from 'vitest';
import { Audio } from '../../../src/media/audio.ts';
import { recordSession } from '../recorded-session.ts';
import { cleanUpAfterEach, cleanups, created, error, modelAt, scripted } from './scripted-session.ts';

cleanUpAfterEach();

describe('opening a session', () => {
  it('asks for the model with a bearer key, and is ready only when the settings are confirmed', async () => {
    const server = await scripted();
    const { session, events, until } = recordSession(modelAt(server.url));
    cleanups.push(() => session.close());
    const client = await server.client();
    expect(client.request.url).toBe('/v1/realtime?model=gpt-realtime-2.1');
    expect(client.request.headers.authorization).toBe('Bearer test-key');
    expect(client.request.headers['openai-beta']).toBeUndefined();
    expect(client.request.headers['sec-websocket-extensions']).toBeUndefined();
    client.send({ type: 'conversation.created' }, created);
    await client.take('session.update');
    session.append(Audio.fromBytes(new Uint8Array(160)));
    expect(events).toEqual([]);
    client.send({ type: 'session.updated', session: { expires_at: 1_790_000_000 } });
    expect(await until('model.ready')).toEqual({ type: 'model.ready', expiresAtMs: 1_790_000_000_000 });
    expect(client.received.map((message) => message.type)).toEqual(['session.update']);
  });

  it('keeps the query of an address that names its model or deployment', async () => {
    const server = await scripted();
    const { session } = recordSession(modelAt(`${server.url}?deployment=d&api-version=1`));
    cleanups.push(() => session.close());
    expect((await server.client()).request.url).toBe('/v1/realtime?deployment=d&api-version=1');
  });

  it('goes on without each optional part that the server refuses, and says so to nobody on the line', async () => {
    const server = await scripted();
    const { session, until, types } = recordSession(modelAt(server.url));
    cleanups.push(() => session.close());
    const client = await server.client();
    client.send(created);
    await client.take('session.update');
    client.send(error('unknown_parameter', { param: 'session.audio.input.noise_reduction' }));
    const second = await client.take('session.update');
    expect(second).toMatchObject({
      session: { audio: { input: { noise_reduction: null, transcription: { language: 'en' } } } },
    });
    client.send(
      error('invalid_value', { param: 'session.audio.input.transcription.model', event_id: second.event_id }),
    );
    expect(await client.take('session.update')).toMatchObject({
      session: { audio: { input: { transcription: null } } },
    });
    client.send({ type: 'session.updated', session: {} });
    await until('model.ready');
    expect(types()).toEqual(['model.ready']);
  });

  it.each([
    ['a part that the call needs', 'session.audio.output.voice'],
    ['a part that was already given up', 'session.audio.input.noise_reduction'],
  ])('fails by configuration when the server refuses %s', async (_, param) => {
    const server = await scripted();
    const { until } = recordSession(modelAt(server.url, { noiseReduction: 'off' }));
    const client = await server.client();
    client.send(created);
    await client.take('session.update');
    client.send(error('invalid_value', { param }));
    expect(await until('model.failed')).toMatchObject({
      kind: 'configuration',
      retryable: false,
      code: 'invalid_value',
    });
  });

  it('seeds the conversation in order, is ready when every item is confirmed, and gives the chain no words', async () => {
    const server = await scripted();
    const seed = [
      { speaker: 'agent', text: 'Hello.' },
      { speaker: 'callee', text: 'Yes?' },
      { speaker: 'callee', text: '  ' },
      { speaker: 'system', text: 'The line broke.' },
    ] as const;
    const { session, until, types, events } = recordSession(modelAt(server.url), { seed });
    cleanups.push(() => session.close());
    const client = await server.client();
    await client.greet();
    const items = [];
    for (let i = 0; i < 3; i += 1) items.push((await client.take('conversation.item.create')).item);
    expect(items).toEqual([
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hello.' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Yes?' }] },
      { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'The line broke.' }] },
    ]);
    const added = (id: string, previous: string | null, role: string) => ({
      type: 'conversation.item.added',
      previous_item_id: previous,
      item: { id, type: 'message', role },
    });
    client.send(added('a', null, 'assistant'), { ...added('a', null, 'assistant'), type: 'conversation.item.done' });
    client.send(added('b', 'a', 'user'));
    expect(events).toEqual([]);
    client.send(added('c', 'b', 'system'));
    await until('model.itemAdded', (event) => event.itemId === 'c');
    expect(types()).toEqual(['model.ready', 'model.itemAdded', 'model.itemAdded', 'model.itemAdded']);
    expect(events.slice(1)).toEqual([
      { type: 'model.itemAdded', itemId: 'a', previousItemId: null, role: 'other' },
      { type: 'model.itemAdded', itemId: 'b', previousItemId: 'a', role: 'other' },
      { type: 'model.itemAdded', itemId: 'c', previousItemId: 'b', role: 'other' },
    ]);
  });

  it('sends what was asked for before it was ready once it is', async () => {
    const server = await scripted();
    const { session } = recordSession(modelAt(server.url));
    cleanups.push(() => session.close());
    session.reply({ requestId: 'r1', purpose: 'opener', tools: true });
    session.configure({ create: false, interrupt: false, silenceMs: 900, guarded: false });
    const client = await server.client();
    expect(await client.greet()).toMatchObject({
      session: { audio: { input: { turn_detection: { create_response: false, silence_duration_ms: 900 } } } },
    });
    expect(await client.take('response.create')).toMatchObject({ response: { metadata: { requestId: 'r1' } } });
    expect(client.received).toHaveLength(2);
  });
});
