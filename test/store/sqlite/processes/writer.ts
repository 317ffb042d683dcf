/** Writes lines without end and prints the index of each that was acknowledged. `node writer.ts <dataDir> <callId>` */
import { openSqliteStore } from '../../../../src/store/sqlite/store.ts';
import { newCall, newLine } from '../../../fixtures/calls.ts';

const [dataDir = '', callId = ''] = process.argv.slice(2);
const store = await openSqliteStore({ dataDir });
const call = newCall({ callId: callId as ReturnType<typeof newCall>['callId'] });
await store.createCall(call);
for (let index = 0; ; index += 1) {
  await store.putLine(call.callId, newLine(index));
  process.stdout.write(`${index}\n`);
}
