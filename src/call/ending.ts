/**
 * How a call ends: a verdict is reached once, a goodbye is said and heard, then the line is put down. People say "bye" over a
 * goodbye, so while ending nothing is cleared and no reply is made; long speech over it opens the conversation again.
 */
import type { Verdict } from './call.ts';
import { briefOf, type Draft, emit, note, policyOf, timingOf, traitsOf } from './draft.ts';
import type { ModelEvent } from './events.ts';
import { cutPlayback, expectAnswer, interrupt } from './floor.ts';
import { endsAt } from './heard.ts';
import { handOver } from './keys-and-transfer.ts';
import { hangUp } from './line.ts';
import { discardReply, dropPending, wantReply } from './replies.ts';
import { apology, goodbye, INSTRUCTIONS, MEMOS } from './sentences.ts';
import { LOST_MARK_MS, OVERLAP_MS } from './timing.ts';

const MAX_REOPENED = 2;

/** `farewell`: the instructions of the goodbye to ask for; null when it is being said already, or was said by both. */
export function enterEnding(
  draft: Draft,
  verdict: Verdict,
  options: { readonly farewell: string | null; readonly withinMs?: number },
): void {
  const { ending, floor, stream, model, line, settling } = draft.call;
  if (line.hangUp !== 'none' || settling) return;
  if (ending.stage !== 'none') {
    // Somebody else wants the end as well, and the other side cannot talk them out of it.
    if (ending.verdict && !verdict.mayReopen) ending.verdict = { ...ending.verdict, mayReopen: false };
    return;
  }
  ending.verdict = verdict;
  if (stream.state !== 'up' || model.state !== 'ready') {
    endWithoutModel(draft, verdict, options.withinMs);
    return;
  }
  ending.stage = 'farewell';
  ending.sinceMs = draft.nowMs;
  ending.deadlineMs = draft.nowMs + (options.withinMs ?? timingOf(draft.call).endingMs);
  ending.goodbyeReplyId = null;
  ending.goodbyeDone = false;
  ending.farewellAsked = false;
  ending.graceUntilMs = null;
  floor.waitingUntilMs = null;
  floor.awaitingSinceMs = null;
  floor.answerNextTurn = false;
  dropPending(draft, () => false);
  if (floor.requested) floor.requested = { ...floor.requested, discard: true };
  if (options.farewell !== null) askFarewell(draft, options.farewell);
  note(draft, 'ending', { outcome: verdict.outcome, reason: verdict.reason });
}

/** Nobody is there to say goodbye but somebody is on the line: the carrier says it. */
function endWithoutModel(draft: Draft, verdict: Verdict, withinMs: number | undefined): void {
  if (draft.call.stream.state === 'none' || !traitsOf(draft.call).canSay) return hangUp(draft, verdict);
  note(draft, 'ending', { outcome: verdict.outcome, reason: verdict.reason });
  sayAndHangUp(draft, verdict, goodbye(briefOf(draft.call)?.language ?? 'en'));
  if (withinMs !== undefined) hurryEnding(draft, withinMs);
}

/** An ending that is under way gets no longer than `withinMs` from now, and is not taken back any more. */
export function hurryEnding(draft: Draft, withinMs: number): void {
  const { ending } = draft.call;
  if (ending.stage === 'none') return;
  ending.deadlineMs = Math.min(ending.deadlineMs, draft.nowMs + withinMs);
  if (ending.verdict) ending.verdict = { ...ending.verdict, mayReopen: false };
}

/** Exactly one goodbye is asked for in an ending. */
function askFarewell(draft: Draft, instructions: string): void {
  const { ending } = draft.call;
  if (ending.farewellAsked) return;
  ending.farewellAsked = true;
  wantReply(draft, 'goodbye', instructions);
}

/** The agent's `end_call`: if that reply has audio, that is the goodbye; if not, one is asked for when the reply is done. */
export function endCallTool(
  draft: Draft,
  event: Extract<ModelEvent, { type: 'model.toolCalled' }>,
  outdated: boolean,
): void {
  const { floor, ending } = draft.call;
  if (ending.stage !== 'none') {
    answerTool(draft, event.toolCallId, { status: 'already ending' });
    if (!outdated) takeForGoodbye(draft, event);
    return;
  }
  if (outdated) {
    const reason = 'The other person is speaking. Answer them first.';
    return answerTool(draft, event.toolCallId, { status: 'not ended', reason });
  }
  answerTool(draft, event.toolCallId, { status: 'ending' });
  enterEnding(draft, agentsVerdict(event.args), { farewell: null });
  ending.goodbyeReplyId = event.replyId;
  if (floor.active?.replyId !== event.replyId) goodbyeReplyDone(draft, event.replyId, true);
}

