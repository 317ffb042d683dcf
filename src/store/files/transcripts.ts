import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UpstreamError } from '../../errors.ts';
import type { TranscriptFolder } from '../store.ts';

/** The transcripts in `folder`, which is made when the first is kept, for this user alone; so are its files. */
export function openTranscriptFolder(folder: string): TranscriptFolder {
  // A key may hold anything, and tells who talked with whom.
  const pathOf = (key: string): string => join(folder, `${createHash('sha256').update(key).digest('hex')}.json`);
  return {
    load: (key) => translated(() => load(pathOf(key))),
    save: (key, text) => translated(() => save(folder, pathOf(key), text)),
    forget: (beforeMs, { dryRun }) => translated(() => forget(folder, beforeMs, dryRun)),
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
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
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

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function translated<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    const code = codeOf(cause);
    const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : 'the disk refused it';
    throw new UpstreamError(`A transcript could not be written or read: ${why}.`, { retryable: false, code, cause });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
