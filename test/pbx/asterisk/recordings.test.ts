/** Recordings of Asterisk, as files in a folder that others write to. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listRecordings, readRecording } from '../../../src/pbx/asterisk/recordings.ts';

const PAGE = { limit: 50, offset: 0 };
let outside: string;
let folder: string;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'recordings-'));
  folder = join(outside, 'monitor');
  mkdirSync(folder);
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

function write(name: string, minute: number, content = 'sound'): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, 0, Date.UTC(2026, 10, 27, 12, minute) / 1_000);
}
const names = async (about?: string, page = PAGE) =>
  (await listRecordings(folder, { about, ...page })).recordings.map(({ name }) => name);

describe('recordings of the telephone system', () => {
  it('are listed newest first, out of folders of any depth, page by page', async () => {
    write('2026/11/26/in-1001-20261126.wav', 1);
    write('2026/11/27/out-1002-20261127.mp3', 3);
    write('old.WAV', 2);
    expect(await names()).toEqual(['2026/11/27/out-1002-20261127.mp3', 'old.WAV', '2026/11/26/in-1001-20261126.wav']);
    expect(await names(undefined, { limit: 1, offset: 1 })).toEqual(['old.WAV']);
    const { recordings, total, isCut } = await listRecordings(folder, { ...PAGE, about: 'OUT-1002' });
    expect({ total, isCut }).toEqual({ total: 1, isCut: false });
    expect(recordings[0]).toEqual({
      name: '2026/11/27/out-1002-20261127.mp3',
      path: join(folder, '2026/11/27/out-1002-20261127.mp3'),
      sizeBytes: 5,
      endedAt: '2026-11-27T12:03:00.000Z',
    });
  });

  it('are sound and nothing else, and no link to elsewhere', async () => {
    write('notes.txt', 1);
    write('.hidden.wav', 1);
    writeFileSync(join(outside, 'secret.wav'), 'secret');
    symlinkSync(join(outside, 'secret.wav'), join(folder, 'link.wav'));
    symlinkSync(outside, join(folder, 'folder'));
    expect(await names()).toEqual([]);
  });

  it('are read by the name of the list, and by no name or link that leads elsewhere', async () => {
    write('2026/a.wav', 1, 'RIFF');
    const { bytes, mimeType } = await readRecording(folder, '2026/a.wav', 100);
    expect([Buffer.from(bytes).toString(), mimeType]).toEqual(['RIFF', 'audio/wav']);
    writeFileSync(join(outside, 'secret.wav'), 'secret');
    symlinkSync(join(outside, 'secret.wav'), join(folder, 'link.wav'));
    mkdirSync(join(folder, 'folder.wav'));
    for (const name of [
      '../secret.wav',
      '2026/../../secret.wav',
      join(outside, 'secret.wav'),
      'link.wav',
      'folder.wav',
      '2026/a.wav\0',
      '/etc/passwd',
      'none.wav',
      '',
    ])
      await expect(readRecording(folder, name, 100), name).rejects.toThrow(/no such recording/);
  });

  it('that are too large for an answer are told with their place', async () => {
    write('a.wav', 1, 'x'.repeat(200));
    await expect(readRecording(folder, 'a.wav', 100)).rejects.toThrow(/more than can be read .*a\.wav/);
  });

  it('whose folder is not there, or closed, are asked for with a sentence that says what to do', async () => {
    await expect(listRecordings(join(folder, 'none'), PAGE)).rejects.toMatchObject({
      name: 'ConfigError',
      settings: ['ASTERISK_RECORDINGS_DIR'],
    });
  });
});
