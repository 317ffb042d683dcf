import type { Clock } from './attachment.ts';
import type { Rest } from './rest.ts';

/** Over a minute: an outage of seconds must not leave somebody on a silent line. */
const AGAIN_MS: readonly number[] = [1_000, 4_000, 15_000, 60_000];

/**
 * Ends a call that nobody looks after any more, and tries again a few times when Twilio fails. The answer stops that; what became of
 * it is in the log either way.
 */
export function hangUpLate(
  context: {
    readonly rest: Pick<Rest, 'hangUp'>;
    readonly clock: Clock;
    readonly log: Record<
      'info' | 'warn' | 'error',
      (fields: Readonly<Record<string, unknown>>, message: string) => void
    >;
  },
  call: { readonly callId: string; readonly callSid: string },
): () => void {
  let cancel: (() => void) | null = null;
  let isStopped = false;
  const giveUp = (): void =>
    context.log.error(
      call,
      'A call that was learnt of too late was not ended; it lasts until the callee or its time limit ends it',
    );
  const attempt = async (tries: number): Promise<void> => {
    cancel = null;
    const outcome = await context.rest.hangUp(call.callSid);
    if (outcome !== 'failed') {
      context.log.info({ ...call, outcome }, 'A call that was learnt of too late was ended');
      return;
    }
    const delayMs = AGAIN_MS[tries];
    if (delayMs === undefined || isStopped) return giveUp();
    context.log.warn(call, 'A call that was learnt of too late was not ended yet; this is tried again');
    cancel = context.clock.setTimer(() => void attempt(tries + 1), delayMs);
  };
  void attempt(0);
  return () => {
    isStopped = true;
    if (!cancel) return;
    cancel();
    cancel = null;
    giveUp();
  };
}
