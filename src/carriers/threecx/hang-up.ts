import type { ThreeCxClock, ThreeCxExchange } from './exchange.ts';

/** Looks after a drop that 3CX says it has done; the call may be some moments on its way out. */
const LOOK_AFTER_MS = [0, 100, 300, 800];

/** Drops a participant and sees to it that it is gone. A drop may be repeated, unlike a call. */
export async function dropParticipant(
  exchange: ThreeCxExchange,
  clock: ThreeCxClock,
  dn: string,
  participantId: number,
): Promise<'done' | 'gone' | 'failed'> {
  const isGone = async (): Promise<boolean> => (await exchange.participant(dn, participantId)) === null;
  try {
    await exchange.act(dn, participantId, 'drop');
  } catch {
    return isGone().then(
      (gone) => (gone ? 'gone' : 'failed'),
      () => 'failed',
    );
  }
  for (const waitMs of LOOK_AFTER_MS) {
    if (waitMs > 0) await new Promise<void>((resolve) => void clock.setTimer(resolve, waitMs));
    if (await isGone().catch(() => false)) return 'done';
  }
  return 'failed';
}
