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

/** Runs the cells, so many at once, and gives their outcomes in order. */
export async function runCells(cells: readonly Cell[], atOnce: number): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < cells.length; index = next++) {
      const cell = cells[index];
      if (cell) outcomes[index] = await runCell(cell);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return outcomes;
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
