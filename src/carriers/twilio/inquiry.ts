import type { Clock } from './attachment.ts';
import type { CallState, Rest } from './rest.ts';

export interface InquiryOptions {
  readonly rest: Rest;
  readonly clock: Clock;
  /** Read again at each look: a webhook may bind the call meanwhile. */
  readonly callSid: () => string | null;
  /** How to recognise a call whose sid is not known; null when nothing was dialled. `sinceMs` is wall clock. */
  readonly search: { readonly to: string; readonly from: string; readonly sinceMs: number } | null;
  /** Calls that belong to another line of ours. */
  readonly isClaimed: (callSid: string) => boolean;
  readonly onFound: (state: CallState) => void;
  readonly onNotFound: () => void;
}

/** A call that has just been created may be missing from the list for a moment, and a request may fail: so look more than once. */
const LOOK_AGAIN_MS: readonly number[] = [1_000, 2_000];

/** Asks what became of a call, at most three times, and calls back once. The answer calls the inquiry off. */
export function createInquiry(options: InquiryOptions): () => void {
  let isOff = false;
  let cancelTimer: () => void = () => undefined;

  const look = async (attempt: number): Promise<void> => {
    const found = await lookOnce(options);
    if (isOff) return;
    if (found !== 'gone' && found !== 'failed') {
      options.onFound(found);
      return;
    }
    const delayMs = LOOK_AGAIN_MS[attempt];
    // Asked by its sid, Twilio's "no such call" is final.
    if (delayMs === undefined || (found === 'gone' && options.callSid() !== null)) options.onNotFound();
    else cancelTimer = options.clock.setTimer(() => void look(attempt + 1), delayMs);
  };

  void look(0);
  return () => {
    isOff = true;
    cancelTimer();
  };
}

async function lookOnce({ rest, callSid, search, isClaimed }: InquiryOptions): Promise<CallState | 'gone' | 'failed'> {
  const known = callSid();
  if (known !== null) return rest.look(known);
  if (search === null) return 'gone';
  const calls = await rest.list(search);
  if (calls === 'failed') return 'failed';
  return calls.find((call) => !isClaimed(call.callSid)) ?? 'gone';
}
