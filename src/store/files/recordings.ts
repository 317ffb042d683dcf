import { constants } from 'node:fs';
import { chmod, copyFile, type FileHandle, lstat, open, rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { CallId } from '../../call/words.ts';
import { UserInputError } from '../../errors.ts';
import { durationOfWav, repairedHeader, WAV_HEADER_BYTES, wavHeader } from '../../media/wav.ts';
import type { RecordingFile, RecordingFolder, RecordingSize } from '../store.ts';
import { codeOf, namesIn, ownFolder, translated } from './disk.ts';

const WHAT = 'A recording';
const CHANNELS = 2;
const SUFFIX = '.wav';
/** Our ids are UUIDs; nothing that could name another folder passes. */
const CALL_ID = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

/** The recordings in `folder`, which is made when the first is begun, for this user alone; so are its files. */
export function openRecordingFolder(folder: string): RecordingFolder {
  const nameOf = (callId: string): string => {
    if (!CALL_ID.test(callId))
      throw new UserInputError('There is no call with this callId. Use list-calls to find the right one.');
    return `${callId}${SUFFIX}`;
  };
  const pathOf = (callId: string): string => join(folder, nameOf(callId));
  return {
    nameOf,
    pathOf,
    create: (callId) => translated(WHAT, () => create(folder, pathOf(callId))),
    read: (callId, mostBytes) => translated(WHAT, () => read(pathOf(callId), mostBytes)),
    repair: (callId) => translated(WHAT, () => repair(pathOf(callId))),
    copy: (callId, toPath) => copyTo(pathOf(callId), toPath),
    remove: (callId) =>
      translated(WHAT, async () => {
        const path = pathOf(callId);
        const isThere = (await sizeOf(path)) !== null;
        await rm(path, { force: true });
        return isThere;
      }),
    list: () => translated(WHAT, () => list(folder)),
  };
}

async function create(folder: string, path: string): Promise<RecordingFile> {
  await ownFolder(folder);
  // What stands there, a link for one, is not written through.
  await rm(path, { force: true });
  const handle = await open(path, 'wx', 0o600);
  const file = new WavFile(handle);
  try {
    await file.append(new Uint8Array());
    return file;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Each piece is written before the header counts it, so a file that is cut off plays up to its last piece. */
class WavFile implements RecordingFile {
  readonly #handle: FileHandle;
  #dataBytes = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  append(stereo: Uint8Array): Promise<void> {
    return translated(WHAT, async () => {
      await writeAll(this.#handle, stereo, WAV_HEADER_BYTES + this.#dataBytes);
      this.#dataBytes += stereo.byteLength;
      await writeAll(this.#handle, wavHeader({ channels: CHANNELS, dataBytes: this.#dataBytes }), 0);
    });
  }

  close(): Promise<RecordingSize> {
    return translated(WHAT, async () => {
      await this.#handle.close();
      return sizeFacts(WAV_HEADER_BYTES + this.#dataBytes);
    });
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, at + done);
    done += bytesWritten;
  }
}

async function read(path: string, mostBytes: number): Promise<Uint8Array | { readonly tooLarge: number } | null> {
  const size = await sizeOf(path);
  if (size === null) return null;
  if (size > mostBytes) return { tooLarge: size };
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const bytes = new Uint8Array(size - ((size - WAV_HEADER_BYTES) % CHANNELS));
    const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, 0);
    const whole = bytes.subarray(0, bytesRead);
    if (whole.byteLength >= WAV_HEADER_BYTES) whole.set(repairedHeader(whole.byteLength, CHANNELS));
    return whole;
  } finally {
    await handle.close();
  }
}

async function repair(path: string): Promise<RecordingSize | null> {
  const size = await sizeOf(path);
  if (size === null) return null;
  if (size < WAV_HEADER_BYTES) return sizeFacts(size);
  const handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const whole = size - ((size - WAV_HEADER_BYTES) % CHANNELS);
    await handle.truncate(whole);
    await writeAll(handle, repairedHeader(whole, CHANNELS), 0);
    return sizeFacts(whole);
  } finally {
    await handle.close();
  }
}

async function copyTo(from: string, to: string): Promise<void> {
  if (!isAbsolute(to) || !to.toLowerCase().endsWith(SUFFIX) || to.includes('\0'))
    throw new UserInputError('saveTo must be an absolute path of a new file whose name ends with .wav.');
  try {
    // Exclusive: neither a file nor a link that is there is written through.
    await copyFile(from, to, constants.COPYFILE_EXCL);
  } catch (cause) {
    const reason = REASONS[codeOf(cause)] ?? 'cannot be written';
    throw new UserInputError(`The recording was not saved: ${to} ${reason}.`, { cause });
  }
  await chmod(to, 0o600).catch(() => undefined);
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'exists already, and nothing is ever overwritten',
  ENOENT: 'lies in a folder that does not exist',
  ENOTDIR: 'lies in a folder that does not exist',
  EACCES: 'may not be written by Switchboard',
  EPERM: 'may not be written by Switchboard',
  EROFS: 'lies on a disk that cannot be written',
  ENOSPC: 'lies on a disk that is full',
};

async function list(folder: string): Promise<readonly string[]> {
  return (await namesIn(folder))
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length) as CallId)
    .filter((callId) => CALL_ID.test(callId));
}

/** Null for what is no file. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    const facts = await lstat(path);
    return facts.isFile() ? facts.size : null;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function sizeFacts(bytes: number): RecordingSize {
  return { bytes, durationMs: durationOfWav(bytes, CHANNELS) };
}
