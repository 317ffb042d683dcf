import { readFileSync, statSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { briefOf, interrupter, numberOf, type PlannedReply, plannedBrain } from '../../src/bench/interruptions.ts';
import { readWavHeader } from '../../src/media/wav.ts';
import type { WorldOptions } from '../../src/simulator/world.ts';
import { channel, compare, type Ears, joined, overheard } from '../fixtures/ears.ts';
import { logLateness } from '../fixtures/interruptions.ts';
import { type EndedCall, type Office, openOffice } from './office.ts';

const PLAN: readonly PlannedReply[] = [
  { speak: ['a.long'], cut: { phrase: 'a.long', atMs: 900 } },
  { speak: ['a.perfect'], cut: { phrase: 'a.perfect', atMs: 700 } },
  { speak: ['a.short'], cut: null },
  { speak: ['a.request'], cut: { phrase: 'a.request', atMs: 1_200 } },
];

interface Recorded {
  readonly call: EndedCall;
  readonly ears: Ears;
  readonly wav: Uint8Array;
  readonly path: string;
}

describe('the recording of a call', { timeout: 40_000 }, () => {
  let office: Office | null = null;
  afterEach(async () => {
    await office?.close();
    office = null;
  });

  async function hold(
    options: WorldOptions & { readonly settings?: Readonly<Record<string, string>> } = {},
  ): Promise<Recorded> {
    const ears: Ears = { heard: [], said: [], atMs: [] };
    const opened = await openOffice({
      brain: () => plannedBrain([PLAN]),
      answer: () => overheard(interrupter(PLAN, 100), ears),
      realtime: { firstAudioDelayMs: 60 },
      ...options,
      settings: { VAD_SILENCE_MS: '150', RECORD_CALLS: 'true', ...options.settings },
    });
    office = opened;
    const callId = await opened.place({ to: numberOf(0), context: briefOf(0) });
    const call = await opened.ended(callId);
    const [recording] = await opened.switchboard.recordings.of(callId);
    if (!recording?.path) throw new Error('nothing was recorded');
    expect(recording).toMatchObject({ kind: 'local', state: 'complete', channels: 2, reason: null });
    return { call, ears, wav: readFileSync(recording.path), path: recording.path };
  }

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
    const lateness = logLateness();
    const { call, ears, wav, path } = await hold(options).finally(lateness.stop);
    const left = channel(wav, 'left');
    const said = joined(ears.said);
    const same = Math.min(left.byteLength, said.byteLength);
    expect(Buffer.from(left.subarray(0, same)).equals(Buffer.from(said.subarray(0, same)))).toBe(true);
    expect(same).toBeGreaterThan(said.byteLength - 8_000);

    const sounds = compare(joined(ears.heard), channel(wav, 'right'));
    expect(sounds.length).toBeGreaterThanOrEqual(PLAN.length);
    for (const { shiftMs, same, length, endsLateMs, lastFrame } of sounds) {
      // Both sides share this process: by so much as it was late the two may differ about the moment of a cut.
      const mostMs = 20 + lateness.around(ears.atMs[lastFrame] ?? 0, 400);
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
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
