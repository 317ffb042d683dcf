/** What numbers are to an office, and what is dialled for them. */
import { describe, expect, it } from 'vitest';
import { dialledFor, judgeNumber, matches } from '../../../src/pbx/asterisk/numbers.ts';
import { countryFacts, isEmergency, isEmergencyIn, suggestE164 } from '../../../src/switchboard/numbers.ts';

describe('a number', () => {
  const wisdom = {
    isEmergency: (dialled: string, country: string) => isEmergencyIn(country, dialled),
    verdictOf: (number: string) => ({ ok: true as const, e164: number }),
    e164: suggestE164,
    country: countryFacts,
  };
  const rule = (pattern: string, kind: 'extension' | 'international' | 'feature-code', ...applications: string[]) => ({
    pattern,
    kind,
    context: 'x',
    applications,
  });
  const judge = (number: string, country = 'US') =>
    judgeNumber(number, {
      country,
      plus: '00',
      numbers: wisdom,
      extensions: ['110', '1001', 'door-1'].map((extension) => ({
        extension,
        context: 'x',
        status: 'idle',
        states: [],
        devices: [],
      })),
      rules: [
        rule('_1XXX', 'extension', 'Dial'),
        rule('_80XX', 'extension', 'ConfBridge'),
        rule('_00X.', 'international', 'Dial'),
        rule('*97', 'feature-code', 'VoiceMailMain'),
        rule('_[a-Z].', 'extension', 'Dial'),
      ],
    });

  it('is recognised as what it is to this office', () => {
    expect(judge('1001')).toMatchObject({ kind: 'extension', dialled: '1001', matches: ['_1XXX'] });
    expect(judge('8012')).toMatchObject({ kind: 'conference' });
    expect(judge('*97')).toMatchObject({ kind: 'feature-code', valid: true });
    expect(judge('*99')).toMatchObject({ kind: 'feature-code', valid: false });
    expect(judge('(415) 555-2671')).toMatchObject({
      kind: 'national',
      normalised: '+14155552671',
      dialled: '0014155552671',
      matches: ['_00X.'],
    });
    expect(judge('+44 20 7946 0018')).toMatchObject({ kind: 'international', normalised: '+442079460018' });
    expect(judge('hello')).toMatchObject({ kind: 'invalid', valid: false, dialled: null });
  });

  it('is found however it is written: punctuation between digits is not dialled, the hyphen of a name is', () => {
    expect(judge('10-01')).toMatchObject({ kind: 'extension', normalised: '1001', dialled: '1001' });
    expect(judge('80.12')).toMatchObject({ kind: 'conference', dialled: '8012' });
    expect(judge('door-1')).toMatchObject({ kind: 'extension', dialled: 'door-1' });
  });

  it('that is an emergency number of the country is left as it is, with a warning; another country’s is an extension', () => {
    for (const [number, country] of [
      ['911', 'US'],
      ['999', 'GB'],
      ['112', 'DE'],
      ['110', 'DE'],
      ['000', 'AU'],
      ['119', 'JP'],
      ['10111', 'ZA'],
    ] as const)
      expect(judge(number, country)).toMatchObject({
        kind: 'emergency',
        normalised: number,
        dialled: number,
        warnings: [expect.stringContaining('emergency number'), expect.stringContaining('no rule for it')],
      });
    expect(judge('110', 'US')).toMatchObject({ kind: 'extension', warnings: [] });
    expect(judge('110', 'AQ')).toMatchObject({ kind: 'emergency' });
  });

  it('fits the patterns of a dial plan as Asterisk reads them', () => {
    for (const [pattern, yes, no] of [
      ['1001', ['1001'], ['1002', '10011']],
      ['_1XXX', ['1000', '1999'], ['2000', '100']],
      ['_NXXNXXXXXX', ['4155552671'], ['1155552671']],
      ['_[2-4]Z.', ['219', '4190'], ['21', '519', '209']],
      ['_+X.', ['+14155550123'], ['14155550123']],
      ['_0-1.', ['0123'], ['01']],
      ['_9!', ['9', '911'], ['8']],
      ['_*X', ['*9'], ['9']],
      // A set that makes no sense spoils its own line alone.
      ['_[a-Z].', [], ['123', 'b1']],
    ] as const) {
      for (const number of yes) expect(matches(pattern, number), `${pattern} ${number}`).toBe(true);
      for (const number of no) expect(matches(pattern, number), `${pattern} ${number}`).toBe(false);
    }
  });
});

describe('what is dialled for a number', () => {
  it('is what stands for + and its digits', () => {
    expect(dialledFor('+442079460018', 'US', '011')).toBe('011442079460018');
    expect(dialledFor('+442079460018', 'US', '9011')).toBe('9011442079460018');
    expect(dialledFor('+4930123456', 'DE', '00')).toBe('004930123456');
    expect(dialledFor('+14155550123', 'US', '+')).toBe('+14155550123');
  });

  it('is 1 and ten digits within North America, behind the same outside line', () => {
    for (const [country, plus, dialled] of [
      ['US', '011', '14155550123'],
      ['CA', '9011', '914155550123'],
      ['us', '011', '14155550123'],
      ['US', '00', '0014155550123'],
      ['DE', '00', '0014155550123'],
      ['AU', '0011', '001114155550123'],
    ] as const)
      expect(dialledFor('+14155550123', country, plus), `${country} ${plus}`).toBe(dialled);
  });
});

describe('emergency numbers', () => {
  it('of a country that is not listed are those of every country', () => {
    for (const number of [
      '15',
      '17',
      '18',
      '01',
      '02',
      '03',
      '061',
      '062',
      '066',
      '080',
      '091',
      '092',
      '10111',
      '10177',
    ])
      expect(isEmergencyIn('AQ', number), number).toBe(true);
    for (let number = 0; number < 1_000; number += 1) {
      const dialled = String(number).padStart(3, '0');
      if (isEmergency(dialled)) expect(isEmergencyIn('AQ', dialled), dialled).toBe(true);
    }
    for (const number of ['1122', '1155', '1669', '116000', '116111', '116117', '116123', '112', '911'])
      expect(isEmergencyIn('AQ', number), number).toBe(true);
    expect(isEmergencyIn('AQ', '1001')).toBe(false);
  });

  it('of a country that is listed are its own and those known everywhere: the rest are extensions', () => {
    expect(isEmergencyIn('FR', '15')).toBe(true);
    expect(isEmergencyIn('US', '15')).toBe(false);
    expect(isEmergencyIn('US', '112')).toBe(true);
  });
});
