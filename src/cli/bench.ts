import { parseArgs } from 'node:util';
import { type BenchOptions, PARTS, type Part, runBench } from '../bench/bench.ts';
import { UserInputError } from '../errors.ts';
import { claimStdout } from '../mcp/stdout.ts';
import { VERSION } from './version.ts';

/** Measures the server against a bare relay under load. Exit code 0 when every target is met. */
export async function run(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      json: { type: 'boolean', default: false },
      calls: { type: 'string', default: '200' },
      pairs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '8' },
      'warm-up': { type: 'string', default: '5' },
      only: { type: 'string', default: PARTS.join(',') },
      profile: { type: 'string' },
      role: { type: 'string' },
    },
  });
  if (values.role !== undefined) return serveRole(values.role);
  const stdout = claimStdout();
  const options: BenchOptions = {
    parts: values.only.split(',').map(partOf),
    calls: countOf('--calls', values.calls),
    pairs: countOf('--pairs', values.pairs),
    seconds: countOf('--seconds', values.seconds),
    warmUpSeconds: countOf('--warm-up', values['warm-up']),
    ...(values.profile === undefined ? {} : { profileDir: values.profile }),
    version: VERSION,
    tell: (text) => void process.stderr.write(`${text}\n`),
  };
  const report = await runBench(options);
  stdout.write(`${JSON.stringify(report)}\n`);
  return report.ok ? 0 : 1;
}

function partOf(name: string): Part {
  const part = PARTS.find((one) => one === name);
  if (part === undefined) throw new UserInputError(`--only takes ${PARTS.join(', ')}, not "${name}".`);
  return part;
}

function countOf(flag: string, text: string): number {
  const count = Number(text);
  if (!(count > 0)) throw new UserInputError(`${flag} takes a number above 0, not "${text}".`);
  return count;
}

/** The bench's own processes are this command again. */
async function serveRole(role: string): Promise<number> {
  switch (role) {
    case 'world':
      await (await import('../bench/world/world.ts')).serveWorld();
      return 0;
    case 'floor':
      await (await import('../bench/floor.ts')).serveFloor();
      return 0;
    case 'product':
      await (await import('../bench/product.ts')).serveProduct();
      return 0;
    default:
      throw new UserInputError(`the bench has no role "${role}".`);
  }
}
