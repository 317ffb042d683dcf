import { afterEach, describe, expect, it } from 'vitest';
import { bytesOfMs, silence } from '../../../src/media/mulaw.ts';
import { phrase } from '../../../src/simulator/speech/load-phrasebook.ts';
import { Bench, type Message } from './realtime-client.ts';

const bench = new Bench();
afterEach(() => bench.closeAll());

const LISTEN = { create_response: false, interrupt_response: false };
const TRANSCRIPT = 'conversation.item.input_audio_transcription.completed';

function number(message: Message, name: string): number {
  return Number(message[name]);
}

describe('the turns of a caller', () => {
  it('are found on the audio’s own time, with padding before and silence after', async () => {
    const client = await bench.ready(await bench.simulator(), { turn: LISTEN });
    client.speak('c.howmany', 1_000, 600);
    const started = await client.next('input_audio_buffer.speech_started');
    const stopped = await client.next('input_audio_buffer.speech_stopped');
    // 1,000 ms of silence, less 300 ms of padding; the clip, and 500 ms of silence after it.
    expect(Math.abs(number(started, 'audio_start_ms') - 700)).toBeLessThanOrEqual(60);
    const endMs = 1_000 + phrase('c.howmany').durationMs + 500;
    expect(Math.abs(number(stopped, 'audio_end_ms') - endMs)).toBeLessThanOrEqual(60);
    expect(stopped.item_id).toBe(started.item_id);
  });

  it('follow the session’s own silence and padding', async () => {
    const turn = { ...LISTEN, silence_duration_ms: 1_200, prefix_padding_ms: 100 };
    const client = await bench.ready(await bench.simulator(), { turn });
    client.speak('c.hello', 1_000, 1_100);
    const started = await client.next('input_audio_buffer.speech_started');
    expect(Math.abs(number(started, 'audio_start_ms') - 900)).toBeLessThanOrEqual(60);
    client.send({ type: 'conversation.item.retrieve', item_id: 'item_none' });
    await client.error();
    expect(client.types()).not.toContain('input_audio_buffer.speech_stopped');
    client.hear(silence(200));
    await client.next('input_audio_buffer.speech_stopped');
  });

  it('never reach back before the beginning of the audio', async () => {
    const client = await bench.ready(await bench.simulator(), { turn: LISTEN });
    client.speak('c.hello', 50);
    expect((await client.next('input_audio_buffer.speech_started')).audio_start_ms).toBe(0);
  });

  it('become items in a chain, each committed, added and done', async () => {
    const client = await bench.ready(await bench.simulator(), { turn: LISTEN });
    client.speak('c.hello');
    client.speak('c.yes');
    await client.next('conversation.item.done', 1);
    const types = client.types().filter((type) => !type.includes('transcription') && !type.startsWith('session'));
    expect(types.slice(0, 5)).toEqual([
      'input_audio_buffer.speech_started',
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
    ]);
    const [first, second] = client.all('input_audio_buffer.committed');
    expect(first?.previous_item_id).toBeNull();
    expect(second?.previous_item_id).toBe(first?.item_id);
    const { item, previous_item_id } = await client.next('conversation.item.added', 1);
    expect(previous_item_id).toBe(first?.item_id);
    expect(item).toEqual({
      id: second?.item_id,
      object: 'realtime.item',
      type: 'message',
      status: 'completed',
      role: 'user',
      content: [{ type: 'input_audio', transcript: null }],
    });
  });

  it('are heard in odd pieces as in whole frames', async () => {
    const simulator = await bench.simulator();
    const client = await bench.ready(simulator, { turn: LISTEN });
    const whole = new Uint8Array(Buffer.concat([silence(400), phrase('c.seven').audio, silence(600)]));
    client.hear(whole, 331);
    expect((await client.next(TRANSCRIPT)).transcript).toBe(phrase('c.seven').text);
    expect(simulator.sessions[0]?.record.turns[0]?.heard).toMatchObject([{ exact: true }]);
  });

  it('show a frame that got lost on the way', async () => {
    const simulator = await bench.simulator();
    const client = await bench.ready(simulator, { turn: LISTEN });
    const { audio } = phrase('c.seven');
    client.hear(silence(400));
    client.hear(new Uint8Array(Buffer.concat([audio.subarray(0, 8_000), audio.subarray(8_160), silence(600)])));
    await client.next('conversation.item.done');
    const heard = simulator.sessions[0]?.record.turns[0]?.heard[0];
    expect(heard?.phrase?.id).toBe('c.seven');
    expect(heard?.faults).toEqual([{ kind: 'missing', atMs: 1_000, durationMs: 20 }]);
  });

  it('are understood whole although a pause cut them in two', async () => {
    const simulator = await bench.simulator();
    const client = await bench.ready(simulator, { turn: { ...LISTEN, silence_duration_ms: 120 } });
    client.speak('c.confirmed');
    const { record } = await simulator.session(0);
    const understood = () => record.turns.flatMap((turn) => turn.heard.map((one) => one.phrase?.id));
    await record.until(() => understood().includes('c.confirmed'), 'the whole sentence');
    expect(record.turns.length).toBeGreaterThan(1);
  });

  it('are not begun by silence, nor by a voice below the threshold', async () => {
    const client = await bench.ready(await bench.simulator(), { turn: { ...LISTEN, threshold: 1 } });
    client.hear(silence(3_000));
    client.speak('c.chatter');
    client.send({ type: 'input_audio_buffer.clear' });
    await client.next('input_audio_buffer.cleared');
    expect(client.types()).not.toContain('input_audio_buffer.speech_started');
  });

  it('end by what was said, not by a fixed silence, under semantic detection', async () => {
    const client = await bench.ready(await bench.simulator(), { turn: null });
    const input = { turn_detection: { type: 'semantic_vad', eagerness: 'high', ...LISTEN } };
    client.send({ type: 'session.update', session: { type: 'realtime', audio: { input } } });
    await client.next('session.updated', 1);
    client.speak('c.yes', 400, 400);
    await client.next('input_audio_buffer.committed');
    // Half a sentence is waited for, as long as the eagerness allows.
    client.hear(phrase('c.greeting').audio.subarray(0, bytesOfMs(1_400)));
    client.hear(silence(1_800));
    client.send({ type: 'conversation.item.retrieve', item_id: 'item_none' });
    await client.error();
    expect(client.all('input_audio_buffer.committed')).toHaveLength(1);
    client.hear(silence(300));
    await client.next('input_audio_buffer.committed', 1);
  });

  it('are the client’s own affair without turn detection', async () => {
    const client = await bench.ready(await bench.simulator(), { turn: null });
    client.hear(phrase('c.name').audio);
    client.send({ type: 'input_audio_buffer.commit' });
    const committed = await client.next('input_audio_buffer.committed');
    expect((await client.next(TRANSCRIPT)).item_id).toBe(committed.item_id);
    expect(client.types()).not.toContain('input_audio_buffer.speech_started');
    expect(client.types()).not.toContain('response.created');
    client.send({ type: 'input_audio_buffer.commit' });
    expect((await client.error()).code).toBe('input_audio_buffer_commit_empty');
  });

  it('are cut by a commit of the client in the middle of speech', async () => {
    const client = await bench.ready(await bench.simulator(), { turn: LISTEN });
    client.hear(phrase('c.name').audio);
    client.send({ type: 'input_audio_buffer.commit' });
    const committed = await client.next('input_audio_buffer.committed');
    expect(committed.item_id).toBe((await client.next('input_audio_buffer.speech_started')).item_id);
  });

  it('are timed out by the server when nobody speaks', async () => {
    const brain = { respond: () => ({}) };
    const simulator = await bench.simulator({}, brain);
    const client = await bench.ready(simulator, { turn: { idle_timeout_ms: 5_000 } });
    client.hear(silence(400));
    client.send({ type: 'response.create' });
    await client.next('response.done');
    const timeout = await client.next('input_audio_buffer.timeout_triggered');
    expect((await client.next('input_audio_buffer.committed')).item_id).toBe(timeout.item_id);
    await client.next('response.created', 1);
  });
});

