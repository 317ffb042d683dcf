import { randomUUID } from 'node:crypto';
import type { ScribeCommand } from '../call/commands.ts';
import type { Cost } from '../call/cost.ts';
import { addUsage, type CallId, type CallState, type Line, NO_USAGE, type Outcome, type Usage } from '../call/words.ts';
import type { CallChange, Store } from '../store/store.ts';
import { type Clock, within } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Meter } from './meter.ts';
import { type Entry, mayPass, type Rescue, writeEntry } from './rescue.ts';

/** What a watcher is told, always after it is on disk. */
export type ChangeKind = 'placed' | 'line' | 'state' | 'ended';

/** Writes down one call, in order, behind the call's back: nothing of the call ever waits for it. */
export interface Scribe {
  write(command: ScribeCommand): void;
  change(change: CallChange): void;
  state(state: CallState): void;
  /** Resolves when all that was written so far is in the store, or rescued, or has been given up with an error in the log. */
  settled(): Promise<void>;
}

/** What repeats itself for ever, such as objections of a broken model, must not fill the disk; what is said once is always written. */
const MOST_NOTES_OF_A_KIND = 500;
/** A store that is busy or full is tried again after these delays; a transcript must not be lost to a moment's trouble. */
const RETRY_DELAYS_MS: readonly number[] = [100, 400, 1_500, 5_000, 10_000, 20_000];
const LAST_MOMENT_MS = 1_500;

