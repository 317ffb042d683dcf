/** Opens a store, writes, and does not close it: the process must end by itself all the same. `node idler.ts <dataDir>` */
import { openSqliteStore } from '../../../../src/store/sqlite/store.ts';
import { newCall } from '../../../fixtures/calls.ts';

const store = await openSqliteStore({ dataDir: process.argv[2] ?? '' });
await store.createCall(newCall());
process.stdout.write('done');
