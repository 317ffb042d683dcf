import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openRecordingFolder } from '../../src/store/files/recordings.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { newCall } from '../fixtures/calls.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { type Office, openOffice } from './office.ts';
import { AGREES } from './short-calls.ts';

describe.concurrent('the recording of a call', { timeout: 40_000 }, () => {
  const offices: Office[] = [];
  afterAll(async () => {
    await Promise.all(offices.map((office) => office.close()));
  });
  const open = async (options: Parameters<typeof openOffice>[0]): Promise<Office> => {
    const office = await openOffice(options);
    offices.push(office);
    return office;
  };

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
