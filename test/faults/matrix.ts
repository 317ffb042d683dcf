import { heldInTime, type Lag, watchLag } from '../fixtures/lag.ts';
import { type Cell, type Expected, type Outcome, PHASES, type Phase, runCell, type Scene } from './cell.ts';

/** One thing that goes wrong, at every phase of a call where it can. */
export interface Fault {
  readonly name: string;
  readonly at: Readonly<Partial<Record<Phase, FaultAt>>>;
  /** Why it makes no sense in the phases that are left, in a word. */
  readonly otherwise: Readonly<Partial<Record<Phase, string>>>;
}

export type FaultAt = Omit<Cell, 'fault' | 'phase'>;

/** The same thing at several phases. */
export function atEach(phases: readonly Phase[], make: (phase: Phase) => FaultAt): Fault['at'] {
  return Object.fromEntries(phases.map((phase) => [phase, make(phase)]));
}

export function because(word: string, phases: readonly Phase[]): Fault['otherwise'] {
  return Object.fromEntries(phases.map((phase) => [phase, word]));
}

export const LIVE: readonly Phase[] = ['opening', 'talking', 'interrupted', 'ending'];
export const WITH_STREAM: readonly Phase[] = ['joining', ...LIVE];
export const AFTER_CREATE: readonly Phase[] = ['ringing', ...WITH_STREAM];

/** What the carrier says where there is nobody else to say it. */
export const SORRY = /technical problem/;
export const GOES_ON: Expected = { outcomes: ['completed'], told: 'goes on' };
export const nothing = (_scene: Scene): void => undefined;

export function cellsOf(faults: readonly Fault[]): Cell[] {
  return faults.flatMap(({ name, at }) =>
    PHASES.flatMap((phase) => {
      const found = at[phase];
      return found ? [{ fault: name, phase, ...found }] : [];
    }),
  );
}

/** Phases of a fault that are neither tried nor explained, or both. */
export function gaps({ name, at, otherwise }: Fault): string[] {
  return PHASES.filter((phase) => (at[phase] === undefined) === (otherwise[phase] === undefined)).map(
    (phase) => `${name}, ${phase}`,
  );
}

/** Runs the cells, at most so many at once, and gives their outcomes in order. */
export async function runCells(cells: readonly Cell[], atOnce: number): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const lag = watchLag();
  let next = 0;
  let gate: Promise<void> = Promise.resolve();
  /** One world after the other is built, and only while this process keeps up with the calls that it has. */
  const start = (): Promise<void> => {
    gate = gate.then(() => lag.calm());
    return gate;
  };
  const work = async (): Promise<void> => {
    for (let index = next++; index < cells.length; index = next++) {
      const cell = cells[index];
      if (cell) outcomes[index] = await runInTime(cell, start, lag);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  lag.stop();
  return outcomes;
}

/** In proportion to the times of the cells, which are a tenth to a quarter of the product's own. */
const MOST_LAG_MS = 100;

function runInTime(cell: Cell, start: () => Promise<void>, lag: Lag): Promise<Outcome> {
  const faultOf = ({ breaches }: Outcome): string | null =>
    breaches.length === 0 ? null : `${cell.fault}, ${cell.phase}: ${breaches.join('; ')}`;
  return heldInTime(lag, MOST_LAG_MS, () => runCell(cell), { before: start, faultOf });
}

/** The matrix for a reader: what is expected, or with `outcomes` what came of it. */
export function tableOf(faults: readonly Fault[], tell: (fault: Fault, phase: Phase) => string): string {
  const rows = faults.map((fault) => [fault.name, ...PHASES.map((phase) => tell(fault, phase))]);
  const head = ['fault', ...PHASES];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

export function expectedOf({ at, otherwise }: Fault, phase: Phase): string {
  const found = at[phase];
  return found ? found.expected.told : `*${otherwise[phase] ?? '?'}*`;
}
