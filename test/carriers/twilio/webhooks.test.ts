import { describe, expect, it } from 'vitest';
import {
  CONNECTED,
  callBody,
  callSid,
  listenTo,
  PipeSocket,
  PUBLIC_URL,
  post,
  sign,
  startMessage,
  streamOf,
  upgrade,
} from './rig.ts';
import { dialled, REQUEST, SID } from './setup.ts';

describe('webhooks', () => {
  it('pass by the account’s token and by its secondary one, over the public URL only', async () => {
    const { carrier, statusUrl } = await dialled(undefined, undefined, { authTokenSecondary: 'secondary' });
    const form = { AccountSid: `AC${'0'.repeat(32)}`, CallSid: SID, CallStatus: 'ringing', SequenceNumber: '1' };
    const status = async (signature: string | null) => (await post(carrier, statusUrl, form, signature)).status;
    expect(await status(sign(statusUrl, form))).toBe(200);
    expect(await status(sign(statusUrl, form, 'secondary'))).toBe(200);
    expect(await status(sign(statusUrl.replace('calls.example.com', 'calls.example.com:443'), form))).toBe(200);
    expect(await status(null)).toBe(403);
    expect(await status('')).toBe(403);
    expect(await status(sign(statusUrl, form, 'forged'))).toBe(403);
    expect(await status(sign(statusUrl, { ...form, CallStatus: 'completed' }))).toBe(403);
    expect(await status(sign(statusUrl.replace('calls.example.com', 'elsewhere.example.com'), form))).toBe(403);
    expect(await status(sign(statusUrl.replace('https', 'http'), form))).toBe(403);
  });

  it('are refused for another call, another account, an unknown token and no call at all', async () => {
    let created = 0;
    const rig = await dialled(() => {
      created += 1;
      return { status: 201, body: callBody(callSid(created)) };
    });
    const other = listenTo(rig.carrier);
    other.line.dial(REQUEST);
    await other.until('carrier.bound');
    const url = rig.statusUrl;
    expect((await post(rig.carrier, url, { CallSid: callSid(2) })).status).toBe(403);
    expect((await post(rig.carrier, url, { CallSid: SID, AccountSid: `AC${'9'.repeat(32)}` })).status).toBe(403);
    expect((await post(rig.carrier, `${PUBLIC_URL}/call/status/${'x'.repeat(32)}`, { CallSid: SID })).status).toBe(404);
    expect((await post(rig.carrier, url, { CallSid: 'nonsense' })).status).toBe(400);
    expect((await post(rig.carrier, url, { CallSid: SID, CallStatus: 'levitating' })).status).toBe(400);
    expect(rig.call.events).toHaveLength(1);
    expect(rig.logged.join()).not.toContain(url.split('/').at(-1));
  });

  it('are not taken in by names that every object has, nor by a sequence or a code of any length', async () => {
    const { carrier, call, statusUrl } = await dialled();
    for (const CallStatus of ['toString', 'constructor', '__proto__', 'hasOwnProperty'])
      expect((await post(carrier, statusUrl, { CallSid: SID, CallStatus })).status).toBe(400);
    const form = { CallSid: SID, CallStatus: 'busy', SipResponseCode: '4'.repeat(10_000) };
    for (const letter of ['x', 'y']) {
      expect((await post(carrier, statusUrl, { ...form, SequenceNumber: letter.repeat(9_000) })).status).toBe(200);
    }
    expect(call.events.slice(1)).toEqual([{ type: 'carrier.progressed', status: 'busy', source: 'webhook' }]);
  });

  it('that are repeated answer 200 without a second effect', async () => {
    const { carrier, call, statusUrl, outgoingUrl } = await dialled();
    const form = { CallSid: SID, CallStatus: 'busy', SequenceNumber: '2', SipResponseCode: '486' };
    for (let i = 0; i < 3; i += 1) expect((await post(carrier, statusUrl, form)).status).toBe(200);
    expect(call.events.slice(1)).toEqual([
      { type: 'carrier.progressed', status: 'busy', source: 'webhook', code: '486' },
    ]);
    const replies = [
      await post(carrier, outgoingUrl, { CallSid: SID }),
      await post(carrier, outgoingUrl, { CallSid: SID }),
    ];
    expect(replies[1]).toEqual(replies[0]);
    expect(call.events.filter(({ type }) => type === 'carrier.progressed')).toHaveLength(2);
    expect(upgrade(carrier, streamOf(replies[1]?.body ?? '').url).accept).toBe(true);
  });

  it('of a released line meet a hang-up and have no effect, and are forgotten a minute after the call is over', async () => {
    const { carrier, call, statusUrl, outgoingUrl, clock } = await dialled();
    const { body: twiml } = await post(carrier, outgoingUrl, { CallSid: SID });
    const { afterUrl, url } = streamOf(twiml);
    const count = call.events.length;
    call.line.release();
    expect(upgrade(carrier, url).accept).toBe(false);
    for (const asked of [outgoingUrl, afterUrl]) {
      expect((await post(carrier, asked, { CallSid: SID })).body).toContain('<Response><Hangup/></Response>');
    }
    // The last status may come twice.
    for (const passedMs of [0, 59_999]) {
      clock.pass(passedMs);
      expect((await post(carrier, statusUrl, { CallSid: SID, CallStatus: 'completed' })).status).toBe(200);
    }
    clock.pass(60_000);
    for (const asked of [outgoingUrl, afterUrl, statusUrl])
      expect((await post(carrier, asked, { CallSid: SID })).status).toBe(404);
    expect(call.events).toHaveLength(count);
  });

  it('of a released line are forgotten after ten minutes in any case', async () => {
    const { carrier, call, statusUrl, clock } = await dialled();
    call.line.release();
    clock.pass(599_999);
    expect((await post(carrier, statusUrl, { CallSid: SID })).status).toBe(200);
    clock.pass(1);
    expect((await post(carrier, statusUrl, { CallSid: SID })).status).toBe(404);
  });
});

