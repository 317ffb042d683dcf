/**
 * Says `ready`, and at every line of stdin does what it names; prints the result as JSON. With `--expose-gc` for `collect`.
 * `node owner.ts <dataDir>`; `take`, `again`, `collect`, `release`
 */
import { createInterface } from 'node:readline';
import { type OwnerLock, tryOwnerLock } from '../../../../src/store/sqlite/owner-lock.ts';

const dataDir = process.argv[2] ?? '';
const say = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);
let lock: OwnerLock | null = null;
say('ready');
for await (const wish of createInterface({ input: process.stdin })) {
  if (wish === 'take') {
    lock = tryOwnerLock(dataDir);
    say(lock !== null);
  }
  // Beside the one that it has, which must not be harmed by that.
  if (wish === 'again') say(tryOwnerLock(dataDir) !== null);
  if (wish === 'collect') {
    lock = null;
    for (let round = 0; round < 5; round += 1) {
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    say(globalThis.gc !== undefined);
  }
  if (wish === 'release') {
    lock?.release();
    lock?.release();
    say('released');
  }
}
