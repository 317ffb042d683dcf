import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The program to run: the one that is named, else the first on the search path; null when there is none. */
export function findAsterisk(environment: Readonly<Record<string, string | undefined>>): string | null {
  const named = environment.ASTERISK ?? '';
  const folders = [...(environment.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const candidates = named === '' ? folders.map((folder) => join(folder, 'asterisk')) : [named];
  return candidates.find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
