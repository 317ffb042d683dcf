import { afterEach, describe, expect, it } from 'vitest';
import { reservationBrain } from '../../../src/simulator/openai/brain.ts';
import { phrase } from '../../../src/simulator/speech/load-phrasebook.ts';
import { Bench, type RealtimeClient } from './realtime-client.ts';

const bench = new Bench();
afterEach(() => bench.closeAll());

const HEADERS = { Authorization: 'Bearer sk-simulated', 'OpenAI-Beta': 'realtime=v1' };

async function connected(): Promise<RealtimeClient> {
  const simulator = await bench.simulator({ dialect: 'beta' }, reservationBrain());
  const client = bench.client(simulator, { headers: HEADERS });
  await client.next('session.created');
  return client;
}

const UPDATE = {
  type: 'session.update',
  session: {
    modalities: ['audio', 'text'],
    instructions: 'Book a table.',
    voice: 'sage',
    input_audio_format: 'g711_ulaw',
    output_audio_format: 'g711_ulaw',
    input_audio_transcription: { model: 'whisper-1' },
    turn_detection: { type: 'server_vad', silence_duration_ms: 500 },
    temperature: 0.8,
  },
};

describe('the beta dialect', () => {
  it('requires the header that GA refuses', async () => {
    const client = bench.client(await bench.simulator({ dialect: 'beta' }));
    expect((await client.end()).code).toBe(4000);
    await connected();
  });

  it('shows and takes the flat session', async () => {
    const client = await connected();
    const created = (await client.next('session.created')).session as Record<string, unknown>;
    expect(created).toMatchObject({ modalities: ['audio', 'text'], voice: 'alloy', input_audio_format: 'pcm16' });
    expect(created).not.toHaveProperty('audio');
    expect(created).not.toHaveProperty('type');
    client.send(UPDATE);
    const updated = (await client.next('session.updated')).session;
    expect(updated).toMatchObject({
      voice: 'sage',
      output_audio_format: 'g711_ulaw',
      turn_detection: { threshold: 0.5 },
    });
  });

  it('refuses the GA shape', async () => {
    const client = await connected();
    client.send({ type: 'session.update', session: { type: 'realtime', audio: {} } });
    expect((await client.error()).code).toBe('unknown_parameter');
  });

  it('speaks with the old names, and created instead of added and done', async () => {
    const client = await connected();
    client.send(UPDATE);
    await client.next('session.updated');
    client.speak('c.name');
    const { response } = await client.next('response.done');
    expect(response).toMatchObject({
      modalities: ['audio', 'text'],
      voice: 'sage',
      output: [{ content: [{ type: 'audio', transcript: phrase('a.name').text }] }],
    });
    const types = new Set(client.types());
    for (const type of ['response.audio.delta', 'response.audio_transcript.done', 'conversation.item.created']) {
      expect(types).toContain(type);
    }
    for (const type of types) expect(type).not.toMatch(/output_audio|output_text|conversation\.item\.(added|done)/);
    const order = client.types();
    expect(order.indexOf('rate_limits.updated')).toBe(order.indexOf('response.created') + 1);
  });
});
