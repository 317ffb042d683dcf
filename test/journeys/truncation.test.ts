import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Interrupted, interrupter, percentile, plannedBrain } from '../../src/bench/interruptions.ts';
import { PLAN } from '../../src/bench/truncation.ts';
import type { NetworkOptions } from '../../src/simulator/network/network.ts';
import { roundTrip } from '../../src/simulator/network/network.ts';
import { phrase } from '../../src/simulator/speech/load-phrasebook.ts';
import { Understanding } from '../../src/simulator/speech/understanding.ts';
import type { TwilioKnobs } from '../../src/simulator/twilio/knobs.ts';
import { holdPlannedCall } from '../fixtures/interruptions.ts';
import { watchLag } from '../fixtures/lag.ts';
import { type Office, openOffice } from './office.ts';

interface Cell {
  readonly name: string;
  readonly roundTripMs: number;
  readonly knobs?: Partial<TwilioKnobs>;
  readonly network?: NetworkOptions;
}

const STALL_MS = 200;
const NETWORK_STALL_MS = 150;
const STALLS = { everyMs: 2_500, forMs: STALL_MS };
/** The reply after the one that nobody interrupts. */
const AFTER_WHOLE = PLAN.findIndex(({ cut }) => cut === null) + 1;
/**
 * Nobody can know of a stall before its marks are overdue: they lie 200 ms apart, and up to four late ones in a row tell a
 * stall from chance. Until then the clock runs ahead by the stall.
 */
const KNOWN_AFTER_MS = 900;

const STEADY: readonly Cell[] = [0, 40, 250].flatMap((roundTripMs) =>
  [0, 200].map((markJitterMs) => ({
    name: `round trip ${roundTripMs} ms, marks up to ${markJitterMs} ms late`,
    roundTripMs,
    knobs: { markJitterMs },
  })),
);
const PLAYOUT_STALLS: Cell = {
  name: 'round trip 40 ms, playout stalls',
  roundTripMs: 40,
  knobs: { playoutStalls: STALLS },
};
/** Stalls of 200 ms hide among echoes that are up to 200 ms late: measured, and bounded by the stalls only. */
const HIDDEN_STALLS: Cell = {
  name: 'round trip 250 ms, playout stalls, marks up to 200 ms late',
  roundTripMs: 250,
  knobs: { playoutStalls: STALLS, markJitterMs: 200 },
};
/** A stall of the network that hits the clear itself lets the callee hear on, and nobody can know of it at that moment. */
const NETWORK_STALLS: Cell = {
  name: `round trip 40 ms, network stalls of ${NETWORK_STALL_MS} ms`,
  roundTripMs: 40,
  network: {
    up: { delayMs: 20, stalls: { everyMs: 3_000, forMs: NETWORK_STALL_MS } },
    down: { delayMs: 20, stalls: { everyMs: 3_000, forMs: NETWORK_STALL_MS } },
  },
};
const CELLS: readonly Cell[] = [...STEADY, PLAYOUT_STALLS, HIDDEN_STALLS, NETWORK_STALLS];

const WITHIN_MS = 20;

const errorOf = (one: Interrupted): number => Math.abs(one.truncatedMs - one.trulyHeardMs);
/** Those that are wrong by more than 20 ms, but for one in a hundred; of fewer than a hundred one may be. */
function wrong(found: readonly Interrupted[]): readonly Interrupted[] {
  const worstFirst = [...found].sort((a, b) => errorOf(b) - errorOf(a));
  return worstFirst.slice(Math.max(1, Math.floor(found.length / 100))).filter((one) => errorOf(one) > WITHIN_MS);
}

const wordsOf = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length;

function row(name: string, errors: readonly number[]): string {
  const figures = [0.5, 0.99, 1].map((share) => percentile(errors, share).toFixed(1).padStart(7));
  return `${name.padEnd(62)}${String(errors.length).padStart(4)} ${figures.join(' ')}`;
}

/** Both sides share this process: what is sent or received while it is this late measures the process. */
const LATE_MS = 8;
const ROUNDS = 2;
const STAGGER_MS = 250;
const ENOUGH = 9;

