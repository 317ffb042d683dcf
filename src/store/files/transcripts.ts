import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TranscriptFolder } from '../store.ts';
import { codeOf, namesIn, ownFolder, translated } from './disk.ts';

const WHAT = 'A transcript';

/** The transcripts in `folder`, which is made when the first is kept, for this user alone; so are its files. */
export function openTranscriptFolder(folder: string): TranscriptFolder {
  // A key may hold anything, and tells who talked with whom.
  const pathOf = (key: string): string => join(folder, `${createHash('sha256').update(key).digest('hex')}.json`);
  return {
    load: (key) => translated(WHAT, () => load(pathOf(key))),
    save: (key, text) => translated(WHAT, () => save(folder, pathOf(key), text)),
    forget: (beforeMs, { dryRun }) => translated(WHAT, () => forget(folder, beforeMs, dryRun)),
  };
}

async function load(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Under another name first, so that nobody ever reads half of one. */
async function save(folder: string, path: string, text: string): Promise<void> {
  await ownFolder(folder);
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, text, { flag: 'wx', mode: 0o600, flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Also what a process left behind that died while it kept one. */
async function forget(folder: string, beforeMs: number, dryRun: boolean): Promise<number> {
  let count = 0;
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found === null || !found.isFile() || found.mtimeMs >= beforeMs) continue;
    if (!dryRun) await rm(path, { force: true });
    count += 1;
  }
  return count;
}