/**
 * A goodbye was asked for while the agent was saying its own, whose `end_call` comes behind the audio: that one will do, and the
 * call ends as the agent meant it to.
 */
function takeForGoodbye(draft: Draft, event: Extract<ModelEvent, { type: 'model.toolCalled' }>): void {
  const { floor, ending } = draft.call;
  const saysIt = floor.active?.replyId === event.replyId && floor.active.spoke;
  if (!saysIt || ending.stage !== 'farewell' || ending.goodbyeReplyId !== null || !ending.verdict) return;
  dropPending(draft, (purpose) => purpose !== 'goodbye');
  ending.goodbyeReplyId = event.replyId;
  ending.verdict = { ...agentsVerdict(event.args), mayReopen: ending.verdict.mayReopen };
}

export function answerTool(draft: Draft, toolCallId: string, output: Readonly<Record<string, string>>): void {
  emit(draft, { type: 'model.answerTool', toolCallId, output: JSON.stringify(output) });
}

function agentsVerdict(args: string): Verdict {
  return {
    outcome: 'completed',
    reason: 'The agent ended the call when its business was done.',
    result: outcomeText(args),
    mayReopen: true,
  };
}

function outcomeText(args: string): string | null {
  try {
    const parsed: unknown = JSON.parse(args);
    const outcome = typeof parsed === 'object' && parsed !== null && 'outcome' in parsed ? parsed.outcome : null;
    return typeof outcome === 'string' && outcome.trim() !== '' ? outcome.trim().slice(0, 300) : null;
  } catch {
    return null;
  }
}

/** The reply that was to be the goodbye is made. Without audio, a farewell is asked for, or the line is put down. */
export function goodbyeReplyDone(draft: Draft, replyId: string, spoke: boolean): void {
  const { ending } = draft.call;
  if (ending.stage !== 'farewell' || ending.goodbyeReplyId !== replyId) return;
  if (!spoke && !ending.farewellAsked) {
    ending.goodbyeReplyId = null;
    const transfers = ending.verdict?.transferTo !== undefined;
    askFarewell(draft, transfers ? INSTRUCTIONS.announceTransfer : INSTRUCTIONS.farewell);
    return;
  }
  ending.goodbyeDone = true;
}

/** The goodbye came to nothing: asked for once more, then the carrier says it. */
export function goodbyeLost(draft: Draft, replyId: string, retryable: boolean): void {
  const { ending, floor } = draft.call;
  if (ending.stage !== 'farewell' || ending.goodbyeReplyId !== replyId || !ending.verdict) return;
  ending.goodbyeReplyId = null;
  ending.farewellAsked = true;
  floor.replyFailures += 1;
  if (!retryable || floor.replyFailures > 1) return endWithoutModel(draft, ending.verdict, undefined);
  floor.blockedUntilMs = draft.nowMs + timingOf(draft.call).retryMs;
  wantReply(draft, 'goodbye', INSTRUCTIONS.farewell);
}

/** Moves an ending on with what is true now: heard to the end → a moment of grace → hang up. */
export function advanceEnding(draft: Draft): void {
  const { ending, floor, playback } = draft.call;
  if (ending.stage === 'farewell' && ending.goodbyeDone && playback.items.length === 0) {
    ending.stage = 'grace';
    ending.graceUntilMs = draft.nowMs + timingOf(draft.call).graceMs;
  }
  if (ending.stage === 'grace' && ending.graceUntilMs !== null && draft.nowMs >= ending.graceUntilMs && !floor.speaking)
    finishEnding(draft);
}

export function finishEnding(draft: Draft): void {
  const { verdict } = draft.call.ending;
  if (verdict?.transferTo !== undefined && draft.call.stream.state === 'up') handOver(draft, verdict.transferTo);
  else if (verdict) hangUp(draft, verdict);
}

/** The last moment of an ending; goodbye audio that is still playing gets until its end, up to twice the time. */
export function endingDueMs(draft: Draft): number {
  const { ending, playback } = draft.call;
  if (ending.stage === 'apology' || ending.stage === 'handover') return ending.deadlineMs;
  const endsAtMs = endsAt(playback);
  const playingMs =
    ending.goodbyeDone && endsAtMs !== null ? endsAtMs + LOST_MARK_MS + timingOf(draft.call).graceMs : 0;
  const lastMs = ending.deadlineMs + (ending.deadlineMs - ending.sinceMs);
  return Math.max(ending.deadlineMs, Math.min(playingMs, lastMs));
}

