/** Transcripts that are kept, as files in a folder. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../src/errors.ts';
import { openTranscriptFolder } from '../../../src/store/files/transcripts.ts';

const KEY = 'voipms\n100000_front\n../../etc/passwd';
let outside: string;
let folder: string;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'transcripts-'));
  folder = join(outside, 'data', 'transcripts');
});
afterEach(() => {
  chmodSync(outside, 0o700);
  rmSync(outside, { recursive: true, force: true });
});

const mode = (path: string): number => statSync(path).mode & 0o777;

describe('transcripts', () => {
  it('are kept by a key of any form, and come back', async () => {
    const transcripts = openTranscriptFolder(folder);
    expect(await transcripts.load(KEY)).toBeNull();
    await transcripts.save(KEY, 'Zoë said: “no”.');
    await transcripts.save('another', 'x');
    expect(await transcripts.load(KEY)).toBe('Zoë said: “no”.');
    await transcripts.save(KEY, 'later');
    expect(await openTranscriptFolder(folder).load(KEY)).toBe('later');
    expect(await transcripts.load(`${KEY} `)).toBeNull();
  });

  it('are for this user alone, under names that tell nothing', async () => {
    await openTranscriptFolder(folder).save(KEY, 'secret');
    const names = readdirSync(folder);
    expect(names).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
    expect([mode(folder), mode(join(folder, names[0] ?? ''))]).toEqual([0o700, 0o600]);
  });

  it('are never there by half, though several save at once', async () => {
    const transcripts = openTranscriptFolder(folder);
    const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(50_000));
    await Promise.all(texts.map((text) => transcripts.save(KEY, text)));
    expect(texts).toContain(await transcripts.load(KEY));
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('that the disk refuses are told as such, and leave nothing behind', async () => {
    writeFileSync(join(outside, 'file'), '');
    const nowhere = openTranscriptFolder(join(outside, 'file', 'transcripts'));
    await expect(nowhere.save(KEY, 'x')).rejects.toThrow(UpstreamError);
    await expect(nowhere.load(KEY)).rejects.toThrow('A transcript could not be written or read: the disk refused it.');
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('');
  });

  it('are forgotten by their age, with what a dead process left behind, and counted before', async () => {
    const transcripts = openTranscriptFolder(folder);
    expect(await transcripts.forget(Date.now(), { dryRun: false })).toBe(0);
    await transcripts.save('old', 'x');
    writeFileSync(join(folder, 'half.json.1'), 'y');
    for (const name of readdirSync(folder)) utimesSync(join(folder, name), new Date(1_000), new Date(1_000));
    await transcripts.save('new', 'z');
    expect(await transcripts.forget(2_000, { dryRun: true })).toBe(2);
    expect(await transcripts.load('old')).toBe('x');
    expect(await transcripts.forget(2_000, { dryRun: false })).toBe(2);
    expect(await transcripts.load('old')).toBeNull();
    expect(await transcripts.load('new')).toBe('z');
  });
});
