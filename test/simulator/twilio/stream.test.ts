import twilio from 'twilio';
import { afterEach, describe, expect, it } from 'vitest';
import { silence } from '../../../src/media/mulaw.ts';
import type { Callee } from '../../../src/simulator/callee/callee.ts';
import { roundTrip } from '../../../src/simulator/network/network.ts';
import { loadPhrasebook, phrase } from '../../../src/simulator/speech/load-phrasebook.ts';
import {
  startTwilioSimulator,
  type TwilioSimulator,
  type TwilioSimulatorOptions,
} from '../../../src/simulator/twilio/account.ts';
import type { SimulatedCall } from '../../../src/simulator/twilio/call.ts';
import { answers, clientOf, connectTwiml, ourSide, type Peer, until } from './our-side.ts';

const phrases = loadPhrasebook();
const PARAMETERS = '<Parameter name="token" value="a&amp;b"/>';

let sim: TwilioSimulator;
let ours: Awaited<ReturnType<typeof ourSide>>;
afterEach(async () => {
  await sim.close();
  await ours.close();
});

async function dial(options: Partial<TwilioSimulatorOptions> = {}, url?: string): Promise<SimulatedCall> {
  ours = await ourSide({
    '/voice': () => ({
      body: connectTwiml(url ?? ours.streamUrl, { parameters: PARAMETERS, after: '<Say>After.</Say>' }),
    }),
  });
  sim = await startTwilioSimulator({ answer: answers(), phrases, ...options });
  await clientOf(sim).calls.create({ to: '+14155550111', from: sim.number, url: `${ours.origin}/voice` });
  return until(() => sim.calls[0], 'the call exists');
}

async function talk(options: Partial<TwilioSimulatorOptions> = {}): Promise<{ call: SimulatedCall; peer: Peer }> {
  const call = await dial(options);
  const peer = await ours.peer();
  return { call, peer };
}

const names = (peer: Peer) => peer.of('mark').map((one) => one.mark.name);

