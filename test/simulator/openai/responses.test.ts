import { afterEach, describe, expect, it } from 'vitest';
import { silence } from '../../../src/media/mulaw.ts';
import { reservationBrain, scriptedBrain } from '../../../src/simulator/openai/brain.ts';
import { loadPhrasebook, phrase } from '../../../src/simulator/speech/load-phrasebook.ts';
import { Bench, type Message, type RealtimeClient } from './realtime-client.ts';

const bench = new Bench();
afterEach(() => bench.closeAll());

const QUIET = { create_response: false, interrupt_response: false };

type Loose = Record<string, unknown>;

function response(message: Message): Loose {
  return message.response as Loose;
}

/** What is left without the deltas, which have tests of their own. */
function outline(client: RealtimeClient): string[] {
  return client.types().filter((type) => !/session|transcription|input_audio|delta$/.test(type));
}

function spokenBytes(client: RealtimeClient, itemId: unknown): Buffer {
  const deltas = client.all('response.output_audio.delta').filter((one) => one.item_id === itemId);
  return Buffer.concat(deltas.map((one) => Buffer.from(String(one.delta), 'base64')));
}

describe('a response', () => {
  it('follows a turn in the order of the real service', async () => {
    const client = await bench.ready(await bench.simulator({}, reservationBrain()));
    client.speak('c.greeting');
    await client.next('rate_limits.updated');
    expect(outline(client)).toEqual([
      'conversation.item.added',
      'conversation.item.done',
      'response.created',
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
      'rate_limits.updated',
    ]);
  });

  it('speaks the clip byte for byte, and its words', async () => {
    const simulator = await bench.simulator({ deltaMs: [13.125, 250, 1] }, reservationBrain());
    const client = await bench.ready(simulator);
    client.speak('c.name');
    const done = response(await client.next('response.done'));
    const [item] = done.output as Loose[];
    expect(spokenBytes(client, item?.id).equals(Buffer.from(phrase('a.name').audio))).toBe(true);
    const sizes = client
      .all('response.output_audio.delta')
      .map((one) => Buffer.from(String(one.delta), 'base64').length);
    expect(sizes.slice(0, 4)).toEqual([105, 2_000, 8, 105]);
    expect(item).toMatchObject({
      object: 'realtime.item',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_audio', transcript: 'Yes, the name is Carter.' }],
    });
    const words = client.all('response.output_audio_transcript.delta').map((one) => one.delta);
    expect(words.join('')).toBe('Yes, the name is Carter.');
    expect(simulator.sessions[0]?.record.spoken.get(String(item?.id))?.phraseId).toBe('a.name');
  });

  it('tells its words before their sound', async () => {
    const client = await bench.ready(await bench.simulator({ transcriptLeadMs: 1_500 }, reservationBrain()));
    client.speak('c.name');
    await client.next('response.done');
    const types = client.types().filter((type) => /output_audio(_transcript)?\.delta/.test(type));
    expect(types.indexOf('response.output_audio.delta')).toBeGreaterThan(3);
  });

  it('comes faster than real time, after its first-audio delay', async () => {
    const knobs = { burstFactor: 8, firstAudioDelayMs: 120, deltaMs: [100] };
    const client = await bench.ready(await bench.simulator(knobs, reservationBrain()));
    const arrivals: number[] = [];
    client.socket.on('message', (data) => {
      if (data.toString().includes('"response.output_audio.delta"')) arrivals.push(performance.now());
    });
    client.speak('c.name');
    await client.next('response.created');
    const createdAt = performance.now();
    await client.next('response.done');
    const { durationMs } = phrase('a.name');
    expect((arrivals[0] ?? 0) - createdAt).toBeGreaterThan(100);
    const tookMs = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0);
    expect(tookMs).toBeGreaterThan(durationMs / 8 - 40);
    expect(tookMs).toBeLessThan(durationMs / 2);
  });

  it('carries the members of the service, the metadata of its create, and ids', async () => {
    const client = await bench.ready(await bench.simulator());
    const metadata = { requestId: 'r1', purpose: 'goodbye' };
    client.send({ type: 'response.create', response: { metadata, instructions: 'Say goodbye.', tool_choice: 'none' } });
    const created = response(await client.next('response.created'));
    expect(created).toEqual({
      object: 'realtime.response',
      id: expect.stringMatching(/^resp_[0-9A-Za-z]{21}$/),
      conversation_id: expect.stringMatching(/^conv_/),
      status: 'in_progress',
      status_details: null,
      output: [],
      output_modalities: ['audio'],
      audio: { output: { format: { type: 'audio/pcmu' }, voice: 'sage' } },
      max_output_tokens: 'inf',
      metadata,
      usage: null,
    });
    const done = response(await client.next('response.done'));
    expect(done).toMatchObject({ id: created.id, status: 'completed', metadata });
    expect(JSON.stringify(done.output)).toContain(phrase('a.farewell').text);
    const part = await client.next('response.content_part.added');
    expect(part).toMatchObject({ response_id: created.id, output_index: 0, content_index: 0, part: { type: 'audio' } });
  });

  it('pads its deltas with text that nobody documented, unless told not to', async () => {
    const simulator = await bench.simulator();
    const client = await bench.ready(simulator);
    client.send({ type: 'response.create' });
    await client.next('response.done');
    expect(client.all('response.output_audio.delta').every((one) => typeof one.obfuscation === 'string')).toBe(true);
    simulator.turn({ obfuscation: false });
    client.messages.length = 0;
    client.send({ type: 'response.create' });
    await client.next('response.done');
    expect(client.all('response.output_audio.delta').every((one) => one.obfuscation === undefined)).toBe(true);
  });

  it('bills the whole conversation again each time, part of it from the cache', async () => {
    const session = { instructions: 'Book a table for four. '.repeat(40) };
    const client = await bench.ready(await bench.simulator({}, reservationBrain()), { session });
    const usages: Loose[] = [];
    for (const [n, id] of ['c.greeting', 'c.howmany', 'c.name'].entries()) {
      client.speak(id);
      usages.push(response(await client.next('response.done', n)).usage as Loose);
    }
    const inputs = usages.map((one) => Number(one.input_tokens));
    expect(inputs[1]).toBeGreaterThan(inputs[0] ?? 0);
    expect(inputs[2]).toBeGreaterThan(inputs[1] ?? 0);
    const last = usages[2] ?? {};
    expect(last.total_tokens).toBe(Number(last.input_tokens) + Number(last.output_tokens));
    const details = last.input_token_details as Loose;
    expect(Number(details.text_tokens) + Number(details.audio_tokens)).toBe(last.input_tokens);
    const cached = details.cached_tokens_details as Loose;
    expect(Number(cached.text_tokens)).toBeGreaterThan(0);
    expect(Number(cached.audio_tokens)).toBeGreaterThan(0);
    expect(details.cached_tokens).toBe(Number(cached.text_tokens) + Number(cached.audio_tokens));
    const out = last.output_token_details as Loose;
    expect(out.audio_tokens).toBe(Math.ceil(phrase('a.name').durationMs / 50));
  });

  it('is refused while another is active, whoever began it', async () => {
    const client = await bench.ready(await bench.simulator({ burstFactor: 4 }, reservationBrain()));
    client.speak('c.greeting');
    const { id } = response(await client.next('response.created'));
    client.send({ type: 'response.create' });
    const error = await client.error();
    expect(error.code).toBe('conversation_already_has_active_response');
    expect(error.message).toContain(String(id));
  });

  it('of the server waits for its delay, and yields to the client’s own', async () => {
    const simulator = await bench.simulator({ ownReplyDelayMs: 80 }, reservationBrain());
    const client = await bench.ready(simulator);
    client.speak('c.howmany');
    await client.next('conversation.item.done');
    client.send({ type: 'response.create', response: { metadata: { requestId: 'mine' } } });
    await client.next('response.done');
    expect(simulator.sessions[0]?.record.responses.map((one) => one.own)).toEqual([false]);
    client.speak('c.name');
    await client.next('response.done', 1);
    expect(simulator.sessions[0]?.record.responses.map((one) => one.own)).toEqual([false, true]);
  });

  it('outside the conversation may run beside another and leaves no item', async () => {
    const client = await bench.ready(await bench.simulator({ burstFactor: 10 }));
    client.send({ type: 'response.create' });
    client.send({ type: 'response.create', response: { conversation: 'none', metadata: { purpose: 'goodbye' } } });
    await client.next('response.done', 1);
    expect(client.errors()).toEqual([]);
    expect(client.all('conversation.item.added')).toHaveLength(1);
  });

  it('is not begun by the server when create_response is off', async () => {
    const client = await bench.ready(await bench.simulator({}, reservationBrain()), { turn: QUIET });
    client.speak('c.greeting');
    await client.next('conversation.item.input_audio_transcription.completed');
    expect(client.types()).not.toContain('response.created');
    client.send({ type: 'response.create' });
    expect(JSON.stringify(response(await client.next('response.done')).output)).toContain(phrase('a.request').text);
  });

  it.each([
    ['insufficient_quota', 'failed', { type: 'failed', error: { code: 'insufficient_quota' } }],
    ['rate_limit_exceeded', 'failed', { type: 'failed', error: { code: 'rate_limit_exceeded' } }],
    ['server_error', 'failed', { type: 'failed', error: { code: 'server_error' } }],
    ['content_filter', 'incomplete', { type: 'incomplete', reason: 'content_filter' }],
    ['max_output_tokens', 'incomplete', { type: 'incomplete', reason: 'max_output_tokens' }],
  ] as const)('ends by %s as %s', async (fault, status, details) => {
    const client = await bench.ready(await bench.simulator({ responseFaults: { 0: fault } }));
    client.send({ type: 'response.create' });
    const done = response(await client.next('response.done'));
    expect(done).toMatchObject({ status, status_details: details });
    expect(done.usage === null).toBe(status === 'failed');
    if (status === 'incomplete') expect(done.output).toMatchObject([{ status: 'incomplete' }]);
    client.send({ type: 'response.create' });
    expect(response(await client.next('response.done', 1)).status).toBe('completed');
  });
});

