import type { CallId } from '../call/words.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { CallRecord, Store, Stranded } from '../store/store.ts';
import type { Clock } from './clock.ts';

/** True of a call that has not ended and that its own process does not look after: only such a call has a reason before its end. */
export function isStranded(call: Pick<CallRecord, 'state' | 'reason'>): boolean {
  return call.state !== 'ended' && call.reason !== null;
}

export type Found =
  | { readonly kind: 'live' | 'over'; readonly carrierCallId: string }
  /** The carrier does not say, or a create may still be under way. */
  | { readonly kind: 'not-yet' }
  | { readonly kind: 'nothing' }
  /** More calls than we may have placed: which is ours cannot be told. */
  | { readonly kind: 'several' };

/** So long after a call was written down its create may still reach the carrier. */
const CREATE_MS = 30_000;
/** After this a create that the process sent with its last breath is listed, if it was carried out. */
const LISTED_MS = 15_000;
/** Calls of others to the number may end meanwhile. */
const PATIENCE_MS = 60_000;

/**
 * Looks at the carrier for a call that was being placed when its process died. Only a call can be meant that was created in its
 * time and that no other call of the store has: what is found is bound to it on disk before this resolves.
 */
export async function findUnbound(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  carrier: Carrier,
  call: Stranded,
): Promise<Found> {
  const { to, createdAtMs } = call;
  const window = { to, fromMs: createdAtMs, untilMs: createdAtMs + CREATE_MS };
  const listed = await carrier.listCalls(window);
  if (listed === 'failed') return { kind: 'not-yet' };
  // Read after the list: whatever another process of ours has dialled is in the store before the carrier knows of it.
  const near = await store.callsTo({
    carrier: carrier.name,
    to,
    fromMs: window.fromMs - PATIENCE_MS,
    untilMs: window.untilMs + PATIENCE_MS,
  });
  if (near.some((other) => other.callId !== call.callId && isBeingPlaced(other))) return { kind: 'not-yet' };
  const bound = new Set(near.map(({ carrierCallId }) => carrierCallId));
  const free = listed.filter(({ carrierCallId }) => !bound.has(carrierCallId));
  const lost = near.filter(
    (other) => mayHaveBeenDialled(other) && Math.abs(other.createdAtMs - createdAtMs) <= CREATE_MS,
  );
  const ageMs = clock.wall() - createdAtMs;
  for (const isLive of [true, false]) {
    const candidates = free.filter((one) => one.isLive === isLive);
    const [first] = candidates;
    if (!first) continue;
    if (candidates.length > lost.length) return { kind: ageMs < PATIENCE_MS ? 'not-yet' : 'several' };
    await store.updateCall(call.callId, { carrierCallId: first.carrierCallId });
    return { kind: isLive ? 'live' : 'over', carrierCallId: first.carrierCallId };
  }
  return { kind: ageMs < LISTED_MS ? 'not-yet' : 'nothing' };
}

/**
 * Which of the carrier's calls to this number, oldest first, is the one that was dialled at about `sinceMs` without an answer. One that
 * another call of the store has is none; of the rest there must be exactly as many as the store has calls, of any process, that
 * may have been dialled and know of none yet, or `unsure`: a stranger's call must never be taken for ours.
 */
export async function identifyDialled(
  store: Pick<Store, 'callsTo'>,
  query: {
    readonly carrier: string;
    readonly callId: CallId;
    readonly to: string;
    readonly sinceMs: number;
    readonly carrierCallIds: readonly string[];
  },
): Promise<{ readonly carrierCallId: string } | 'none' | 'unsure'> {
  const { carrier, to, sinceMs } = query;
  const near = await store.callsTo({ carrier, to, fromMs: sinceMs - PATIENCE_MS, untilMs: sinceMs + PATIENCE_MS });
  const bound = new Set(near.map(({ carrierCallId }) => carrierCallId));
  const free = query.carrierCallIds.filter((carrierCallId) => !bound.has(carrierCallId));
  if (free.length === 0) return 'none';
  const lost = near.filter(mayHaveBeenDialled);
  // Processes that ask at the same moment take different ones by this.
  const carrierCallId = free[lost.findIndex(({ callId }) => callId === query.callId)];
  return carrierCallId === undefined || free.length !== lost.length ? 'unsure' : { carrierCallId };
}

/** By a process that lives: its call may be on the list before its id is in the store. */
function isBeingPlaced(call: CallRecord): boolean {
  return call.carrierCallId === null && call.state !== 'ended' && !isStranded(call);
}

function mayHaveBeenDialled({ carrierCallId, state, outcome }: CallRecord): boolean {
  return carrierCallId === null && (state !== 'ended' || outcome === 'unknown');
}
