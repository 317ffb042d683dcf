import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from './cell.ts';
import { cellsOf, expectedOf, type Fault, gaps, runCells, tableOf } from './matrix.ts';

/** What reached the process's last net while the cells ran. */
const caught: unknown[] = [];
const catchAll = (error: unknown): void => void caught.push(error);

/** One test a cell; the calls themselves are held all at once, before the first test. */
export function expectCells(title: string, faults: readonly Fault[], atOnce = Number(process.env.AT_ONCE ?? 14)): void {
  const chosen = faults.filter(({ name }) => name.includes(process.env.FAULT ?? ''));
  const cells = cellsOf(chosen).filter(({ phase }) => phase.includes(process.env.PHASE ?? ''));
  let outcomes: readonly Outcome[] = [];

  describe(title, () => {
    beforeAll(async () => {
      process.on('uncaughtException', catchAll);
      process.on('unhandledRejection', catchAll);
      outcomes = await runCells(cells, atOnce);
    }, 180_000);
    afterAll(() => {
      process.off('uncaughtException', catchAll);
      process.off('unhandledRejection', catchAll);
      const told = (fault: Fault, phase: string): string => {
        const found = outcomes.find(({ cell }) => cell.fault === fault.name && cell.phase === phase);
        if (!found) return expectedOf(fault, phase as never);
        const silence = `${(found.longestSilenceMs / 1_000).toFixed(1)} s`;
        return `${found.breaches.length > 0 ? 'BROKEN ' : ''}${found.outcome}, quiet ${silence}`;
      };
      process.stderr.write(`\n${title}\n${tableOf(chosen, told)}\n`);
    });

    it.each(cells.map((cell, index) => ({ ...cell, index })))('$fault, while $phase: $expected.told', ({ index }) => {
      expect(outcomes[index]?.breaches).toEqual([]);
    });

    it('leaves no phase out without a word', () => {
      expect(chosen.flatMap(gaps)).toEqual([]);
    });

    it('never needs the last net', () => {
      expect(caught).toEqual([]);
    });
  });
}