describe('what the callee has heard of an interrupted reply', () => {
  const offices = new Map<Cell, Office>();
  const all = new Map<Cell, Interrupted[]>(CELLS.map((cell) => [cell, []]));
  const judged = new Map<Cell, Interrupted[]>(CELLS.map((cell) => [cell, []]));
  const of = (cells: readonly Cell[]): readonly Interrupted[] => cells.flatMap((cell) => judged.get(cell) ?? []);

  beforeAll(async () => {
    const startedMs = performance.now();
    // The first sentences that a process understands take it many times as long as the later ones.
    const understanding = new Understanding();
    for (let n = 0; n < 20; n += 1) understanding.understand(phrase('c.hello').audio);
    for (const [index, cell] of CELLS.entries()) offices.set(cell, await openCell(cell, index));
    for (let round = 0; round < ROUNDS; round += 1) {
      const wanted = CELLS.filter((cell) => of([cell]).length < ENOUGH);
      if (wanted.length > 0) await hold(wanted, round);
    }
    print((performance.now() - startedMs) / 1_000);
  }, 200_000);

  afterAll(async () => {
    await Promise.all([...offices.values()].map((office) => office.close()));
  });

  function openCell(cell: Cell, index: number): Promise<Office> {
    return openOffice({
      brain: () => plannedBrain(Array.from({ length: ROUNDS }, () => PLAN)),
      // One after the other, or all calls would do the same work in the same instant.
      answer: () => interrupter(PLAN, 100 + index * STAGGER_MS),
      twilio: { network: cell.network ?? roundTrip(cell.roundTripMs), knobs: cell.knobs },
      realtime: { firstAudioDelayMs: 60 },
      settings: { VAD_SILENCE_MS: '150' },
    });
  }

  /** One call in each of these worlds, all at once. */
  async function hold(wanted: readonly Cell[], round: number): Promise<void> {
    const lateness = watchLag(5, 5);
    const found = await Promise.all(
      wanted.map(async (cell) => {
        const office = offices.get(cell);
        return { cell, interruptions: office ? await holdPlannedCall(office, round, cell.roundTripMs) : [] };
      }),
    );
    lateness.stop();
    for (const { cell, interruptions } of found) {
      // How much of the farewell was heard when the callee hung up is another question.
      const cut = interruptions.filter((one) => one.phraseId !== 'a.farewell');
      all.get(cell)?.push(...cut);
      const timely = cut.filter(
        ({ instantsMs, clearedAtMs }) =>
          instantsMs.every((atMs) => lateness.around(atMs, 10) <= LATE_MS) &&
          // Marks that this process took late look like those of a stalled playout.
          lateness.around(clearedAtMs - 250, 250) <= 2 * LATE_MS,
      );
      judged.get(cell)?.push(...timely);
    }
  }

  function print(seconds: number): void {
    const everything = [...all.values()].flat();
    const lines = [
      `${'milliseconds between the truncation and the ear'.padEnd(62)}   n     p50     p99     max   of`,
      ...CELLS.map((cell) => `${row(cell.name, of([cell]).map(errorOf))} ${String(all.get(cell)?.length).padStart(4)}`),
      row('all of those', of(CELLS).map(errorOf)),
      row(
        'control: truncate at what was sent',
        everything.map((one) => Math.abs(one.sentMs - one.trulyHeardMs)),
      ),
      row(
        'control: trust marks alone',
        everything.map((one) => Math.abs(one.markedMs - one.trulyHeardMs)),
      ),
      `${seconds.toFixed(1)} s in all; what was sent or received while this process was late is not judged`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }

  it.each(STEADY.map((cell) => [cell.name, cell] as const))(
    'is told to the model to within 20 ms: %s',
    (_name, cell) => {
      expect(of([cell]).length).toBeGreaterThanOrEqual(ENOUGH);
      expect(wrong(of([cell]))).toEqual([]);
    },
  );

  it('is told to the model to within 20 ms in 99 of 100 interruptions, whatever the round trip and the jitter', () => {
    expect(of(STEADY).length).toBeGreaterThanOrEqual(STEADY.length * ENOUGH);
    expect(wrong(of(STEADY))).toEqual([]);
    expect(percentile(of(STEADY).map(errorOf), 0.5)).toBeLessThanOrEqual(5);
  });

  const kinds: readonly (readonly [string, (one: Interrupted) => boolean])[] = [
    ['the first reply', (one) => one.reply === 0],
    ['the second reply', (one) => one.reply === 1],
    ['later replies', (one) => one.reply > 1],
    ['a reply that is still being made', (one) => !one.afterDone],
    ['a reply whose response.done came long before', (one) => one.afterDone],
    ['the second item of a reply', (one) => one.item > 0],
    ['the reply after one that was heard out', (one) => one.reply === AFTER_WHOLE],
  ];
  it.each(kinds)('is told to within 20 ms for %s', (_name, isOne) => {
    const found = of(STEADY).filter(isOne);
    expect(found.length).toBeGreaterThan(0);
    expect(wrong(found)).toEqual([]);
  });

  it('is told to within 20 ms when the playout had stalled, once the marks could show it', () => {
    const found = of([PLAYOUT_STALLS]).filter(
      ({ stalledAgoMs }) => stalledAgoMs === null || stalledAgoMs > KNOWN_AFTER_MS,
    );
    expect(found.length).toBeGreaterThan(5);
    expect(wrong(found)).toEqual([]);
  });

  it('is never told wrong by more than the stalls that nobody can have known of', () => {
    // A sentence holds three stalls at most.
    expect(percentile(of([PLAYOUT_STALLS]).map(errorOf), 1)).toBeLessThanOrEqual(2 * STALL_MS + 20);
    expect(percentile(of([HIDDEN_STALLS]).map(errorOf), 1)).toBeLessThanOrEqual(3 * STALL_MS + 20);
    expect(percentile(of([NETWORK_STALLS]).map(errorOf), 0.5)).toBeLessThanOrEqual(20);
    expect(percentile(of([NETWORK_STALLS]).map(errorOf), 1)).toBeLessThanOrEqual(NETWORK_STALL_MS + 20);
  });

  it('is never more than was sent, is taken by the model, and is what the timeline says', () => {
    for (const one of [...all.values()].flat()) {
      expect(one.accepted).toBe(true);
      expect(one.truncatedMs).toBeLessThanOrEqual(one.sentMs);
      expect(one.notedMs).toBe(one.truncatedMs);
    }
  });

  it('is written down to within a word, and never with two words more than were heard', () => {
    const more = of(STEADY).map((one) => wordsOf(one.notedText) - wordsOf(one.trulyHeardText));
    const close = more.filter((words) => Math.abs(words) <= 1);
    process.stdout.write(
      `heard text: ${close.length} of ${more.length} within a word, ${more.filter((words) => words === 0).length} exact\n`,
    );
    expect(close.length / more.length).toBeGreaterThanOrEqual(0.95);
    expect(Math.max(...more)).toBeLessThanOrEqual(1);
  });

  it('could not be told by what was sent, nor by the marks alone', () => {
    const share = (said: (one: Interrupted) => number): number =>
      of(STEADY).filter((one) => Math.abs(said(one) - one.trulyHeardMs) <= 20).length / of(STEADY).length;
    expect(share((one) => one.sentMs)).toBeLessThan(0.05);
    expect(share((one) => one.markedMs)).toBeLessThan(0.2);
  });
});
