import { describe, expect, it } from 'vitest';
import { LOCAL_SESSION, type Session } from '../../src/mcp/offer.ts';
import { callTool, linkedPair, until } from '../fixtures/mcp-pair.ts';
import { SmallSwitchboard } from '../fixtures/small-switchboard.ts';

const CALL = { toNumber: '+14155550123', callContext: `Book a table.\n${'And ask about parking. '.repeat(40)}` };

function confirming(confirmCalls: Session['offer']['confirmCalls']): { readonly session: Session } {
  return { session: { ...LOCAL_SESSION, offer: { ...LOCAL_SESSION.offer, confirmCalls } } };
}

describe('a call that the user is asked about first', () => {
  it.each(['when-possible', 'always'] as const)(
    'is placed when they agree (%s), and they read the number and the brief',
    async (when) => {
      const switchboard = new SmallSwitchboard();
      const asked: string[] = [];
      const answers = (message: string) => {
        asked.push(message);
        expect(switchboard.placed).toEqual([]);
        return { action: 'accept' as const, content: { confirm: true } };
      };
      const { client } = await linkedPair(switchboard, { ...confirming(when), answers });
      expect((await callTool(client, 'trigger-call', CALL)).structured).toMatchObject({ status: 'success' });
      expect(asked).toHaveLength(1);
      expect(asked[0]).toMatch(/^Call \+14155550123 now\? The agent's brief: Book a table\. And ask.*…$/);
      expect(switchboard.placed).toHaveLength(1);
    },
  );

  it.each([
    [{ action: 'decline' as const }, /does not want this call; nothing was dialled/],
    [{ action: 'accept' as const, content: { confirm: false } }, /does not want this call; nothing was dialled/],
    [{ action: 'cancel' as const }, /did not answer.*nothing was dialled/],
  ])('is not placed after %j', async (answer, sentence) => {
    const switchboard = new SmallSwitchboard();
    const { client } = await linkedPair(switchboard, { ...confirming('always'), answers: () => answer });
    const refused = await callTool(client, 'trigger-call', CALL);
    expect(refused.isError).toBe(true);
    expect(refused.text).toMatch(sentence);
    expect(refused.structured).toMatchObject({ status: 'error', callId: null });
    expect(switchboard.placed).toEqual([]);
  });

  it('is not placed when the client has given the request up meanwhile, whatever the user says then', async () => {
    const switchboard = new SmallSwitchboard();
    const asked = Promise.withResolvers<void>();
    const agreed = Promise.withResolvers<void>();
    const { client, server } = await linkedPair(switchboard, {
      ...confirming('always'),
      answers: async () => {
        asked.resolve();
        await agreed.promise;
        return { action: 'accept', content: { confirm: true } };
      },
    });
    const giving = new AbortController();
    const refused = client.callTool({ name: 'trigger-call', arguments: CALL }, undefined, { signal: giving.signal });
    await asked.promise;
    giving.abort('too long');
    await expect(refused).rejects.toThrow();
    agreed.resolve();
    await client.ping();
    await until(() => server.isConnected());
    expect(switchboard.placed).toEqual([]);
  });

  it('is refused where it must be asked about and the client cannot ask, and placed where that is only wished for', async () => {
    const switchboard = new SmallSwitchboard();
    const strict = await linkedPair(switchboard, confirming('always'));
    const refused = await callTool(strict.client, 'trigger-call', CALL);
    expect(refused.text).toMatch(/cannot ask its user.*nothing was dialled.*CONFIRM_CALLS/);
    expect(switchboard.placed).toEqual([]);
    const lenient = await linkedPair(switchboard, confirming('when-possible'));
    expect((await callTool(lenient.client, 'trigger-call', CALL)).structured).toMatchObject({ status: 'success' });
  });

  it('is not asked about unless that is set', async () => {
    const { client } = await linkedPair(new SmallSwitchboard(), {
      answers: () => expect.fail('nobody is to be asked'),
    });
    expect((await callTool(client, 'trigger-call', CALL)).structured).toMatchObject({ status: 'success' });
  });
});
