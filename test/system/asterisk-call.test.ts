/** Whole calls on a real Asterisk: SIP telephone → Asterisk → Switchboard → simulated model, and back. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MEDIA_PATH } from '../../src/carriers/asterisk/carrier.ts';
import { RESTAURANT_SCRIPT } from '../../src/simulator/callee/restaurant-host.ts';
import { type Script, type ScriptedCallee, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { BOOKED, HANDED_OVER, type Rule, reservationBrain } from '../../src/simulator/openai/brain.ts';
import type { SipPhone } from '../../src/simulator/sip/phone.ts';
import { loadPhrasebook } from '../../src/simulator/speech/load-phrasebook.ts';
import { freePort } from '../fixtures/free-port.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { CALLER, COLLEAGUE, PATIENT, RECEPTION, RESTAURANT_TURNS, WANTS_A_PERSON } from '../fixtures/scripts.ts';
import { type EndedCall, type Office, openOffice } from '../journeys/office.ts';
import { ASTERISK, MEDIA, startTestOffice, type TestOffice } from './office.ts';

const phrases = loadPhrasebook();
const MACHINE: Script = {
  rules: [
    { when: { after: 'start', ms: 600 }, act: { say: 'c.moment' } },
    { when: { after: 'start', ms: 4_000 }, act: { press: '5' } },
    { when: { after: 'start', ms: 5_500 }, act: { hangUp: true } },
  ],
  manners: PATIENT,
};
/** Rules of one call each, by what is heard in it alone. */
const RULES: Rule[] = [
  RECEPTION,
  { when: { heard: 'c.moment' }, reply: { calls: [{ name: 'press_keys', args: { keys: '12#' } }] } },
];

