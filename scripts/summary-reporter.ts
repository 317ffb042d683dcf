/**
 * Counts the tests of a vitest run: writes `tests: N passed, N failed` to the file that SUMMARY_FILE names, or to
 * stdout. With CI=true a test that was skipped, or left to do, counts as failed.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter } from 'vitest/node';

/** What this needs of vitest's own arguments. */
type Ended = Parameters<NonNullable<Reporter['onTestRunEnd']>>;

// vitest takes a reporter by its default export.
// biome-ignore lint/style/noDefaultExport: see above
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: Ended[0], errors: Ended[1]): void {
    const strict = process.env.CI === 'true';
    let passed = 0;
    // Errors outside any test, and files that could not even be collected.
    let failed = errors.length;
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'failed' || strict) failed += 1;
        if (state !== 'passed' && state !== 'failed' && strict) {
          process.stderr.write(
            `skipped, which is a failure here: ${test.module.relativeModuleId} > ${test.fullName}\n`,
          );
        }
      }
    }
    if (passed === 0 && failed === 0) failed = 1;
    if (failed > 0) process.exitCode = 1;
    const line = `tests: ${passed} passed, ${failed} failed\n`;
    if (process.env.SUMMARY_FILE) writeFileSync(process.env.SUMMARY_FILE, line);
    else process.stdout.write(line);
  }
}
