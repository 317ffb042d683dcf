/** Whole calls on a real Asterisk: SIP telephone → Asterisk → Switchboard → simulated model, and back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEDIA_PATH } from '../../src/carriers/asterisk/carrier.ts';
import { RESTAURANT_SCRIPT } from '../../src/simulator/callee/restaurant-host.ts';
import { type Script, type ScriptedCallee, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { type Rule, reservationBrain } from '../../src/simulator/openai/brain.ts';
import type { SipPhone } from '../../src/simulator/sip/phone.ts';
import { loadPhrasebook } from '../../src/simulator/speech/load-phrasebook.ts';
import { freePort } from '../fixtures/free-port.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { type Office, openOffice } from '../journeys/office.ts';
import { ASTERISK, MEDIA, startTestOffice, type TestOffice } from './office.ts';

const phrases = loadPhrasebook();
const PERSON: Script = {
  rules: [
    { when: { after: 'start', ms: 600 }, act: { say: 'c.greeting' } },
    { when: { after: 'heard', phrase: 'a.request', share: 0.9, thenMs: 500 }, act: { say: 'c.person' } },
  ],
  manners: { helloAfterMs: null, hangUpAfterMs: null },
};
const CALLER: Script = {
  rules: [
    { when: { after: 'heard', phrase: 'a.reception', share: 0.95, thenMs: 500 }, act: { say: 'c.person' } },
    { when: { after: 'heard', phrase: 'a.goodbye', share: 0.5 }, act: { say: 'c.bye' } },
  ],
  manners: { helloAfterMs: null, hangUpAfterMs: null },
};
const COLLEAGUE: Script = {
  rules: [{ when: { after: 'start', ms: 500 }, act: { say: 'c.office' } }],
  manners: { helloAfterMs: null, hangUpAfterMs: null },
};
const RULES: Rule[] = [
  { when: { purpose: 'opener' }, reply: { speak: ['a.reception'] } },
  {
    when: { heard: 'c.person', test: (turn) => turn.tools.includes('transfer_call') },
    reply: { speak: ['a.transfer'], calls: [{ name: 'transfer_call', args: { to: '1003', summary: 'Wants a person.' } }] },
  },
  {
    when: { heard: 'c.person' },
    reply: { speak: ['a.goodbye'], calls: [{ name: 'end_call', args: { outcome: 'Wanted a person.' } }] },
  },
];

describe.skipIf(ASTERISK === null)('a call over a real Asterisk', { timeout: 90_000 }, () => {
  let pbx: TestOffice;
  let office: Office;
  const open: SipPhone[] = [];
  let script = RESTAURANT_SCRIPT;
  const people: ScriptedCallee[] = [];
  const person = (of: Script) => () => {
    const callee = scriptedCallee(of, phrases);
    people.push(callee);
    return callee;
  };

  beforeAll(async () => {
    const port = await freePort();
    pbx = await startTestOffice({ media: { url: `ws://127.0.0.1:${port}${MEDIA_PATH}`, ...MEDIA } });
    office = await openOffice({
      brain: () => reservationBrain(RULES),
      settings: { ...pbx.env(), PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, INBOUND_CONTEXT: 'You answer the telephone of the office.' },
    });
    const answers = (of: () => Script) => () => ({ kind: 'answers' as const, ringMs: 200, callee: person(of()) });
    open.push(
      await pbx.phone('1001'),
      await pbx.phone(
        '1002',
        answers(() => script),
      ),
      await pbx.phone(
        '1003',
        answers(() => COLLEAGUE),
      ),
    );
  });
  afterAll(async () => {
    await office?.close();
    await pbx?.stop();
  });

  it('holds the conversation with an extension, with an interruption, loses nothing and ends it politely', async () => {
    people.length = 0;
    script = RESTAURANT_SCRIPT;
    const callId = await office.place({ to: '1002', via: 'asterisk' });
    const call = await office.ended(callId);
    console.log(call.outcome, call.reason, call.lines.map((l) => `${l.speaker}: ${l.text}`), people[0]?.ear.faults(), people[0]?.interruptions, call.notes('interrupted'));
    expect(call).toMatchObject({ state: 'ended', outcome: 'completed', carrier: 'asterisk', inbound: false });
    expect(people[0]?.ear.faults()).toEqual([]);
  });

  it('hands the call over to a person, who talks on with them after the agent has left', async () => {
    people.length = 0;
    script = PERSON;
    const callId = await office.place({ to: '1002', via: 'asterisk', transferTo: ['1003'] });
    const call = await office.ended(callId);
    console.log(call.outcome, call.reason, call.result, call.lines.map((l) => `${l.speaker}: ${l.text}`));
    expect(call).toMatchObject({ outcome: 'transferred', result: 'Wants a person.' });
    await until(() => people[0]?.ear.heardMs('c.office', 1) !== undefined && (people[0]?.ear.heardMs('c.office', 1) ?? 0) > 2_000, 10_000);
  });

  it('answers a telephone that calls in, and speaks first', async () => {
    people.length = 0;
    const up = await open[0]?.call('7001', person(CALLER));
    await up?.ended;
    const [call] = (await office.switchboard.calls({ limit: 1 })).calls;
    const ended = await office.ended(call?.callId ?? '');
    console.log(ended.outcome, ended.reason, ended.lines.map((l) => `${l.speaker}: ${l.text}`));
    expect(ended).toMatchObject({ inbound: true, to: '1001', outcome: 'completed' });
    expect(ended.lines[0]).toMatchObject({ speaker: 'agent' });
  });
});