export function createScribe(options: {
  readonly callId: CallId;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In place of the usual delays; milliseconds. */
  readonly retriesMs?: readonly number[] | undefined;
  /** Where goes what the store does not take. */
  readonly rescue?: Rescue | undefined;
  /** Aborted when there is no more time to wait for the store: what it has not taken is rescued. */
  readonly hurry?: AbortSignal | undefined;
  readonly meter?: Meter | undefined;
  readonly onWritten: (kind: ChangeKind) => void;
  /** What the call has cost, to be written down with its end. */
  readonly costAtEnd?: (used: { usage: Usage; talkedMs: number; outcome: Outcome }) => Cost;
}): Scribe {
  const { callId, store, clock, logger, meter, onWritten, rescue, hurry, retriesMs = RETRY_DELAYS_MS } = options;
  let tail: Promise<void> = Promise.resolve();
  const notes = new Map<string, number>();
  /** A write that is given up for time may be committed all the same, and is rescued as well: by its id it counts once. */
  const writer = randomUUID().slice(0, 8);
  let entries = 0;
  const newId = (): string => {
    entries += 1;
    return `${writer}.${entries}`;
  };
  let usage = NO_USAGE;
  let answeredAtMs: number | null = null;
  /** The end goes the way of what was rescued before it, so that it never stands there without the last words. */
  let rescuing = false;
  /** Lines that were rescued: what takes the place of one must not be overwritten when that is taken in. */
  const rescuedLines = new Set<number>();
  /** How often something was written late: what had been written before its turn may have been overwritten by that. */
  let lateWrites = 0;

  /** Behind everything before it; `kind` is told to the watchers once it is written. */
  function enqueue(kind: ChangeKind | null, entry: Entry): void {
    const put = (): Promise<void> => writeEntry(store, callId, entry);
    const write = meter ? () => timed(meter, put) : put;
    // The first try starts at once, so that the store can commit what belongs together in one go. Only the end waits for all
    // before it: who sees a call as ended reads its lines no more.
    const first = kind === 'ended' ? null : write();
    first?.catch(() => undefined);
    const lateBefore = lateWrites;
    tail = tail.then(async () => {
      const isOvertaken = lateBefore !== lateWrites && (entry.kind === 'line' || entry.kind === 'change');
      if (!followsRescue(kind, entry) && (await persisted(isOvertaken ? null : first, entry, write))) {
        if (kind) tell(kind);
        return;
      }
      if (!rescue) return;
      rescuing = true;
      if (entry.kind === 'line') rescuedLines.add(entry.line.index);
      await rescue.keep(callId, entry);
    });
  }

  /** A watcher that makes a mistake must not keep back what is written next. */
  function tell(kind: ChangeKind): void {
    try {
      onWritten(kind);
    } catch (err) {
      logger.error({ callId, err }, 'a watcher made a mistake');
    }
  }

  function followsRescue(kind: ChangeKind | null, entry: Entry): boolean {
    return (rescuing && kind === 'ended') || (entry.kind === 'line' && rescuedLines.has(entry.line.index));
  }

  async function persisted(first: Promise<void> | null, entry: Entry, write: () => Promise<void>): Promise<boolean> {
    let attempt = first ?? write();
    for (let tries = 0; ; tries += 1) {
      try {
        await inTime(attempt);
        if (tries > 0) lateWrites += 1;
        return true;
      } catch (error) {
        const delayMs = retriesMs[tries];
        if (delayMs === undefined || hurry?.aborted || rescuing || !mayPass(error)) {
          logger.error({ callId, err: error, what: entry.kind }, 'something of a call could not be stored');
          return false;
        }
        await within(new Promise<void>(() => undefined), delayMs, clock, hurry);
        attempt = write();
        attempt.catch(() => undefined);
      }
    }
  }

  /** An answer that is under way when there is no more time gets a moment, no more. */
  async function inTime(attempt: Promise<void>): Promise<void> {
    if (!hurry) return attempt;
    let settled = false;
    const over = (): void => {
      settled = true;
    };
    attempt.then(over, over);
    await within(
      attempt.catch(() => undefined),
      Number.MAX_SAFE_INTEGER,
      clock,
      hurry,
    );
    if (!settled)
      await within(
        attempt.catch(() => undefined),
        LAST_MOMENT_MS,
        clock,
      );
    if (!settled) throw new Error('there was no time to wait for the store');
    return attempt;
  }

  return {
    write(command) {
      switch (command.type) {
        case 'scribe.line':
          return enqueue('line', { kind: 'line', line: lineOf(command) });
        case 'scribe.note': {
          const ofKind = (notes.get(command.kind) ?? 0) + 1;
          notes.set(command.kind, ofKind);
          if (ofKind > MOST_NOTES_OF_A_KIND) return;
          const note = { atMs: clock.wall(), kind: command.kind, data: command.data };
          return enqueue(null, { kind: 'note', note, id: newId() });
        }
        case 'scribe.usage':
          usage = addUsage(usage, command.usage);
          return enqueue(null, { kind: 'usage', usage: command.usage, id: newId() });
        case 'scribe.ended': {
          const { outcome, reason, result } = command;
          const endedAtMs = clock.wall();
          const talkedMs = answeredAtMs === null ? 0 : endedAtMs - answeredAtMs;
          const cost = options.costAtEnd?.({ usage, talkedMs, outcome });
          if (cost) meter?.spent(cost.parts);
          const change = { state: 'ended', outcome, reason, result, endedAtMs, cost } as const;
          return enqueue('ended', { kind: 'change', change });
        }
        default:
          command satisfies never;
      }
    },
    change: (change) => {
      answeredAtMs ??= change.answeredAtMs ?? null;
      enqueue(null, { kind: 'change', change });
    },
    state: (state) => enqueue('state', { kind: 'change', change: { state } }),
    settled: () => tail,
  };
}

function timed(meter: Meter, put: () => Promise<void>): Promise<void> {
  const over = meter.storing();
  const written = put();
  written.then(over, over);
  return written;
}

function lineOf(command: Extract<ScribeCommand, { type: 'scribe.line' }>): Line {
  const { index, speaker, text, planned, interrupted, estimated, startMs, endMs } = command;
  return {
    index,
    speaker,
    text,
    ...(planned === undefined ? {} : { planned }),
    interrupted,
    estimated,
    startMs,
    endMs,
    final: true,
  };
}
