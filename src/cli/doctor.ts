import { parseArgs } from 'node:util';
import { processSources, readConfig } from '../config/config.ts';
import type { Finding } from '../doctor/finding.ts';
import { examine } from '../examine.ts';
import { claimStdout } from '../mcp/stdout.ts';

/** What `doctor --json` prints. `ok` is false when anything failed. */
export interface DoctorReport {
  readonly ok: boolean;
  readonly simulated: boolean;
  readonly findings: readonly Finding[];
}

/** Looks at everything that a call needs, and says of each whether it is right or what to do. Exit code 1 when anything failed. */
export async function run(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: { json: { type: 'boolean', default: false }, offline: { type: 'boolean', default: false } },
  });
  const sources = processSources();
  const reading = readConfig(sources);
  const findings = await examine({ reading, offline: values.offline, dotenvFile: sources.dotenvFile });
  const failed = findings.filter(({ verdict }) => verdict === 'fail').length;
  const report: DoctorReport = { ok: failed === 0, simulated: reading.config.simulate, findings };
  claimStdout().write(values.json ? `${JSON.stringify(report)}\n` : textOf(report));
  return report.ok ? 0 : 1;
}

function textOf({ simulated, findings }: DoctorReport): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, verdict, message, advice }) => [
    `${verdict.padEnd(8)}${check.padEnd(width)}  ${message}`,
    ...(advice === null ? [] : [`${' '.repeat(8 + width)}  → ${advice}`]),
  ]);
  const count = (wanted: Finding['verdict']): number => findings.filter(({ verdict }) => verdict === wanted).length;
  const [failed, warned] = [count('fail'), count('warn')];
  const verdict =
    failed > 0
      ? `${failed} failed${warned > 0 ? `, ${warned} to look at` : ''}.`
      : `Nothing failed${warned > 0 ? `, ${warned} to look at` : ''}${count('skipped') > 0 ? '; what was skipped is not known' : ''}.`;
  return `${lines.join('\n')}\n\n${verdict}${simulated ? ' The accounts are simulated.' : ''}\n`;
}
