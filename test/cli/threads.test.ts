import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const THREADS = fileURLToPath(new URL('../../src/cli/threads.ts', import.meta.url));

/** Niceness of the main thread and of all others, in a process that has a worker (proc(5), `stat`: field 19). */
const SCRIPT = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  import { letCallsGoFirst } from ${JSON.stringify(THREADS)};
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
  await new Promise((resolve) => worker.once('online', resolve));
  letCallsGoFirst();
  const niceness = (thread) => Number(readFileSync('/proc/self/task/' + thread + '/stat', 'utf8').split(') ')[1].split(' ')[16]);
  const threads = readdirSync('/proc/self/task').map(Number);
  const others = threads.filter((thread) => thread !== process.pid).map(niceness);
  console.log(JSON.stringify({ main: niceness(process.pid), others }));
  process.exit(0);
`;

it.runIf(process.platform === 'linux')('the event loop goes before every other thread of the process', () => {
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT], { encoding: 'utf8' });
  const { main, others } = JSON.parse(printed) as { readonly main: number; readonly others: readonly number[] };
  expect(others.length).toBeGreaterThan(1);
  expect(new Set(others)).toEqual(new Set([main + 10]));
});
