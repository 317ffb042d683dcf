import { afterEach, expect, it } from 'vitest';
import type { DemoReport } from '../../src/cli/demo.ts';
import { processes } from './process.ts';

const here = processes();
afterEach(() => here.cleanUp());

it('the demo of a call over 3CX is interrupted, and ends with a hand-over', { timeout: 60_000 }, async () => {
  const command = here.spawn({ args: ['demo', '--carrier', '3cx', '--json'] });
  expect(await command.exit).toEqual({ code: 0, signal: null });
  const report: DemoReport = JSON.parse(command.stdout[0] ?? '{}');
  expect(report.outcome).toBe('transferred');
  expect(report.interruptions).toHaveLength(1);
  const [{ heardMs, trulyHeardMs } = { heardMs: 0, trulyHeardMs: null }] = report.interruptions;
  // Beside other tests a timer may come late; what it is when nothing else runs is in the carrier's own tests.
  expect(Math.abs(heardMs - (trulyHeardMs ?? 0))).toBeLessThan(250);
});
