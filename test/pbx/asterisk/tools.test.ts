/** What an assistant reads of the office tools, and what the audit and the user get to see. */
import { describe, expect, it } from 'vitest';
import { type Watched, watchedPair } from '../../mcp/watched-pair.ts';
import { type Answer, listOf, office, sent } from './recorded-office.ts';

const ANSWERS = { ExtensionStateList: '32-extensionstatelist', Originate: '53-originate-fail-unregistered' };

async function pair(answers: Readonly<Record<string, Answer>>, watched: Watched = {}) {
  const { asterisk, manager } = await office(answers);
  const { audited, ...watching } = await watchedPair(['asterisk', 'voice'], { asterisk: () => asterisk }, watched);
  const dialled = () => sent(manager).filter((action) => action.startsWith('Action=Originate')).length;
  return { ...watching, manager, dialled, requests: audited };
}

describe('a call between telephones that the user is asked about first', () => {
  const OUTSIDE = { from: '1001', to: '+14155550123', ringSeconds: 5 };
  const INSIDE = { from: '1001', to: '1002', ringSeconds: 5 };

  it('is asked about when it leaves the office, and within it only where every call is', async () => {
    const polite = await pair(ANSWERS, { confirmCalls: 'when-possible', answer: 'accept' });
    await polite.tool('asterisk_originate_call', INSIDE);
    expect(polite.asked).toEqual([]);
    await polite.tool('asterisk_originate_call', OUTSIDE);
    expect(polite.asked).toEqual(['Ring 1001 now, and when it is answered call +14155550123 for it?']);
    expect(polite.dialled()).toBe(2);
    const strict = await pair(ANSWERS, { confirmCalls: 'always', answer: 'accept' });
    await strict.tool('asterisk_originate_call', INSIDE);
    expect(strict.asked).toHaveLength(1);
  });

  it('is not placed against their will, nor where they must be asked and cannot be', async () => {
    const declined = await pair(ANSWERS, { confirmCalls: 'when-possible', answer: 'decline' });
    const refused = await declined.tool('asterisk_originate_call', OUTSIDE);
    expect(refused).toMatchObject({ isError: true, text: expect.stringMatching(/does not want this call/) });
    expect(declined.dialled()).toBe(0);
    const mute = await pair(ANSWERS, { confirmCalls: 'always' });
    expect((await mute.tool('asterisk_originate_call', INSIDE)).text).toMatch(/cannot ask its user.*CONFIRM_CALLS/);
    expect(mute.dialled()).toBe(0);
  });

  it('is placed without a question where that is not set, or cannot be had and is only wished for', async () => {
    for (const confirmCalls of ['never', 'when-possible'] as const) {
      const one = await pair(ANSWERS, { confirmCalls });
      await one.tool('asterisk_originate_call', OUTSIDE);
      expect(one.dialled()).toBe(1);
    }
  });

  it('names to whom the agent may hand a call over, to the user and in the audit', async () => {
    const { tool, asked, requests, switchboard } = await pair({}, { confirmCalls: 'always', answer: 'accept' });
    const call = { toNumber: '+14155550123', callContext: 'Book a table.', transferTo: ['1003', '+14155550199'] };
    await tool('trigger-call', call);
    expect(asked[0]).toBe(
      "Call +14155550123 now? The agent may hand the call over to 1003, +14155550199. The agent's brief: Book a table.",
    );
    expect(switchboard.placed).toHaveLength(1);
    expect(requests()[0]).toMatchObject({ transferTo: '1003 +14…99' });
  });
});

describe('the audit of the office tools', () => {
  it('has extensions and channels as they are, and no telephone number', async () => {
    const { tool, requests } = await pair(ANSWERS);
    for (const participant of ['1001', 'PJSIP/1001-00000001', '+14155550123', '4155550123', '(415) 555-0123'])
      await tool('asterisk_kick_participant', { conference: '8001', participant });
    for (const to of ['1002', '+14155550123', '415-555-0123'])
      await tool('asterisk_originate_call', { from: '1001', to, ringSeconds: 5 });
    for (const channel of ['Local/+14155550123@phones-00000001;1', 'DAHDI/i1/5551234-1'])
      await tool('asterisk_hangup_channel', { channel });
    expect(requests().map(({ participant, to, channel }) => participant ?? to ?? channel)).toEqual([
      '1001',
      'PJSIP/1001-00000001',
      '+14…23',
      '415…23',
      '(41…23',
      '1002',
      '+14…23',
      '415…23',
      'Local/+14…23@phones-00000001;1',
      'DAHDI/i1/…-1',
    ]);
  });
});

describe('an answer of the office tools', () => {
  it('about a call that may have been placed does not say to try again', async () => {
    const { tool, manager } = await pair({
      ...ANSWERS,
      Originate: () => {
        manager.drop();
        return null;
      },
    });
    const lost = await tool('asterisk_originate_call', { from: '1001', to: '1002', ringSeconds: 5 });
    expect(lost.text).toMatch(/1001 may have been rung: look with asterisk_list_channels/);
    expect(lost.text).not.toMatch(/may work in a little while/);
  });

  it('about a large queue is cut, and tells how many there are', async () => {
    const queue = { Queue: 'sales', Calls: 70 };
    const { tool } = await pair({
      QueueStatus: [
        ...listOf('QueueParams', [queue]).slice(0, 2),
        ...listOf(
          'QueueMember',
          Array.from({ length: 80 }, (_, i) => ({ Queue: 'sales', Name: `Agent ${i}`, Location: `PJSIP/${i}` })),
        ).slice(1, -1),
        ...listOf(
          'QueueEntry',
          Array.from({ length: 70 }, (_, i) => ({ Queue: 'sales', Position: i + 1, Channel: `PJSIP/x-${i}` })),
        ).slice(1),
      ],
    });
    const { structured, text } = await tool('asterisk_list_queues');
    const [sales] = structured.queues as { members: unknown[]; waiting: unknown[] }[];
    expect(sales).toMatchObject({ membersTotal: 80, waitingTotal: 70 });
    expect(sales?.members).toHaveLength(30);
    expect(sales?.waiting).toHaveLength(30);
    expect(text).toContain('at most 30 members and 30 callers');
    expect(text.length).toBeLessThan(24_000);
  });

  it('warns of a missing rule for emergency numbers only when there is none at all, shown or not', async () => {
    const line = (Extension: string) => ({ Context: 'from-internal', Extension, Priority: 1, Application: 'Dial' });
    const warnings = async (...extensions: string[]) => {
      const { tool } = await pair({ ShowDialPlan: listOf('ListDialplan', extensions.map(line)) });
      return (await tool('asterisk_get_dial_rules', { limit: 1 })).structured.warnings;
    };
    expect(await warnings('_1XXX', '911')).toHaveLength(1);
    expect(await warnings('_1XXX', '_2XXX')).toHaveLength(2);
  });

  it('about an emergency number says who has to dial it', async () => {
    const { tool } = await pair({ ...ANSWERS, ShowDialPlan: listOf('ListDialplan', []) });
    const { structured } = await tool('asterisk_validate_number', { number: '911' });
    expect(structured.next).toMatch(/emergency number, which no tool here ever dials/);
  });
});
