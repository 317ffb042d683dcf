/** What the agent can do with the telephone besides talking: press keys, and hand it over to somebody else. */
import { briefOf, type Draft, emit, note, timingOf, traitsOf } from './draft.ts';
import { answerTool, enterEnding, finishEnding, goodbyeReplyDone, reopen } from './ending.ts';
import type { ModelEvent } from './events.ts';
import { hangUp, settle } from './line.ts';
import { dropPending, wantReply } from './replies.ts';
import { INSTRUCTIONS, MEMOS } from './sentences.ts';

const MOST_KEYS = 32;
/** A machine that has been told something takes a moment to go on. */
const AFTER_KEYS_MS = 15_000;

type Output = Readonly<Record<string, string>>;

/** Nothing of ours is said until the person is back with words, or until the time is over. */
export function waitQuietly(draft: Draft, ms: number): void {
  const { floor } = draft.call;
  dropPending(draft, () => false);
  if (floor.requested) floor.requested = { ...floor.requested, discard: true };
  floor.waitedMs = 0;
  floor.waitingSinceMs = draft.nowMs;
  floor.waitingUntilMs = draft.nowMs + ms;
}

export function pressKeys(draft: Draft, args: string, outdated: boolean): Output {
  const { ending, stream } = draft.call;
  if (ending.stage !== 'none' || stream.state !== 'up') return { status: 'error', reason: 'The call is being ended.' };
  if (!traitsOf(draft.call).canSendDigits) return { status: 'error', reason: 'Keys cannot be pressed in this call.' };
  if (outdated) return { status: 'not pressed', reason: 'The other person is speaking. Answer them first.' };
  const digits = textOf(args, 'keys').replace(/[\s-]/g, '');
  if (!/^[0-9*#]+$/.test(digits) || digits.length > MOST_KEYS)
    return { status: 'error', reason: `Give 1 to ${MOST_KEYS} of 0 to 9, * and #.` };
  // What was pressed may be somebody's secret: how many it were is enough.
  note(draft, 'keys', { count: digits.length });
  emit(draft, { type: 'carrier.sendDigits', digits });
  waitQuietly(draft, AFTER_KEYS_MS);
  return { status: 'pressed', next: 'Listen to what the other side says now.' };
}

export function digitsSent(draft: Draft, ok: boolean): void {
  if (ok) return;
  const { ending, floor, model } = draft.call;
  note(draft, 'keys-failed');
  if (ending.stage !== 'none' || model.state !== 'ready') return;
  emit(draft, { type: 'model.remember', text: MEMOS.keysFailed });
  floor.waitingUntilMs = null;
  wantReply(draft, 'answer');
}

/** The agent's `transfer_call`: what it says in that reply is the announcement; if it says nothing, one is asked for. */
export function transferTool(
  draft: Draft,
  event: Extract<ModelEvent, { type: 'model.toolCalled' }>,
  outdated: boolean,
): void {
  const { ending, floor } = draft.call;
  const to = textOf(event.args, 'to').trim();
  const refusal = whyNotTransfer(draft, to, outdated);
  if (refusal !== null) {
    answerTool(draft, event.toolCallId, { status: 'not transferred', reason: refusal });
    if (ending.stage === 'none' && !outdated) wantReply(draft, 'answer');
    return;
  }
  answerTool(draft, event.toolCallId, { status: 'transferring' });
  const summary = textOf(event.args, 'summary').trim().slice(0, 300);
  const verdict = {
    outcome: 'transferred',
    reason: `The agent handed the call over to ${to}.`,
    result: summary === '' ? null : summary,
    mayReopen: true,
    transferTo: to,
  } as const;
  enterEnding(draft, verdict, { farewell: null });
  ending.goodbyeReplyId = event.replyId;
  if (floor.active?.replyId !== event.replyId) goodbyeReplyDone(draft, event.replyId, true);
}

function whyNotTransfer(draft: Draft, to: string, outdated: boolean): string | null {
  const { call } = draft;
  if (call.ending.stage !== 'none') return 'The call is being ended.';
  if (outdated) return 'The other person is speaking. Answer them first.';
  if (!traitsOf(call).canTransfer) return 'This call cannot be transferred.';
  const allowed = briefOf(call)?.transferTo ?? [];
  if (allowed.includes(to)) return null;
  return allowed.length === 0
    ? 'Nobody is named to whom calls may be transferred.'
    : `Calls may be transferred only to ${allowed.join(', ')}.`;
}

/** The announcement has been heard: in place of putting the line down. */
export function handOver(draft: Draft, to: string): void {
  const { ending } = draft.call;
  ending.stage = 'handover';
  ending.graceUntilMs = null;
  ending.sinceMs = draft.nowMs;
  ending.deadlineMs = draft.nowMs + (traitsOf(draft.call).transferMs ?? timingOf(draft.call).hangUpAnswerMs);
  note(draft, 'transfer', { to });
  emit(draft, { type: 'carrier.redirect', plan: 'transfer', to });
}

export function redirected(draft: Draft, outcome: 'done' | 'failed'): void {
  const { ending } = draft.call;
  if (ending.stage === 'apology' && outcome === 'failed') return finishEnding(draft);
  if (ending.stage !== 'handover' || !ending.verdict) return;
  if (outcome === 'done') return settle(draft, ending.verdict);
  transferFailed(draft);
}

export function endingOverdue(draft: Draft): void {
  if (draft.call.ending.stage === 'handover') transferFailed(draft);
  else finishEnding(draft);
}

/**
 * The person is still with us, or is not: then the telephone went on with somebody else although nobody confirmed it, or is down. To put
 * the line down would cut two people off.
 */
function transferFailed(draft: Draft): void {
  const { stream, model, ending } = draft.call;
  note(draft, 'transfer-failed');
  const { reason, result } = ending.verdict ?? { reason: '', result: null };
  if (stream.state !== 'up') {
    const unsure = `${reason} Whether that worked is not known.`;
    return settle(draft, { outcome: 'unknown', reason: unsure, result, mayReopen: false });
  }
  if (model.state !== 'ready')
    return hangUp(draft, { outcome: 'error', reason: `${reason} That did not work.`, result, mayReopen: false });
  reopen(draft, MEMOS.transferFailed);
  draft.call.floor.answerNextTurn = false;
  wantReply(draft, 'answer', INSTRUCTIONS.transferFailed);
}

function textOf(args: string, name: string): string {
  try {
    const parsed: unknown = JSON.parse(args);
    const value = typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>)[name] : null;
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  } catch {
    return '';
  }
}
