import { describe, expect, it } from 'vitest';
import { callerNumberOf, windowsOf } from '../../../src/pbx/voipms/cdr.ts';
import {
  certainRowsOf,
  checkDate,
  checkNumber,
  checkWhole,
  decoded,
  flagOf,
  isSameNumber,
  known,
  rowsOf,
  secondsOf,
  wireParams,
} from '../../../src/pbx/voipms/values.ts';

const answer = (body: Record<string, unknown>, status = 'success') => ({ status, body, text: 'x' });

describe('values of VoIP.ms', () => {
  it('say yes and no in many ways', () => {
    for (const yes of ['1', 1, true, 'yes', 'Yes']) expect(flagOf(yes)).toBe(true);
    for (const no of ['0', 0, false, 'no', '']) expect(flagOf(no)).toBe(false);
    for (const open of [null, undefined, 'perhaps', {}]) expect(flagOf(open)).toBeNull();
  });

  it('are nothing where a sentinel stands', () => {
    for (const none of ['-1', -1, '', ' ', '0000-00-00', '0000-00-00 00:00:00', null, undefined, {}])
      expect(known(none)).toBeNull();
    expect([known('0'), known(7), known(' x ')]).toEqual(['0', '7', 'x']);
  });

  it('are durations with one, two or three parts', () => {
    expect(['26', '00:26', '01:00:26', 7].map(secondsOf)).toEqual([26, 26, 3626, 7]);
    for (const none of ['', 'soon', '1:2:3:4', null]) expect(secondsOf(none)).toBeNull();
  });

  it('are texts as a form writes them, or as they are', () => {
    expect(decoded('hello+john')).toBe('hello john');
    expect(decoded('see+you%21')).toBe('see you!');
    expect(decoded('1 + 1 is 2')).toBe('1 + 1 is 2');
    expect(decoded('100%+sure')).toBe('100% sure');
  });

  it('are lists under one of several keys, one row also without a list around it', () => {
    expect(rowsOf(answer({ b: [{ id: 1 }, 'x', null] }), 'a', 'b')).toEqual([{ id: 1 }]);
    expect(rowsOf(answer({ a: { id: 1 } }), 'a')).toEqual([{ id: 1 }]);
    expect(rowsOf(answer({ a: '' }), 'a')).toEqual([]);
    expect(rowsOf(answer({}), 'a')).toEqual([]);
  });

  it('are no empty list for a change where the list, or an id, is missing', () => {
    const rows = (body: Record<string, unknown>, status?: string) =>
      certainRowsOf(answer(body, status), { id: 'id', keys: ['a', 'b'] });
    for (const body of [{}, { a: '' }, { a: null }, { a: [{ id: '1' }, { id: '' }] }, { a: { 0: { id: '1' } } }])
      expect(() => rows(body), JSON.stringify(body)).toThrow(/nothing was changed/);
    for (const body of [{ a: [] }, { a: {} }]) expect(rows(body)).toEqual([]);
    expect(rows({}, 'no_phonebook')).toEqual([]);
    expect(rows({ b: { id: 7 } })).toEqual([{ id: 7 }]);
  });

  it('go out with 1 and 0 for yes and no', () => {
    expect(wireParams({ a: true, b: false, c: 7, d: 'x' })).toEqual({ a: '1', b: '0', c: '7', d: 'x' });
  });
});

describe('numbers', () => {
  it('are the same however they are written', () => {
    for (const other of ['4155550123', '14155550123', '+1 (415) 555-0123', '1-415-555-0123'])
      expect(isSameNumber('4155550123', other), other).toBe(true);
    for (const other of ['', '4155550124', '5550123', '24155550123', 'sip:4155550123'])
      expect(isSameNumber('4155550123', other), other).toBe(false);
    expect(isSameNumber('sip:Door@example.com', 'SIP:door@example.com')).toBe(true);
    expect(isSameNumber('', '')).toBe(false);
    // Eleven digits of another country, and a short one, keep their 1.
    expect([checkNumber('+1 055 550 1234'), checkNumber('+44 20 7946 0123'), checkNumber('1001')]).toEqual([
      '10555501234',
      '442079460123',
      '1001',
    ]);
  });

  it('of ten digits abroad are none of North America', () => {
    for (const [abroad, home] of [
      ['+65 9123 4567', '6591234567'],
      ['(+45) 20 55 01 99', '4520550199'],
    ] as const) {
      expect(isSameNumber(abroad, home), abroad).toBe(false);
      expect(checkNumber(abroad)).toBe(`+${home}`);
      expect(isSameNumber(checkNumber(abroad), abroad)).toBe(true);
      expect(callerNumberOf(`"Somebody" <${abroad}>`)).toBe(`+${home}`);
      expect(() => checkWhole(abroad)).toThrow(/for one in North America/);
    }
  });

  it('that are none are refused with a sentence', () => {
    for (const none of ['', 'Ada', '12', '415-555-01ab', '1234567890123456', '4155550123;4155550124', 'sip:', '*97'])
      expect(() => checkNumber(none), none).toThrow(/is no telephone number\. Give digits/);
  });

  it('of a caller stand between angle brackets, or alone', () => {
    expect(callerNumberOf('"Agent 007" <4155550123>')).toBe('4155550123');
    expect(callerNumberOf('+14155550123')).toBe('14155550123');
    for (const none of ['"anonymous" <anonymous>', 'Ada 2', '', '<0>']) expect(callerNumberOf(none), none).toBeNull();
  });
});

describe('ranges of days', () => {
  it('are cut into pieces that VoIP.ms takes, without a gap and without an overlap', () => {
    expect(windowsOf({ from: '2026-01-01', to: '2026-01-01' })).toEqual([{ from: '2026-01-01', to: '2026-01-01' }]);
    expect(windowsOf({ from: '2026-01-01', to: '2026-07-01' })).toEqual([
      { from: '2026-01-01', to: '2026-03-31' },
      { from: '2026-04-01', to: '2026-06-29' },
      { from: '2026-06-30', to: '2026-07-01' },
    ]);
    expect(windowsOf({ from: '2026-01-01', to: '2026-03-31' })).toHaveLength(1);
  });

  it('that are none are refused', () => {
    for (const none of ['', '2026-2-1', '2026-02-30', '27.11.2026', 'today'])
      expect(() => checkDate(none), none).toThrow(/is no date/);
    expect(() => windowsOf({ from: '2026-02-02', to: '2026-02-01' })).toThrow(/begins on 2026-02-02, after its end/);
    expect(() => windowsOf({ from: '2020-01-01', to: '2026-02-01' })).toThrow(/two years/);
  });
});
