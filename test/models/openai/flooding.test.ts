import { describe, expect, it } from 'vitest';
import { cleanUpAfterEach, readySession } from './scripted-session.ts';

cleanUpAfterEach();

const MIB = 1024 * 1024;
const word = (itemId: string, delta: string) => ({
  type: 'response.output_audio_transcript.delta',
  response_id: 'r',
  item_id: itemId,
  delta,
});

describe('a server that sends more than a conversation needs', () => {
  it('in one message is cut before the message is whole', async () => {
    const { client, until } = await readySession();
    client.send(word('a', 'x'.repeat(16 * MIB)));
    expect(await until('model.failed')).toMatchObject({ kind: 'protocol', code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
  });

  it('in large messages is cut after sixteen megabytes', async () => {
    const { client, until, types } = await readySession();
    for (let index = 0; index < 30; index += 1) client.send(word('a', 'x'.repeat(MIB)));
    expect(await until('model.failed')).toMatchObject({ kind: 'protocol', retryable: true, code: 'flood' });
    expect(types().filter((type) => type === 'model.worded').length).toBeLessThan(17);
  });

  it('in small messages is cut after some thousands', async () => {
    const { client, until, types } = await readySession();
    for (let index = 0; index < 15_000; index += 1) client.send('{}');
    expect(await until('model.failed')).toMatchObject({ kind: 'protocol', code: 'flood' });
    expect(types()).toEqual(['model.ready', 'model.failed']);
  });

  it('in tool calls that are never done is cut', async () => {
    const { client, until } = await readySession();
    for (let index = 0; index < 65; index += 1) {
      const item = { id: `t${index}`, type: 'function_call', status: 'completed', call_id: 'c', name: 'end_call' };
      client.send({ type: 'response.output_item.done', response_id: `r${index}`, item });
    }
    expect(await until('model.failed')).toMatchObject({ kind: 'protocol', code: 'too-many-calls' });
  });

  it('in one text is cut short, and an id, a count or arguments of no use are none', async () => {
    const { client, until, events } = await readySession();
    const usage = {
      input_token_details: { text_tokens: 0.5, audio_tokens: -3 },
      output_token_details: { text_tokens: 1e300 },
    };
    const item = { id: 'i'.repeat(300), type: 'function_call', status: 'completed', call_id: 'c', name: 'end_call' };
    client.send(
      word('a', 'x'.repeat(50_000)),
      { type: 'response.output_item.done', response_id: 'r', item: { ...item, arguments: '{'.repeat(30_000) } },
      { type: 'response.done', response: { id: 'r', status: 'completed', usage } },
    );
    const done = await until('model.replyDone');
    expect(events.find(({ type }) => type === 'model.worded')).toMatchObject({ text: 'x'.repeat(20_000) });
    expect(events.find(({ type }) => type === 'model.toolCalled')).toMatchObject({ itemId: '', args: '' });
    expect(done.usage).toMatchObject({ inputTextTokens: 1, inputAudioTokens: 0, outputTextTokens: 1_000_000_000 });
  });
});
