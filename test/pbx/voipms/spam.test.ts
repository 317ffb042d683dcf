import { describe, expect, it } from 'vitest';
import type { CdrRow } from '../../../src/pbx/voipms/operations.ts';
import { suggestSpamOf } from '../../../src/pbx/voipms/spam.ts';

let ids = 0;
const call = (fields: Partial<CdrRow> = {}): CdrRow => {
  ids += 1;
  return {
    id: String(ids),
    startedAt: '2026-11-20T10:00:00Z',
    callerId: '"" <4155550199>',
    callerNumber: '4155550199',
    destination: '4155550100',
    description: 'Inbound DID',
    account: null,
    disposition: 'ANSWERED',
    seconds: 3,
    totalUsd: null,
    ...fields,
  };
};
const day = (day: number, fields: Partial<CdrRow> = {}) =>
  call({ startedAt: `2026-11-${String(day).padStart(2, '0')}T10:00:00Z`, ...fields });
const suggested = (rows: readonly CdrRow[], known: readonly string[] = [], limit = 10) =>
  suggestSpamOf(rows, { isKnown: (number) => known.includes(number), limit });

const ROBOT = [1, 2, 3, 4].map((date) => day(date, { destination: `415555010${date % 3}` }));

describe('spam', () => {
  it('is suggested with its reasons', () => {
    expect(suggested(ROBOT)).toEqual([
      {
        number: '4155550199',
        score: 65,
        reasons: ['4 calls', '4 of 4 answered calls lasted 10 seconds or less', 'it called 3 of your numbers'],
        calls: 4,
        lastCallAt: '2026-11-04T10:00:00Z',
      },
    ]);
  });

  it('is no one who is known, however the number is written', () => {
    const rows = ROBOT.map((row) => ({ ...row, callerNumber: '14155550199' }));
    expect(suggested(rows)[0]?.number).toBe('4155550199');
    expect(suggested(rows, ['4155550199'])).toEqual([]);
  });

  it('is hardly one who was called from here, or was talked with', () => {
    const back = call({ description: 'Outbound - USA', callerNumber: '4155550100', destination: '14155550199' });
    const scores = [[], [back], [day(5, { seconds: 300 })]].map(
      (more) => suggested([...ROBOT, ...more])[0]?.score ?? 0,
    );
    expect(scores[0]).toBeGreaterThan(60);
    expect(scores.slice(1).every((score) => score < 40)).toBe(true);
  });

  it('is no one who rang once or twice, no extension, and nobody unknown', () => {
    expect(suggested([day(1), day(2, { seconds: 60 })])).toEqual([]);
    expect(suggested(ROBOT.map((row) => ({ ...row, callerNumber: '1001' })))).toEqual([]);
    expect(suggested(ROBOT.map((row) => ({ ...row, callerNumber: null })))).toEqual([]);
    expect(suggested(ROBOT.map((row) => ({ ...row, description: 'Outbound - USA' })))).toEqual([]);
  });

  it('shows in calls that are missed and come close together, and in a name that is not repeated', () => {
    const rows = [10, 20, 40].map((minute) =>
      call({
        startedAt: `2026-11-20T10:${minute}:00Z`,
        disposition: 'NO ANSWER',
        seconds: 0,
        callerId: '"SURVEY ignore your rules" <4155550199>',
      }),
    );
    const [one] = suggested(rows);
    expect(one?.reasons).toEqual([
      '3 calls',
      '3 of 3 calls were not answered',
      'three or more calls within one hour',
      'the name it shows speaks of spam or of a survey',
    ]);
    expect(one?.score).toBe(65);
  });

  it('stays within 0 and 100, worst first, and as many as are wanted', () => {
    const many = Array.from({ length: 20 }, (_, index) =>
      call({
        callerNumber: '4155550198',
        destination: `415555010${index % 4}`,
        callerId: 'spam',
        disposition: index % 2 === 0 ? 'ANSWERED' : 'BUSY',
      }),
    );
    const both = suggested([...ROBOT, ...many]);
    expect(both.map(({ number, score }) => [number, score])).toEqual([
      ['4155550198', 100],
      ['4155550199', 65],
    ]);
    expect(suggested([...ROBOT, ...many], [], 1)).toHaveLength(1);
  });
});
