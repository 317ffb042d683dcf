import { atLeast, type Cost, costOf } from '../call/cost.ts';
import type { Prices } from '../call/prices.ts';
import type { Brief, Outcome, Usage } from '../call/words.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { Model } from '../models/model.ts';
import type { CallRecord, Store } from '../store/store.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Meter } from './meter.ts';
import { countryOf } from './numbers.ts';

/** What a call is billed by, beside what it used. */
type Billed = Pick<CallRecord, 'carrier' | 'to' | 'model' | 'transcriptionModel' | 'inbound'> & {
  readonly recorded: boolean;
};

export interface SeenCall {
  readonly carrier: Pick<Carrier, 'name' | 'keepsRecordings'>;
  readonly brief: Pick<Brief, 'to' | 'record' | 'inbound'>;
  readonly model: Pick<Model, 'billed'>;
}

/** What calls cost: live ones up to now, ended ones as it was written down when they ended. */
export interface Costs {
  /** At the end of a call whose every moment was seen. */
  atEnd(call: SeenCall, used: { readonly usage: Usage; readonly talkedMs: number; readonly outcome: Outcome }): Cost;
  /** The record with its cost, that of a live call counted up to now. */
  withCost<Call extends CallRecord>(call: Call): Promise<Call>;
  /** What these calls have cost so far, in US dollars; what has no price is not in it. */
  upToNow(callIds: readonly CallRecord['callId'][]): Promise<number>;
  /** Writes down the cost of a call that ended without this process seeing it through. Never rejects. */
  settle(callId: CallRecord['callId']): Promise<void>;
}

const MOST_RECORDINGS = 20;
const UNKNOWN_CALL = 'It is not known what became of the call.';
const BEFORE_COSTS = 'The call was held before costs were written down.';
const UNSEEN_END = 'Switchboard stopped during the call, so its whole length is not known.';

export function createCosts(options: {
  readonly prices: Prices;
  readonly store: Pick<Store, 'call' | 'lines' | 'usage' | 'recordings' | 'updateCall'>;
  readonly clock: Pick<Clock, 'wall'>;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
}): Costs {
  const { prices, store, clock, logger, meter } = options;

  function priced(call: Billed, usage: Usage, talkedMs: number): Cost {
    const { carrier, to, model, transcriptionModel, recorded, inbound } = call;
    // Nobody bills a call within the office.
    const carrierSeconds = to.startsWith('+') ? Math.max(0, talkedMs) / 1_000 : 0;
    const billed = {
      model,
      transcriptionModel,
      usage,
      carrier,
      direction: inbound ? 'inbound' : 'outbound',
      country: countryOf(to),
    } as const;
    return costOf({ ...billed, carrierSeconds, recordedSeconds: recorded ? carrierSeconds : 0 }, prices);
  }

  async function computed(call: CallRecord): Promise<Cost> {
    const [usage, kept] = await Promise.all([
      store.usage(call.callId),
      store.recordings({ callId: call.callId, limit: MOST_RECORDINGS }),
    ]);
    const billed = { ...call, recorded: kept.some(({ kind }) => kind === 'carrier') };
    if (call.state !== 'ended') {
      return priced(billed, usage, call.answeredAtMs === null ? 0 : clock.wall() - call.answeredAtMs);
    }
    // From before costs were kept: its end is where it says, but not what it was billed for.
    if (call.model === null) return atLeast(priced(billed, usage, talkedMs(call)), BEFORE_COSTS);
    // The end was written down later than it happened: the transcript is what is known of the length.
    const [last] = await store.lines(call.callId, { from: Math.max(0, call.lineCount - 1), limit: 1 });
    return atLeast(priced(billed, usage, last?.endMs ?? 0), call.outcome === 'unknown' ? UNKNOWN_CALL : UNSEEN_END);
  }

  return {
    atEnd({ carrier, brief, model }, { usage, talkedMs, outcome }) {
      const recorded = brief.record === true && carrier.keepsRecordings === true;
      const cost = priced(
        { ...model.billed, carrier: carrier.name, to: brief.to, inbound: brief.inbound === true, recorded },
        usage,
        talkedMs,
      );
      return outcome === 'unknown' ? atLeast(cost, UNKNOWN_CALL) : cost;
    },
    async withCost(call) {
      return call.cost === null ? { ...call, cost: await computed(call) } : call;
    },
    async upToNow(callIds) {
      const amounts = callIds.map(async (callId) => {
        const call = await store.call(callId);
        return call === null ? 0 : (call.cost ?? (await computed(call))).amount;
      });
      return (await Promise.all(amounts)).reduce((sum, amount) => sum + amount, 0);
    },
    async settle(callId) {
      try {
        const call = await store.call(callId);
        if (call?.state !== 'ended' || call.cost !== null) return;
        const cost = await computed(call);
        await store.updateCall(callId, { cost });
        meter?.spent(cost.parts);
      } catch (err) {
        logger.warn({ callId, err }, 'the cost of a call was not kept');
      }
    },
  };
}

function talkedMs({ answeredAtMs, endedAtMs }: CallRecord): number {
  return answeredAtMs === null || endedAtMs === null ? 0 : endedAtMs - answeredAtMs;
}
