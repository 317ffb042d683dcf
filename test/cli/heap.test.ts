import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const HEAP = fileURLToPath(new URL('../../src/cli/heap.ts', import.meta.url));

/** Allocates like a server with many calls: much that dies soon and some that lives for a while. Prints megabytes. */
const LOAD = `
import { getHeapSpaceStatistics } from 'node:v8';
const young = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20;
const held = [];
for (let round = 0; round < 400; round += 1) {
  for (let count = 0; count < 4_000; count += 1) {
    held.push({ round, count, text: String(round) + count });
    if (held.length > 60_000) held.splice(0, 30_000);
  }
  await new Promise((resolve) => setImmediate(resolve));
}
console.log(young());
`;

function youngMegabytes(tuned: boolean): Promise<number> {
  const script = tuned ? `import { keepPausesShort } from ${JSON.stringify(HEAP)}; keepPausesShort();${LOAD}` : LOAD;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      // A flag that this V8 does not know would be told there.
      if (code === 0 && err === '') resolve(Number(out));
      else reject(new Error(`${code}: ${err}`));
    });
  });
}

describe('the heap of a server', { timeout: 60_000 }, () => {
  it('has a young generation that stops growing, where it would go on by itself', async () => {
    const [tuned, usual] = await Promise.all([youngMegabytes(true), youngMegabytes(false)]);
    expect(tuned).toBeLessThan(40);
    expect(usual).toBeGreaterThan(40);
  });
});
