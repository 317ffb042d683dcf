/** Who is let in with the audio of a call. */
import { afterEach, describe, expect, it } from 'vitest';
import type { CallId } from '../../../src/call/words.ts';
import { basic, GOOD, MEDIA, openTelephones, type Telephones, type TelephonesOptions } from './telephones.ts';

const opened: Telephones[] = [];
afterEach(() => {
  for (const { carrier } of opened.splice(0)) carrier.close();
});
function open(options: TelephonesOptions = {}): Telephones {
  const telephones = openTelephones(options);
  opened.push(telephones);
  return telephones;
}

describe('the door for audio', () => {
  it('is closed without the password, whatever else is shown', () => {
    const { asked, door, call } = open({ incoming: { mayTake: () => true, take: () => undefined } });
    call();
    const good = `?ref=${asked[0]?.ref}`;
    for (const wrong of [
      undefined,
      '',
      'Basic',
      basic('asterisk', 'other'),
      basic('root', MEDIA.password),
      `${GOOD}x`,
      GOOD.toLowerCase(),
      `Bearer ${MEDIA.password}`,
    ])
      for (const query of [good, '?uniqueid=1.1', ''])
        expect(door(query, wrong)).toEqual({ accept: false, status: 401 });
    expect(door(good, GOOD)).toEqual({ accept: true });
  });

  it('opens once for each call that was placed, by a reference of 24 random bytes, and for no other', () => {
    const { asked, door, call } = open();
    call();
    const ref = asked[0]?.ref ?? '';
    expect(Buffer.from(ref, 'base64url')).toHaveLength(24);
    for (const other of ['', 'x', `${ref}x`, ref.slice(1), 'x'.repeat(32)])
      expect(door(`?ref=${other}`, GOOD)).toEqual({ accept: false, status: 403 });
    expect(door(`?ref=${ref}`, GOOD)).toEqual({ accept: true });
    expect(door(`?ref=${ref}`, GOOD)).toEqual({ accept: false, status: 403 });
  });

  it('is closed to a call whose line has been released', () => {
    const { carrier, asked, door } = open();
    const line = carrier.line({ callId: 'call-2' as CallId, emit: () => undefined, hear: () => undefined });
    line.dial({ to: '1002', ringMs: 1_000, maxMs: 60_000 });
    line.release();
    expect(door(`?ref=${asked[0]?.ref}`, GOOD)).toEqual({ accept: false, status: 403 });
  });

  it('turns calls that come in away, so that the dial plan goes on, where none is to be taken', () => {
    let may = false;
    const { door } = open({ incoming: { mayTake: () => may, take: () => undefined } });
    expect(door('?uniqueid=1.1', GOOD)).toEqual({ accept: false, status: 503 });
    may = true;
    expect(door('?uniqueid=1.1', GOOD)).toEqual({ accept: true });
    expect(door('', GOOD)).toEqual({ accept: false, status: 503 });
    expect(open().door('?uniqueid=1.1', GOOD)).toEqual({ accept: false, status: 503 });
  });

  it('gives the telephone system the limits that outlive us, and an id by which the call is found again', () => {
    const { asked, call } = open();
    const { events } = call();
    expect(asked[0]).toMatchObject({ to: '1002', ringMs: 1_000, maxMs: 61_000 });
    expect(asked[0]?.uniqueId).toMatch(/^switchboard-\d{13}-1002-call-1$/);
    expect(events).toEqual([{ type: 'carrier.bound', carrierCallId: asked[0]?.uniqueId }]);
  });
});
