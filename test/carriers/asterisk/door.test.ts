/** Who is let in with the audio of a call. */
import { afterEach, describe, expect, it } from 'vitest';
import type { CarrierEvent } from '../../../src/call/events.ts';
import type { CallId } from '../../../src/call/words.ts';
import {
  type AsteriskCarrierOptions,
  createAsteriskCarrier,
  MEDIA_PATH,
} from '../../../src/carriers/asterisk/carrier.ts';
import type { Exchange, OriginateRequest } from '../../../src/carriers/asterisk/exchange.ts';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { QUIET } from '../../system/office.ts';

const MEDIA = { username: 'asterisk', password: 'media-password-for-tests' };
const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const GOOD = basic(MEDIA.username, MEDIA.password);

/** A telephone system that takes every call on, and tells nothing more. */
function telephones(): { readonly exchange: Exchange; readonly asked: OriginateRequest[] } {
  const asked: OriginateRequest[] = [];
  const exchange: Exchange = {
    ready: async () => undefined,
    originate: async (request, told) => {
      asked.push(request);
      told({ kind: 'accepted' });
    },
    hangUp: async () => 'done',
    isUp: async () => true,
    channels: async () => [],
    transfer: async () => 'done',
    apologise: async () => 'done',
    sendDigits: async () => 'done',
    whoseAudioSocket: async () => null,
    follow: () => () => undefined,
  };
  return { exchange, asked };
}

const opened: Carrier[] = [];
afterEach(() => {
  for (const carrier of opened.splice(0)) carrier.close();
});
function open(more: Partial<AsteriskCarrierOptions> = {}) {
  const { exchange, asked } = telephones();
  const carrier = createAsteriskCarrier({ exchange, ...MEDIA, clock: systemClock, logger: QUIET, ...more });
  opened.push(carrier);
  const door = (query: string, authorization?: string) =>
    carrier.sockets[0]?.authorize({ params: {}, target: `${MEDIA_PATH}${query}`, headers: { authorization } });
  const place = (): CarrierEvent[] => {
    const events: CarrierEvent[] = [];
    const line = carrier.line({
      callId: 'call-1' as CallId,
      emit: (event) => events.push(event),
      hear: () => undefined,
    });
    line.dial({ to: '1002', ringMs: 1_000, maxMs: 60_000 });
    return events;
  };
  return { carrier, asked, door, place };
}

describe('the door for audio', () => {
  it('is closed without the password, whatever else is shown', () => {
    const { asked, door, place } = open({ incoming: { mayTake: () => true, take: () => undefined } });
    place();
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
    const { asked, door, place } = open();
    place();
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
    const { asked, place } = open();
    const events = place();
    expect(asked[0]).toMatchObject({ to: '1002', ringMs: 1_000, maxMs: 61_000 });
    expect(asked[0]?.uniqueId).toMatch(/^switchboard-\d{13}-1002-call-1$/);
    expect(events).toEqual([{ type: 'carrier.bound', carrierCallId: asked[0]?.uniqueId }]);
  });
});
