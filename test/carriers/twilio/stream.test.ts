import { describe, expect, it } from 'vitest';
import { Audio } from '../../../src/media/audio.ts';
import { attach, callBody, post, STREAM_SID, startMessage, streamOf } from './rig.ts';
import { media, SID, streaming } from './setup.ts';

describe('a live stream', () => {
  it('brings audio, marks and digits, and takes audio, marks and clears', async () => {
    const { call, socket } = await streaming();
    socket.give(media('AAEC', '20'));
    socket.give({
      streamSid: STREAM_SID,
      event: 'media',
      media: { payload: '/w==', timestamp: '40', track: 'inbound' },
    });
    socket.give({ event: 'mark', streamSid: STREAM_SID, sequenceNumber: '4', mark: { name: 'g3:17' } });
    socket.give({ event: 'dtmf', streamSid: STREAM_SID, dtmf: { track: 'inbound_track', digit: '#' } });
    expect(call.heard).toEqual([
      { hex: '000102', mediaMs: 20 },
      { hex: 'ff', mediaMs: 40 },
    ]);
    expect(call.events.slice(-3)).toEqual([
      { type: 'carrier.streamStarted', epoch: 1 },
      { type: 'carrier.markEchoed', epoch: 1, generation: 3, markId: 17 },
      { type: 'carrier.digitPressed', digit: '#' },
    ]);
    call.line.play(Audio.fromBytes(new Uint8Array([1, 2, 3])));
    call.line.mark(4, 5);
    call.line.clear(5);
    expect(socket.sent.map((text) => JSON.parse(text))).toEqual([
      { event: 'media', streamSid: STREAM_SID, media: { payload: 'AQID' } },
      { event: 'mark', streamSid: STREAM_SID, mark: { name: 'g4:5' } },
      { event: 'clear', streamSid: STREAM_SID },
    ]);
  });

  it('ignores what is malformed, and goes on', async () => {
    const { call, socket, logged } = await streaming();
    const before = call.events.length;
    const payloadTrick = `{"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1","timestamp":"5","payload":"AA\\"==","x":"AAAA"},"streamSid":"${STREAM_SID}"}`;
    for (const frame of [
      '',
      '{',
      '[]',
      'null',
      '{"event":5}',
      media('A', '1'),
      media('AA"A', '1'),
      media('AAAA', '-1'),
      media('AAAA', '1').replace(STREAM_SID, 'MZ2'),
      payloadTrick,
    ]) {
      socket.give(frame);
    }
    socket.give(media('AAAA', '1'), true);
    socket.give({ event: 'mark', streamSid: STREAM_SID, mark: { name: 'somebody else' } });
    socket.give({ event: 'tomorrow', streamSid: STREAM_SID });
    socket.give(startMessage('again', SID));
    expect([call.heard, call.events.length, socket.closedWith]).toEqual([[], before, null]);
    socket.give(media('AAAA', '60'));
    expect(call.heard).toHaveLength(1);
    socket.drop();
    expect(logged.join()).toMatch(/Malformed frames were ignored.*"malformed":12/);
  });

  it('takes the audio of a whole minute at once, but closes a flood with 1008', async () => {
    const { call, socket, clock } = await streaming();
    for (let i = 0; i < 3_000; i += 1) socket.give(media('AAAA', String(i)));
    expect(call.heard).toHaveLength(3_000);
    clock.pass(10_000);
    for (let i = 0; i < 4_001 && socket.closedWith === null; i += 1) socket.give('{}');
    expect(socket.closedWith).toBe(1008);
    expect(call.events.at(-1)).toEqual({ type: 'carrier.streamEnded', epoch: 1, how: 'dropped' });
  });

  it('is dropped rather than let four megabytes wait for the network', async () => {
    const { call, socket } = await streaming();
    socket.bufferedAmount = 4 * 1024 * 1024 + 1;
    call.line.play(Audio.fromBytes(new Uint8Array(160)));
    expect([socket.sent, socket.closedWith]).toEqual([[], 'terminated']);
    expect(call.events.at(-1)).toEqual({ type: 'carrier.streamEnded', epoch: 1, how: 'dropped' });
  });

  it('ends once: stopped by a stop, dropped without one, silent when it is released', async () => {
    const stopped = await streaming();
    stopped.socket.give({ event: 'stop', streamSid: STREAM_SID, stop: {} });
    stopped.socket.drop(1000);
    expect(stopped.call.events.filter(({ type }) => type === 'carrier.streamEnded')).toEqual([
      { type: 'carrier.streamEnded', epoch: 1, how: 'stopped' },
    ]);
    const dropped = await streaming();
    dropped.socket.drop();
    expect(dropped.call.events.at(-1)).toEqual({ type: 'carrier.streamEnded', epoch: 1, how: 'dropped' });
    const released = await streaming();
    const count = released.call.events.length;
    released.call.line.release();
    expect(released.socket.closedWith).toBe(1000);
    released.socket.give(media('AAAA', '1'));
    released.call.line.play(Audio.fromBytes(new Uint8Array(160)));
    expect([released.call.events.length, released.call.heard, released.socket.sent]).toEqual([count, [], []]);
  });
});

