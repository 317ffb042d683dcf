/** What an assistant does with the calls of a 3CX, and what the audit and the user get to see. */
import { describe, expect, it } from 'vitest';
import { OFFICE_DID } from '../../../src/simulator/voipms/seed.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { openVoipMs } from '../voipms/account.ts';
import { CALLER, callAt, office, presenceOf } from './office.ts';

const OUTSIDE = '+14155550188';
const NEVER = { simulated: { answer: () => ({ kind: 'never' as const }) } };

interface Call {
  readonly participantId: number;
}

describe('a call from an extension', () => {
  it('is placed once from the default extension or the one that is named, and then shows in its presence', async () => {
    const pair = await office();
    const { structured } = await pair.tool('threecx_make_call', { to: '104' });
    expect(structured).toMatchObject({ call: { extension: '100' }, untested: [], next: expect.any(String) });
    await pair.tool('threecx_make_call', { from: '101', to: OUTSIDE });
    expect(pair.changes().filter((change) => change.endsWith('/makecall'))).toHaveLength(2);
    await callAt(pair, '104', 'Connected');
    expect(await presenceOf(pair, '101')).toMatchObject({ onCall: true });
    expect(pair.audited()).toEqual([
      { tool: 'threecx_make_call', from: '', to: '104' },
      { tool: 'threecx_make_call', from: '101', to: '+14…88' },
    ]);
  });

  it('is asked about when it leaves the office, and within it only where every call is', async () => {
    const polite = await office({ confirmCalls: 'when-possible', answer: 'accept' });
    await polite.tool('threecx_make_call', { to: '104' });
    expect(polite.asked).toEqual([]);
    await polite.tool('threecx_make_call', { from: '101', to: OUTSIDE });
    expect(polite.asked).toEqual([`Call ${OUTSIDE} from extension 101 now?`]);
    const strict = await office({ confirmCalls: 'always', answer: 'decline' });
    const refused = await strict.tool('threecx_make_call', { to: '104' });
    expect(refused).toMatchObject({ isError: true, text: expect.stringMatching(/The user does not want/) });
    expect(strict.asked).toEqual(['Call 104 from the default extension now?']);
    expect(strict.changes()).toEqual([]);
  });

  it('never goes to an emergency number, to one that is not allowed, or to one that 3CX does not know', async () => {
    const { tool, changes } = await office();
    for (const to of ['911', '+442079460000', '999'])
      expect(await tool('threecx_make_call', { to })).toMatchObject({ isError: true });
    expect(changes()).toEqual([]);
  });

  it('of which it stays open whether it was placed is not placed again', async () => {
    const { tool, simulator, changes } = await office();
    simulator.faults.answers = [{ path: 'makecall', how: { kind: 'broken', applied: false } }];
    const { isError, text } = await tool('threecx_make_call', { to: '104' });
    expect(isError).toBe(true);
    expect(text).not.toMatch(/may work in a little while/);
    expect(changes()).toHaveLength(1);
  });

  it('without an extension to call from says what to set', async () => {
    const { tool } = await office({ defaultExtension: null });
    expect((await tool('threecx_make_call', { to: '104' })).text).toMatch(/PBX_DEFAULT_EXTENSION/);
  });
});

describe('a call that rings', () => {
  it('is answered by a telephone that lets 3CX do so', async () => {
    const pair = await office(NEVER);
    const { participantId } = pair.ring('100');
    const { structured } = await pair.tool('threecx_answer_call', { participantId });
    expect(structured).toMatchObject({ call: { participantId, status: 'Connected', party: CALLER } });
    expect(structured.caution).toMatch(/untrusted/);
  });

  it('is not answered by another one, and nothing is tried', async () => {
    const { tool, ring, changes } = await office(NEVER);
    ring('101');
    const { isError } = await tool('threecx_answer_call', { extension: '101' });
    expect(isError).toBe(true);
    expect(changes()).toEqual([]);
  });
});

