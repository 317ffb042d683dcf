import type { Outcome } from '../call/words.ts';
import type { Carrier } from '../carriers/carrier.ts';
import { ConfigError } from '../errors.ts';
import type { Store, Stranded } from '../store/store.ts';
import { type Clock, within } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Meter } from './meter.ts';
import type { News } from './news.ts';
import { type Found, findUnbound } from './stranded.ts';

export interface RecoveryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly news: News;
  /** The carriers to hang up with; rejects with a ConfigError when settings are missing. */
  readonly carriers: () => Promise<readonly Carrier[]>;
  readonly meter?: Meter | undefined;
  /** Before each look, so that a call whose end was only rescued is not taken for one that was left behind. */
  readonly takeIn?: () => Promise<unknown>;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
}

/** Other processes may die while this one lives. */
const SWEEP_MS = 15_000;
const AGAIN_MS: readonly number[] = [1_000, 2_000, 4_000, 15_000, 60_000];
/** Longer than any call that can be asked for rings and lasts, so whatever became of it, it is over. */
const LONGEST_MS = 15_600_000;

const STOPPED = 'Switchboard stopped while this call was going on';
const STOPPED_PLACING = 'Switchboard stopped while this call was being placed';
const REASONS = {
  claimed: `${STOPPED}; the line is being put down.`,
  noSettings: `${STOPPED}, and the line may still be up: it is put down as soon as the settings for calls are complete and Switchboard runs.`,
  noCarrier: `${STOPPED}, and the line may still be up: it was placed over another carrier than the one that is set up now.`,
  putDown: `${STOPPED}; the line was put down afterwards.`,
  over: `${STOPPED}; it was over when the line was to be put down.`,
  foundAndPutDown: `${STOPPED_PLACING}. It had been dialled; the line was put down afterwards.`,
  foundOver: `${STOPPED_PLACING}. It had been dialled, and was over when Switchboard looked for it.`,
  notFound: `${STOPPED_PLACING}, so it is not known whether it was dialled: the carrier knows of no such call. Check before calling again.`,
  notSure: `${STOPPED_PLACING}, so it is not known whether it was dialled: the carrier knows of more calls to this number than Switchboard has placed, and none of them was touched. Check before calling again.`,
} as const;

interface End {
  readonly outcome: Outcome;
  readonly reason: string;
}

const TOO_OLD: End = {
  outcome: 'unknown',
  reason: `${STOPPED}. What became of it was never learnt, but by now it is over.`,
};

/**
 * Looks after what dead processes left behind, now and again until the server stops: each call is claimed, put down at the
 * carrier, and only then ended, so that a death in between leaves it to the next process. Never rejects.
 */
export async function recover(options: RecoveryOptions): Promise<void> {
  const { clock, stopping, logger } = options;
  const inTurn = createTurns();
  while (!stopping.aborted) {
    try {
      await options.takeIn?.();
      await sweep(options, inTurn);
    } catch (err) {
      logger.error({ err }, 'calls of a dead process were not looked after; this is tried again');
    }
    await pause(SWEEP_MS, clock, stopping);
  }
}

async function sweep(options: RecoveryOptions, inTurn: Turns): Promise<void> {
  const { store, logger } = options;
  const carriers = await readyCarriers(options);
  if (options.stopping.aborted) return;
  for (const carrier of carriers) {
    for (const call of await store.claimStranded(carrier.name, REASONS.claimed)) {
      options.news.tell({ callId: call.callId, kind: 'state' });
      void settle(options, carrier, call, inTurn);
    }
  }
  const left = await store.markStranded(carriers.length > 0 ? REASONS.noCarrier : REASONS.noSettings);
  for (const callId of left) options.news.tell({ callId, kind: 'state' });
  if (left.length > 0)
    logger.warn({ calls: left.length }, 'calls of a dead process cannot be put down as the settings are');
}

async function readyCarriers(options: RecoveryOptions): Promise<readonly Carrier[]> {
  try {
    return await options.carriers();
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

/** Nobody else will ever do it, so it is tried until it is done; unlike a create it may be. */
async function settle(options: RecoveryOptions, carrier: Carrier, call: Stranded, inTurn: Turns): Promise<void> {
  const { store, clock, logger, news, stopping } = options;
  const { callId } = call;
  let found: Found | null = call.carrierCallId === null ? null : { kind: 'live', carrierCallId: call.carrierCallId };
  let end: End | null = null;
  for (let tries = 0; !stopping.aborted; tries += 1) {
    try {
      // One search after the other, so that no two calls to one number take the same one for theirs.
      if (found === null || found.kind === 'not-yet') found = await inTurn(() => findUnbound(options, carrier, call));
      end ??= await putDown(carrier, found, call);
      if (end === null && clock.wall() - call.createdAtMs > LONGEST_MS) end = TOO_OLD;
      if (end) {
        if (await store.endStranded(callId, end)) {
          // Its talk was another process's, which may have told of it or not.
          options.meter?.callEnded(end.outcome, null);
          news.tell({ callId, kind: 'ended' });
        }
        const fields = { callId, outcome: end.outcome, reason: end.reason };
        logger.warn(fields, 'a call that a dead process left behind has been settled');
        return;
      }
    } catch (err) {
      if (stopping.aborted) return;
      logger.error({ callId, err }, 'a call of a dead process was not put down; this is tried again');
    }
    await pause(AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)] ?? 0, clock, stopping);
  }
}

/** Null while it is not done. */
async function putDown(carrier: Carrier, found: Found, call: Stranded): Promise<End | null> {
  const wasBound = call.carrierCallId !== null;
  switch (found.kind) {
    case 'not-yet':
      return null;
    case 'nothing':
      return { outcome: 'unknown', reason: REASONS.notFound };
    case 'several':
      return { outcome: 'unknown', reason: REASONS.notSure };
    case 'over':
      return { outcome: 'error', reason: REASONS.foundOver };
    case 'live': {
      const how = await carrier.hangUpStranded(found.carrierCallId);
      if (how === 'failed') return null;
      if (how === 'done') return { outcome: 'error', reason: wasBound ? REASONS.putDown : REASONS.foundAndPutDown };
      return { outcome: 'error', reason: wasBound ? REASONS.over : REASONS.foundOver };
    }
    default:
      return found satisfies never;
  }
}

type Turns = <T>(work: () => Promise<T>) => Promise<T>;

function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

function pause(durationMs: number, clock: Clock, stopping: AbortSignal): Promise<void> {
  if (stopping.aborted) return Promise.resolve();
  return within(new Promise<void>(() => undefined), durationMs, clock, stopping);
}
