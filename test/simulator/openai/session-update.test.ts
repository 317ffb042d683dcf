import { afterEach, describe, expect, it } from 'vitest';
import { Bench, type RealtimeClient } from './realtime-client.ts';

const bench = new Bench();
afterEach(() => bench.closeAll());

async function connected(): Promise<RealtimeClient> {
  const client = bench.client(await bench.simulator());
  await client.next('session.created');
  return client;
}

function update(session: Record<string, unknown>): Record<string, unknown> {
  return { type: 'session.update', session };
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], value);
}

describe('session.update', () => {
  it('changes only what is present and answers with the whole session', async () => {
    const client = await connected();
    client.send(update({ type: 'realtime', audio: { output: { voice: 'marin' } } }));
    client.send(
      update({ type: 'realtime', audio: { input: { turn_detection: { type: 'server_vad', threshold: 0.7 } } } }),
    );
    const { session } = await client.next('session.updated', 1);
    expect(at(session, 'audio', 'output', 'voice')).toBe('marin');
    expect(at(session, 'audio', 'output', 'format')).toEqual({ type: 'audio/pcm', rate: 24_000 });
    expect(at(session, 'audio', 'input', 'turn_detection')).toMatchObject({ threshold: 0.7, silence_duration_ms: 200 });
    expect(at(session, 'instructions')).toContain('helpful');
    expect(at(session, 'expires_at')).toBeTypeOf('number');
  });

  it('drops members of the old format or turn detection when the type changes', async () => {
    const client = await connected();
    const input = { format: { type: 'audio/pcmu' }, turn_detection: { type: 'semantic_vad', eagerness: 'high' } };
    client.send(update({ type: 'realtime', audio: { input } }));
    const { session } = await client.next('session.updated');
    expect(at(session, 'audio', 'input', 'format')).toEqual({ type: 'audio/pcmu' });
    expect(at(session, 'audio', 'input', 'turn_detection')).toEqual({
      type: 'semantic_vad',
      eagerness: 'high',
      create_response: true,
      interrupt_response: true,
    });
  });

  it('clears with null and empty values', async () => {
    const client = await connected();
    client.send(update({ type: 'realtime', instructions: '', audio: { input: { turn_detection: null } } }));
    const { session } = await client.next('session.updated');
    expect(at(session, 'instructions')).toBe('');
    expect(at(session, 'audio', 'input', 'turn_detection')).toBeNull();
  });

  const pcmu = { type: 'audio/pcmu', rate: 8_000 };
  it.each([
    ['no type', {}, 'missing_required_parameter', 'session.type'],
    [
      'a rate on µ-law input',
      { type: 'realtime', audio: { input: { format: pcmu } } },
      'unknown_parameter',
      'session.audio.input.format.rate',
    ],
    [
      'a rate on µ-law output',
      { type: 'realtime', audio: { output: { format: pcmu } } },
      'unknown_parameter',
      'session.audio.output.format.rate',
    ],
    ['a temperature', { type: 'realtime', temperature: 0.8 }, 'unknown_parameter', 'session.temperature'],
    ['the beta modalities', { type: 'realtime', modalities: ['audio'] }, 'unknown_parameter', 'session.modalities'],
    ['the beta voice', { type: 'realtime', voice: 'sage' }, 'unknown_parameter', 'session.voice'],
    [
      'the beta format',
      { type: 'realtime', input_audio_format: 'g711_ulaw' },
      'unknown_parameter',
      'session.input_audio_format',
    ],
    [
      'the beta turn detection',
      { type: 'realtime', turn_detection: null },
      'unknown_parameter',
      'session.turn_detection',
    ],
    [
      'both modalities',
      { type: 'realtime', output_modalities: ['audio', 'text'] },
      'invalid_value',
      'session.output_modalities[0]',
    ],
    [
      'an unknown voice',
      { type: 'realtime', audio: { output: { voice: 'donald' } } },
      'invalid_value',
      'session.audio.output.voice',
    ],
    [
      'a nested tool',
      { type: 'realtime', tools: [{ type: 'function', function: { name: 'x' } }] },
      'missing_required_parameter',
      'session.tools[0].name',
    ],
    ['another model', { type: 'realtime', model: 'gpt-realtime-2' }, 'invalid_value', 'session.model'],
    [
      'a fractional silence',
      { type: 'realtime', audio: { input: { turn_detection: { type: 'server_vad', silence_duration_ms: 0.5 } } } },
      'invalid_type',
      'session.audio.input.turn_detection.silence_duration_ms',
    ],
  ])('refuses %s', async (_what, session, code, param) => {
    const client = await connected();
    client.send({ ...update(session), event_id: 'mine_1' });
    const error = await client.error();
    expect(error).toMatchObject({ type: 'invalid_request_error', code, param, event_id: null });
    expect(client.all('session.updated')).toEqual([]);
  });

  it('discards a refused update whole', async () => {
    const client = await connected();
    const tools = [{ type: 'function', name: 'end_call', parameters: {} }];
    client.send(update({ type: 'realtime', instructions: 'New.', tools, audio: { output: { voice: 'donald' } } }));
    client.send(update({ type: 'realtime', max_output_tokens: 100 }));
    const { session } = await client.next('session.updated');
    expect(at(session, 'instructions')).not.toBe('New.');
    expect(at(session, 'tools')).toEqual([]);
    expect(at(session, 'max_output_tokens')).toBe(100);
  });

  it('locks the voice once the assistant was heard, but takes the same voice again', async () => {
    const client = await bench.ready(await bench.simulator());
    client.send({ type: 'response.create' });
    await client.next('response.output_audio.delta');
    client.send(update({ type: 'realtime', instructions: 'New.', audio: { output: { voice: 'marin' } } }));
    expect((await client.error()).code).toBe('cannot_update_voice');
    client.send(update({ type: 'realtime', audio: { output: { voice: 'sage' } } }));
    const { session } = await client.next('session.updated', 1);
    expect(at(session, 'instructions')).toBe('Book a table.');
  });

  it('takes the model it already has, and tracing once', async () => {
    const client = await connected();
    client.send(update({ type: 'realtime', model: 'gpt-realtime-2.1', tracing: 'auto' }));
    await client.next('session.updated');
    client.send(update({ type: 'realtime', tracing: null }));
    expect((await client.error()).param).toBe('session.tracing');
  });
});