describe('the upgrade of a stream', () => {
  const served = async () => {
    const rig = await dialled();
    const reply = await post(rig.carrier, rig.outgoingUrl, { CallSid: SID });
    expect(reply.contentType).toContain('text/xml');
    return { ...rig, ...streamOf(reply.body) };
  };

  it('passes by a signature over the wss URL, with and without slash and port', async () => {
    for (const spelling of [
      (url: string) => url,
      (url: string) => `${url}/`,
      (url: string) => url.replace('.com/', '.com:443/'),
      (url: string) => `${url.replace('.com/', '.com:443/')}/`,
    ]) {
      const { carrier, url } = await served();
      expect(url).toMatch(/^wss:\/\/calls\.example\.com\/call\/connection-outgoing\/[\w-]{32}$/);
      expect(upgrade(carrier, url, sign(spelling(url))).accept).toBe(true);
    }
  });

  it('passes at a path with a trailing slash', async () => {
    const { carrier, url } = await served();
    expect(upgrade(carrier, `${url}/`, sign(url)).accept).toBe(true);
  });

  it('is refused without, with a forged, an https or another host’s signature, and stays possible afterwards', async () => {
    const { carrier, url } = await served();
    const wrong = [
      '',
      sign(url, {}, 'forged'),
      sign(url.replace('wss', 'https')),
      sign(url.replace('wss', 'ws')),
      sign(url.replace('calls', 'other')),
      sign(`${url}x`),
    ];
    for (const signature of wrong) expect(upgrade(carrier, url, signature).accept).toBe(false);
    expect(upgrade(carrier, url).accept).toBe(true);
  });

  it('is refused for a spent, an expired, a made-up and a webhook’s token', async () => {
    const { carrier, url, clock, outgoingUrl } = await served();
    const base = url.slice(0, url.lastIndexOf('/') + 1);
    expect(upgrade(carrier, base + 'x'.repeat(32)).accept).toBe(false);
    expect(upgrade(carrier, base + outgoingUrl.split('/').at(-1)).accept).toBe(false);
    expect(upgrade(carrier, url).accept).toBe(true);
    expect(upgrade(carrier, url).accept).toBe(false);
    const late = await served();
    late.clock.pass(60_001);
    clock.pass(60_001);
    expect(upgrade(late.carrier, late.url).accept).toBe(false);
  });

  it.each<[string, (token: string) => readonly (object | string)[]]>([
    ['another call', (token) => [CONNECTED, startMessage(token, callSid(2))]],
    ['another account', (token) => [CONNECTED, startMessage(token, SID, { accountSid: `AC${'9'.repeat(32)}` })]],
    ['another token', () => [CONNECTED, startMessage('x'.repeat(32), SID)]],
    ['no token', () => [CONNECTED, startMessage('', SID, { customParameters: {} })]],
    [
      'another format',
      (token) => [
        CONNECTED,
        startMessage(token, SID, { mediaFormat: { encoding: 'audio/l16', sampleRate: 16000, channels: 1 } }),
      ],
    ],
    ['no greeting', (token) => [startMessage(token, SID)]],
  ])('leads to a close with 1008 when the start names %s', async (_name, messages) => {
    const { carrier, url, token, call } = await served();
    const socket = new PipeSocket();
    const opened = upgrade(carrier, url);
    opened.connect(socket);
    for (const message of messages(token)) socket.give(message);
    expect(socket.closedWith).toBe(1008);
    expect(call.events.some(({ type }) => type === 'carrier.streamStarted')).toBe(false);
    expect(upgrade(carrier, url).accept).toBe(false);
  });

  it('is refused with 503 while too many sockets wait for their start, and passes with the same token afterwards', async () => {
    let created = 0;
    const rig = await dialled(
      () => {
        created += 1;
        return { status: 201, body: callBody(callSid(created)) };
      },
      undefined,
      { maxUnstartedStreams: 1 },
    );
    const other = listenTo(rig.carrier);
    other.line.dial(REQUEST);
    await other.until('carrier.bound');
    const otherUrl = rig.api.requests[1]?.form.get('Url') ?? '';
    const first = streamOf((await post(rig.carrier, rig.outgoingUrl, { CallSid: SID })).body);
    const second = streamOf((await post(rig.carrier, otherUrl, { CallSid: callSid(2) })).body);
    const waiting = new PipeSocket();
    upgrade(rig.carrier, first.url).connect(waiting);
    expect(upgrade(rig.carrier, second.url, 'forged').status).toBe(403);
    expect(upgrade(rig.carrier, second.url).status).toBe(503);
    waiting.give(CONNECTED);
    waiting.give(startMessage(first.token, SID));
    const next = new PipeSocket();
    const opened = upgrade(rig.carrier, second.url);
    expect(opened.status).toBe(101);
    opened.connect(next);
    next.drop();
    expect(upgrade(rig.carrier, second.url).status).toBe(403);
  });

  it('leads to a close with 1008 when no start comes in time', async () => {
    const { carrier, url, clock } = await served();
    const socket = new PipeSocket();
    upgrade(carrier, url).connect(socket);
    socket.give(CONNECTED);
    clock.pass(9_999);
    expect(socket.closedWith).toBeNull();
    clock.pass(1);
    expect(socket.closedWith).toBe(1008);
  });
});
