import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** What was kept beside the store is named after its call first. */
const NAME = /^([A-Za-z0-9-]{1,64})\.\d+(?:\.[\w-]+){0,2}\.jsonl/;

/**
 * Removes what was kept beside the store of calls that are not known any more: nobody will ever take it in. A call is written down
 * before anything else of it. `folder` need not exist.
 */
export async function removeLeftovers(folder: string, isKnown: (callId: string) => Promise<boolean>): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const callId = NAME.exec(name)?.[1];
    if (callId !== undefined && !(await isKnown(callId))) await unlink(join(folder, name)).catch(() => undefined);
  }
}