describe('events that the service does not take', () => {
  it.each([
    ['an unknown type', JSON.stringify({ type: 'session.dance' }), 'invalid_value', 'type'],
    ['no type', '{}', 'missing_required_parameter', 'type'],
    ['no JSON', '{"type":', 'invalid_json', null],
    ['no object', '[1]', 'invalid_json', null],
    ['a member too many', JSON.stringify({ type: 'response.cancel', now: true }), 'unknown_parameter', 'now'],
    [
      'audio that is no base64',
      JSON.stringify({ type: 'input_audio_buffer.append', audio: 'hällo' }),
      'invalid_value',
      'audio',
    ],
    ['the WebRTC clear', JSON.stringify({ type: 'output_audio_buffer.clear' }), 'invalid_value', 'type'],
    ['an empty commit', JSON.stringify({ type: 'input_audio_buffer.commit' }), 'input_audio_buffer_commit_empty', null],
  ])('complains of %s and lives on', async (_what, text, code, param) => {
    const client = await connected();
    client.socket.send(text);
    expect(await client.error()).toMatchObject({ code, param });
    client.send(update({ type: 'realtime' }));
    await client.next('session.updated');
  });

  it('complains of a binary frame', async () => {
    const client = await connected();
    client.socket.send(Buffer.from('{"type":"response.create"}'), { binary: true });
    expect(await client.error()).toMatchObject({
      code: 'invalid_event',
      message: 'Expected a text WebSocket message; binary frames are not supported.',
    });
  });

  it('lists the supported types when a type is unknown', async () => {
    const client = await connected();
    client.send({ type: 'nonsense' });
    expect((await client.error()).message).toContain("'input_audio_buffer.append'");
  });

  it('names the offending event only when it is told to', async () => {
    const simulator = await bench.simulator({ errorEventIds: 'echo' });
    const client = bench.client(simulator);
    await client.next('session.created');
    client.send({ type: 'nonsense', event_id: 'mine_1' });
    expect((await client.error()).event_id).toBe('mine_1');
  });
});