describe('a simulated media stream', () => {
  it('begins with connected and start, in the shapes and types of the real one', async () => {
    const { call, peer } = await talk();
    await until(() => peer.of('media').length >= 3, 'media comes');
    const streamSid = peer.streamSid;
    expect(peer.messages[0]).toEqual({ event: 'connected', protocol: 'Call', version: '1.0.0' });
    expect(peer.messages[1]).toEqual({
      event: 'start',
      sequenceNumber: '1',
      start: {
        accountSid: sim.accountSid,
        streamSid,
        callSid: call.sid,
        tracks: ['inbound'],
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
        customParameters: { token: 'a&b' },
      },
      streamSid,
    });
    expect(peer.messages[3]).toEqual({
      event: 'media',
      sequenceNumber: '3',
      media: { track: 'inbound', chunk: '2', timestamp: '20', payload: Buffer.alloc(160, 0xff).toString('base64') },
      streamSid,
    });
  });

  it("signs the handshake over the address as written, so that Twilio's own validator accepts it", async () => {
    const { peer } = await talk();
    const signature = String(peer.headers['x-twilio-signature']);
    expect(twilio.validateRequest(sim.authToken, signature, ours.streamUrl, {})).toBe(true);
    expect(twilio.validateRequest(sim.authToken, signature, `${ours.streamUrl}/x`, {})).toBe(false);
  });

  it.each([
    ['a query string', () => `${ours.streamUrl}?token=x`, 31920],
    ['a handshake answered with 403', () => ours.streamUrl.replace('/media', '/refused'), 31920],
    ['ws to another host than this one', () => 'ws://example.com/media', 31923],
    ['http instead of wss', () => 'https://127.0.0.1/media', 31923],
    ['a port where nobody listens', () => 'ws://127.0.0.1:1/media', 31902],
  ])('does not come about with %s; the next verb runs', async (_, url, code) => {
    ours = await ourSide({ '/voice': () => ({ body: connectTwiml(url(), { after: '<Say>After.</Say>' }) }) });
    sim = await startTwilioSimulator({ answer: answers() });
    await clientOf(sim).calls.create({ to: '+14155550111', from: sim.number, url: `${ours.origin}/voice` });
    const call = await until(() => sim.calls[0], 'the call exists');
    await until(() => call.said.length > 0, 'the next verb runs');
    expect(call.errors).toMatchObject([{ code }]);
    expect(ours.peers).toEqual([]);
  });

  it("gives the person exactly what was played, and us exactly the person's speech, 20 ms at a time in real time", async () => {
    const speech = phrase('c.hello').audio;
    let at = 0;
    const heard: (Uint8Array | null)[] = [];
    const callee: Callee = {
      tick: (frame) => {
        heard.push(frame);
        at += 160;
        return { spoken: at <= speech.byteLength ? speech.subarray(at - 160, at) : null };
      },
    };
    const { call, peer } = await talk({ answer: answers(() => callee) });
    peer.play(phrase('a.short').audio, 333);
    await until(() => call.ear?.saying('a.short')?.reach === phrase('a.short').audio.byteLength, 'all is heard');
    expect(call.ear?.faults()).toEqual([]);
    const frames = peer.of('media');
    const said = Buffer.concat(frames.map((one) => Buffer.from(one.media.payload, 'base64')));
    const whole = Math.floor(speech.byteLength / 160) * 160;
    expect(said.subarray(0, whole).equals(Buffer.from(speech.subarray(0, whole)))).toBe(true);
    expect(frames.map((one) => Number(one.media.timestamp))).toEqual(frames.map((_, i) => i * 20));
    const stream = call.stream;
    expect(Math.abs((stream?.elapsedMs ?? 0) - (stream?.mediaSent ?? 0) * 20)).toBeLessThan(200);
  });

  it('catches up frame by frame after our process has stood still', async () => {
    const { call, peer } = await talk();
    const until0 = performance.now() + 300;
    while (performance.now() < until0);
    const stream = await until(() => call.stream, 'the stream lives');
    await until(() => stream.mediaSent * 20 >= stream.elapsedMs - 25, 'it has caught up');
    await until(() => peer.of('media').length >= 16, 'the frames arrive');
    expect(peer.of('media').map((one) => Number(one.media.chunk))).toEqual(peer.of('media').map((_, i) => i + 1));
  });

  it('echoes a mark when what was queued before it has been played, and at once when nothing is', async () => {
    const { peer } = await talk();
    peer.mark('empty');
    await until(() => names(peer).length === 1, 'the first echo comes');
    const startedAt = performance.now();
    peer.play(new Uint8Array(2_400).fill(7));
    peer.mark('played');
    await until(() => names(peer).length === 2, 'the second echo comes');
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect(peer.of('mark')[1]).toEqual({
      event: 'mark',
      sequenceNumber: expect.stringMatching(/^\d+$/),
      streamSid: peer.streamSid,
      mark: { name: 'played' },
    });
  });

  it('stops at a clear, in the middle of a frame, and sends back all waiting marks', async () => {
    const { call, peer } = await talk();
    const sentAt = performance.now();
    peer.play(phrase('a.request').audio);
    peer.mark('one');
    peer.play(phrase('a.four').audio);
    peer.mark('two');
    await until(() => performance.now() - sentAt > 400, 'it plays for a while');
    peer.clear();
    const playedMs = performance.now() - sentAt;
    await until(() => names(peer).length === 2, 'the marks come back');
    expect(names(peer)).toEqual(['one', 'two']);
    await until(() => (call.ear?.quietMs ?? 0) >= 100, 'it is quiet');
    expect(Math.abs((call.ear?.heardMs('a.request') ?? 0) - playedMs)).toBeLessThan(40);
    expect(call.ear?.heardMs('a.four')).toBe(0);
    expect(call.ear?.faults()).toEqual([]);
  });

  it.each([
    ['a member too many', (sid: string) => ({ event: 'clear', streamSid: sid, now: true }), 31951],
    [
      'a sequence number on media',
      (sid: string) => ({ event: 'media', streamSid: sid, sequenceNumber: '1', media: { payload: 'AAAA' } }),
      31951,
    ],
    [
      'a member of media too many',
      (sid: string) => ({ event: 'media', streamSid: sid, media: { payload: 'AAAA', track: 'outbound' } }),
      31951,
    ],
    ['no streamSid', () => ({ event: 'clear' }), 31951],
    ['the streamSid of another stream', () => ({ event: 'clear', streamSid: 'MZ0' }), 31951],
    ['an unknown event', (sid: string) => ({ event: 'hangup', streamSid: sid }), 31951],
    [
      'a payload that is not base64',
      (sid: string) => ({ event: 'media', streamSid: sid, media: { payload: '#' } }),
      31951,
    ],
    ['a binary frame', () => Buffer.from('{}'), 31950],
    ['text that is not JSON', () => '{', 31950],
  ])('drops %s with one warning a stream', async (_, message, code) => {
    const { call, peer } = await talk();
    peer.play(silence(60_000));
    peer.mark('waiting');
    peer.send(message(peer.streamSid));
    peer.send(message(peer.streamSid));
    peer.clear();
    await until(() => names(peer).length === 1, 'a good message is still obeyed');
    expect(call.warnings.map((warning) => warning.code)).toEqual([code]);
    expect(call.stream?.received.filter((one) => one.event === 'clear')).toHaveLength(1);
  });

  it('warns with 31931 when more than ten minutes of audio are queued', async () => {
    const { call, peer } = await talk();
    const minute = silence(60_000);
    for (let i = 0; i < 11; i++) peer.play(minute, minute.byteLength);
    await until(() => call.warnings.length > 0, 'it warns');
    expect(call.warnings).toMatchObject([{ code: 31931 }]);
  });

  it('sends the digits that the person presses', async () => {
    const { call, peer } = await talk();
    call.pressDigit('5');
    const [dtmf] = await until(() => peer.of('dtmf').length > 0 && peer.of('dtmf'), 'the digit comes');
    expect(dtmf).toEqual({
      event: 'dtmf',
      streamSid: peer.streamSid,
      sequenceNumber: expect.stringMatching(/^\d+$/),
      dtmf: { track: 'inbound_track', digit: '5' },
    });
  });

  it('numbers every message after connected without a hole', async () => {
    const { call, peer } = await talk({ knobs: { oddFrames: true } });
    peer.mark('a');
    call.pressDigit('1');
    await until(() => peer.of('media').length >= 10, 'media comes');
    call.hangUp();
    await until(() => peer.closeCode !== null, 'it closes');
    expect(peer.messages.slice(1).map((one) => Number(one.sequenceNumber))).toEqual(
      peer.messages.slice(1).map((_, i) => i + 1),
    );
    expect(peer.messages.at(-1)).toMatchObject({
      event: 'stop',
      stop: { accountSid: sim.accountSid, callSid: call.sid },
    });
  });

  it('can break off without a stop, once, as it is told', async () => {
    const knobs = { dropStream: { afterMs: 100, withStop: false, times: 1 } };
    const { call, peer } = await talk({ knobs });
    await until(() => peer.closeCode !== null, 'it breaks off');
    expect(peer.closeCode).toBe(1006);
    expect(peer.of('stop')).toEqual([]);
    expect(call.streams[0]?.end).toBe('dropped');
    await until(() => call.said.length > 0, 'the next verb runs');
    // Another account may be opened with the same ones.
    expect([sim.knobs.dropStream?.times, knobs.dropStream.times]).toEqual([0, 1]);
  });

  it('can stop first and close later', async () => {
    const { peer } = await talk({
      knobs: { dropStream: { afterMs: 60, withStop: true, times: 1 }, closeAfterStopMs: 200 },
    });
    await until(() => peer.of('stop').length > 0, 'stop comes');
    const stoppedAt = performance.now();
    await until(() => peer.closeCode !== null, 'it closes');
    expect(peer.closeCode).toBe(1000);
    expect(performance.now() - stoppedAt).toBeGreaterThan(150);
  });

  it('records a close code that the real service complains about', async () => {
    const { call, peer } = await talk();
    peer.socket.close(4000);
    await until(() => call.streams[0]?.end === 'server-closed', 'the stream is over');
    expect(call.errors).toMatchObject([{ code: 31921 }]);
  });

  it('sends odd sizes whose timestamps still tell the time of each byte', async () => {
    const { peer } = await talk({ knobs: { oddFrames: true } });
    await until(() => peer.of('media').length >= 12, 'media comes');
    const frames = peer
      .of('media')
      .map((one) => ({ at: Number(one.media.timestamp), bytes: Buffer.from(one.media.payload, 'base64').byteLength }));
    expect(new Set(frames.map((frame) => frame.bytes)).size).toBeGreaterThan(4);
    let bytes = 0;
    for (const frame of frames) {
      expect(frame.at).toBe(Math.floor(bytes / 8));
      bytes += frame.bytes;
    }
  });

  it('lets timestamps jump over lost stretches while chunks count on', async () => {
    const { peer } = await talk({ knobs: { gaps: { everyMs: 100, forMs: 60 } } });
    await until(() => peer.of('media').length >= 25, 'media comes');
    const steps = peer.of('media').map((one) => Number(one.media.timestamp));
    expect(steps.slice(1).map((at, i) => at - (steps[i] ?? 0))).toContain(80);
    expect(peer.of('media').map((one) => Number(one.media.chunk))).toEqual(steps.map((_, i) => i + 1));
  });

  it('delays mark echoes at random but keeps their order', async () => {
    const { peer } = await talk({ knobs: { markJitterMs: 200 } });
    const sentAt = performance.now();
    const wanted = Array.from({ length: 8 }, (_, i) => `m${i}`);
    for (const name of wanted) peer.mark(name);
    await until(() => names(peer).length === wanted.length, 'all echoes come');
    expect(names(peer)).toEqual(wanted);
    expect(performance.now() - sentAt).toBeGreaterThan(50);
  });

  it('can stop draining for a while, which the person hears as a pause and not as a loss', async () => {
    const { call, peer } = await talk({ knobs: { playoutStalls: { everyMs: 100, forMs: 100 } } });
    const sentAt = performance.now();
    peer.play(phrase('a.short').audio);
    peer.mark('end');
    await until(() => names(peer).length === 1, 'the mark comes back');
    expect(performance.now() - sentAt).toBeGreaterThan(phrase('a.short').durationMs + 150);
    // The end of it reaches the ear with the frame that it is part of.
    await until(() => call.ear?.heardMs('a.short') === phrase('a.short').durationMs, 'all of it is heard');
    expect(call.ear?.faults()).toEqual([]);
  });

  it('is as far away as the network says, both ways', async () => {
    const { peer } = await talk({ network: roundTrip(250) });
    const sentAt = performance.now();
    peer.mark('there and back');
    await until(() => names(peer).length === 1, 'the echo comes');
    expect(performance.now() - sentAt).toBeGreaterThanOrEqual(249);
  });

  it('queues the stop and the close behind the data that is under way', async () => {
    const { call, peer } = await talk({ network: roundTrip(250) });
    await until(() => peer.of('media').length > 0, 'media comes');
    const { stream } = call;
    call.hangUp();
    await until(() => peer.closeCode !== null, 'it closes');
    expect(peer.closeCode).toBe(1000);
    expect(peer.messages.at(-1)?.event).toBe('stop');
    expect(peer.of('media')).toHaveLength(stream?.mediaSent ?? 0);
  });

  it('leaves neither timer nor socket behind when the account closes in the middle of a call', async () => {
    const { peer } = await talk({ network: roundTrip(40) });
    peer.play(phrase('a.request').audio);
    await sim.close();
    await ours.close();
    await until(
      () =>
        process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'TCPServerWrap')
          .length === 0,
      'all is closed',
    );
    ours = await ourSide();
  });
});
