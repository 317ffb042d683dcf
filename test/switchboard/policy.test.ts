import { describe, expect, it } from 'vitest';
import { checkDuration, checkNumber } from '../../src/switchboard/policy.ts';

const OPEN = { allowed: [], blocked: [] };

describe('checkNumber', () => {
  it.each([
    ['+14155550100', '+14155550100'],
    ['+1 415 555 0199', '+14155550199'],
    [' +1 (415) 555-0123 ', '+14155550123'],
    ['+1.415.555.0123', '+14155550123'],
    ['+15005550006', '+15005550006'],
    ['+15005550001', '+15005550001'],
    ['+15005550009', '+15005550009'],
    ['+442079460018', '+442079460018'],
    ['+44 (0)20 7946 0018', '+442079460018'],
    ['+493023125000', '+493023125000'],
    ['+390612345678', '+390612345678'],
    ['+33123456789', '+33123456789'],
    ['+18095550123', '+18095550123'],
    ['+80012345678', '+80012345678'],
  ])('permits %s as %s', (to, e164) => {
    expect(checkNumber(to, OPEN)).toEqual({ ok: true, e164 });
  });

  it.each([
    ['911'],
    ['112'],
    ['9-1-1'],
    [' 999 '],
    ['000'],
    ['110'],
    ['988'],
    ['+911'],
    ['+112'],
    ['+999'],
    ['+000'],
    ['+1911'],
    ['+1 911'],
    ['+1-988'],
    ['+44999'],
    ['+44112'],
    ['+44 (0) 999'],
    ['+49112'],
    ['+49110'],
    ['+33 15'],
    ['+33112'],
    ['+61000'],
    ['+64111'],
    ['+81119'],
    ['+86110'],
    ['+91112'],
    ['+91108'],
    ['+353999'],
    ['+380112'],
    ['+921122'],
    ['+4930112'],
    ['+49 89 110'],
    ['+431144'],
    ['+49 0112'],
    ['116123'],
    ['+44116123'],
  ])('refuses the emergency or short number %s', (to) => {
    expect(checkNumber(to, OPEN)).toEqual({ ok: false, reason: expect.stringMatching(/emergency|short number/) });
  });

  it.each(['+1911', '+44999', '+49112', '+4930112', '911', '+61000'])('says that %s is an emergency number', (to) => {
    expect(checkNumber(to, OPEN)).toMatchObject({
      reason: expect.stringContaining('in an emergency a person has to call'),
    });
  });

  it.each([
    ['+19005550123'],
    ['+1 900 555 0123'],
    ['+12129761234'],
    ['+18769761234'],
    ['+449098790000'],
    ['+33899123456'],
    ['+611902123456'],
    ['+979123456789'],
    ['+97912345678'],
    ['+39899123456'],
  ])('refuses the premium-rate number %s', (to) => {
    expect(checkNumber(to, OPEN)).toEqual({ ok: false, reason: expect.stringContaining('premium-rate') });
  });

  it.each([['+8816123456789'], ['+870773123456'], ['+88213123456'], ['+8835100123456']])(
    'refuses the satellite or network number %s',
    (to) => {
      expect(checkNumber(to, OPEN)).toEqual({ ok: false, reason: expect.stringContaining('satellite') });
    },
  );

  it.each([
    ['+14155550'],
    ['+141555501999'],
    ['+19115551234'],
    ['+11234567890'],
    ['+4990012345678'],
    ['+0123456789'],
    ['+1234567890123456'],
    ['+9991234567'],
  ])('refuses %s, which cannot exist', (to) => {
    expect(checkNumber(to, OPEN)).toEqual({ ok: false, reason: expect.stringContaining('Check its digits') });
  });

  it.each([
    [''],
    ['+'],
    ['Luigi’s'],
    ['+1415555O123'],
    ['tel:+14155550123'],
    ['+14155550123;ext=5'],
    ['+14155550123 x5'],
    ['+1415٥550123'],
    ['sip:someone@example.com'],
    ['+14155550123,+14155550124'],
    ['+1415\n555\u00000123'],
    ['++14155550123'],
    ['client:agent'],
  ])('refuses %j and says how to write a number', (to) => {
    const verdict = checkNumber(to, OPEN);
    expect(verdict).toMatchObject({ ok: false, reason: expect.stringMatching(/\+ and the country code|give it so/) });
  });

  it('refuses a number without a country code, with a suggestion when it can be guessed', () => {
    const told = (to: string, defaultRegion?: string) => checkNumber(to, { ...OPEN, defaultRegion });
    expect(told('(415) 555-0123')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('such as +14155550100'),
    });
    expect(told('(415) 555-0123', 'US')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('If +14155550123 is meant'),
    });
    expect(told('0044 20 7946 0018')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('If +442079460018 is meant'),
    });
    expect(told('011 44 20 7946 0018', 'US')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('If +442079460018 is meant'),
    });
    expect(told('555-0123', 'nowhere')).toMatchObject({ ok: false });
  });

  it('calls only what the allow list permits, and never what the block list names', () => {
    const rules = { allowed: ['+1415', '+44'], blocked: ['+4420', '+14155550101'] };
    expect(checkNumber('+14155550100', rules)).toMatchObject({ ok: true });
    expect(checkNumber('+442079460018', rules)).toEqual({
      ok: false,
      reason: expect.stringContaining('BLOCKED_NUMBERS holds +4420'),
    });
    expect(checkNumber('+1 415 555 0101', rules)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('BLOCKED_NUMBERS'),
    });
    expect(checkNumber('+12125550123', rules)).toEqual({
      ok: false,
      reason: expect.stringContaining('ALLOWED_NUMBERS permits only'),
    });
  });

  it('refuses emergency and premium-rate numbers even when the allow list names them', () => {
    const rules = { allowed: ['+1911', '+1900', '+19005550123'], blocked: [] };
    expect(checkNumber('+1911', rules)).toMatchObject({ ok: false });
    expect(checkNumber('+19005550123', rules)).toMatchObject({ ok: false });
  });
});

describe('checkDuration', () => {
  it('takes the wish within the bounds, and the most without one', () => {
    expect(checkDuration(60_000, 900)).toEqual({ ok: true, durationMs: 60_000 });
    expect(checkDuration(900_000, 900)).toEqual({ ok: true, durationMs: 900_000 });
    expect(checkDuration(undefined, 900)).toEqual({ ok: true, durationMs: 900_000 });
  });

  it.each([900_001, 9_999, 0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses %d ms and names the setting',
    (askedMs) => {
      expect(checkDuration(askedMs, 900)).toEqual({ ok: false, reason: expect.stringContaining('MAX_CALL_SECONDS') });
    },
  );
});
