/**
 * Opens the store, says `ready`, and at every line of stdin does what it names; prints the result as JSON.
 * `node racer.ts <dataDir>`; `create <key>`, `strand`, `close`
 */
import { createInterface } from 'node:readline';
import { openSqliteStore } from '../../../../src/store/sqlite/store.ts';
import { newCall } from '../../../fixtures/calls.ts';

const store = await openSqliteStore({ dataDir: process.argv[2] ?? '' });
const say = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);
say('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [wish, key = ''] = line.split(' ');
  if (wish === 'create') say(await store.createCall(newCall({ idempotencyKey: key })));
  if (wish === 'strand') say(await store.claimStranded('test', 'Claimed.'));
  if (wish === 'close') break;
}
await store.close();
say('closed');
