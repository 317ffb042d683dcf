import { readFileSync, statSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { briefOf, interrupter, numberOf, type PlannedReply, plannedBrain } from '../../src/bench/interruptions.ts';
import { readWavHeader } from '../../src/media/wav.ts';
import type { Answer } from '../../src/simulator/callee/callee.ts';
import { type Script, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { loadPhrasebook } from '../../src/simulator/speech/load-phrasebook.ts';
import type { WorldOptions } from '../../src/simulator/world.ts';
import { channel, compare, type Ears, joined, onOneClock, overheard } from '../fixtures/ears.ts';
import { heldInTime, watchLag } from '../fixtures/lag.ts';
import { type EndedCall, openOffice } from './office.ts';

/** A recording against the ear of who was called, to the millisecond: one call after the other, as all share this process. */

const PLAN: readonly PlannedReply[] = [
  { speak: ['a.long'], cut: { phrase: 'a.long', atMs: 900 } },
  { speak: ['a.perfect'], cut: { phrase: 'a.perfect', atMs: 700 } },
  { speak: ['a.request'], cut: { phrase: 'a.request', atMs: 1_200 } },
];

/** Usually below 5; lateness of less than 5 ms is not logged, and the least late of a few late marks is up to 10 ms late. */
const WITHIN_MS = 30;

/** Above the jitter that the server and the telephone are made for: what was heard then says nothing. */
const MOST_LATE_MS = 150;

/** Speaks before and after the fourth second, whatever the agent says. */
const TALKS_ON: Script = {
  rules: [
    { when: { after: 'start', ms: 200 }, act: { say: 'c.hello' } },
    { when: { after: 'start', ms: 5_200 }, act: { say: 'c.yes' } },
    { when: { after: 'start', ms: 8_500 }, act: { hangUp: true } },
  ],
  manners: { helloAfterMs: null, hangUpAfterMs: null },
};

interface Recorded {
  readonly call: EndedCall;
  readonly ears: Ears;
  readonly wav: Uint8Array;
  /** Of the telephone, in their order. */
  readonly streams: readonly { readonly elapsedMs: number; readonly mediaSent: number }[];
  /** By how much this process was late at most. */
  readonly lateMs: number;
}

/** Both sides share this process. */
const lateness = watchLag(5, 5);
afterAll(() => lateness.stop());

function hold(options: WorldOptions, answer: Answer): Promise<Recorded> {
  const faultOf = ({ lateMs }: Recorded): string | null => (lateMs < MOST_LATE_MS ? null : 'nothing can be told of it');
  return heldInTime(lateness, MOST_LATE_MS, () => holdOnce(options, answer), { faultOf });
}

async function holdOnce(options: WorldOptions, answer: Answer): Promise<Recorded> {
  const ears: Ears = { heard: [], said: [], atMs: [] };
  const office = await openOffice({
    brain: () => plannedBrain([PLAN]),
    answer: () => overheard(answer, ears),
    realtime: { firstAudioDelayMs: 60 },
    ...options,
    settings: { VAD_SILENCE_MS: '150', RECORD_CALLS: 'true' },
  });
  try {
    const sinceMs = performance.now();
    const callId = await office.place({ to: numberOf(0), context: briefOf(0) });
    const call = await office.ended(callId);
    const [recording] = await office.switchboard.recordings.of(callId);
    if (!recording?.path) throw new Error('nothing was recorded');
    expect(recording).toMatchObject({ kind: 'local', state: 'complete', channels: 2, reason: null });
    expect(statSync(recording.path).mode & 0o777).toBe(0o600);
    const streams = (office.world.twilio.calls[0]?.streams ?? []).map(({ elapsedMs, mediaSent }) => ({
      elapsedMs,
      mediaSent,
    }));
    return { call, ears, wav: readFileSync(recording.path), streams, lateMs: lateness.worstMs(sinceMs) };
  } finally {
    await office.close();
  }
}

describe('the recording of a call, against the ear', { timeout: 90_000 }, () => {
  it.each([
    ['on a short line', {}],
    [
      'over 250 ms of round trip, with late marks and odd frames',
      {
        twilio: {
          network: { up: { delayMs: 125, jitterMs: 10 }, down: { delayMs: 125 } },
          knobs: { markJitterMs: 30, oddFrames: true },
        },
      },
    ],
  ])('is what was said and what was heard, %s', async (_, options) => {
    const { call, ears, wav } = await hold(options, interrupter(PLAN, 100));
    const left = channel(wav, 'left');
    const said = joined(ears.said);
    const same = Math.min(left.byteLength, said.byteLength);
    expect(Buffer.from(left.subarray(0, same)).equals(Buffer.from(said.subarray(0, same)))).toBe(true);
    expect(same).toBeGreaterThan(said.byteLength - 8_000);

    const sounds = compare(joined(ears.heard), channel(wav, 'right'));
    expect(sounds.length).toBeGreaterThanOrEqual(PLAN.length);
    for (const { shiftMs, same, length, endsLateMs, firstFrame, lastFrame } of sounds) {
      // By so much as this process was late the two may differ.
      const [fromMs = 0, toMs = 0] = [ears.atMs[firstFrame], ears.atMs[lastFrame]];
      const mostMs = WITHIN_MS + lateness.around((fromMs + toMs) / 2, (toMs - fromMs) / 2 + 600);
      expect(Math.abs(shiftMs ?? Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(mostMs);
      expect(same).toBeGreaterThanOrEqual(length - mostMs * 8);
      expect(Math.abs(endsLateMs)).toBeLessThanOrEqual(mostMs);
    }
    // Up to the cut it is byte for byte the same.
    expect(sounds.filter(({ same, length, endsLateMs }) => same < length + Math.min(0, endsLateMs * 8)).length).toBe(0);
    expect(call.notes('recording')).toEqual([
      { state: 'started' },
      { state: 'stopped', bytes: wav.byteLength, durationMs: Math.floor(left.byteLength / 8) },
    ]);
    expect(readWavHeader(wav)).toEqual({ channels: 2, dataBytes: left.byteLength * 2 });
  });

  it('goes on in the same file, in the right place, when the stream breaks and comes back', async () => {
    const { ears, wav, streams, lateMs } = await hold(
      { twilio: { knobs: { dropStream: { afterMs: 4_000, times: 1, withStop: false } } } },
      { kind: 'answers', ringMs: 100, callee: () => scriptedCallee(TALKS_ON, loadPhrasebook()) },
    );
    const [first, second] = streams;
    if (!first || !second) throw new Error('the stream was not attached again');
    const laterMs = first.elapsedMs - second.elapsedMs;
    const said = compare(onOneClock(ears.said, first.mediaSent, laterMs), channel(wav, 'left'));
    expect(said.length).toBeGreaterThanOrEqual(2);
    for (const { shiftMs, same, length, firstFrame, lastFrame } of said) {
      // What was said when the stream broke went nowhere.
      if (firstFrame <= first.mediaSent && lastFrame >= first.mediaSent - 1) continue;
      expect(Math.abs(shiftMs ?? Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(20 + lateMs);
      expect(same).toBe(length);
    }
    expect(said.some(({ firstFrame }) => firstFrame * 20 > laterMs)).toBe(true);
    const heard = compare(onOneClock(ears.heard, first.mediaSent, laterMs), channel(wav, 'right'));
    const afterwards = heard.filter(({ firstFrame }) => firstFrame > first.mediaSent);
    expect(afterwards.length).toBeGreaterThan(0);
    for (const { shiftMs } of afterwards)
      expect(Math.abs(shiftMs ?? Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(40 + lateMs);
  });
});
