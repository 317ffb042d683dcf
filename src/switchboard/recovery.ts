import type { Carrier } from '../carriers/carrier.ts';
import { ConfigError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { type Clock, within } from './clock.ts';
import type { Logger } from './logger.ts';
import type { News } from './news.ts';

export interface RecoveryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly news: News;
  /** The carrier to hang up with; rejects with a ConfigError when settings are missing. */
  readonly carrier: () => Promise<Carrier>;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
}

const STRANDED_DELAYS_MS: readonly number[] = [1_000, 4_000, 15_000, 60_000];

/** Hangs up what a dead process left behind. */
export async function recover(options: RecoveryOptions): Promise<void> {
  const { store, logger, news } = options;
  const stranded = await store.takeStranded();
  if (stranded.length === 0) return;
  let carrier: Carrier;
  try {
    carrier = await options.carrier();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    logger.warn({ calls: stranded.length }, 'calls of a dead process cannot be hung up without the settings');
    return;
  }
  for (const { callId } of stranded) news.tell({ callId, kind: 'ended' });
  await Promise.all(
    stranded.map(async ({ callId, carrier: name, carrierCallId }) => {
      if (name !== carrier.name || carrierCallId === null) return;
      const outcome = await hangUpStranded(options, carrier, carrierCallId);
      logger.warn({ callId, outcome }, 'hung up a call that a dead process left behind');
    }),
  );
}

/** Nobody else will ever do it, so it is tried again; unlike a create it may be. */
async function hangUpStranded(
  { clock, stopping }: RecoveryOptions,
  carrier: Carrier,
  carrierCallId: string,
): Promise<'done' | 'gone' | 'failed'> {
  const never = new Promise<void>(() => undefined);
  for (const delayMs of STRANDED_DELAYS_MS) {
    const outcome = await carrier.hangUpStranded(carrierCallId);
    if (outcome !== 'failed' || stopping.aborted) return outcome;
    await within(never, delayMs, clock, stopping);
  }
  return carrier.hangUpStranded(carrierCallId);
}
