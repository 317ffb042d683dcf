import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UpstreamError } from '../../errors.ts';

/** A file to which lines are added and never changed. Several processes may write to it; each line is one write. */
export interface AuditFile {
  /** Resolves when the line is on disk. Rejects with an UpstreamError when it cannot be put there. */
  write(entry: object): Promise<void>;
  close(): Promise<void>;
}

/** Opens the file with the first line, for this user alone, and again when somebody has moved it away (log rotation). */
export function openAuditFile(path: string): AuditFile {
  let handle: FileHandle | null = null;
  let last: Promise<unknown> = Promise.resolve();

  async function opened(): Promise<FileHandle> {
    if (handle !== null && (await isStillThere(handle, path))) return handle;
    await handle?.close().catch(() => undefined);
    handle = null;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    handle = await open(path, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY, 0o600);
    return handle;
  }

  async function write(entry: object): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    try {
      const file = await opened();
      const { bytesWritten } = await file.write(line);
      if (bytesWritten < line.length) throw new Error('The line was written in part only.');
      await file.datasync();
    } catch (cause) {
      throw new UpstreamError(
        'The audit log (audit.jsonl in DATA_DIR) cannot be written. Set DATA_DIR to a folder that this user may write, or free some space there.',
        {
          cause,
          retryable: false,
        },
      );
    }
  }

  return {
    write: (entry) => {
      const written = last.then(() => write(entry));
      last = written.catch(() => undefined);
      return written;
    },
    close: async () => {
      await last;
      await handle?.close();
      handle = null;
    },
  };
}

async function isStillThere(handle: FileHandle, path: string): Promise<boolean> {
  try {
    const [ours, theirs] = await Promise.all([handle.stat(), stat(path)]);
    return ours.ino === theirs.ino && ours.dev === theirs.dev;
  } catch {
    return false;
  }
}
