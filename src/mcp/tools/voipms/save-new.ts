import { writeFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { UserInputError } from '../../../errors.ts';

const SUFFIX = '.mp3';

/** @throws UserInputError when it cannot be the path of a new recording */
export function checkSaveTo(path: string): void {
  if (!isAbsolute(path) || !path.toLowerCase().endsWith(SUFFIX) || path.includes('\0'))
    throw new UserInputError(`saveTo must be an absolute path of a new file whose name ends with ${SUFFIX}.`);
}

/** Readable by this user alone. @throws UserInputError when the file is there, or cannot be made */
export async function saveNew(path: string, bytes: Uint8Array): Promise<void> {
  try {
    // Exclusive: neither a file nor a link that is there is written through.
    await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    throw new UserInputError(`The recording was not saved: ${path} ${REASONS[code] ?? 'cannot be written'}.`, {
      cause,
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'exists already, and nothing is ever overwritten',
  ENOENT: 'lies in a folder that does not exist',
  ENOTDIR: 'lies in a folder that does not exist',
  EACCES: 'may not be written by Switchboard',
  EPERM: 'may not be written by Switchboard',
};