describe.skipIf(ASTERISK === null)('over a real Asterisk', { timeout: 60_000 }, () => {
  let pbx: TestOffice;
  let office: Office;
  let port: number;
  const phones = new Map<string, SipPhone>();
  const people = new Map<string, ScriptedCallee>();

  /** A telephone whose holder follows the script in every call that it takes or makes. */
  const phone = async (user: string, script: Script): Promise<void> => {
    const callee = holder(user, script);
    phones.set(user, await pbx.phone(user, () => ({ kind: 'answers', ringMs: 200, callee })));
  };
  const holder = (user: string, script: Script) => (): ScriptedCallee => {
    const callee = scriptedCallee(script, phrases);
    people.set(user, callee);
    return callee;
  };
  const callOf = async (request: { to: string; transferTo?: readonly string[] }): Promise<EndedCall> =>
    await office.ended(await office.place({ ...request, via: 'asterisk' }));

  beforeAll(async () => {
    port = await freePort();
    const audioSocket = `127.0.0.1:${await freePort()}`;
    pbx = await startTestOffice({
      media: { url: `ws://127.0.0.1:${port}${MEDIA_PATH}`, ...MEDIA },
      phones: ['1001', '1002', '1003', '1004', '1005', '1006', '1007', '1008'],
      audioSocket,
    });
    const settings = {
      ...pbx.env(),
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      INBOUND_CONTEXT: 'You answer the telephone of the office.',
      ASTERISK_AUDIOSOCKET: audioSocket,
    };
    office = await openOffice({ brain: () => reservationBrain(RULES), settings });
    await phone('1002', RESTAURANT_SCRIPT);
    await phone('1003', COLLEAGUE);
    await phone('1004', WANTS_A_PERSON);
    await phone('1005', CALLER);
    await phone('1006', MACHINE);
    await phone('1007', CALLER);
    await phone('1008', MACHINE);
  });
  afterAll(async () => {
    await office?.close();
    await pbx?.stop();
  });

  it.concurrent('a conversation is held with an extension: every frame arrives, and it ends politely', async () => {
    const call = await callOf({ to: '1002' });
    expect(call).toMatchObject({ outcome: 'completed', result: BOOKED, carrier: 'asterisk', inbound: false });
    const ear = people.get('1002')?.ear;
    expect(ear?.faults()).toEqual([]);
    expect(call.lines.map(({ speaker, interrupted }) => [speaker, interrupted])).toEqual(RESTAURANT_TURNS);
    // What the telephone heard of the sentence that was interrupted, by its own count; measured by the millisecond in the bench.
    const [cut] = call.notes('interrupted');
    const truth = people.get('1002')?.interruptions[0];
    expect(Math.abs(Number(cut?.heardMs) - (truth?.trulyHeardMs ?? 0))).toBeLessThan(250);
    expect(call.cost?.parts.carrier).toBe(0);
  });

  it.concurrent('a call is handed over to a person, and the two talk on when the agent has left', async () => {
    const call = await callOf({ to: '1004', transferTo: ['1003'] });
    expect(call).toMatchObject({ outcome: 'transferred', result: HANDED_OVER });
    expect(call.lines.at(-1)).toMatchObject({ speaker: 'agent', interrupted: false });
    const heard = () => people.get('1004')?.ear.heardMs('c.office', 1) ?? 0;
    await until(() => heard() > 1_500, 10_000);
    expect(phones.get('1004')?.calls).toHaveLength(1);
    // The longest time of a call with the agent is none of theirs.
    const { ami } = pbx.operations();
    const leg = (await ami.list('CoreShowChannels')).find(({ get }) => get('Uniqueid') === call.carrierCallId);
    const limit = { Channel: leg?.get('Channel') ?? '', Variable: 'TIMEOUT(absolute)' };
    expect((await ami.send('Getvar', limit)).get('Value')).toBe('0');
    phones.get('1004')?.calls[0]?.hangUp();
    await until(() => phones.get('1003')?.calls.length === 0);
  });

  it.concurrent('a telephone that calls in is answered, and the agent speaks first', async () => {
    const up = await phones.get('1005')?.call('7001', holder('1005', CALLER));
    const listed = (await office.switchboard.calls({ limit: 50 })).calls.find(({ to }) => to === '1005');
    await up?.ended;
    const call = await office.ended(listed?.callId ?? '');
    expect(call).toMatchObject({
      inbound: true,
      outcome: 'completed',
      carrierCallId: expect.stringMatching(/^\d+\.\d+$/),
    });
    expect(call.lines[0]).toMatchObject({ speaker: 'agent', interrupted: false });
    expect(people.get('1005')?.ear.faults()).toEqual([]);
  });

  it.concurrent('so is one whose audio comes by AudioSocket, as from a server without chan_websocket', async () => {
    const up = await phones.get('1007')?.call('7002', holder('1007', CALLER));
    await up?.ended;
    const listed = (await office.switchboard.calls({ limit: 50 })).calls.find(({ to }) => to === '1007');
    const call = await office.ended(listed?.callId ?? '');
    expect(call).toMatchObject({ inbound: true, outcome: 'completed' });
    expect(call.lines.map(({ speaker }) => speaker)).toEqual(['agent', 'callee', 'agent', 'callee']);
    // Its two zeros become one on the way over linear samples, so the ear of exact bytes has nothing to say here.
  });

  it.concurrent('keys are pressed both ways', async () => {
    const call = await callOf({ to: '1006' });
    expect(call.outcome).toBe('callee-hung-up');
    expect(call.notes('keys')).toEqual([{ count: 3 }]);
    expect(call.notes('digit')).toEqual([{ digit: '5' }]);
    expect(phones.get('1006')?.past[0]?.leg.digits).toBe('12#');
  });

  it.concurrent('keys in a call to a number are heard by the telephone, and by none of the office’s features', async () => {
    // The first trunk is full: that is no end of the call.
    const call = await callOf({ to: '+14155550108' });
    expect(call.outcome).toBe('callee-hung-up');
    expect(call.notes('digit')).toEqual([{ digit: '5' }]);
    expect(phones.get('1008')?.past[0]?.leg.digits).toBe('12#');
  });

  it.concurrent('an extension that does not exist is refused with a sentence, and nothing rings', async () => {
    await expect(office.place({ to: '1999', via: 'asterisk' })).rejects.toThrow(
      /1999 is no extension that Asterisk lists/,
    );
    await expect(office.place({ to: '911', via: 'asterisk' })).rejects.toThrow(/emergency/);
  });

  it.concurrent('nobody gets at the audio without the password, or with the reference of a call that is not there', async () => {
    const upgrade = async (target: string, password: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`${MEDIA.username}:${password}`).toString('base64')}`;
      const headers = {
        authorization,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      const { request } = await import('node:http');
      return await new Promise((resolve, reject) => {
        const asked = request({ host: '127.0.0.1', port, path: target, headers });
        asked.on('response', (response) => resolve(response.statusCode ?? 0));
        asked.on('upgrade', (_response, socket) => {
          socket.destroy();
          resolve(101);
        });
        asked.on('error', reject);
        asked.end();
      });
    };
    expect(await upgrade(`${MEDIA_PATH}?uniqueid=1.1`, 'wrong-password-for-tests')).toBe(401);
    expect(await upgrade(`${MEDIA_PATH}?ref=${'x'.repeat(32)}`, MEDIA.password)).toBe(403);
    expect(await upgrade(MEDIA_PATH, MEDIA.password)).toBe(503);
  });
});

/** Settings of a server, or none where no server runs. */
const AWAY: readonly { why: string; dialled: string; settings: Record<string, string> | null }[] = [
  { why: 'nobody listens for its audio', dialled: '7001', settings: null },
  { why: 'nobody listens for its AudioSocket', dialled: '7002', settings: null },
  { why: 'it takes no calls', dialled: '7001', settings: { INBOUND_CONTEXT: '' } },
  // A caller who has been answered cannot ring anywhere else, so the agent answers with its first word.
  {
    why: 'its model cannot be reached',
    dialled: '7001',
    settings: { INBOUND_CONTEXT: 'You answer.', OPENAI_WEBSOCKET_URL: 'ws://127.0.0.1:9/v1/realtime' },
  },
];

describe.skipIf(ASTERISK === null)('while the agent is away', { timeout: 30_000 }, () => {
  it.each(AWAY)('because $why, the operator’s telephone rings instead, in a moment', async ({ dialled, settings }) => {
    const port = await freePort();
    const media = { url: `ws://127.0.0.1:${port}${MEDIA_PATH}`, ...MEDIA };
    const pbx = await startTestOffice({ media, audioSocket: `127.0.0.1:${await freePort()}` });
    onTestFinished(() => pbx.stop());
    if (settings !== null) {
      const address = { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` };
      const office = await openOffice({ settings: { ...pbx.env(), ...address, ...settings } });
      onTestFinished(() => office.close());
    }
    const quiet = () => ({ tick: () => ({ spoken: null }) });
    const operator = await pbx.phone('1001', () => ({ kind: 'answers', ringMs: 20, callee: quiet }));
    const caller = await pbx.phone('1002');
    const sinceMs = performance.now();
    const call = await caller.call(dialled, quiet);
    // By AudioSocket the caller has been answered before.
    await until(() => operator.calls.length === 1);
    expect(performance.now() - sinceMs).toBeLessThan(5_000);
    call.hangUp();
  });
});
