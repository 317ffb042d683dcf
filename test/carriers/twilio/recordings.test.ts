import { describe, expect, it } from 'vitest';
import type { CallId } from '../../../src/call/words.ts';
import type { CarrierRecording } from '../../../src/carriers/carrier.ts';
import { ACCOUNT, callBody, makeRig, post, sign } from './rig.ts';
import { REQUEST, SID, setUp } from './setup.ts';

const RE = `RE${'a'.repeat(32)}`;
const FORM = {
  CallSid: SID,
  RecordingSid: RE,
  RecordingStatus: 'completed',
  RecordingUrl: `https://key:secret@api.twilio.example.com/2010-04-01/Accounts/${ACCOUNT}/Recordings/${RE}?Token=abc`,
  RecordingDuration: '61',
  RecordingChannels: '2',
  RecordingStartTime: 'Thu, 19 Nov 2026 12:00:00 +0000',
};

/** A call that is dialled by an account that records, and the URL of the callback that Twilio was given. */
async function recorded(record: boolean, recording = true) {
  const heard: CarrierRecording[] = [];
  const onRecording = (one: CarrierRecording) => {
    heard.push(one);
    return Promise.resolve('stored' as const);
  };
  const rig = await setUp(() => ({ status: 201, body: callBody(SID) }), { recording, onRecording });
  const bound = Promise.withResolvers<void>();
  const emit = ({ type }: { readonly type: string }) => void (type === 'carrier.bound' && bound.resolve());
  const line = rig.carrier.line({ callId: 'call-7' as CallId, record, emit, hear: () => undefined });
  line.dial(REQUEST);
  await bound.promise;
  const form = rig.api.requests[0]?.form ?? new URLSearchParams();
  return { ...rig, line, form, heard, url: form.get('RecordingStatusCallback') ?? '', onRecording };
}

describe("Twilio's own recording", () => {
  it('is asked for with both sides apart and untrimmed, only of a call that is recorded by an account that records', async () => {
    const { form } = await recorded(true);
    expect(form.get('Record')).toBe('true');
    expect(form.get('RecordingChannels')).toBe('dual');
    expect(form.get('Trim')).toBe('do-not-trim');
    expect(form.getAll('RecordingStatusCallbackEvent')).toEqual(['in-progress', 'completed', 'absent']);
    for (const other of [await recorded(false), await recorded(true, false)])
      expect([...other.form.keys()].join()).not.toContain('Record');
  });

  it('is told of long after the call, also to a process that knows nothing of it, and keeps no credentials', async () => {
    const { carrier, line, url, heard, onRecording, api } = await recorded(true);
    line.release();
    carrier.close();
    const successor = makeRig(api.baseUrl, { recording: true, onRecording });
    expect((await post(successor.carrier, url, FORM)).status).toBe(200);
    expect(heard).toEqual([
      {
        callId: 'call-7',
        carrierCallId: SID,
        name: RE,
        url: `https://api.twilio.example.com/2010-04-01/Accounts/${ACCOUNT}/Recordings/${RE}`,
        channels: 2,
        durationMs: 61_000,
        state: 'complete',
        startedAtMs: Date.UTC(2026, 10, 19, 12),
      },
    ]);
  });

  it('is not taken from anybody else: signature, token, account and form are checked', async () => {
    const { carrier, url, heard, logged } = await recorded(true);
    const whole = { AccountSid: ACCOUNT, CallStatus: 'in-progress', ...FORM };
    expect((await post(carrier, url, FORM, null)).status).toBe(403);
    expect((await post(carrier, url, FORM, sign(url, whole, 'forged'))).status).toBe(403);
    const forged = [url.replace('call-7', 'call-8'), url.slice(0, -1), `${url}x`, url.replace(/\.[^.]*$/, '.')];
    for (const other of forged) expect((await post(carrier, other, FORM)).status).toBe(404);
    expect((await post(carrier, url, { ...FORM, AccountSid: `AC${'9'.repeat(32)}` })).status).toBe(403);
    for (const wrong of [{ CallSid: 'x' }, { RecordingSid: '../../x' }, { RecordingStatus: 'toString' }])
      expect((await post(carrier, url, { ...FORM, ...wrong })).status).toBe(400);
    expect(heard).toEqual([]);
    expect(logged.join()).not.toContain(url.split('/').at(-1));
  });

  it('is asked for again when it could not be stored, and unknown when its call is', async () => {
    const failing = makeRig('http://127.0.0.1:9', {
      recording: true,
      onRecording: () => Promise.reject(new Error('busy')),
    });
    const unknown = makeRig('http://127.0.0.1:9', { recording: true, onRecording: () => Promise.resolve('unknown') });
    const { url } = await recorded(true);
    expect((await post(failing.carrier, url, FORM)).status).toBe(503);
    expect(failing.logged.join()).toMatch(new RegExp(`could not note.*503.*${RE}`));
    expect((await post(unknown.carrier, url, FORM)).status).toBe(404);
    const foreign = makeRig('http://127.0.0.1:9', { recording: true, onRecording: () => Promise.resolve('foreign') });
    expect((await post(foreign.carrier, url, FORM)).status).toBe(403);
  });
});
