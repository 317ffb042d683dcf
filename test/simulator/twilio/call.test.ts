import twilio from 'twilio';
import { afterEach, describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/simulator/callee/callee.ts';
import {
  startTwilioSimulator,
  type TwilioSimulator,
  type TwilioSimulatorOptions,
} from '../../../src/simulator/twilio/account.ts';
import type { SimulatedCall } from '../../../src/simulator/twilio/call.ts';
import { answers, clientOf, connectTwiml, ourSide, type Reply, until } from './our-side.ts';

const to = '+14155550111';
const ALL = ['initiated', 'ringing', 'answered', 'completed'];

let sim: TwilioSimulator;
let ours: Awaited<ReturnType<typeof ourSide>>;
afterEach(async () => {
  await sim.close();
  await ours.close();
});

async function start(replies: Record<string, Reply | (() => Reply)>, options: Partial<TwilioSimulatorOptions> = {}) {
  ours = await ourSide(replies);
  sim = await startTwilioSimulator({ answer: answers(), ...options });
}

async function dial(more: object = {}): Promise<SimulatedCall> {
  const made = await clientOf(sim).calls.create({
    to,
    from: sim.number,
    url: `${ours.origin}/voice`,
    statusCallback: `${ours.origin}/status`,
    statusCallbackEvent: ALL,
    ...more,
  });
  return until(() => sim.calls.find((call) => call.sid === made.sid), 'the call exists');
}

const statuses = () => ours.hooksOf('/status').map((hook) => `${hook.form.SequenceNumber} ${hook.form.CallStatus}`);
const say = (text: string) => `<Response><Say>${text}</Say></Response>`;

describe('a simulated call', () => {
  it('rings, is answered, asks for TwiML, runs it and hangs up at its end, telling each status', async () => {
    await start({ '/voice': { body: say('Hi.') } });
    const call = await dial();
    await call.ended;
    expect(statuses()).toEqual(['0 initiated', '1 ringing', '2 in-progress', '3 completed']);
    expect(call).toMatchObject({ status: 'completed', endedBy: 'twiml' });
    expect(call.said).toMatchObject([{ text: 'Hi.', durationMs: 180, source: 'twiml' }]);
    expect(ours.hooksOf('/status').at(-1)?.form).toMatchObject({
      CallDuration: '0',
      CallbackSource: 'call-progress-events',
      SipResponseCode: '200',
    });
  });

  it("signs every webhook so that Twilio's own validator accepts it, and nothing else", async () => {
    await start({ '/voice': { body: say('Hi.') } });
    await (await dial({ url: `${ours.origin}/voice?a=1&b=%20x` })).ended;
    expect(ours.hooks).toHaveLength(5);
    for (const hook of ours.hooks) {
      const signature = String(hook.headers['x-twilio-signature']);
      expect(twilio.validateRequest(sim.authToken, signature, hook.url, hook.form)).toBe(true);
      expect(twilio.validateRequest(sim.authToken, signature, hook.url, { ...hook.form, To: '+14155550112' })).toBe(
        false,
      );
    }
  });

  it('signs a GET webhook over its query', async () => {
    await start({ '/voice': { body: '<Response/>' } });
    await (await dial({ method: 'GET' })).ended;
    const [hook] = ours.hooksOf('/voice');
    expect(hook?.url).toContain('CallStatus=in-progress');
    expect(
      twilio.validateRequest(sim.authToken, String(hook?.headers['x-twilio-signature']), String(hook?.url), {}),
    ).toBe(true);
  });

  it.each(['secondary', 'garbage', 'nothing'] as const)('can sign with %s', async (signWith) => {
    await start({}, { secondaryAuthToken: 'second', knobs: { signWith } });
    await (await dial()).ended;
    const signature = ours.hooks[0]?.headers['x-twilio-signature'];
    const accepted = (token: string) =>
      twilio.validateRequest(token, String(signature), String(ours.hooks[0]?.url), ours.hooks[0]?.form ?? {});
    expect([signature === undefined, accepted(sim.authToken), accepted('second')]).toEqual([
      signWith === 'nothing',
      false,
      signWith === 'secondary',
    ]);
  });

  it.each([
    [{ kind: 'busy', ringMs: 10 }, 'busy', '486'],
    [{ kind: 'fails', ringMs: 10 }, 'failed', '404'],
  ] as [Answer, string, string][])('ends when the telephone %o', async (answer, status, sip) => {
    await start({}, { answer: () => answer });
    const call = await dial();
    await call.ended;
    expect(call.status).toBe(status);
    expect(ours.hooksOf('/status').at(-1)?.form).toMatchObject({ CallStatus: status, SipResponseCode: sip });
    expect(ours.hooksOf('/voice')).toEqual([]);
  });

  it('gives up with no-answer after the timeout', async () => {
    await start({}, { answer: () => ({ kind: 'never' }) });
    const call = await dial({ timeout: 1 });
    await call.ended;
    expect(statuses().at(-1)).toBe('2 no-answer');
  });

  it('ends a call that reaches its time limit', async () => {
    await start({ '/voice': { body: '<Response><Pause length="60"/></Response>' } });
    const call = await dial({ timeLimit: 1 });
    await call.ended;
    expect(call).toMatchObject({ status: 'completed', endedBy: 'limit', durationSeconds: 1 });
  });

  it.each([
    ['HTTP 500', { status: 500 }, 11200],
    ['a wrong type', { type: 'application/json', body: '{}' }, 12300],
    ['something that is not XML', { body: '<Response>' }, 12100],
    ['nothing within the time limit', { afterMs: 1_000 }, 11200],
  ] as [string, Reply, number][])(
    'lets the person hear an application error when our answer is %s',
    async (_, reply, code) => {
      await start({ '/voice': reply }, { knobs: { webhookTimeoutMs: 300 } });
      const call = await dial();
      await until(() => call.said.length > 0, 'the error is spoken');
      expect(call.errors).toMatchObject([{ code }]);
      expect(call.said).toMatchObject([{ source: 'application-error' }]);
      call.hangUp();
    },
  );

  it('sends status webhooks out of order, or twice, or never, as it is told', async () => {
    await start({}, { knobs: { statusWebhooks: 'reversed', duplicateStatus: true } });
    await (await dial()).ended;
    expect(statuses()).toEqual(
      ['1 ringing', '0 initiated', '3 completed', '2 in-progress'].flatMap((one) => [one, one]),
    );
    sim.knobs.statusWebhooks = 'lost';
    const before = statuses().length;
    await (await dial()).ended;
    expect(statuses()).toHaveLength(before);
  });

  it('sends only the status events that were asked for', async () => {
    await start({});
    await (await dial({ statusCallbackEvent: undefined })).ended;
    expect(statuses()).toEqual(['0 completed']);
  });

  it('can send the first webhook before it answers the create', async () => {
    await start({}, { knobs: { createAnswer: 'after-webhook' } });
    const answeredAt = dial({ statusCallback: undefined, statusCallbackEvent: undefined }).then(() =>
      performance.now(),
    );
    const hook = await until(() => ours.hooks[0], 'the webhook arrives');
    expect(hook.path).toBe('/voice');
    expect(await answeredAt).toBeGreaterThan(hook.atMs);
  });

  it('plays the notice of a trial account before the TwiML runs', async () => {
    await start({}, { knobs: { trialNoticeMs: 200 } });
    const call = await dial();
    await call.ended;
    expect(call.said).toMatchObject([{ source: 'trial-notice', durationMs: 200 }]);
    const answered = ours.hooks.find((hook) => hook.form.CallStatus === 'in-progress' && hook.path === '/status');
    expect((ours.hooksOf('/voice')[0]?.atMs ?? 0) - (answered?.atMs ?? 0)).toBeGreaterThan(100);
  });

  it('follows Connect action with the same call fields, and runs the answer, also at a relative address', async () => {
    await start({
      '/voice': () => ({ body: connectTwiml(ours.streamUrl, { action: '/after?t=1' }) }),
      '/after': { body: say('Bye.') },
    });
    const call = await dial();
    const peer = await ours.peer();
    peer.socket.close(1000);
    await call.ended;
    const [after] = ours.hooksOf('/after');
    expect(after?.form).toMatchObject({
      CallSid: call.sid,
      CallStatus: 'in-progress',
      To: to,
      Direction: 'outbound-api',
    });
    expect(
      twilio.validateRequest(
        sim.authToken,
        String(after?.headers['x-twilio-signature']),
        String(after?.url),
        after?.form ?? {},
      ),
    ).toBe(true);
    expect(call.said.map((one) => one.text)).toEqual(['Bye.']);
  });

  it('runs the next verb when a stream is closed and there is no action', async () => {
    await start({ '/voice': () => ({ body: connectTwiml(ours.streamUrl, { after: '<Say>Next.</Say>' }) }) });
    const call = await dial();
    (await ours.peer()).socket.close(1000);
    await call.ended;
    expect(call.said.map((one) => one.text)).toEqual(['Next.']);
  });

  it('asks the action with status completed when the person hangs up, and runs nothing more', async () => {
    await start({
      '/voice': () => ({ body: connectTwiml(ours.streamUrl, { action: `${ours.origin}/after` }) }),
      '/after': { body: say('Nobody hears this.') },
    });
    const call = await dial();
    const peer = await ours.peer();
    call.hangUp();
    await call.ended;
    await until(() => peer.closeCode !== null, 'the socket closes');
    expect(peer.messages.at(-1)?.event).toBe('stop');
    expect(peer.closeCode).toBe(1000);
    expect(ours.hooksOf('/after')[0]?.form.CallStatus).toBe('completed');
    expect(call).toMatchObject({ status: 'completed', endedBy: 'callee', said: [] });
  });

  it('ends a live stream with stop and close when new TwiML comes over REST, and runs that without asking the action', async () => {
    await start({ '/voice': () => ({ body: connectTwiml(ours.streamUrl, { action: `${ours.origin}/after` }) }) });
    const call = await dial();
    const peer = await ours.peer();
    await clientOf(sim)
      .calls(call.sid)
      .update({ twiml: say('Sorry, goodbye.') });
    await call.ended;
    await until(() => peer.closeCode !== null, 'the socket closes');
    expect(peer.messages.at(-1)?.event).toBe('stop');
    expect(call.said.map((one) => one.text)).toEqual(['Sorry, goodbye.']);
    expect(ours.hooksOf('/after')).toEqual([]);
  });

  it('ends at once over REST, also while it speaks', async () => {
    await start({ '/voice': { body: say('x'.repeat(500)) } });
    const call = await dial();
    await until(() => call.said.length > 0, 'it speaks');
    await clientOf(sim).calls(call.sid).update({ status: 'completed' });
    await call.ended;
    expect(call).toMatchObject({ status: 'completed', endedBy: 'rest' });
  });

  it('reports the life of a stream to its status callback', async () => {
    const body = () =>
      connectTwiml(ours.streamUrl).replace('<Stream ', `<Stream name="s" statusCallback="${ours.origin}/stream" `);
    await start({ '/voice': () => ({ body: body() }) });
    const call = await dial();
    (await ours.peer()).socket.close(1000);
    await call.ended;
    const events = await until(
      () => ours.hooksOf('/stream').length === 2 && ours.hooksOf('/stream'),
      'both are reported',
    );
    expect(events.map((hook) => hook.form.StreamEvent)).toEqual(['stream-started', 'stream-stopped']);
    expect(events[0]?.form).toMatchObject({ StreamName: 's', CallSid: call.sid });
  });
});
