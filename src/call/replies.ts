/**
 * The reply slot. A reply is two facts: its slot (may another be created?) is kept here, its playing in `playback.ts`.
 * `queued → requested → created → done`; only a done reply or a refused create frees the slot.
 */
import type { ReplyPurpose } from './commands.ts';
import { REPLY_PURPOSES } from './commands.ts';
import { type Draft, emit, note, timingOf } from './draft.ts';
import { INSTRUCTIONS } from './sentences.ts';

/** One pending create a purpose; a newer wish replaces an older one. */
export function wantReply(draft: Draft, purpose: ReplyPurpose, instructions?: string): void {
  const { floor } = draft.call;
  const others = floor.pending.filter((pending) => pending.purpose !== purpose);
  floor.pending = [...others, { purpose, instructions }].sort(
    (a, b) => REPLY_PURPOSES.indexOf(a.purpose) - REPLY_PURPOSES.indexOf(b.purpose),
  );
}

export function dropPending(draft: Draft, keep: (purpose: ReplyPurpose) => boolean): void {
  draft.call.floor.pending = draft.call.floor.pending.filter((pending) => keep(pending.purpose));
}

/** Sends the most urgent pending create when the slot is free and nobody would be talked over. */
export function createWhenFree(draft: Draft): void {
  const { floor, model, stream, line, ending, settling } = draft.call;
  if (floor.blockedUntilMs !== null && draft.nowMs >= floor.blockedUntilMs) floor.blockedUntilMs = null;
  const next = floor.pending[0];
  if (!next || model.state !== 'ready' || stream.state !== 'up' || line.hangUp !== 'none' || settling) return;
  if (floor.requested || floor.active || floor.speaking || floor.blockedUntilMs !== null) return;
  if (ending.stage !== 'none' && next.purpose !== 'goodbye') return;
  floor.pending = floor.pending.slice(1);
  floor.requests += 1;
  const requestId = `r${model.epoch}-${floor.requests}`;
  floor.requested = { requestId, ...next, atMs: draft.nowMs, discard: false };
  emit(draft, {
    type: 'model.reply',
    requestId,
    purpose: next.purpose,
    ...(next.instructions === undefined ? {} : { instructions: next.instructions }),
    tools: next.purpose === 'answer',
  });
}

/** The model began a reply: ours when it carries our request's id, else the server's own. */
export function replyCreated(
  draft: Draft,
  event: { readonly replyId: string; readonly requestId: string | null },
): void {
  const { floor } = draft.call;
  const ours = floor.requested !== null && floor.requested.requestId === event.requestId ? floor.requested : null;
  if (ours) {
    floor.requested = null;
    floor.slotTimeouts = 0;
  }
  const discarded = ours ? ours.discard : !mayServerReply(draft);
  floor.active = {
    replyId: event.replyId,
    purpose: ours?.purpose ?? null,
    instructions: ours?.instructions,
    discarded,
    spoke: false,
    called: false,
    aliveAtMs: draft.nowMs,
  };
  if (discarded) {
    emit(draft, { type: 'model.cancel', replyId: event.replyId });
  } else {
    floor.opened = true;
    // It answers whatever we were about to ask for.
    if (!ours) dropPending(draft, (purpose) => purpose === 'goodbye' || purpose === 'operator');
  }
  if (ours?.purpose === 'goodbye' && !discarded) draft.call.ending.goodbyeReplyId = event.replyId;
}

/** A reply that the server starts by itself is unwelcome while somebody holds the line, or while we say goodbye. */
function mayServerReply(draft: Draft): boolean {
  const { floor, ending, line, settling, stream } = draft.call;
  return (
    ending.stage === 'none' &&
    floor.waitingUntilMs === null &&
    line.hangUp === 'none' &&
    settling === null &&
    stream.state === 'up'
  );
}

/** Our create was refused because another reply is being made: that one may have answered already. */
export function createRefused(draft: Draft, requestId: string | null): void {
  const { floor } = draft.call;
  const { requested } = floor;
  if (!requested || (requestId !== null && requested.requestId !== requestId)) return;
  floor.requested = null;
  floor.blockedUntilMs = draft.nowMs + timingOf(draft.call).retryMs;
  if (requested.purpose === 'goodbye' && !requested.discard)
    wantReply(draft, requested.purpose, requested.instructions);
}

/** No word about a create for too long. Asked once more; then the model counts as gone (returns false). */
export function slotTimedOut(draft: Draft): boolean {
  const { floor } = draft.call;
  const { requested } = floor;
  if (!requested) return true;
  floor.slotTimeouts += 1;
  note(draft, 'reply-unanswered', { purpose: requested.purpose, times: floor.slotTimeouts });
  if (floor.slotTimeouts >= 2) return false;
  floor.requested = null;
  if (!requested.discard) wantReply(draft, requested.purpose, requested.instructions);
  return true;
}

