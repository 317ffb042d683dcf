/** Writes lines until the disk refuses one, then tells what was refused, and goes on reading. `node filler.ts <dataDir>` */
import { openSqliteStore } from '../../../../src/store/sqlite/store.ts';
import { newCall, newLine } from '../../../fixtures/calls.ts';

const store = await openSqliteStore({ dataDir: process.argv[2] ?? '' });
const call = newCall();
await store.createCall(call);
let kept = 0;
try {
  for (; kept < 100_000; kept += 1) await store.putLine(call.callId, newLine(kept, { text: 'word '.repeat(400) }));
} catch (error) {
  const { name, message, retryable } = error as { name: string; message: string; retryable: boolean };
  const lines = await store.lines(call.callId, { from: 0, limit: 200_000 });
  process.stdout.write(JSON.stringify({ name, message, retryable, kept, read: lines.length }));
}
await store.close();
