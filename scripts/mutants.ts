/**
 * The saboteurs: each patches one fault into a copy of the product and asserts that the tests named with it go red. A test that
 * cannot fail shows here. `npm run test:mutants`, or `node scripts/mutants.ts NAME…` for some of them.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { MUTANTS, type Mutant } from './mutants-list.ts';

const COPIED = ['src', 'test', 'assets', 'package.json', 'tsconfig.json', 'vitest.config.ts', '.env.example'];
const LONGEST_RUN_MS = 120_000;

interface Verdict {
  readonly mutant: Mutant;
  readonly red: boolean;
  readonly why: string;
  readonly seconds: number;
}

const root = new URL('..', import.meta.url).pathname;
const wanted = process.argv.slice(2);
const mutants = wanted.length === 0 ? MUTANTS : MUTANTS.filter((mutant) => wanted.includes(mutant.name));
/** The unharmed product, under the same load: were it red, the others would prove nothing. */
const control: Mutant = {
  name: 'nothing broken',
  file: 'src/errors.ts',
  find: 'UserInputError extends',
  replace: 'UserInputError extends',
  test: 'test/journeys/short-call.test.ts',
};
const verdicts = await hunt([...mutants, control]);
const survivors = verdicts.filter((verdict) => verdict.red === (verdict.mutant === control));
for (const { mutant, why } of survivors) process.stdout.write(`FAILED  ${mutant.name}: ${why}\n`);
process.stdout.write(`mutants: ${verdicts.length - survivors.length} passed, ${survivors.length} failed\n`);
process.exit(survivors.length === 0 && verdicts.length > 0 ? 0 : 1);

/** Calls in real time wait more than they work: two a core and one more, each worker with a copy of its own. */
async function hunt(list: readonly Mutant[]): Promise<readonly Verdict[]> {
  const queue = [...list];
  const done: Verdict[] = [];
  const workers = Array.from({ length: 2 * availableParallelism() + 1 }, async () => {
    const copy = makeCopy();
    try {
      for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
        const verdict = await judge(mutant, copy);
        done.push(verdict);
        process.stdout.write(
          `${verdict.red ? 'red  ' : 'GREEN'}  ${verdict.seconds.toFixed(1).padStart(5)} s  ${mutant.name}\n`,
        );
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
  await Promise.all(workers);
  return done;
}

function makeCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), 'switchboard-mutants-'));
  for (const name of COPIED) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

async function judge(mutant: Mutant, copy: string): Promise<Verdict> {
  const startedMs = performance.now();
  const file = join(copy, mutant.file);
  const text = readFileSync(file, 'utf8');
  const verdict = (red: boolean, why: string): Verdict => ({
    mutant,
    red,
    why,
    seconds: (performance.now() - startedMs) / 1_000,
  });
  if (text.split(mutant.find).length !== 2)
    return verdict(false, `its line does not stand exactly once in ${mutant.file}`);
  writeFileSync(
    file,
    text.replace(mutant.find, () => mutant.replace),
  );
  try {
    const { code, output } = await runTests(mutant, copy);
    if (code === 0) return verdict(false, `${mutant.test} stays green`);
    // A mutant that does not even load proves nothing.
    if (!/Tests .*(failed|skipped)/.test(output)) return verdict(false, `no test ran:\n${output.slice(-1_500)}`);
    return verdict(true, mutant === control ? output.slice(-1_500) : '');
  } finally {
    writeFileSync(file, text);
  }
}

function runTests(mutant: Mutant, cwd: string): Promise<{ readonly code: number; readonly output: string }> {
  const args = ['node_modules/vitest/vitest.mjs', 'run', mutant.test, '--bail=1', '--maxWorkers=1', '--no-color'];
  if (mutant.only !== undefined) args.push('-t', mutant.only);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, MUTANT: mutant.name },
      timeout: LONGEST_RUN_MS,
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
