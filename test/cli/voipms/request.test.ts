import { describe, expect, it } from 'vitest';
import { readApiRequest } from '../../../src/cli/voipms/request.ts';

const NOW_MS = Date.UTC(2026, 2, 20, 15);

function read(words: string, rawParams = false) {
  return readApiRequest(words.split(' '), { nowMs: NOW_MS, rawParams });
}

describe('the words of a command', () => {
  it.each([
    ['cdr', { date_from: '2026-03-13', date_to: '2026-03-20' }],
    ['cdr days=1', { date_from: '2026-03-19', date_to: '2026-03-20' }],
    ['cdr to=2026-02-10', { date_from: '2026-02-03', date_to: '2026-02-10' }],
    [
      'cdr from=2026-03-01 account=100000_front',
      { date_from: '2026-03-01', date_to: '2026-03-20', account: '100000_front' },
    ],
  ])('%s asks for those days, every status, in UTC', (words, expected) => {
    const every = { timezone: '0', answered: '1', noanswer: '1', busy: '1', failed: '1' };
    expect(read(words)).toMatchObject({ method: 'getCDR', changes: false, params: { ...every, ...expected } });
  });

  it('ask for the chosen statuses only, and for another zone, where they say so', () => {
    const { params } = read('cdr busy=1 timezone=-5');
    expect(params).toEqual({ date_from: '2026-03-13', date_to: '2026-03-20', timezone: '-5', busy: '1' });
  });

  it.each([
    ['cdr days=0', 'days'],
    ['cdr days=92', 'days'],
    ['cdr days=2 from=2026-03-01', 'not both'],
    ['cdr from=2026-02-30', 'from is a day'],
    ['cdr from=2026-03-10 to=2026-03-01', 'later than'],
    ['cdr from=2025-01-01 to=2026-03-01', '92 days'],
    ['getPhonebook Family Spam', 'name=value'],
    ['getBalance advanced=1 advanced=0', 'twice'],
    ['getIP x=1', 'has no parameter x. It has none.'],
    ['setPhonebookGroup name=', 'needs name'],
  ])('%s is refused with a sentence', (words, sentence) => {
    expect(() => read(words)).toThrow(sentence);
  });

  it('take true and false for what the method wants in their place', () => {
    expect(read('getBalance advanced=true').params).toEqual({ advanced: '1' });
    expect(read('getBalance advanced=false').params).toEqual({ advanced: '0' });
    const voicemail = read('setConferenceMember name=Ada admin=true');
    expect(voicemail.params).toEqual({ name: 'Ada', admin: 'yes' });
  });

  it('find a method in any case, and keep values with = in them', () => {
    expect(read('GETIP').method).toBe('getIP');
    expect(read('getCallRecording account=a callrecording=cmVj9MQ==').params).toEqual({
      account: 'a',
      callrecording: 'cmVj9MQ==',
    });
  });

  it('are passed on as they are where that is wanted', () => {
    expect(read('getCDR whatever=true', true)).toMatchObject({ params: { whatever: 'true' }, changes: false });
  });

  it('count as a change where the method is not documented', () => {
    expect(read('getEverything')).toMatchObject({ known: null, changes: true });
  });
});
