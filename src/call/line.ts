/** The telephone call: dialling once, statuses by rank, uncertainty, hanging up, and settling accounts at the end. */
import type { Verdict } from './call.ts';
import type { ToldLine } from './commands.ts';
import { type Draft, emit, note, streamMs, timingOf, traitsOf } from './draft.ts';
import type { CarrierEvent, LineStatus, RequestEvent } from './events.ts';
import { cutPlayback, meet } from './floor.ts';
import { discardReply, dropPending } from './replies.ts';
import { changeItem, tell } from './turns.ts';
import type { Outcome } from './words.ts';

type Of<T extends CarrierEvent['type']> = Extract<CarrierEvent, { type: T }>;

const RANK: Readonly<Record<LineStatus, number>> = {
  queued: 0,
  dialling: 1,
  ringing: 2,
  answered: 3,
  completed: 4,
  busy: 4,
  'no-answer': 4,
  failed: 4,
  canceled: 4,
};

export function requested(draft: Draft, event: RequestEvent): void {
  const { line } = draft.call;
  if (line.dialled || line.hangUp !== 'none' || draft.call.settling) return;
  draft.call.request = event;
  line.dialled = true;
  line.dialledAtMs = draft.nowMs;
  emit(draft, { type: 'carrier.dial', to: event.brief.to, ringMs: event.limits.ringMs, maxMs: event.limits.callMs });
  note(draft, 'dialled');
}

export function bound(draft: Draft, event: Of<'carrier.bound'>): void {
  const { line } = draft.call;
  if (line.bound) return;
  line.bound = true;
  line.uncertainSinceMs = null;
  note(draft, 'bound', { carrierCallId: event.carrierCallId });
  if (line.hangUp === 'wanted') sendHangUp(draft);
}

export function refused(draft: Draft, event: Of<'carrier.refused'>): void {
  note(draft, 'refused', { code: event.code });
  settle(draft, { outcome: 'refused', reason: event.reason, result: null, mayReopen: false });
}

export function uncertain(draft: Draft, event: Of<'carrier.uncertain'>): void {
  const { line } = draft.call;
  if (!line.dialled || line.bound || line.uncertainSinceMs !== null) return;
  line.uncertainSinceMs = draft.nowMs;
  note(draft, 'uncertain', { reason: event.reason });
}

/** When to ask the carrier about an uncertain dial, or after the last time, to give up. */
export function inquiryDueMs(draft: Draft): number | null {
  const { line } = draft.call;
  if (line.uncertainSinceMs === null || line.bound) return null;
  const last = timingOf(draft.call).inquiryDelaysMs.at(-1) ?? 0;
  return line.uncertainSinceMs + (timingOf(draft.call).inquiryDelaysMs[line.inquiries] ?? last + 10_000);
}

export function inquiryDue(draft: Draft): void {
  const { line } = draft.call;
  line.inquiries += 1;
  if (line.inquiries <= timingOf(draft.call).inquiryDelaysMs.length) emit(draft, { type: 'carrier.inquire' });
  else settle(draft, lostVerdict());
}

export function notFound(draft: Draft): void {
  const { line } = draft.call;
  if (line.uncertainSinceMs !== null && !line.bound && line.inquiries >= timingOf(draft.call).inquiryDelaysMs.length)
    settle(draft, lostVerdict());
}

function lostVerdict(): Verdict {
  return {
    outcome: 'unknown',
    reason:
      'The carrier did not confirm the call and knows nothing of it. It was not dialled again; check before calling again.',
    result: null,
    mayReopen: false,
  };
}

export function progressed(draft: Draft, event: Of<'carrier.progressed'>): void {
  const { line } = draft.call;
  const { status } = event;
  if (line.status !== null && RANK[status] <= RANK[line.status]) return;
  line.status = status;
  if (RANK[status] >= RANK.dialling) line.leftQueueAtMs ??= draft.nowMs;
  if (status === 'answered') line.answeredAtMs = draft.nowMs;
  if (line.uncertainSinceMs !== null) bound(draft, { type: 'carrier.bound', carrierCallId: null });
  note(draft, 'status', { status, source: event.source, code: event.code ?? null });
  if (RANK[status] >= RANK.completed) settle(draft, terminalVerdict(draft, status));
}

const UNANSWERED: Readonly<Partial<Record<LineStatus, { readonly outcome: Outcome; readonly reason: string }>>> = {
  busy: { outcome: 'busy', reason: 'The line was busy.' },
  'no-answer': { outcome: 'no-answer', reason: 'Nobody answered.' },
  failed: { outcome: 'failed', reason: 'The carrier could not put the call through.' },
  canceled: { outcome: 'canceled', reason: 'The call was canceled before it was answered.' },
};

function terminalVerdict(draft: Draft, status: LineStatus): Verdict {
  const { ending, stream } = draft.call;
  if (ending.verdict && ending.verdict.transferTo === undefined) return ending.verdict;
  const unanswered = UNANSWERED[status];
  if (
    stream.reattached &&
    stream.lostAtMs !== null &&
    draft.nowMs > stream.lostAtMs + timingOf(draft.call).detachedInquireMs
  )
    return brokenVerdict();
  if (unanswered) return { ...unanswered, result: null, mayReopen: false };
  // Where a stream cannot come back the line goes down with it, and nobody has hung up.
  if (stream.lostHow === 'dropped' && stream.state === 'lost' && !traitsOf(draft.call).canReattach)
    return brokenVerdict();
  return stream.startedAtMs === null
    ? silentVerdict()
    : { outcome: 'callee-hung-up', reason: 'The other person hung up.', result: null, mayReopen: false };
}