describe('a transfer', () => {
  it('at once takes the call away from the extension', async () => {
    const pair = await office();
    pair.ring('100');
    await callAt(pair, '100', 'Connected');
    const { structured } = await pair.tool('threecx_transfer_call', { mode: 'blind', to: '104' });
    expect(structured.message).toMatch(/104/);
    await callAt(pair, '104', 'Connected');
    expect(pair.changes().at(-1)).toMatch(/transferto$/);
    expect(pair.audited()).toMatchObject([{ mode: 'blind', to: '104', participantId: '', consultId: '' }]);
  });

  it('after a consultation is completed with the id that the consultation gave, and says that the telephone rings once more', async () => {
    const pair = await office();
    const { participantId } = pair.ring('100');
    await callAt(pair, '100', 'Connected');
    const consult = await pair.tool('threecx_transfer_call', { mode: 'consult', participantId, to: '104' });
    const consultId = (consult.structured.call as Call).participantId;
    expect(consult.structured.next).toContain(`consultId ${consultId}`);
    expect(consult.structured.untested).toHaveLength(1);
    expect(consult.text).toMatch(/^3CX is placing .* That the telephone holds .* was not tried on a real 3CX\.$/m);
    await callAt(pair, '104', 'Connected');
    const complete = { mode: 'complete', participantId, to: '104', consultId };
    expect((await pair.tool('threecx_transfer_call', complete)).text).toMatch(/rings once more/);
    await until(() => pair.simulator.liveCalls === 1);
    await callAt(pair, '104', 'Connected');
    expect(await presenceOf(pair, '100')).toMatchObject({ onCall: false });
  });

  it('after a consultation is cancelled, and the caller is still at the extension', async () => {
    const pair = await office();
    const { participantId } = pair.ring('100');
    await callAt(pair, '100', 'Connected');
    const consult = await pair.tool('threecx_transfer_call', { mode: 'consult', participantId, to: '104' });
    const consultId = (consult.structured.call as Call).participantId;
    await pair.tool('threecx_transfer_call', { mode: 'cancel', participantId, consultId });
    expect((await presenceOf(pair, '100')).calls).toMatchObject([{ participantId }]);
  });

  it('to a number outside is asked about, however it is done, and a cancelled one is not', async () => {
    const { tool, asked, changes } = await office({ confirmCalls: 'when-possible', answer: 'decline' });
    for (const args of [{ mode: 'blind' }, { mode: 'consult' }, { mode: 'complete', consultId: 7 }])
      expect((await tool('threecx_transfer_call', { ...args, to: OUTSIDE })).isError).toBe(true);
    expect(asked).toEqual([
      `Transfer the call to ${OUTSIDE} now?`,
      `Call ${OUTSIDE} now?`,
      `Transfer the call to ${OUTSIDE} now?`,
    ]);
    await tool('threecx_transfer_call', { mode: 'cancel', consultId: 7, to: OUTSIDE });
    expect(asked).toHaveLength(3);
    expect(changes()).toEqual([]);
  });

  it('names a consultation where there is one, and none where there is not', async () => {
    const { tool } = await office();
    const transfer = async (args: object) => (await tool('threecx_transfer_call', { to: '104', ...args })).text;
    expect(await transfer({ mode: 'complete' })).toMatch(/For complete give consultId/);
    expect(await transfer({ mode: 'blind', consultId: 7 })).toMatch(/leave it out for blind/);
    for (const mode of ['blind', 'consult']) expect(await transfer({ mode, to: undefined })).toMatch(/say to whom/);
    expect(await transfer({ mode: 'complete', consultId: 7, to: undefined })).toMatch(/say to whom/);
  });
});

