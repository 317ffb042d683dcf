import { afterEach, describe, expect, it } from 'vitest';
import { scriptedBrain } from '../../../src/simulator/openai/brain.ts';
import { phrase } from '../../../src/simulator/speech/load-phrasebook.ts';
import { Bench } from './realtime-client.ts';

const bench = new Bench();
afterEach(() => bench.closeAll());

const LONG = scriptedBrain([{ when: {}, reply: { speak: ['a.long'] } }]);

describe('the life of a session', () => {
  it('expires with an error and a close of 1001', async () => {
    const simulator = await bench.simulator({ maxSessionMs: 150 });
    const client = bench.client(simulator);
    expect((await client.error()).code).toBe('session_expired');
    expect((await client.end()).code).toBe(1001);
    expect(simulator.sessions[0]?.record.closed).toMatchObject({ code: 1001, by: 'server' });
  });

  it('is torn off in the middle of a word when told so', async () => {
    const killDuring = { session: 0, response: 0, afterAudioMs: 1_000 };
    const simulator = await bench.simulator({ killDuring, burstFactor: 20 }, LONG);
    const client = await bench.ready(simulator);
    client.send({ type: 'response.create' });
    expect((await client.end()).code).toBe(1006);
    expect(client.types()).not.toContain('response.done');
    // Another session lives.
    const next = await bench.ready(simulator);
    next.send({ type: 'response.create' });
    await next.next('response.done');
  });

  it('pings', async () => {
    const client = bench.client(await bench.simulator({ pingMs: 20 }));
    await client.until(() => client.pings > 2, 'pings');
  });

  it('falls silent, half-open, without closing', async () => {
    const simulator = await bench.simulator({ pingMs: 20 });
    const client = await bench.ready(simulator);
    (await simulator.session(0)).freeze();
    const before = client.messages.length;
    let pongs = 0;
    client.socket.on('pong', () => {
      pongs += 1;
    });
    client.socket.ping();
    client.send({ type: 'response.create' });
    const other = await bench.ready(simulator);
    other.send({ type: 'response.create' });
    await other.next('response.done');
    expect(client.messages.length).toBe(before);
    expect(pongs).toBe(0);
    expect(client.closed).toBeNull();
  });

  it('delays both ways, in order', async () => {
    const network = { up: { delayMs: 80, jitterMs: 40 }, down: { delayMs: 80, jitterMs: 40 } };
    const client = bench.client(await bench.simulator({ network }));
    await client.next('session.created');
    const sentAt = performance.now();
    for (let n = 1; n <= 20; n += 1) {
      client.send({ type: 'session.update', session: { type: 'realtime', max_output_tokens: n } });
    }
    await client.next('session.updated');
    expect(performance.now() - sentAt).toBeGreaterThan(155);
    await client.next('session.updated', 19);
    const order = client
      .all('session.updated')
      .map((one) => (one.session as { max_output_tokens: number }).max_output_tokens);
    expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it('talks by itself when a test wants it to', async () => {
    const simulator = await bench.simulator();
    const client = await bench.ready(simulator);
    (await simulator.session(0)).say('a.short');
    expect(JSON.stringify((await client.next('response.done')).response)).toContain(phrase('a.short').text);
  });

  it('is written down: what came, what went, and how it ended', async () => {
    const simulator = await bench.simulator();
    const client = await bench.ready(simulator, { turn: { create_response: false } });
    client.speak('c.yes');
    await client.next('input_audio_buffer.committed');
    client.send({ type: 'response.create', response: { metadata: { requestId: 'r7', purpose: 'nudge' } } });
    await client.next('response.done');
    client.socket.close(1000, 'enough');
    const { record } = await simulator.session(0);
    await record.until((one) => one.closed !== null, 'the close');
    expect(record.closed).toMatchObject({ code: 1000, reason: 'enough', by: 'client' });
    expect(record.inputBytes).toBe(1_000 * 8 + phrase('c.yes').audio.byteLength);
    expect(record.received.map((one) => one.type)).toContain('response.create');
    expect(record.responses).toMatchObject([
      { own: false, status: 'completed', metadata: { requestId: 'r7', purpose: 'nudge' }, phraseIds: ['a.stillthere'] },
    ]);
    expect(record.turns).toMatchObject([{ heard: [{ phrase: { id: 'c.yes' }, exact: true }] }]);
    expect(record.errorCodes()).toEqual([]);
  });
});

describe('items of the client', () => {
  const words = (role: string, type: string, text: string, id?: string) => ({
    type: 'conversation.item.create',
    item: { type: 'message', role, content: [{ type, text }], ...(id === undefined ? {} : { id }) },
  });

  it('are added where they are told to be, retrieved and deleted', async () => {
    const client = await bench.ready(await bench.simulator());
    client.send(words('user', 'input_text', 'Hello?', 'mine_1'));
    client.send(words('assistant', 'output_text', 'Hello.', 'mine_2'));
    client.send({ ...words('system', 'input_text', 'Be brief.', 'mine_0'), previous_item_id: 'root' });
    const added = [0, 1, 2].map((n) => client.next('conversation.item.added', n));
    const previous = (await Promise.all(added)).map((one) => one.previous_item_id);
    expect(previous).toEqual([null, 'mine_1', null]);
    await client.next('conversation.item.done', 2);
    client.send({ type: 'conversation.item.delete', item_id: 'mine_1' });
    await client.next('conversation.item.deleted');
    client.send({ type: 'conversation.item.retrieve', item_id: 'mine_1' });
    expect((await client.error()).code).toBe('item_retrieve_invalid_item_id');
    client.send({ type: 'conversation.item.delete', item_id: 'mine_1' });
    expect((await client.error(1)).code).toBe('item_delete_invalid_item_id');
  });

  it.each([
    ['assistant audio', { type: 'message', role: 'assistant', content: [{ type: 'output_audio', transcript: 'Hi' }] }],
    ['a beta content type', { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'Hi' }] }],
    ['an unknown item type', { type: 'note' }],
    ['an output that is no string', { type: 'function_call_output', call_id: 'call_1', output: { ok: true } }],
    ['no item', undefined],
  ])('are refused when they are %s', async (_what, item) => {
    const client = await bench.ready(await bench.simulator());
    client.send({ type: 'conversation.item.create', item });
    expect((await client.error()).type).toBe('invalid_request_error');
    expect(client.all('conversation.item.added')).toEqual([]);
  });

  it('are remembered by the brain after a renewal: the last question is answered', async () => {
    const client = await bench.ready(
      await bench.simulator({}, scriptedBrain([{ when: { heard: 'c.howmany' }, reply: { speak: ['a.four'] } }])),
    );
    client.send(words('user', 'input_text', phrase('c.greeting').text));
    client.send(words('assistant', 'output_text', phrase('a.request').text));
    client.send(words('user', 'input_text', phrase('c.howmany').text));
    client.send({ type: 'response.create' });
    expect(JSON.stringify((await client.next('response.done')).response)).toContain(phrase('a.four').text);
  });
});
