import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { briefOf, interrupter, numberOf, type PlannedReply, plannedBrain } from '../../src/bench/interruptions.ts';
import { readWavHeader } from '../../src/media/wav.ts';
import { type Script, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { loadPhrasebook } from '../../src/simulator/speech/load-phrasebook.ts';
import type { WorldOptions } from '../../src/simulator/world.ts';
import { openRecordingFolder } from '../../src/store/files/recordings.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { newCall } from '../fixtures/calls.ts';
import { channel, compare, type Ears, joined, onOneClock, overheard } from '../fixtures/ears.ts';
import { watchLag } from '../fixtures/lag.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { type EndedCall, type Office, openOffice } from './office.ts';
import { AGREES } from './short-calls.ts';

const PLAN: readonly PlannedReply[] = [
  { speak: ['a.long'], cut: { phrase: 'a.long', atMs: 900 } },
  { speak: ['a.perfect'], cut: { phrase: 'a.perfect', atMs: 700 } },
  { speak: ['a.request'], cut: { phrase: 'a.request', atMs: 1_200 } },
];

/** Usually below 5; lateness of less than 5 ms is not logged, and the least late of a few late marks is up to 10 ms late. */
const WITHIN_MS = 30;

/** Above the jitter that the server and the telephone are made for. */
const MOST_LATE_MS = 150;
const MOST_TRIES = 3;

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
  readonly path: string;
  readonly office: Office;
}