describe('the brain', () => {
  it('answers the wrong thing when it did not understand', async () => {
    const client = await bench.ready(await bench.simulator({}, reservationBrain()));
    client.hear(silence(400));
    client.hear(phrase('c.chatter').audio);
    client.hear(silence(600));
    expect(JSON.stringify(response(await client.next('response.done')).output)).toContain(phrase('a.again').text);
  });

  it('has an answer to everything that the callee says', () => {
    const brain = reservationBrain();
    for (const { id, voice, text } of loadPhrasebook()) {
      if (voice === 'agent') continue;
      const heard = [{ phraseId: text === '' ? null : id, text, exact: true }];
      const reply = brain.respond({
        heard,
        instructions: '',
        metadata: {},
        toolOutputs: [],
        history: [],
        tools: [],
        own: true,
      });
      expect((reply.speak ?? []).length + (reply.calls ?? []).length, id).toBeGreaterThan(0);
      for (const said of reply.speak ?? []) expect(phrase(said).voice).toBe('agent');
      expect(reply.speak?.includes('a.again') ?? false, id).toBe(text === '');
    }
  });

  it('keeps a question open when its response failed', async () => {
    const simulator = await bench.simulator({ responseFaults: { 0: 'server_error' } }, reservationBrain());
    const client = await bench.ready(simulator);
    client.speak('c.howmany');
    await client.next('response.done');
    client.send({ type: 'response.create', response: { metadata: { purpose: 'answer' } } });
    expect(JSON.stringify(response(await client.next('response.done', 1)).output)).toContain(phrase('a.four').text);
  });

  it('knows the purpose of a create, and rules that hold once', async () => {
    const once = { when: { purpose: 'nudge' }, reply: { speak: ['a.short'] }, once: true };
    const client = await bench.ready(await bench.simulator({}, scriptedBrain([once])));
    const said: string[] = [];
    for (const [n, purpose] of ['opener', 'nudge', 'nudge', 'goodbye'].entries()) {
      client.send({ type: 'response.create', response: { metadata: { purpose } } });
      const [item] = response(await client.next('response.done', n)).output as { content: { transcript: string }[] }[];
      said.push(item?.content[0]?.transcript ?? '');
    }
    const expected = ['a.opener', 'a.short', 'a.stillthere', 'a.farewell'].map((id) => phrase(id).text);
    expect(said).toEqual(expected);
  });
});

