/** What folders of files have in common. */
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { UpstreamError, UserInputError } from '../../errors.ts';

/** Makes the folder where there is none, and keeps it for this user alone. */
export async function ownFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
}

/** Empty where there is no folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
}

/** `what`, such as `A recording`, is the subject of the error's sentence. @throws UpstreamError for what the disk refuses */
export async function translated<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof UserInputError) throw cause;
    const code = codeOf(cause);
    const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : 'the disk refused it';
    throw new UpstreamError(`${what} could not be written or read: ${why}.`, { retryable: false, code, cause });
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
