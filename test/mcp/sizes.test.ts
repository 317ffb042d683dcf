import { countTokens } from 'gpt-tokenizer';
import { describe, expect, it } from 'vitest';
import { callTool, linkedPair } from '../fixtures/mcp-pair.ts';
import { SmallSwitchboard } from '../fixtures/small-switchboard.ts';

const MOST_TOKENS = 10_000;
const SENTENCES = [
  'We could do a table for four on Friday at seven in the evening, by the window, if that suits you. ',
  '金曜日の夜七時に四名様のお席をご用意できますが、窓際がよろしいでしょうか。',
  'Wir könnten Ihnen am Freitag um sieben Uhr abends einen Tisch für vier Personen anbieten, natürlich am Fenster. ',
];

async function longCall(lines: number, repeats: number, sentence: string) {
  const switchboard = new SmallSwitchboard();
  const { callId } = await switchboard.place({ to: '+14155550123', context: 'Book a table.' });
  for (let index = 0; index < lines; index += 1)
    switchboard.say(callId, { text: `${index}: ${sentence.repeat(repeats)}` });
  switchboard.finish(callId, 'completed');
  const { client } = await linkedPair(switchboard);
  return { switchboard, client, callId };
}

async function tokensOf(
  client: Awaited<ReturnType<typeof longCall>>['client'],
  name: string,
  args: Record<string, unknown>,
) {
  const reply = await callTool(client, name, args);
  return { ...reply, tokens: countTokens(`${reply.text}${JSON.stringify(reply.structured)}`) };
}

describe.each(SENTENCES)('a long call of "%s"', (sentence) => {
  it.each(['get-call', 'wait-for-call'])(
    'is read whole with %s, in pages that a client can take, none of them lost',
    async (name) => {
      const { client, callId } = await longCall(180, 3, sentence);
      const read: number[] = [];
      for (let cursor = 0, done = false; !done; ) {
        const args = name === 'get-call' ? { callId, cursor, limit: 200 } : { callId, cursor };
        const { structured, tokens } = await tokensOf(client, name, args);
        expect(tokens).toBeLessThan(MOST_TOKENS);
        const page = structured as { lines: { index: number }[]; cursor: number; done?: boolean };
        expect(page.lines.length).toBeGreaterThan(0);
        read.push(...page.lines.map(({ index }) => index));
        cursor = page.cursor;
        done = name === 'get-call' ? read.length >= 180 : page.done === true;
      }
      expect(read).toEqual(Array.from({ length: 180 }, (_, index) => index));
    },
  );

  it('with one endless line is cut there, and says where the whole of it is', async () => {
    const { client, callId } = await longCall(1, 2_000, sentence);
    const { structured, tokens, text } = await tokensOf(client, 'get-call', { callId });
    expect(tokens).toBeLessThan(MOST_TOKENS);
    expect(text).toContain('the whole line is in the resource');
    expect(structured).toMatchObject({ cursor: 1, next: 'This is all there is.' });
    const { contents } = await client.readResource({ uri: `call://transcriptions/${callId}` });
    expect(JSON.stringify(contents)).toContain(sentence.repeat(2_000).slice(-50).trim());
  });
});

describe('many calls', () => {
  it('are listed and searched in pages that a client can take, with the way to the rest', async () => {
    const { switchboard, client } = await longCall(60, 3, SENTENCES[0] ?? '');
    for (let n = 0; n < 150; n += 1) await switchboard.place({ to: '+14155550123', context: 'Book a table.' });
    const listed: unknown[] = [];
    for (let cursor: string | undefined, more = true; more; ) {
      const { structured, tokens } = await tokensOf(client, 'list-calls', { limit: 100, cursor });
      expect(tokens).toBeLessThan(MOST_TOKENS);
      const page = structured as { calls: { callId: string }[]; cursor: string | null };
      listed.push(...page.calls.map(({ callId }) => callId));
      more = page.cursor !== null;
      cursor = page.cursor ?? undefined;
    }
    expect(new Set(listed).size).toBe(151);
    const { tokens, structured } = await tokensOf(client, 'search-transcripts', { query: 'Friday', limit: 50 });
    expect(tokens).toBeLessThan(MOST_TOKENS);
    expect((structured as { matches: unknown[] }).matches.length).toBeGreaterThan(10);
  });
});
