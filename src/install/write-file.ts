import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface ClientFile {
  /** Where it really is: a link is followed, and stays. */
  readonly path: string;
  /** Empty when there is no file yet. */
  readonly text: string;
  /** Null when there is no file yet. */
  readonly mode: number | null;
}

export async function readClientFile(path: string): Promise<ClientFile> {
  try {
    const real = await realpath(path);
    const [text, { mode }] = await Promise.all([readFile(real, 'utf8'), stat(real)]);
    return { path: real, text, mode: mode & 0o777 };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { path, text: '', mode: null };
    throw error;
  }
}

/**
 * Puts `text` in the file's place as a whole, or not at all; `shared` files keep their mode, the others become their owner's alone.
 * Resolves with the path of a copy of what was there, null when nothing was.
 */
export async function replaceClientFile(file: ClientFile, text: string, shared: boolean): Promise<string | null> {
  await mkdir(dirname(file.path), { recursive: true, mode: 0o700 });
  const backup = file.mode === null ? null : `${file.path}.switchboard-backup-${stamp()}`;
  if (backup !== null) {
    await copyFile(file.path, backup);
    await chmod(backup, 0o600);
  }
  const mode = shared ? (file.mode ?? 0o644) : 0o600;
  const draft = `${file.path}.${randomUUID()}`;
  try {
    const handle = await open(draft, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file.path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return backup;
}

function stamp(): string {
  return new Date().toISOString().replace(/[:.]/g, '-');
}
