import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Finding, fail, ok, skipped, warn } from './finding.ts';
import { modeText } from './settings.ts';

const MEGABYTE = 1024 * 1024;
/** A transcript is some tens of kilobytes, a recording about a megabyte a minute. */
const LITTLE_BYTES = 500 * MEGABYTE;
const TOO_LITTLE_BYTES = 50 * MEGABYTE;

/** The folder that holds transcripts: may we write there, may nobody else read there, and is there room. */
export async function checkFolder(dataDir: string): Promise<readonly Finding[]> {
  const place = await nearest(dataDir);
  if (place === null) return [fail('data folder', `No folder on the way to ${dataDir} can be read.`, CHOOSE)];
  const [folder, disk] = await Promise.all([checkAccess(dataDir, place), checkDisk(place)]);
  return [folder, disk];
}

const CHOOSE = 'Set DATA_DIR to a folder that this user may write.';

async function checkAccess(dataDir: string, place: string): Promise<Finding> {
  const check = 'data folder';
  const found = await stat(place);
  if (!found.isDirectory()) return fail(check, `${place} is not a folder.`, CHOOSE);
  const mayWrite = await access(place, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!mayWrite) return fail(check, `This user may not write in ${place}.`, CHOOSE);
  if (place !== dataDir) return ok(check, `${dataDir} will be made at the first start.`);
  const open = await openToOthers(dataDir);
  if (open === null) return ok(check, `${dataDir} is for its owner alone.`);
  return warn(check, `Others on this machine may look into ${open.path} (mode ${modeText(open.mode)}).`, open.advice);
}

/** The first that others may read: the folder, or a file in a folder that they may enter. */
async function openToOthers(dataDir: string): Promise<{ path: string; mode: number; advice: string } | null> {
  if (process.platform === 'win32') return null;
  const names = await readdir(dataDir).catch(() => []);
  for (const path of [dataDir, ...names.map((name) => join(dataDir, name))]) {
    const found = await stat(path).catch(() => null);
    const mode = (found?.mode ?? 0) & 0o777;
    if ((mode & 0o077) === 0) continue;
    return { path, mode, advice: `chmod ${found?.isDirectory() ? '700' : '600'} '${path}'` };
  }
  return null;
}

async function checkDisk(place: string): Promise<Finding> {
  const check = 'disk';
  const found = await statfs(place).catch(() => null);
  if (found === null) return skipped(check, 'This system does not say how much room there is.');
  const freeBytes = found.bavail * found.bsize;
  const text = `${sizeText(freeBytes)} are free for the data folder`;
  if (freeBytes < TOO_LITTLE_BYTES) return fail(check, `Only ${text}.`, ROOM);
  return freeBytes < LITTLE_BYTES ? warn(check, `Only ${text}.`, ROOM) : ok(check, `${text}.`);
}

const ROOM = 'Free some space, or set DATA_DIR to a folder on another disk.';

function sizeText(bytes: number): string {
  const megabytes = bytes / MEGABYTE;
  return megabytes < 1024 ? `${Math.floor(megabytes)} MB` : `${(megabytes / 1024).toFixed(1)} GB`;
}

/** The folder itself, or the nearest one above it that exists. */
async function nearest(path: string): Promise<string | null> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch((error: NodeJS.ErrnoException) => error.code);
    if (typeof found === 'object') return at;
    if (found !== 'ENOENT' || dirname(at) === at) return null;
  }
}