describe('function calls', () => {
  it('follow the speech, come in pieces, and are answered with one output each', async () => {
    const simulator = await bench.simulator({}, reservationBrain());
    const client = await bench.ready(simulator);
    client.speak('c.confirmed');
    const call = await client.next('response.function_call_arguments.done');
    expect(call).toMatchObject({ name: 'end_call', output_index: 1 });
    expect(String(call.call_id)).toMatch(/^call_/);
    const pieces = client.all('response.function_call_arguments.delta').map((one) => one.delta);
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.join('')).toBe(call.arguments);
    expect(JSON.parse(String(call.arguments))).toHaveProperty('outcome');
    const done = response(await client.next('response.done'));
    expect(done.output).toMatchObject([
      { type: 'message' },
      { type: 'function_call', status: 'completed', name: 'end_call' },
    ]);
    client.send({
      type: 'conversation.item.create',
      item: { type: 'function_call_output', call_id: call.call_id, output: '{}' },
    });
    client.send({
      type: 'conversation.item.create',
      item: { type: 'function_call_output', call_id: 'call_other', output: '{}' },
    });
    expect((await client.error()).code).toBe('invalid_tool_call_id');
    const types = client.types();
    expect(types.indexOf('response.function_call_arguments.delta')).toBeGreaterThan(
      types.indexOf('response.output_audio.done'),
    );
  });

  it('are not made of tools that are not on offer', async () => {
    const client = await bench.ready(await bench.simulator({}, reservationBrain()), { turn: QUIET });
    client.speak('c.moment');
    await client.next('conversation.item.done');
    client.send({ type: 'response.create', response: { tool_choice: 'none' } });
    expect(response(await client.next('response.done')).output).toEqual([]);
    client.speak('c.moment');
    await client.next('conversation.item.done', 1);
    client.send({ type: 'response.create' });
    const call = await client.next('response.function_call_arguments.done');
    expect(call).toMatchObject({ name: 'stay_quiet', arguments: '{"seconds":60}', output_index: 0 });
  });

  it('are left incomplete, with torn JSON, when the response is cancelled', async () => {
    const args = { note: 'x'.repeat(4_000) };
    const brain = scriptedBrain([{ when: {}, reply: { calls: [{ name: 'end_call', args }] } }]);
    const client = await bench.ready(await bench.simulator({}, brain));
    client.send({ type: 'response.create' });
    await client.next('response.function_call_arguments.delta', 2);
    client.send({ type: 'response.cancel' });
    const { item } = await client.next('response.output_item.done');
    expect(item).toMatchObject({ type: 'function_call', status: 'incomplete' });
    expect(() => JSON.parse(String((item as Loose).arguments))).toThrow();
  });
});