describe.concurrent('the recording of a call', { timeout: 90_000 }, () => {
  const offices: Office[] = [];
  afterAll(async () => {
    await Promise.all(offices.map((office) => office.close()));
  });
  const open = async (options: Parameters<typeof openOffice>[0]): Promise<Office> => {
    const office = await openOffice(options);
    offices.push(office);
    return office;
  };

  /** Once more, up to three times in all, when this process was so late that what it heard says nothing. */
  async function hold(...how: Parameters<typeof holdOnce>): Promise<Recorded> {
    for (let tries = 1; ; tries += 1) {
      const lateness = watchLag();
      const recorded = await holdOnce(...how).finally(lateness.stop);
      const lateMs = lateness.worstMs(0);
      if (lateMs < MOST_LATE_MS || tries === MOST_TRIES) return recorded;
      process.stderr.write(`held again, as this process was ${Math.round(lateMs)} ms late\n`);
    }
  }

  async function holdOnce(
    options: WorldOptions & { readonly settings?: Readonly<Record<string, string>> } = {},
    answer = interrupter(PLAN, 100),
  ): Promise<Recorded> {
    const ears: Ears = { heard: [], said: [], atMs: [] };
    const opened = await open({
      brain: () => plannedBrain([PLAN]),
      answer: () => overheard(answer, ears),
      realtime: { firstAudioDelayMs: 60 },
      ...options,
      settings: { VAD_SILENCE_MS: '150', RECORD_CALLS: 'true', ...options.settings },
    });
    const callId = await opened.place({ to: numberOf(0), context: briefOf(0) });
    const call = await opened.ended(callId);
    const [recording] = await opened.switchboard.recordings.of(callId);
    if (!recording?.path) throw new Error('nothing was recorded');
    expect(recording).toMatchObject({ kind: 'local', state: 'complete', channels: 2, reason: null });
    return { call, ears, wav: readFileSync(recording.path), path: recording.path, office: opened };
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
    const lateness = watchLag(5, 5);
    const { call, ears, wav, path } = await hold(options).finally(lateness.stop);
    const left = channel(wav, 'left');
    const said = joined(ears.said);
    const same = Math.min(left.byteLength, said.byteLength);
    expect(Buffer.from(left.subarray(0, same)).equals(Buffer.from(said.subarray(0, same)))).toBe(true);
    expect(same).toBeGreaterThan(said.byteLength - 8_000);

    const sounds = compare(joined(ears.heard), channel(wav, 'right'));
    expect(sounds.length).toBeGreaterThanOrEqual(PLAN.length);
    for (const { shiftMs, same, length, endsLateMs, firstFrame, lastFrame } of sounds) {
      // Both sides share this process: by so much as it was late the two may differ.
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
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('goes on in the same file, in the right place, when the stream breaks and comes back', async () => {
    const lateness = watchLag(5, 5);
    const { ears, wav, office } = await hold(
      { twilio: { knobs: { dropStream: { afterMs: 4_000, times: 1, withStop: false } } } },
      { kind: 'answers', ringMs: 100, callee: () => scriptedCallee(TALKS_ON, loadPhrasebook()) },
    ).finally(lateness.stop);
    // Both sides share this process here too.
    const lateMs = lateness.worstMs(0);
    const twilioCall = office.world.twilio.calls[0];
    const [first, second] = twilioCall?.streams ?? [];
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

  it('is announced in the first sentence, and is made only of calls that are to be recorded', async () => {
    const opened = await open({ scenario: 'reservation', script: AGREES, ringMs: 100 });
    const [recorded, plain] = await Promise.all([opened.place({ record: true }), opened.place({ to: '+14155550124' })]);
    await Promise.all([opened.ended(recorded), opened.ended(plain)]);
    const instructions = opened.world.realtime.sessions.map((session) => session.config.instructions);
    expect(instructions.filter((text) => text.includes('This call is recorded.'))).toHaveLength(1);
    expect(await opened.switchboard.recordings.of(recorded)).toMatchObject([{ state: 'complete' }]);
    expect(await opened.switchboard.recordings.of(plain)).toEqual([]);
    expect(opened.world.twilio.calls.map((call) => call.recordings.length)).toEqual([0, 0]);
  });

  it("is joined by the carrier's own, of both sides and untrimmed, once its callback has come", async () => {
    const opened = await open({
      scenario: 'reservation',
      script: AGREES,
      ringMs: 100,
      settings: { RECORD_CALLS: 'true', TWILIO_RECORDING: 'true' },
    });
    const callId = await opened.place();
    await opened.ended(callId);
    const [call] = opened.world.twilio.calls;
    await call?.ended;
    expect(call?.settings.recording).toMatchObject({ channels: 'dual', trim: 'do-not-trim' });
    expect(call?.warnings).toEqual([]);
    const replies = call?.webhooks.filter(({ kind }) => kind === 'recording').map(({ reply }) => reply?.status);
    expect(replies).toEqual([200, 200]);
    const [recording] = call?.recordings ?? [];
    const all = await opened.switchboard.recordings.of(callId);
    expect(all.map(({ kind, state }) => [kind, state]).sort()).toEqual([
      ['carrier', 'complete'],
      ['local', 'complete'],
    ]);
    const theirs = all.find(({ kind }) => kind === 'carrier');
    expect(theirs).toMatchObject({ name: recording?.sid, channels: 2, path: null });
    expect(theirs?.durationMs).toBe((recording?.durationSeconds ?? 0) * 1_000);
    expect(theirs?.url).toMatch(
      /^https:\/\/api\.twilio\.example\.com\/2010-04-01\/Accounts\/AC[0-9a-f]{32}\/Recordings\/RE/,
    );
  });

  it('ends with a note when it cannot be written, and the call goes on', async () => {
    const opened = await open({ scenario: 'reservation', script: AGREES, ringMs: 100 });
    // Where the folder should be there is a file.
    writeFileSync(join(opened.dataDir, 'recordings'), '');
    const callId = await opened.place({ record: true });
    const call = await opened.ended(callId);
    expect(call.outcome).toBe('completed');
    expect(call.lines.length).toBeGreaterThan(1);
    expect(call.notes('recording')).toMatchObject([{ state: 'failed', bytes: 0 }]);
    expect(await opened.switchboard.recordings.of(callId)).toMatchObject([{ state: 'failed' }]);
    expect(opened.log.filter((line) => line.includes('a recording was ended before its call'))).toHaveLength(1);
  });

  it('is forgotten with its call at the start, when that ended more than RETAIN_DAYS ago', async () => {
    const old = newCall();
    const late = newCall();
    let dataDir = '';
    const opened = await open({
      scenario: 'reservation',
      script: AGREES,
      settings: { RETAIN_DAYS: '30' },
      prepare: async (folder) => {
        dataDir = folder;
        const store = await openSqliteStore({ dataDir: folder });
        for (const [call, days] of [
          [old, 31],
          [late, 29],
        ] as const) {
          await store.createCall(call);
          const endedAtMs = Date.now() - days * 86_400_000;
          await store.updateCall(call.callId, { state: 'ended', outcome: 'completed', endedAtMs });
          const file = await openRecordingFolder(join(folder, 'recordings')).create(call.callId);
          await file.close();
        }
        await store.close();
      },
    });
    const kept = () => readdirSync(join(dataDir, 'recordings'));
    await until(() => kept().length === 1, 10_000);
    expect(kept()).toEqual([`${late.callId}.wav`]);
    await expect(opened.switchboard.call(old.callId)).rejects.toThrow('no call');
    expect((await opened.switchboard.call(late.callId)).outcome).toBe('completed');
  });
});
