import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type BenchOptions, PARTS, type Part, runBench } from '../bench/bench.ts';
import { writeDocs } from '../bench/docs.ts';
import { measureOffice, type OfficeReport } from '../bench/office.ts';
import { type BenchReport, MOST_HARNESS_CORE } from '../bench/report.ts';
import { soak } from '../bench/soak.ts';
import { officeTable, plainText, soakTable, tablesOf } from '../bench/table.ts';
import { processEnvironment } from '../config/config.ts';
import { UserInputError } from '../errors.ts';
import { freePort } from '../http/free-port.ts';
import { claimStdout } from '../mcp/stdout.ts';
import { findAsterisk } from '../simulator/asterisk/find-asterisk.ts';
import { VERSION } from '../version.ts';

/** Measures the server against a bare relay under load. Exit code 0 when every target is met. */
export async function run(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      json: { type: 'boolean', default: false },
      calls: { type: 'string', default: '200' },
      pairs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '8' },
      'warm-up': { type: 'string', default: '30' },
      only: { type: 'string', default: PARTS.join(',') },
      profile: { type: 'string' },
      soak: { type: 'string' },
      office: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      from: { type: 'string' },
      role: { type: 'string' },
    },
  });
  if (values.role !== undefined) return serveRole(values.role);
  const stdout = claimStdout();
  const show = (found: object, text: string): void =>
    void stdout.write(values.json ? `${JSON.stringify(found)}\n` : text);
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
  if (values.soak !== undefined) {
    const found = await soak({ ...options, seconds: secondsOf('--soak', values.soak) });
    show(found, plainText(soakTable(found)));
    return found.ok ? 0 : 1;
  }
  if (values.office) {
    const found = await office(options);
    show(found, plainText(officeTable(found)));
    return found.ok ? 0 : 1;
  }
  const report = values.from === undefined ? await runBench(options) : readReport(values.from);
  if (values['write-docs']) writeDocs('docs', report);
  show(report, tablesOf(report).map(plainText).join('\n'));
  if (report.harnessCore > MOST_HARNESS_CORE)
    process.stderr.write('The harness used more than 80 % of its core: the run counts for nothing.\n');
  return report.ok ? 0 : 1;
}

/** On a real Asterisk, where there is one. */
async function office({ version, tell }: BenchOptions): Promise<OfficeReport> {
  const program = findAsterisk(processEnvironment());
  if (program === null)
    throw new UserInputError('there is no Asterisk here: install one, or name its program in ASTERISK.');
  return await measureOffice({ program, version, tell, freePort });
}

/** A report that `--json` printed before. */
function readReport(file: string): BenchReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as BenchReport;
  } catch (cause) {
    throw new UserInputError(`--from takes a file that bench --json has written; ${file} is none.`, { cause });
  }
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

/** `90`, `90s` or `10m`. */
function secondsOf(flag: string, text: string): number {
  const [, count, unit] = /^([\d.]+)(s|m)?$/.exec(text) ?? [];
  return countOf(flag, count ?? text) * (unit === 'm' ? 60 : 1);
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