/** The callee has been speaking over the goodbye for so long that it is a turn of its own. */
export function overlapDueMs(draft: Draft): number | null {
  const { floor } = draft.call;
  if (!floor.speaking || !mayReopen(draft) || isWithCarrier(draft)) return null;
  return floor.speaking.sinceMs + OVERLAP_MS + (draft.call.model.turn?.silenceMs ?? 0);
}

/** What comes now is the carrier's to do. */
function isWithCarrier({ call }: Draft): boolean {
  return call.ending.stage === 'apology' || call.ending.stage === 'handover';
}

function mayReopen(draft: Draft): boolean {
  const { ending, line, settling } = draft.call;
  if (line.hangUp !== 'none' || settling) return false;
  return ending.stage !== 'none' && ending.verdict?.mayReopen === true && ending.reopened < MAX_REOPENED;
}

/** Speech that ended while we say goodbye: short is closing, long reopens. `spokeMs` is without the silence that ended it. */
export function speechOverGoodbye(draft: Draft, spokeMs: number): void {
  if (spokeMs >= OVERLAP_MS && mayReopen(draft) && !isWithCarrier(draft)) reopen(draft);
}

/** The conversation goes on. The turn in progress is answered by us, as the server was told to be quiet. */
export function reopen(draft: Draft, memo: string = MEMOS.reopened): void {
  const { ending, floor } = draft.call;
  const { reopened } = ending;
  draft.call.ending = {
    ...ending,
    stage: 'none',
    verdict: null,
    goodbyeReplyId: null,
    graceUntilMs: null,
    reopened: reopened + 1,
  };
  interrupt(draft);
  dropPending(draft, () => false);
  discardReply(draft);
  note(draft, 'reopened', { times: reopened + 1 });
  emit(draft, { type: 'model.remember', text: memo });
  expectAnswer(draft);
  floor.answerNextTurn = true;
}

/** The model is gone and cannot apologise: the carrier says a sentence, or the line is put down. Never dead air. */
export function apologise(draft: Draft, reason: string): void {
  const { ending, stream, line } = draft.call;
  if (line.hangUp !== 'none' || draft.call.settling || ending.stage === 'apology') return;
  const verdict: Verdict = ending.verdict ?? { outcome: 'error', reason, result: null, mayReopen: false };
  if (stream.state === 'none' || !traitsOf(draft.call).canSay) {
    hangUp(draft, verdict);
    return;
  }
  sayApology(draft, verdict, reason);
}

/** For a line that asks how to go on, or has a stream that can be taken from it. */
export function sayApology(draft: Draft, verdict: Verdict, reason: string): void {
  note(draft, 'apology', { reason });
  sayAndHangUp(draft, verdict, apology(briefOf(draft.call)?.language ?? 'en'));
}

/** The last words are the carrier's: the model is not needed any more. */
function sayAndHangUp(draft: Draft, verdict: Verdict, say: { readonly text: string; readonly language: string }): void {
  const { ending } = draft.call;
  const { sayMs, sayMsPerChar } = timingOf(draft.call);
  cutPlayback(draft, false);
  dropPending(draft, () => false);
  dismissModel(draft);
  ending.verdict = { ...verdict, mayReopen: false };
  ending.stage = 'apology';
  ending.graceUntilMs = null;
  ending.sinceMs = draft.nowMs;
  ending.deadlineMs = draft.nowMs + sayMs + say.text.length * sayMsPerChar;
  emit(draft, { type: 'carrier.redirect', plan: 'say', ...say });
}

/** Closed by us, and not opened again. One that is ready stays: last words may still be transcribed. */
export function dismissModel(draft: Draft): void {
  const { model } = draft.call;
  if (model.state !== 'opening' && model.state !== 'paused') return;
  if (model.state === 'opening') emit(draft, { type: 'model.close', epoch: model.epoch });
  model.state = 'dead';
  model.retryAtMs = null;
}

/** Turn-taking that is wanted of the server now. */
export function wantedTurn(draft: Draft): { create: boolean; interrupt: boolean; silenceMs: number; guarded: boolean } {
  const { floor, ending, line, settling } = draft.call;
  const policy = policyOf(draft.call);
  const talking =
    ending.stage === 'none' &&
    line.hangUp === 'none' &&
    settling === null &&
    floor.waitingUntilMs === null &&
    !floor.answerNextTurn;
  return {
    create: talking,
    interrupt: talking && policy.serverInterrupts,
    silenceMs: floor.firstTurnDone ? policy.turnSilenceMs : policy.firstTurnSilenceMs,
    guarded: floor.wordlessInterruptions >= 3,
  };
}