export function silentVerdict(): Verdict {
  return {
    outcome: 'failed',
    reason: 'The call was answered but its audio never reached us.',
    result: null,
    mayReopen: false,
  };
}

/** The stream broke and stayed away. */
export function brokenVerdict(): Verdict {
  return {
    outcome: 'failed',
    reason: 'The audio connection to the telephone broke and did not come back.',
    result: null,
    mayReopen: false,
  };
}

/** Puts the line down. Before the carrier's id is known this waits for it; a call that was never dialled just ends. */
export function hangUp(draft: Draft, verdict: Verdict): void {
  const { line, ending } = draft.call;
  if (draft.call.settling || line.hangUp !== 'none') return;
  ending.verdict = withoutTransfer(verdict);
  if (!line.dialled) {
    settle(draft, ending.verdict);
    return;
  }
  dropPending(draft, () => false);
  discardReply(draft);
  line.hangUp = 'wanted';
  line.hangUpDueMs = draft.nowMs + timingOf(draft.call).unboundMs;
  if (line.bound || draft.call.stream.state !== 'none') sendHangUp(draft);
}

/** What is put down is not handed over. */
function withoutTransfer(verdict: Verdict): Verdict {
  if (verdict.transferTo === undefined) return verdict;
  const { result } = verdict;
  return { outcome: 'error', reason: 'The line was put down before it was handed over.', result, mayReopen: false };
}

function sendHangUp(draft: Draft): void {
  const { line } = draft.call;
  line.hangUp = 'sent';
  line.hangUpTries += 1;
  line.hangUpDueMs = draft.nowMs + timingOf(draft.call).hangUpAnswerMs;
  emit(draft, { type: 'carrier.hangUp' });
}

export function hungUp(draft: Draft, event: Of<'carrier.hungUp'>): void {
  const { line, ending } = draft.call;
  if (line.hangUp !== 'sent') return;
  const verdict = ending.verdict ?? {
    outcome: 'unknown',
    reason: 'The call was put down.',
    result: null,
    mayReopen: false,
  };
  if (event.outcome !== 'failed') {
    settle(draft, verdict);
    return;
  }
  const delayMs = timingOf(draft.call).hangUpDelaysMs[line.hangUpTries - 1];
  if (delayMs === undefined) {
    note(draft, 'hang-up-failed', { tries: line.hangUpTries });
    settle(draft, verdict);
    return;
  }
  line.hangUp = 'wanted';
  line.hangUpDueMs = draft.nowMs + delayMs;
}

/** A hang-up that waited, or had no answer, is sent (again); unlike a create it may be. */
export function hangUpDue(draft: Draft): void {
  const { line, ending } = draft.call;
  if (line.hangUp === 'sent') hungUp(draft, { type: 'carrier.hungUp', outcome: 'failed' });
  else if (line.bound || draft.call.stream.state !== 'none') sendHangUp(draft);
  else settle(draft, { ...(ending.verdict ?? lostVerdict()), outcome: 'unknown' });
}

/** The line is down. Last words may still be transcribed: they are waited for, but not long. */
export function settle(draft: Draft, verdict: Verdict): void {
  if (draft.call.settling) return;
  cutPlayback(draft, false);
  const { speaking } = draft.call.floor;
  if (speaking) takeLastWords(draft, speaking.itemId);
  dropPending(draft, () => false);
  draft.call.settling = { sinceMs: draft.nowMs, verdict };
}

/** There will be no silence behind this speech that would end it: what there is of it is all. */
function takeLastWords(draft: Draft, itemId: string): void {
  if (draft.call.model.state === 'ready') emit(draft, { type: 'model.commitInput' });
  draft.call.turns = changeItem(draft.call.turns, itemId, {
    endMs: streamMs(draft.call, draft.nowMs),
    textDueMs: draft.nowMs + timingOf(draft.call).settleMs,
  });
}

/** The model tells of speech after the line is down: somebody said a word and hung up. */
export function spokeLast(draft: Draft, event: { readonly itemId: string }): void {
  meet(draft, 'callee', event.itemId);
  takeLastWords(draft, event.itemId);
}

/** Until then the model may tell of speech in audio that it has; null when it has told of all, or there is nobody to tell. */
export function listenedUntilMs({ call, nowMs }: Draft): number | null {
  const { settling, stream, model } = call;
  if (!settling || stream.startedAtMs === null || model.state !== 'ready') return null;
  const lastAudioMs = stream.state === 'lost' ? (stream.lostAtMs ?? settling.sinceMs) : settling.sinceMs;
  const untilMs = lastAudioMs + timingOf(call).lastWordsMs;
  return nowMs < untilMs ? untilMs : null;
}

/** Ends the call when nothing is waited for any more, or when the time is up (`force`). */
export function endWhenSettled(draft: Draft, force: boolean): void {
  const { settling, turns, model, line } = draft.call;
  if (!settling || draft.call.ended) return;
  const untold = model.state === 'ready' && turns.items.some((item) => item.role === 'callee' && !item.final);
  if (!force && (untold || listenedUntilMs(draft) !== null)) return;
  tellLines(draft, true);
  if (model.state === 'opening' || model.state === 'ready') emit(draft, { type: 'model.close', epoch: model.epoch });
  emit(draft, { type: 'carrier.release' });
  const { outcome, reason, result } = settling.verdict;
  emit(draft, { type: 'scribe.ended', outcome, reason, result, lineStatus: line.status });
  draft.call.ended = true;
}

/** Gives the scribe the lines that are final and in their place. */
export function tellLines(draft: Draft, force: boolean): readonly ToldLine[] {
  const { turns, lines } = tell(draft.call.turns, draft.nowMs, force);
  draft.call.turns = turns;
  for (const line of lines) emit(draft, { type: 'scribe.line', ...line });
  return lines;
}
