import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTwilioSimulator, type TwilioSimulator } from '../../../src/simulator/twilio/account.ts';
import { answers, clientOf, until } from './our-side.ts';

const to = '+14155550111';
const twiml = '<Response><Pause length="30"/></Response>';

let sim: TwilioSimulator;
beforeEach(async () => {
  sim = await startTwilioSimulator({ answer: answers(), apiKey: 'SK1', apiSecret: 'sesame' });
});
afterEach(() => sim.close());

function post(fields: [string, string][], path = 'Calls.json', password = sim.authToken) {
  return fetch(`${sim.baseUrl}/2010-04-01/Accounts/${sim.accountSid}/${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${sim.accountSid}:${password}`).toString('base64')}` },
    body: new URLSearchParams(fields),
  });
}

const valid: [string, string][] = [
  ['To', to],
  ['From', '+14155550100'],
  ['Twiml', twiml],
];
const without = (name: string) => valid.filter(([key]) => key !== name);

describe('Twilio REST', () => {
  it('creates a queued call and answers 201 with the resource as Twilio writes it', async () => {
    const response = await post(valid);
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({
      sid: expect.stringMatching(/^CA[0-9a-f]{32}$/),
      account_sid: sim.accountSid,
      status: 'queued',
      direction: 'outbound-api',
      to,
      from: '+14155550100',
      duration: null,
      price: null,
      start_time: null,
      end_time: null,
      parent_call_sid: null,
    });
  });

  it('records a call that asks for it, lists the recording, and is strict about how it is asked', async () => {
    const fields: [string, string][] = [...valid, ['Record', 'true'], ['RecordingChannels', 'dual']];
    expect((await post(fields)).status).toBe(201);
    await until(() => sim.calls[0]?.status === 'in-progress', 'the call is answered');
    const client = clientOf(sim);
    const sid = sim.calls[0]?.sid ?? '';
    const listed = await client.calls(sid).recordings.list();
    expect(listed.map(({ status, channels }) => [status, channels])).toEqual([['in-progress', 2]]);
    await client.calls(sid).update({ status: 'completed' });
    expect((await client.calls(sid).recordings.list())[0]?.status).toBe('completed');
    const wrong: [string, string][] = [
      ['Record', 'yes'],
      ['RecordingChannels', 'stereo'],
      ['Trim', 'no'],
      ['RecordingStatusCallback', 'nowhere'],
      ['RecordingStatusCallbackEvent', 'finished'],
    ];
    for (const field of wrong) expect((await post([...valid, field])).status).toBe(400);
  });

  it("is driven by Twilio's own client: create, fetch, end, and the length as text", async () => {
    const client = clientOf(sim);
    const made = await client.calls.create({ to, from: sim.number, twiml });
    expect(made.status).toBe('queued');
    await until(() => sim.calls[0]?.status === 'in-progress', 'the call is answered');
    expect((await client.calls(made.sid).fetch()).status).toBe('in-progress');
    expect((await client.calls(made.sid).update({ status: 'completed' })).status).toBe('completed');
    const ended = await client.calls(made.sid).fetch();
    expect(ended.duration).toBe('0');
    expect(ended.endTime).toBeInstanceOf(Date);
  });

  it.each([
    ['no To', 21201, without('To')],
    ['no From', 21213, without('From')],
    ['neither Url nor Twiml', 21205, without('Twiml')],
    ['a To that is no number', 21211, [...without('To'), ['To', '12']]],
    ['the invalid test number as To', 21211, [...without('To'), ['To', '+15005550001']]],
    ['the invalid test number as From', 21212, [...without('From'), ['From', '+15005550001']]],
    ['a From that the account does not own', 21210, [...without('From'), ['From', '+14155550199']]],
    ['a Url that is none', 21205, [...without('Twiml'), ['Url', 'example']]],
    ['an unknown status event', 21626, [...valid, ['StatusCallbackEvent', 'answering']]],
    ['a status callback that is no URL', 21609, [...valid, ['StatusCallback', 'nowhere']]],
    ['more than 600 s of ringing', 20001, [...valid, ['Timeout', '601']]],
    ['a time limit that is no number', 20001, [...valid, ['TimeLimit', 'long']]],
  ] as [string, number, [string, string][]][])('refuses %s with %i', async (_, code, fields) => {
    const response = await post(fields);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code,
      status: 400,
      more_info: `https://www.twilio.com/docs/errors/${code}`,
    });
    expect(sim.calls).toHaveLength(0);
  });

  it('refuses a wrong password with 401 and 20003, and accepts an API key', async () => {
    await expect(clientOf(sim, 'wrong').calls.create({ to, from: sim.number, twiml })).rejects.toMatchObject({
      status: 401,
      code: 20003,
    });
    const response = await fetch(`${sim.baseUrl}/2010-04-01/Accounts/${sim.accountSid}/Calls.json`, {
      headers: { authorization: `Basic ${Buffer.from('SK1:sesame').toString('base64')}` },
    });
    expect(response.status).toBe(200);
  });

  it('answers 20404 for a call that it does not know', async () => {
    await expect(
      clientOf(sim)
        .calls(`CA${'0'.repeat(32)}`)
        .fetch(),
    ).rejects.toMatchObject({ status: 404, code: 20404 });
  });

  it('refuses as it is told: by queue and by number', async () => {
    sim.knobs.refuseCreates.push(429, 500);
    sim.knobs.refuseNumbers[to] = 21211;
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push(((await (await post(valid)).json()) as { code: number }).code);
    expect(statuses).toEqual([20429, 20500, 21211]);
    expect(sim.calls).toHaveLength(0);
  });

  it('finds the calls of a list by number, status and start time, page by page', async () => {
    const client = clientOf(sim);
    const sids: string[] = [];
    for (let i = 0; i < 3; i++)
      sids.push((await client.calls.create({ to: `+1415555011${i}`, from: sim.number, twiml })).sid);
    await until(() => sim.calls.every((call) => call.status === 'in-progress'), 'all are answered');
    expect((await client.calls.list({ to: '+14155550111' })).map((call) => call.sid)).toEqual([sids[1]]);
    expect((await client.calls.list({ pageSize: 1 })).map((call) => call.sid)).toEqual(sids.toReversed());
    expect(await client.calls.list({ status: 'completed' })).toEqual([]);
    const hour = 3_600_000;
    expect(await client.calls.list({ startTimeAfter: new Date(Date.now() - hour) })).toHaveLength(3);
    expect(await client.calls.list({ startTimeAfter: new Date(Date.now() + hour) })).toEqual([]);
    expect(await client.calls.list({ startTimeBefore: new Date(Date.now() - hour) })).toEqual([]);
  });

  it('refuses to change a call that has ended with 21220', async () => {
    const client = clientOf(sim);
    const { sid } = await client.calls.create({ to, from: sim.number, twiml });
    await expect(client.calls(sid).update({ twiml })).rejects.toMatchObject({ code: 21220 });
    await client.calls(sid).update({ status: 'canceled' });
    expect((await client.calls(sid).fetch()).status).toBe('canceled');
    await expect(client.calls(sid).update({ status: 'completed' })).rejects.toMatchObject({ status: 400, code: 21220 });
  });

  it('makes the call although the answer to the create is lost or never comes', async () => {
    sim.knobs.createAnswer = 'lost';
    await expect(post(valid)).rejects.toThrow();
    sim.knobs.createAnswer = 'hangs';
    await expect(
      fetch(`${sim.baseUrl}/2010-04-01/Accounts/${sim.accountSid}/Calls.json`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${sim.accountSid}:${sim.authToken}`).toString('base64')}` },
        body: new URLSearchParams(valid),
        signal: AbortSignal.timeout(200),
      }),
    ).rejects.toThrow();
    await until(() => sim.calls.filter((call) => call.status === 'in-progress').length === 2, 'both calls are made');
  });
});