describe('a call on hold', () => {
  it('is parked, which the answer says, and is taken back from where it waits', async () => {
    const pair = await office();
    pair.ring('100');
    await callAt(pair, '100', 'Connected');
    const { structured, text } = await pair.tool('threecx_hold_call', { action: 'hold' });
    expect(structured).toMatchObject({ slot: 'SP1', next: expect.stringContaining('SP1') });
    expect(text).toMatch(/^3CX’s API has no hold, so the call was parked\..* was not tried on a real 3CX\.$/m);
    const back = await pair.tool('threecx_hold_call', { action: 'resume', slot: 'SP1' });
    expect(back.structured.untested).not.toEqual([]);
    await callAt(pair, '100', 'Connected');
    expect(pair.audited()).toMatchObject([
      { action: 'hold', slot: '' },
      { action: 'resume', slot: 'SP1' },
    ]);
  });

  it('is taken back only by its place', async () => {
    const { tool } = await office();
    expect((await tool('threecx_hold_call', { action: 'resume' })).text).toMatch(/For resume give slot/);
    const both = { action: 'resume', slot: 'SP1', participantId: 7 };
    expect((await tool('threecx_hold_call', both)).text).toMatch(/leave participantId out/);
  });
});

describe('ending a call', () => {
  it('ends that of an extension, or any call of the office by its id', async () => {
    const pair = await office();
    pair.ring('100');
    await callAt(pair, '100', 'Connected');
    await pair.tool('threecx_drop_call');
    await until(() => pair.simulator.liveCalls === 0);
    // The API client may not look at this one's calls.
    pair.ring('103');
    const seen = await pair.tool('threecx_get_presence', { extensions: ['103'], activeCalls: true });
    expect(seen.structured).toMatchObject({ presence: [{ onCall: null }], activeCallsTotal: 1 });
    expect(seen.text).toMatch(/103 may or may not be on a call/);
    const [{ id }] = seen.structured.activeCalls as [{ id: number }];
    await pair.tool('threecx_drop_call', { activeCallId: id });
    await until(() => pair.simulator.liveCalls === 0);
  });

  it('is refused where it is not clear which one is meant', async () => {
    const pair = await office(NEVER);
    pair.ring('100');
    pair.ring('100');
    const unclear = await pair.tool('threecx_drop_call');
    expect(unclear).toMatchObject({ isError: true, text: expect.stringMatching(/several calls/) });
    const both = await pair.tool('threecx_drop_call', { extension: '100', activeCallId: 1 });
    expect(both.text).toMatch(/either activeCallId/);
    expect(pair.simulator.liveCalls).toBe(2);
  });
});

describe('a text message', () => {
  async function withCarrier(options: Parameters<typeof office>[0] = {}) {
    const { simulator, voipms } = await openVoipMs();
    const pair = await office({
      ...options,
      sendSms: async (request) => {
        const { id } = await voipms.sendSms({ from: OFFICE_DID, ...request });
        return { from: OFFICE_DID, to: request.to, carrier: 'VoIP.ms', id };
      },
    });
    const sent = () => simulator.requests.filter(({ method }) => method === 'sendSMS');
    return { ...pair, sent };
  }

  it('goes out by the carrier of messages, which the answer says, and its words are not put down', async () => {
    const pair = await withCarrier();
    const { structured } = await pair.tool('threecx_send_message', { to: OUTSIDE, text: 'We close at five.' });
    expect(structured).toMatchObject({ from: OFFICE_DID, to: OUTSIDE, carrier: 'VoIP.ms' });
    expect(structured.message).toMatch(/not by 3CX/);
    expect(pair.sent()).toMatchObject([{ params: { message: 'We close at five.' } }]);
    expect(pair.audited()).toEqual([{ tool: 'threecx_send_message', to: '+14…88', characters: 17 }]);
  });

  it('is shown to the user first, and not sent against their will', async () => {
    const pair = await withCarrier({ confirmCalls: 'when-possible', answer: 'decline' });
    await pair.tool('threecx_send_message', { to: OUTSIDE, text: 'We close at five.' });
    expect(pair.asked).toEqual([`Send this text message to ${OUTSIDE} now? We close at five.`]);
    expect(pair.sent()).toEqual([]);
  });

  it('cannot be sent without such a carrier, and the answer says what to set', async () => {
    const { tool } = await office();
    const { isError, text } = await tool('threecx_send_message', { to: OUTSIDE, text: 'We close at five.' });
    expect(isError).toBe(true);
    expect(text).toMatch(/VOIPMS_SMS_NUMBER/);
  });
});
