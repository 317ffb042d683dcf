/** Recordings that Asterisk itself makes (MixMonitor): files in a folder of its machine, as its manager neither lists nor sends them. Only read. */
import { constants } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { ConfigError, UserInputError } from '../../errors.ts';

export interface OfficeRecording {
  /** Path within the folder, with slashes. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** When it was last written to, which is its end. ISO 8601. */
  readonly endedAt: string;
}

export interface RecordingsPage {
  readonly recordings: readonly OfficeRecording[];
  readonly total: number;
  /** There are more files than are looked at; those in folders with the greatest names, as of the last days, were. */
  readonly isCut: boolean;
}

export interface RecordedSound {
  readonly bytes: Uint8Array;
  readonly mimeType: string;
}

/** The forms in which Asterisk and FreePBX keep sound. */
const MIME_TYPES: Readonly<Record<string, string>> = {
  '.wav': 'audio/wav',
  '.wav49': 'audio/wav',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.gsm': 'audio/gsm',
  '.ulaw': 'audio/basic',
  '.alaw': 'audio/x-alaw-basic',
  '.sln': 'application/octet-stream',
};
const MOST_FILES = 20_000;
const DEEPEST = 6;
const AT_ONCE = 200;

/** Newest first. `about` is part of a name, such as a number, an extension or a date. @throws ConfigError when the folder cannot be read */
export async function listRecordings(
  folder: string,
  {
    about = '',
    limit,
    offset,
  }: { readonly about?: string | undefined; readonly limit: number; readonly offset: number },
): Promise<RecordingsPage> {
  const names: string[] = [];
  const isCut = !(await collect(folder, '', names, 0));
  const wanted = names.filter((name) => name.toLowerCase().includes(about.trim().toLowerCase()));
  const found: OfficeRecording[] = [];
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const facts = wanted.slice(at, at + AT_ONCE).map((name) => factsOf(folder, name));
    found.push(...(await Promise.all(facts)).filter((one) => one !== null));
  }
  found.sort((a, b) => (a.endedAt === b.endedAt ? (a.name < b.name ? 1 : -1) : a.endedAt < b.endedAt ? 1 : -1));
  return { recordings: found.slice(offset, offset + limit), total: found.length, isCut };
}

/**
 * The sound of one. Nothing outside the folder is read, by whatever name or link.
 * @throws UserInputError when there is no such recording, or it is larger than `mostBytes`
 */
export async function readRecording(folder: string, name: string, mostBytes: number): Promise<RecordedSound> {
  const mimeType = MIME_TYPES[extname(name).toLowerCase()];
  const path = mimeType === undefined || name.includes('\0') ? null : await within(folder, name);
  if (path === null || mimeType === undefined)
    throw new UserInputError('There is no such recording. asterisk_list_recordings lists them.');
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await handle.stat();
    if (size > mostBytes)
      throw new UserInputError(
        `This recording has ${(size / 1024 / 1024).toFixed(1)} MB, more than can be read as a resource. Its file is ${path} on the machine of Switchboard.`,
      );
    const bytes = new Uint8Array(size);
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    return { bytes: bytes.subarray(0, bytesRead), mimeType };
  } finally {
    await handle.close();
  }
}

/** Where it really is; null where there is no such file, or it is not in the folder. */
async function within(folder: string, name: string): Promise<string | null> {
  try {
    const [root, path] = await Promise.all([realpath(folder), realpath(join(folder, name))]);
    return path.startsWith(root + sep) && (await stat(path)).isFile() ? path : null;
  } catch {
    return null;
  }
}

/** False when there are more than are looked at. */
async function collect(folder: string, inside: string, names: string[], depth: number): Promise<boolean> {
  const entries = await readdir(join(folder, inside), { withFileTypes: true }).catch((cause: unknown) => {
    // One folder that is closed to us does not hide the others.
    if (depth > 0) return [];
    throw new ConfigError(
      `The folder of ASTERISK_RECORDINGS_DIR (${folder}) cannot be read. It must be on this machine, and Switchboard's user must be let in, as by the group asterisk.`,
      { settings: ['ASTERISK_RECORDINGS_DIR'], cause },
    );
  });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? 1 : -1))) {
    if (entry.name.startsWith('.')) continue;
    const name = inside === '' ? entry.name : `${inside}/${entry.name}`;
    if (entry.isDirectory() && depth < DEEPEST) {
      if (!(await collect(folder, name, names, depth + 1))) return false;
    } else if (entry.isFile() && extname(name).toLowerCase() in MIME_TYPES) {
      if (names.length >= MOST_FILES) return false;
      names.push(name);
    }
  }
  return true;
}

async function factsOf(folder: string, name: string): Promise<OfficeRecording | null> {
  const path = join(folder, name);
  try {
    const { size, mtime } = await stat(path);
    return { name, path, sizeBytes: size, endedAt: mtime.toISOString() };
  } catch {
    // Removed meanwhile.
    return null;
  }
}
