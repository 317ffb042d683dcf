import type { CallId } from '../../call/words.ts';
import type { CallState, Rest } from './rest.ts';

export interface Search {
  readonly callId: CallId;
  /** E.164, the callee's. */
  readonly to: string;
  /** When it was dialled; wall clock, milliseconds. */
  readonly sinceMs: number;
}

/**
 * Which of these calls, oldest first, is the one that was searched for: all of them are to its number, of its time, and held by no
 * line of this process. The account may have other users, so `unsure` when it cannot be told. May reject, which means the same.
 */
export type Identify = (
  search: Search & { readonly carrierCallIds: readonly string[] },
) => Promise<{ readonly carrierCallId: string } | 'none' | 'unsure'>;

/** Where nothing is known of what others have dialled: one alone is taken, and none of several. */
export const identifyAlone: Identify = ({ carrierCallIds }) => {
  const [first, second] = carrierCallIds;
  if (first === undefined) return Promise.resolve('none');
  return Promise.resolve(second === undefined ? { carrierCallId: first } : 'unsure');
};

/** Looks for a call that was dialled without an answer. `gone`: Twilio has none. Never rejects. */
export async function searchDialled(
  context: {
    readonly rest: Rest;
    readonly number: string;
    readonly log: { warn(fields: Readonly<Record<string, unknown>>, message: string): void };
    readonly identify: Identify;
    isClaimed(callSid: string): boolean;
  },
  search: Search,
): Promise<CallState | 'gone' | 'failed' | 'unsure'> {
  const { to, sinceMs, callId } = search;
  const listed = await context.rest.list({ to, from: context.number, sinceMs });
  if (listed === 'failed') return 'failed';
  const free = listed.filter(({ callSid }) => !context.isClaimed(callSid));
  if (free.length === 0) return 'gone';
  try {
    const found = await context.identify({ ...search, carrierCallIds: free.map(({ callSid }) => callSid) });
    if (found === 'none') return 'gone';
    if (found === 'unsure') return 'unsure';
    return free.find(({ callSid }) => callSid === found.carrierCallId) ?? 'unsure';
  } catch (err) {
    context.log.warn({ callId, err }, 'It could not be told which of the calls that Twilio lists is this one');
    return 'unsure';
  }
}