describe('transcriptions', () => {
  it('come after their turn, in any order', async () => {
    const client = await bench.ready(await bench.simulator({ transcriptionDelayMs: [250, 10] }), { turn: LISTEN });
    client.speak('c.hello');
    client.speak('c.yes');
    await client.next(TRANSCRIPT, 1);
    expect(client.all(TRANSCRIPT).map((one) => one.transcript)).toEqual([phrase('c.yes').text, 'Hello?']);
    const deltas = client.all('conversation.item.input_audio_transcription.delta').map((one) => one.delta);
    expect(deltas.join('')).toBe(`${phrase('c.yes').text}Hello?`);
  });

  it('fail, are made up, are empty or never come, as told', async () => {
    const transcriptionFaults = {
      0: { kind: 'failed' },
      1: { kind: 'text', text: 'Bye.' },
      2: { kind: 'never' },
      3: { kind: 'text', text: '' },
    } as const;
    const client = await bench.ready(await bench.simulator({ transcriptionFaults }), { turn: LISTEN });
    for (let n = 0; n < 4; n += 1) client.speak('c.hello');
    await client.next(TRANSCRIPT, 1);
    const failed = await client.next('conversation.item.input_audio_transcription.failed');
    expect(failed.error).toMatchObject({ type: 'transcription_error', param: null });
    expect(client.all(TRANSCRIPT).map((one) => one.transcript)).toEqual(['Bye.', '']);
  });

  it('are wrong where nothing was understood, or empty if so told', async () => {
    const simulator = await bench.simulator();
    const client = await bench.ready(simulator, { turn: LISTEN });
    client.speak('c.chatter');
    expect((await client.next(TRANSCRIPT)).transcript).toBe('Bye.');
    simulator.turn({ misheardText: null });
    client.speak('c.chatter');
    expect((await client.next(TRANSCRIPT, 1)).transcript).toBe('');
  });

  it('are not made unless asked for', async () => {
    const audio = { input: { format: { type: 'audio/pcmu' }, transcription: null } };
    const client = await bench.ready(await bench.simulator(), { session: { audio } });
    client.speak('c.hello');
    await client.next('response.done');
    expect(client.types().filter((type) => type.includes('transcription'))).toEqual([]);
  });
});
