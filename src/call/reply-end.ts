/** How replies end, well or badly, and what follows from it. Nobody is left without an answer that was asked for. */
import type { ActiveReply } from './call.ts';
import type { Draft } from './draft.ts';
import { apologise, goodbyeLost, goodbyeReplyDone } from './ending.ts';
import type { ModelEvent } from './events.ts';
import { finishReplies, replyDone } from './floor.ts';
import { answerAfterPause, freeStuckReply, retryReply } from './replies.ts';
import { INSTRUCTIONS } from './sentences.ts';

type Of<T extends ModelEvent['type']> = Extract<ModelEvent, { type: T }>;

export function replyFinished(draft: Draft, event: Of<'model.replyDone'>): void {
  const reply = replyDone(draft, event);
  if (!reply || draft.call.line.hangUp !== 'none' || draft.call.settling) return;
  const { ending, floor } = draft.call;
  if (ending.stage !== 'none') {
    const lost = !reply.spoke && (event.status === 'failed' || event.status === 'incomplete');
    if (lost) goodbyeLost(draft, reply.replyId, event.retryable !== false);
    else goodbyeReplyDone(draft, reply.replyId, reply.spoke);
    return;
  }
  if (reply.discarded) {
    // The callee's turn ended while this one was in the way: the server may have made no reply of its own.
    if (floor.awaitingSinceMs !== null && !floor.requested && floor.pending.length === 0) answerAfterPause(draft);
    return;
  }
  // One that broke off in mid-sentence is taken up again; one that was cut by a limit or a filter is, too, but not apologised for.
  const lost =
    event.status === 'failed' || (event.status === 'incomplete' && !reply.spoke) || isEmpty(draft, reply, event);
  const cut = event.status === 'incomplete' && reply.spoke;
  if (!lost && !cut) floor.replyFailures = 0;
  if (floor.speaking) return;
  if (cut) retryReply(draft, 'answer', INSTRUCTIONS.cutOff);
  if (!lost) return;
  const again = reply.spoke ? retryReply(draft, 'answer', INSTRUCTIONS.modelCameBack) : askAgain(draft, reply);
  if (event.retryable === false || !again) apologise(draft, 'The speech model could not answer.');
}

/** We asked for it, and there is nothing in it: both sides would wait for the other. A question into a silence is asked again anyhow. */
function isEmpty(draft: Draft, reply: ActiveReply, event: Of<'model.replyDone'>): boolean {
  const wanted = reply.purpose !== null && reply.purpose !== 'nudge';
  return (
    event.status === 'completed' && wanted && !reply.spoke && !reply.called && draft.call.floor.waitingUntilMs === null
  );
}

function askAgain(draft: Draft, { purpose, instructions }: Pick<ActiveReply, 'purpose' | 'instructions'>): boolean {
  return retryReply(draft, purpose ?? 'answer', purpose === null ? INSTRUCTIONS.answer : instructions);
}

/** Our create came to nothing for another reason than a reply that is under way. */
export function replyRefused(draft: Draft, requestId: string | null): void {
  const { floor, ending } = draft.call;
  const { requested } = floor;
  if (!requested || requestId === null || requested.requestId !== requestId) return;
  floor.requested = null;
  if (requested.discard) return;
  if (!askAgain(draft, requested) && ending.stage === 'none') apologise(draft, 'The speech model could not answer.');
}

/** Nothing has come of a reply for long. What it said of a sentence is all that will be heard of it, so it is taken up again. */
export function replyStuck(draft: Draft): void {
  const { floor, ending } = draft.call;
  const brokeOff =
    floor.active?.spoke === true && !floor.active.discarded && draft.call.playback.items.some(({ done }) => !done);
  freeStuckReply(draft);
  if (!brokeOff || ending.stage !== 'none' || floor.speaking) return;
  finishReplies(draft);
  if (!retryReply(draft, 'answer', INSTRUCTIONS.cutOff)) apologise(draft, 'The speech model stopped in mid-sentence.');
}
