import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newCall as freshCall } from '../../src/call/call.ts';
import type { CallId } from '../../src/call/words.ts';
import { UpstreamError } from '../../src/errors.ts';
import { Audio } from '../../src/media/audio.ts';
import { readWavHeader, WAV_HEADER_BYTES } from '../../src/media/wav.ts';
import { openRecordingFolder } from '../../src/store/files/recordings.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { RecordingFolder, Store } from '../../src/store/store.ts';
import { createArchive } from '../../src/switchboard/archive.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import type { Tap } from '../../src/switchboard/tap.ts';
import { newCall } from '../fixtures/calls.ts';

const logger = pino({ level: 'silent' });
const BRIEF = { to: '+14155550123', context: 'x', language: 'en', voice: 'sage', disclose: true, record: true };
const FRAME = Audio.fromBytes(new Uint8Array(160).fill(0x20));

let dataDir: string;
let store: Store;
let callId: CallId;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'switchboard-recorder-'));
  store = await openSqliteStore({ dataDir });
  const call = newCall();
  callId = call.callId;
  await store.createCall(call);
});
afterEach(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function recorderOn(folder: RecordingFolder): Tap {
  const archive = createArchive({ store, folder, clock: systemClock, logger });
  const tap = archive.recorder({ callId, brief: BRIEF, carrier: 'test' });
  if (!tap) throw new Error('no recorder');
  return tap;
}

/** The stream starts, and the callee's voice comes for so many seconds, all at once as far as the disk can tell. */
function speak(tap: Tap, seconds: number): void {
  const call = freshCall();
  tap.stepped?.({
    event: { type: 'carrier.streamStarted', epoch: 1, atMs: 0 },
    before: call,
    after: call,
    commands: [],
  });
  goOn(tap, 0, seconds);
}

function goOn(tap: Tap, from: number, to: number): void {
  for (let n = from * 50; n < to * 50; n += 1) tap.heard?.(FRAME, n * 20, (n + 1) * 20);
}

const folderHere = () => openRecordingFolder(join(dataDir, 'recordings'));
const notes = async () => (await store.notes(callId)).map(({ data }) => data);

describe('a recorder', () => {
  it('has a file that plays after each second, for its owner alone, while the call goes on', async () => {
    const folder = folderHere();
    const tap = recorderOn(folder);
    speak(tap, 5);
    await expect
      .poll(() => (existsSync(folder.pathOf(callId)) ? statSync(folder.pathOf(callId)).size : 0))
      .toBeGreaterThan(40_000);
    const bytes = readFileSync(folder.pathOf(callId));
    expect(readWavHeader(bytes)?.dataBytes).toBe(bytes.byteLength - WAV_HEADER_BYTES);
    expect(statSync(join(dataDir, 'recordings')).mode & 0o777).toBe(0o700);
    await tap.ended?.();
    const whole = readFileSync(folder.pathOf(callId));
    expect(readWavHeader(whole)).toEqual({ channels: 2, dataBytes: 5 * 16_000 });
    expect(await notes()).toEqual([
      { state: 'started' },
      { state: 'stopped', bytes: whole.byteLength, durationMs: 5_000 },
    ]);
  });

  it('gives up with a note when the disk does not keep up, holds little, and does not keep the call from ending', async () => {
    const real = folderHere();
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow: RecordingFolder = {
      ...real,
      create: async (id) => {
        const file = await real.create(id);
        return {
          append: (stereo) => stuck.then(() => file.append(stereo)),
          close: () => stuck.then(() => file.close()),
        };
      },
    };
    const tap = recorderOn(slow);
    speak(tap, 1);
    await expect.poll(notes).toEqual([{ state: 'started' }]);
    const before = process.memoryUsage().arrayBuffers;
    goOn(tap, 1, 120);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
    const startedMs = performance.now();
    await tap.ended?.();
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    release();
    await expect
      .poll(notes)
      .toMatchObject([{ state: 'started' }, { state: 'failed', reason: 'The disk did not keep up.' }]);
    expect(await store.recordings({ callId, limit: 1 })).toMatchObject([{ state: 'failed' }]);
  });

  it('gives up with a note when the disk is full, and what was written plays', async () => {
    const real = folderHere();
    let written = 0;
    const full: RecordingFolder = {
      ...real,
      create: async (id) => {
        const file = await real.create(id);
        return {
          append: (stereo) => {
            written += 1;
            if (written <= 2) return file.append(stereo);
            return Promise.reject(new UpstreamError('the disk is full.', { retryable: false, code: 'ENOSPC' }));
          },
          close: () => file.close(),
        };
      },
    };
    const tap = recorderOn(full);
    speak(tap, 8);
    await tap.ended?.();
    await expect.poll(notes).toMatchObject([{ state: 'started' }, { state: 'failed', reason: 'the disk is full.' }]);
    const bytes = readFileSync(real.pathOf(callId));
    expect(readWavHeader(bytes)?.dataBytes).toBe(bytes.byteLength - WAV_HEADER_BYTES);
    expect(bytes.byteLength).toBeGreaterThan(32_000);
  });

  it('is mended after a crash in the middle of a write, when it is asked for', async () => {
    const folder = folderHere();
    const tap = recorderOn(folder);
    speak(tap, 4);
    await expect.poll(async () => (await store.recordings({ callId, limit: 1 }))[0]?.state).toBe('recording');
    await expect.poll(() => statSync(folder.pathOf(callId)).size).toBeGreaterThan(16_000);
    // The process died: half a sample of the next second was on its way.
    writeFileSync(folder.pathOf(callId), new Uint8Array(333), { flag: 'a' });
    await store.updateCall(callId, { state: 'ended', outcome: 'error', endedAtMs: 1 });
    const archive = createArchive({ store, folder, clock: systemClock, logger });
    const audio = await archive.recordings.audio(callId, 1e9);
    if ('tooLarge' in audio) throw new Error('too large');
    expect(readWavHeader(audio)?.dataBytes).toBe(audio.byteLength - WAV_HEADER_BYTES);
    expect(await archive.recordings.of(callId)).toMatchObject([{ state: 'complete', bytes: audio.byteLength }]);
    expect(readFileSync(folder.pathOf(callId)).equals(Buffer.from(audio))).toBe(true);
    await tap.ended?.();
  });
});

describe('the folder of recordings', () => {
  it('copies to a new file only, and says in a sentence why not', async () => {
    const folder = folderHere();
    const tap = recorderOn(folder);
    speak(tap, 3);
    await tap.ended?.();
    const to = join(dataDir, 'copy.wav');
    await folder.copy(callId, to);
    expect(readFileSync(to).equals(readFileSync(folder.pathOf(callId)))).toBe(true);
    await expect(folder.copy(callId, to)).rejects.toThrow('nothing is ever overwritten');
    const elsewhere = join(dataDir, 'elsewhere.txt');
    symlinkSync(elsewhere, join(dataDir, 'link.wav'));
    await expect(folder.copy(callId, join(dataDir, 'link.wav'))).rejects.toThrow('nothing is ever overwritten');
    expect(existsSync(elsewhere)).toBe(false);
    await expect(folder.copy(callId, 'copy.wav')).rejects.toThrow('absolute path');
    await expect(folder.copy(callId, '/etc/passwd')).rejects.toThrow('.wav');
    await expect(folder.copy(callId, join(dataDir, 'none', 'copy.wav'))).rejects.toThrow('does not exist');
  });

  it.each(['../../etc/passwd', '..', '', 'a/b', 'a\\b', 'a\0', '.hidden', `${'x'.repeat(65)}`])(
    'has no file for the id %j',
    async (id) => {
      const folder = folderHere();
      expect(() => folder.pathOf(id)).toThrow('no call');
      await expect((async () => folder.read(id, 1e9))()).rejects.toThrow('no call');
      await expect((async () => folder.remove(id))()).rejects.toThrow('no call');
    },
  );

  it('does not write through a link that stands in the place of a file', async () => {
    const folder = folderHere();
    mkdirSync(join(dataDir, 'recordings'), { mode: 0o700 });
    chmodSync(join(dataDir, 'recordings'), 0o755);
    const victim = join(dataDir, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, folder.pathOf(callId));
    const file = await folder.create(callId);
    await file.append(new Uint8Array(16));
    await file.close();
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(statSync(join(dataDir, 'recordings')).mode & 0o777).toBe(0o700);
  });
});

describe('purging', () => {
  it('removes the files with their calls, and those that no call is known of, and says which the carrier keeps', async () => {
    const folder = folderHere();
    const tap = recorderOn(folder);
    speak(tap, 3);
    await tap.ended?.();
    const rescueFolder = join(dataDir, 'rescued');
    const archive = createArchive({ store, folder, rescueFolder, clock: systemClock, logger });
    mkdirSync(rescueFolder);
    for (const name of [`${callId}.1.jsonl`, `${callId}.2.34.aG9zdA.jsonl.refused`])
      writeFileSync(join(rescueFolder, name), 'words');
    await store.updateCall(callId, { carrierCallId: 'CA1' });
    const theirs = { callId, carrierCallId: 'CA1', name: 'RE1', url: null, channels: 2, durationMs: 1, startedAtMs: 1 };
    expect(await archive.hearOf({ ...theirs, state: 'recording' })).toBe('stored');
    for (let times = 0; times < 2; times += 1)
      expect(await archive.hearOf({ ...theirs, state: 'complete' })).toBe('stored');
    const told = (await store.notes(callId)).filter(({ data }) => data.recording === 'RE1');
    expect(told.map(({ data }) => data.state)).toEqual(['recording', 'complete']);
    expect(await archive.hearOf({ ...theirs, carrierCallId: 'CA2', state: 'complete' })).toBe('foreign');
    await expect(archive.purge({ endedBeforeMs: 0, callId })).rejects.toThrow('has not ended');
    await store.updateCall(callId, { state: 'ended', outcome: 'completed', endedAtMs: Date.now() - 5_000 });
    const orphan = await folder.create('orphan');
    await orphan.close();

    const old = await archive.purge({ endedBeforeMs: Date.now() - 60_000 });
    expect(old).toMatchObject({ calls: [], files: 1, scrubbed: true });
    const dry = await archive.purge({ endedBeforeMs: Date.now(), dryRun: true });
    expect(dry).toMatchObject({ calls: [callId], files: 1, carrierRecordings: ['RE1'] });
    expect(existsSync(folder.pathOf(callId))).toBe(true);
    expect(readdirSync(rescueFolder)).toHaveLength(2);
    expect(await archive.purge({ endedBeforeMs: Date.now() })).toEqual({ ...dry, scrubbed: true });
    expect(await folder.list()).toEqual([]);
    expect(readdirSync(rescueFolder)).toEqual([]);
    expect(await archive.hearOf({ ...theirs, state: 'complete' })).toBe('unknown');
    await expect(archive.recordings.of(callId)).rejects.toThrow('no call');
  });
});