/** When the slot's holder must have given a sign of life: the create an answer, the reply anything at all, its cancel an end. */
export function slotDueMs(draft: Draft): number | null {
  const { requested, active } = draft.call.floor;
  if (requested) return requested.atMs + timingOf(draft.call).slotMs;
  return active
    ? active.aliveAtMs + (active.discarded ? timingOf(draft.call).slotMs : timingOf(draft.call).stuckMs)
    : null;
}

/** A reply whose end never came: cancelled first, then no longer waited for. Its slot would stay taken for ever. */
export function freeStuckReply(draft: Draft): void {
  const { floor } = draft.call;
  const { active } = floor;
  if (!active) return;
  note(draft, 'reply-stuck', { replyId: active.replyId, cancelled: active.discarded });
  if (active.discarded) {
    floor.active = null;
    return;
  }
  emit(draft, { type: 'model.cancel', replyId: active.replyId });
  floor.active = { ...active, discarded: true, aliveAtMs: draft.nowMs };
}

/** Nothing that was asked for before the callee spoke is wanted now: it is dropped, or cancelled once it is created. */
export function discardUncreated(draft: Draft): void {
  const { floor } = draft.call;
  dropPending(draft, (purpose) => purpose === 'goodbye' || purpose === 'operator');
  if (floor.requested && floor.requested.purpose !== 'goodbye') floor.requested = { ...floor.requested, discard: true };
}

/** A new model session knows nothing of the old one's replies. What was asked for and never made is asked for again. */
export function resetReplies(draft: Draft): void {
  const { floor } = draft.call;
  if (floor.requested && !floor.requested.discard)
    wantReply(draft, floor.requested.purpose, floor.requested.instructions);
  floor.requested = null;
  floor.active = null;
  floor.blockedUntilMs = null;
}

/** The reply in the slot, made or only asked for, is of no use any more. */
export function discardReply(draft: Draft): void {
  const { floor } = draft.call;
  if (floor.requested) floor.requested = { ...floor.requested, discard: true };
  if (!floor.active || floor.active.discarded) return;
  emit(draft, { type: 'model.cancel', replyId: floor.active.replyId });
  floor.active = { ...floor.active, discarded: true };
}

/** A reply came to nothing. Once more after a pause; returns false when that has been tried. */
export function retryReply(draft: Draft, purpose: ReplyPurpose, instructions: string | undefined): boolean {
  const { floor } = draft.call;
  floor.replyFailures += 1;
  if (floor.replyFailures > 1) return false;
  floor.blockedUntilMs = draft.nowMs + timingOf(draft.call).retryMs;
  wantReply(draft, purpose, instructions);
  return true;
}

/** Asks for an answer, unless the server starts one by itself meanwhile. */
export function answerAfterPause(draft: Draft): void {
  draft.call.floor.blockedUntilMs = draft.nowMs + timingOf(draft.call).retryMs;
  wantReply(draft, 'answer');
}

export function answerDueMs(draft: Draft): number | null {
  const { floor } = draft.call;
  if (floor.awaitingSinceMs === null || floor.speaking) return null;
  const { answerMs, breathMs } = timingOf(draft.call);
  // Who has waited before is not let wait as long again, but the model gets its time once it was asked anew.
  const waitedMs = floor.awaitingRetries === 0 ? floor.waitedMs : 0;
  return floor.awaitingSinceMs + Math.max(breathMs, answerMs - waitedMs);
}

/** The callee's turn has had no answer for long: asked for again, once in place of a reply that is stuck. False: given up. */
export function answerOverdue(draft: Draft): boolean {
  const { floor } = draft.call;
  floor.awaitingRetries += 1;
  floor.awaitingSinceMs = draft.nowMs;
  note(draft, 'slow-answer', { times: floor.awaitingRetries });
  if (floor.awaitingRetries > 2) return false;
  if (floor.active && !floor.active.spoke && !floor.active.discarded) {
    emit(draft, { type: 'model.cancel', replyId: floor.active.replyId });
    floor.active = { ...floor.active, discarded: true, aliveAtMs: draft.nowMs };
  }
  if (!floor.requested) {
    dropPending(draft, (purpose) => purpose !== 'nudge' && purpose !== 'opener');
    wantReply(draft, 'answer', INSTRUCTIONS.answer);
  }
  createWhenFree(draft);
  return true;
}
