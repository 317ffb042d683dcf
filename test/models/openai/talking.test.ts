import { describe, expect, it } from 'vitest';
import { Audio } from '../../../src/media/audio.ts';
import { recordSession } from '../recorded-session.ts';
import { cleanUpAfterEach, cleanups, error, modelAt, readySession, scripted } from './scripted-session.ts';

cleanUpAfterEach();

describe('talking', () => {
  it('tolerates malformed messages, unknown types and missing members', async () => {
    const { client, until, types } = await readySession();
    client.send('{', 'null', '7', '"x"', '[]', '{}', { type: 7 }, { type: 'x.y' }, { type: 'rate_limits.updated' });
    client.send({ type: 'response.output_item.done' }, { type: 'conversation.item.done' });
    client.send({ type: 'input_audio_buffer.committed', item_id: 'u', previous_item_id: null, surprise: 1 });
    await until('model.committed');
    expect(types()).toEqual(['model.ready', 'model.committed']);
  });

  it('sends the changed turn detection whole, and nothing when it is the same', async () => {
    const { client, session } = await readySession();
    session.configure({ create: true, interrupt: true, silenceMs: 500, guarded: false });
    session.configure({ create: true, interrupt: true, silenceMs: 900, guarded: false });
    session.configure({ create: true, interrupt: true, silenceMs: 900, guarded: false });
    session.configure({ create: false, interrupt: true, silenceMs: 900, guarded: true });
    const [first, second] = [await client.take('session.update'), await client.take('session.update')];
    expect(first.session).toEqual({
      type: 'realtime',
      audio: {
        input: {
          turn_detection: {
            type: 'server_vad',
            threshold: 0.5,
            prefix_padding_ms: 300,
            silence_duration_ms: 900,
            create_response: true,
            interrupt_response: true,
          },
        },
      },
    });
    expect(second).toMatchObject({
      session: { audio: { input: { turn_detection: { create_response: false, threshold: 0.75 } } } },
    });
    expect(client.received).toHaveLength(3);
  });

  it('says no silence to semantic turn detection', async () => {
    const { update, client, session } = await readySession({ turnDetection: 'semantic_vad' });
    expect(update).toMatchObject({ session: { audio: { input: { turn_detection: { type: 'semantic_vad' } } } } });
    expect(JSON.stringify(update)).not.toContain('silence');
    session.configure({ create: true, interrupt: true, silenceMs: 900, guarded: false });
    session.commitInput();
    await client.take('input_audio_buffer.commit');
    expect(client.received).toHaveLength(2);
  });

  it('adds instructions of a reply to those of the session, and forbids tools when asked', async () => {
    const { client, session } = await readySession();
    session.reply({ requestId: 'r1', purpose: 'goodbye', instructions: 'Say goodbye.', tools: false });
    session.reply({ requestId: 'r2', purpose: 'answer', tools: true });
    expect((await client.take('response.create')).response).toEqual({
      metadata: { requestId: 'r1', purpose: 'goodbye' },
      instructions: 'You book tables.\n\nSay goodbye.',
      tool_choice: 'none',
    });
    expect((await client.take('response.create')).response).toEqual({
      metadata: { requestId: 'r2', purpose: 'answer' },
    });
  });

  it('tells our replies from those that the server begins, also when the server does not know metadata', async () => {
    const { client, session, until } = await readySession();
    session.reply({ requestId: 'r1', purpose: 'opener', tools: true });
    session.reply({ requestId: 'r2', purpose: 'answer', tools: true });
    client.send({ type: 'response.created', response: { id: 'own', metadata: null } });
    client.send({
      type: 'response.created',
      response: { id: 'two', metadata: { requestId: 'r2', purpose: 'answer' } },
    });
    client.send({ type: 'response.created', response: { id: 'one' } });
    client.send({ type: 'response.created', response: { id: 'none' } });
    expect(await until('model.replyCreated', ({ replyId }) => replyId === 'own')).toMatchObject({ requestId: null });
    expect(await until('model.replyCreated', ({ replyId }) => replyId === 'two')).toMatchObject({ requestId: 'r2' });
    expect(await until('model.replyCreated', ({ replyId }) => replyId === 'one')).toMatchObject({ requestId: 'r1' });
    expect(await until('model.replyCreated', ({ replyId }) => replyId === 'none')).toMatchObject({ requestId: null });
  });

  it.each([
    ['echoes our event_id', true],
    ['sends null as event_id', false],
  ])('knows which create was refused when the server %s', async (_, echoes) => {
    const { client, session, until } = await readySession();
    session.reply({ requestId: 'r1', purpose: 'opener', tools: true });
    session.reply({ requestId: 'r2', purpose: 'answer', tools: true });
    const [first, second] = [await client.take('response.create'), await client.take('response.create')];
    const active = 'conversation_already_has_active_response';
    const refused = echoes ? second : first;
    client.send(error(active, { event_id: echoes ? refused.event_id : null }));
    expect(await until('model.objected')).toEqual({
      type: 'model.objected',
      objection: 'reply-active',
      requestId: echoes ? 'r2' : 'r1',
      code: active,
    });
    client.send(error(active));
    expect(await until('model.objected', ({ requestId }) => requestId === (echoes ? 'r1' : 'r2'))).toBeDefined();
  });

  it('reads benign errors as objections and lives on', async () => {
    const { client, session, types, events, until } = await readySession();
    session.truncate('a', 0, 120.7);
    const truncate = await client.take('conversation.item.truncate');
    expect(truncate).toMatchObject({ item_id: 'a', content_index: 0, audio_end_ms: 120 });
    client.send(
      error('response_cancel_not_active'),
      error('invalid_value', { message: 'Audio content of 9800ms is already shorter than 11579ms' }),
      error('item_truncate_invalid_item_id'),
      error('invalid_value', { event_id: truncate.event_id }),
      error('input_audio_buffer_commit_empty'),
      error(null, { type: 'server_error' }),
      { type: 'conversation.item.truncated', item_id: 'a', content_index: 0, audio_end_ms: 9840 },
    );
    await until('model.truncated');
    expect(types().at(-1)).toBe('model.truncated');
    expect(events.flatMap((event) => (event.type === 'model.objected' ? [event.objection] : []))).toEqual([
      'nothing-to-cancel',
      'truncate-refused',
      'truncate-refused',
      'truncate-refused',
      'other',
      'other',
    ]);
  });

  it('reports a completed tool call of a reply that ended well, and never one of a cancelled reply', async () => {
    const { client, until, events } = await readySession();
    const call = (reply: string, id: string, status: string) => ({
      type: 'response.output_item.done',
      response_id: reply,
      item: {
        id: `item_${id}`,
        type: 'function_call',
        call_id: id,
        name: 'end_call',
        arguments: '{"outcome":',
        status,
      },
    });
    const done = (reply: string, status: string) => ({ type: 'response.done', response: { id: reply, status } });
    client.send(call('r1', 'c1', 'completed'), call('r1', 'c2', 'incomplete'), done('r1', 'cancelled'));
    client.send(call('r2', 'c3', 'completed'), call('r2', 'c4', 'incomplete'), done('r2', 'completed'));
    await until('model.replyDone', ({ replyId }) => replyId === 'r2');
    expect(events.filter((event) => event.type === 'model.toolCalled')).toEqual([
      {
        type: 'model.toolCalled',
        replyId: 'r2',
        itemId: 'item_c3',
        toolCallId: 'c3',
        name: 'end_call',
        args: '{"outcome":',
      },
    ]);
    // The call that will never run is answered, so that the model does not wait for it.
    expect((await client.take('conversation.item.create')).item).toMatchObject({
      type: 'function_call_output',
      call_id: 'c1',
    });
  });

  it('reports an item once, from a server that speaks of it in the old name, the new one, or both', async () => {
    const { client, until, events } = await readySession();
    const item = (type: string, id: string) => ({
      type,
      previous_item_id: null,
      item: { id, type: 'message', role: 'user' },
    });
    client.send(item('conversation.item.added', 'a'), item('conversation.item.created', 'a'));
    client.send(item('conversation.item.done', 'a'), item('conversation.item.created', 'b'));
    await until('model.itemAdded', ({ itemId }) => itemId === 'b');
    expect(events.flatMap((event) => (event.type === 'model.itemAdded' ? [event.itemId] : []))).toEqual(['a', 'b']);
  });

  it('gives each chunk of audio an id of its own, across the sessions of a model', async () => {
    const server = await scripted();
    const model = modelAt(server.url);
    const ids: number[] = [];
    for (const reply of ['r1', 'r2']) {
      const { session, until, audio } = recordSession(model);
      cleanups.push(() => session.close());
      const client = await server.client();
      await client.greet();
      const bytes = Buffer.alloc(333, 0x7f);
      const delta = {
        type: 'response.output_audio.delta',
        response_id: reply,
        item_id: 'a',
        output_index: 0,
        content_index: 0,
      };
      client.send({ ...delta, delta: bytes.toString('base64') }, { ...delta, delta: '' }, { ...delta, delta: 'AAA=' });
      const second = await until('model.spoke', ({ bytes: size }) => size === 2);
      const first = await until('model.spoke');
      expect(first).toMatchObject({ replyId: reply, itemId: 'a', contentIndex: 0, bytes: 333 });
      expect(audio.get(first.chunkId)?.bytes()).toEqual(bytes);
      ids.push(first.chunkId, second.chunkId);
    }
    expect(new Set(ids).size).toBe(4);
  });

  it('sends the caller as plain base64, word for word', async () => {
    const { client, session } = await readySession();
    const base64 = Buffer.from(Uint8Array.from({ length: 160 }, (_, i) => i)).toString('base64');
    session.append(Audio.fromBase64(base64));
    session.append(Audio.fromBytes(new Uint8Array()));
    session.commitInput();
    await client.take('input_audio_buffer.commit');
    expect(client.received[1]).toEqual({ type: 'input_audio_buffer.append', audio: base64 });
    expect(client.received).toHaveLength(3);
  });
});
