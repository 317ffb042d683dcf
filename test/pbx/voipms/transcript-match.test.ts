import { describe, expect, it } from 'vitest';
import type { CallRecording } from '../../../src/pbx/voipms/operations.ts';
import { linesOf, matchTranscript } from '../../../src/pbx/voipms/transcript-match.ts';

const RECORDING: CallRecording = {
  recording: 'abc',
  account: '100000_front',
  startedAt: '2026-11-26 10:00:00',
  destination: '4155550123',
  direction: 'outgoing',
  durationSeconds: 26,
};
const row = (fields: object = {}) => ({
  date: '2026-11-26 10:00:05',
  duration: '00:26',
  speakers: ['14155550123'],
  ...fields,
});

describe('a transcript of the vendor belongs to a recording', () => {
  it('when start, duration and number agree', () => {
    const match = matchTranscript(RECORDING, [row({ date: '2026-11-26 12:00:00' }), row(), row({ duration: '01:26' })]);
    expect(match).toMatchObject({
      kind: 'one',
      row: row(),
      how: 'same account, begun 5 s apart, same duration, and its number among the speakers',
      warnings: [],
    });
  });

  it('when they nearly do, and says by how much', () => {
    const match = matchTranscript(RECORDING, [row({ duration: '00:29' })]);
    expect(match).toMatchObject({
      how: 'same account, begun 5 s apart, 3 s apart in duration, and its number among the speakers',
    });
  });

  it('and none does when one of them differs', () => {
    for (const other of [
      { date: '2026-11-26 10:01:01' },
      { date: '2026-11-26 09:58:59' },
      { date: '' },
      { duration: '00:30' },
      { duration: null },
      { speakers: ['4155550199'] },
    ])
      expect(matchTranscript(RECORDING, [row(other)]), JSON.stringify(other)).toEqual({ kind: 'none' });
    expect(matchTranscript({ ...RECORDING, durationSeconds: null }, [row()])).toEqual({ kind: 'none' });
  });

  it('and none is chosen among several', () => {
    expect(matchTranscript(RECORDING, [row(), row({ date: '2026-11-26 10:00:01' })])).toEqual({
      kind: 'several',
      count: 2,
    });
  });

  it('of two at the same time the one with its number', () => {
    const match = matchTranscript(RECORDING, [row({ speakers: ['4155550199'] }), row()]);
    expect(match).toMatchObject({ kind: 'one', row: row() });
  });

  it('by time alone, and says so, when the call came in or the speakers are not named', () => {
    const incoming = { ...RECORDING, direction: 'incoming', destination: '4155550100' };
    for (const [recording, one] of [
      [incoming, row()],
      [RECORDING, row({ speakers: [] })],
    ] as const)
      expect(matchTranscript(recording, [one])).toMatchObject({
        kind: 'one',
        warnings: [expect.stringMatching(/by time alone/)],
      });
  });
});

describe('the lines of a transcript', () => {
  it('have their second in the recording, where that can be', () => {
    const phrases = [
      { time: '2026-11-26 10:00:06', speaker: 2, phrase: 'hello+there' },
      { time: '2026-11-26 09:59:00', speaker: '1', phrase: 'Hi.' },
      { time: '', phrase: '' },
    ];
    expect(linesOf(RECORDING, row({ recognized_phrases: phrases }))).toEqual([
      { speaker: '2', atSeconds: 6, text: 'hello there' },
      { speaker: '1', atSeconds: null, text: 'Hi.' },
    ]);
    expect(linesOf(RECORDING, row({ recognized_phrases: phrases[0] }))).toHaveLength(1);
    expect(linesOf(RECORDING, row())).toEqual([]);
  });
});