describe('going on after a stream', () => {
  it('tells of the end first, and attaches again with a fresh token and the next epoch', async () => {
    const { carrier, call, socket, twiml } = await streaming(undefined, (event, line) => {
      if (event.type === 'carrier.streamEnded') line.redirect({ plan: 'reattach' });
    });
    const { afterUrl, token } = streamOf(twiml);
    const reply = await post(carrier, afterUrl, { CallSid: SID });
    expect(socket.closedWith).toBe(1000);
    expect(call.events.at(-1)).toEqual({ type: 'carrier.streamEnded', epoch: 1, how: 'stopped' });
    expect(streamOf(reply.body).token).not.toBe(token);
    expect(await post(carrier, afterUrl, { CallSid: SID })).toEqual(reply);
    attach(carrier, reply.body, SID);
    expect(call.events.at(-1)).toEqual({ type: 'carrier.streamStarted', epoch: 2 });
  });

  it('tells of one that never came up, and does as it is told then', async () => {
    const rig = await streaming(undefined, (event, line) => {
      if (event.type === 'carrier.streamEnded') line.redirect({ plan: 'reattach' });
      if (event.type === 'carrier.streamFailed')
        line.redirect(event.epoch === 2 ? { plan: 'reattach' } : { plan: 'say', text: 'Sorry.', language: 'en' });
    });
    const goOnAfter = async (twiml: string): Promise<string> =>
      (await post(rig.carrier, streamOf(twiml).afterUrl, { CallSid: SID })).body;
    const third = await goOnAfter(await goOnAfter(rig.twiml));
    expect(rig.call.events.at(-1)).toEqual({ type: 'carrier.streamFailed', epoch: 2 });
    expect(await goOnAfter(third)).toContain('<Say language="en-US">Sorry.</Say><Hangup/>');
    expect(rig.call.events.filter(({ type }) => type === 'carrier.streamFailed')).toHaveLength(2);
  });

  it('says the planned sentence, escaped and in the text’s language, and hangs up', async () => {
    const { carrier, call, socket, twiml } = await streaming();
    socket.drop();
    call.line.redirect({ plan: 'say', text: 'Sorry, <we> & "you" lost the line.', language: 'en-GB' });
    const reply = await post(carrier, streamOf(twiml).afterUrl, { CallSid: SID });
    expect(reply.body).toContain(
      '<Say language="en-GB">Sorry, &lt;we&gt; &amp; &quot;you&quot; lost the line.</Say><Hangup/>',
    );
    expect(await call.until('carrier.redirected')).toEqual({ type: 'carrier.redirected', outcome: 'done' });
  });

  it('hangs up without a plan, and has nothing to say to a call that is over', async () => {
    const idle = await streaming();
    idle.socket.drop();
    expect((await post(idle.carrier, streamOf(idle.twiml).afterUrl, { CallSid: SID })).body).toContain(
      '<Response><Hangup/></Response>',
    );
    const over = await streaming();
    const reply = await post(over.carrier, streamOf(over.twiml).afterUrl, { CallSid: SID, CallStatus: 'completed' });
    expect(reply.body).toContain('<Response></Response>');
    expect(over.call.events.slice(-2)).toEqual([
      { type: 'carrier.streamEnded', epoch: 1, how: 'stopped' },
      { type: 'carrier.progressed', status: 'completed', source: 'webhook' },
    ]);
  });

  it.each<[number, 'done' | 'failed']>([
    [200, 'done'],
    [500, 'failed'],
  ])('replaces the document of a live call to say a sentence (REST %i: %s)', async (status, outcome) => {
    const { call, api } = await streaming((request) =>
      request.path.endsWith('/Calls.json') ? { status: 201, body: callBody(SID) } : { status, body: callBody(SID) },
    );
    call.line.redirect({ plan: 'say', text: 'Goodbye.', language: 'en' });
    expect(await call.until('carrier.redirected')).toEqual({ type: 'carrier.redirected', outcome });
    expect(api.requests.at(-1)?.form.get('Twiml')).toContain('<Say language="en-US">Goodbye.</Say><Hangup/>');
  });
});
