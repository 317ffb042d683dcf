/** Which timers a call wants follows from its state after every step, so none is ever forgotten or left behind. */
import { type Call, phaseOf, type TimerEntry } from './call.ts';
import { type Draft, emit, limitsOf, timingOf, traitsOf } from './draft.ts';
import { endingDueMs, overlapDueMs } from './ending.ts';
import { TIMER_NAMES, type TimerName } from './events.ts';
import { quietSinceMs } from './floor.ts';
import { endsAt } from './heard.ts';
import { inquiryDueMs, listenedUntilMs } from './line.ts';
import { pumpDueMs } from './playback.ts';
import { answerDueMs, slotDueMs } from './replies.ts';
import { callEndsAtMs, detachedDueMs, modelDueMs } from './sessions.ts';
import { LOST_MARK_MS } from './timing.ts';
import { tellDueMs } from './turns.ts';

type Wanted = Record<TimerName, number | null>;

/** Every timer stands there, wanted or not: objects of one shape, since this is asked after every step. */
function noneWanted(): Wanted {
  return {
    ring: null,
    inquire: null,
    join: null,
    renew: null,
    deadAir: null,
    firstSpeech: null,
    pace: null,
    slot: null,
    answer: null,
    retry: null,
    silence: null,
    waiting: null,
    closing: null,
    warn: null,
    limit: null,
    ending: null,
    grace: null,
    detached: null,
    hangUp: null,
    lines: null,
    settle: null,
  };
}

function wantedTimers(draft: Draft): Wanted {
  const { call } = draft;
  const wanted = noneWanted();
  const phase = phaseOf(call);
  switch (phase) {
    case 'queued':
    case 'ended':
      break;
    case 'placing':
    case 'uncertain':
    case 'ringing':
      wanted.ring = ringDueMs(call);
      wanted.inquire = inquiryDueMs(draft);
      wanted.renew = call.model.retryAtMs;
      break;
    case 'joining':
    case 'renewing':
      wantLiveTimers(draft, wanted);
      wanted.join = modelDueMs(draft);
      wanted.renew = call.model.retryAtMs;
      break;
    case 'opening':
      wantLiveTimers(draft, wanted);
      wantTalkTimers(draft, wanted);
      wanted.firstSpeech = firstSpeechMs(draft);
      break;
    case 'talking':
      wantLiveTimers(draft, wanted);
      wantTalkTimers(draft, wanted);
      break;
    case 'waiting':
      wantLiveTimers(draft, wanted);
      wanted.waiting = call.floor.waitingUntilMs;
      wanted.slot = slotDueMs(draft);
      break;
    case 'detached':
      wantLiveTimers(draft, wanted);
      wanted.detached = detachedDueMs(draft);
      wanted.renew = call.model.retryAtMs;
      break;
    case 'ending':
      wantLiveTimers(draft, wanted);
      wantEndingTimers(draft, wanted);
      break;
    case 'hangingUp':
      // An end that waits for the carrier's id still asks for it: the telephone may be ringing.
      wanted.hangUp = call.line.hangUpDueMs;
      wanted.inquire = inquiryDueMs(draft);
      wanted.lines = tellDueMs(call.turns);
      break;
    case 'settling':
      wanted.settle = settledByMs(call);
      wanted.lines = listenedUntilMs(draft);
      break;
    default:
      phase satisfies never;
  }
  return wanted;
}

/** The carrier counts from when it dials, not from when it was asked to. */
function ringDueMs(call: Call): number {
  const { queueMs, ringSlackMs } = timingOf(call);
  const { dialledAtMs, leftQueueAtMs } = call.line;
  return (leftQueueAtMs ?? dialledAtMs + queueMs) + limitsOf(call).ringMs + ringSlackMs;
}

/** A server that has to be gone does not wait for the transcription of the last words. */
function settledByMs(call: Call): number {
  const { lastWordsMs, settleMs } = timingOf(call);
  return (call.settling?.sinceMs ?? 0) + (call.ending.stop === 'hurried' ? lastWordsMs : settleMs);
}

function wantEndingTimers(draft: Draft, wanted: Wanted): void {
  const { floor, ending } = draft.call;
  wanted.slot = slotDueMs(draft);
  wanted.retry = floor.pending.length > 0 ? floor.blockedUntilMs : null;
  wanted.ending = endingDueMs(draft);
  wanted.grace = floor.speaking ? null : ending.graceUntilMs;
  wanted.closing = overlapDueMs(draft);
  wanted.detached = detachedDueMs(draft);
}

/** While there is, or was just now, a stream. */
function wantLiveTimers(draft: Draft, wanted: Wanted): void {
  const { call } = draft;
  const endsAtMs = callEndsAtMs(draft);
  const { callMs } = limitsOf(call);
  const leadMs = farewellLeadMs(call);
  const ending = call.ending.stage !== 'none';
  const { warnBeforeMs } = timingOf(call);
  wanted.pace = call.stream.state === 'up' ? pumpDueMs(call.playback, draft.nowMs, traitsOf(call).lookAheadMs) : null;
  wanted.lines = earliest(tellDueMs(call.turns), lostMarkDueMs(draft));
  const warns = endsAtMs !== null && !call.ending.warned && !ending && callMs >= 3 * warnBeforeMs;
  wanted.warn = warns ? endsAtMs - warnBeforeMs : null;
  wanted.deadAir = deadAirDueMs(call);
  wanted.limit = endsAtMs === null ? null : endsAtMs - (ending ? 0 : leadMs);
}

/** It is for us to speak, and nothing is heard: whatever goes on behind it, and however often it is tried again, this is the end of it. */
function deadAirDueMs(call: Call): number | null {
  const { floor, stream, playback } = call;
  if (floor.owedSinceMs === null) return null;
  const { owedSinceMs, lastSpeechEndMs, waitedMs } = floor;
  const { deadAirMs, breathMs } = timingOf(call);
  const sinceMs = Math.max(owedSinceMs, endsAt(playback) ?? 0, lastSpeechEndMs ?? 0, stream.upSinceMs);
  return sinceMs + Math.max(breathMs, deadAirMs - waitedMs);
}

/** Is it for us to speak? */
export function isOwed(call: Call): boolean {
  const { floor, stream, model, ending, line, settling } = call;
  if (stream.state !== 'up' || floor.speaking || floor.waitingUntilMs !== null) return false;
  if (line.hangUp !== 'none' || settling) return false;
  if (ending.stage !== 'none') return ending.stage === 'farewell' && !ending.goodbyeDone;
  const { active } = floor;
  // One that has spoken to the end of a sentence may leave the word to the other side, also when its own end never comes.
  const making =
    active !== null && !active.discarded && (!active.spoke || call.playback.items.some((item) => !item.done));
  const asked = floor.requested !== null || floor.pending.length > 0;
  return making || asked || floor.awaitingSinceMs !== null || model.state !== 'ready';
}

/** How long before the limit the goodbye begins. */
function farewellLeadMs(call: Call): number {
  return Math.min(timingOf(call).farewellBeforeMs, limitsOf(call).callMs * 0.3);
}

function wantTalkTimers(draft: Draft, wanted: Wanted): void {
  const { call } = draft;
  const { floor } = call;
  // Once the callee has spoken there is no opener to wait for, so silence counts from then on.
  const quietMs = floor.opened || floor.calleeHasSpoken ? quietSinceMs(draft) : null;
  const closed = floor.calleeClosed && floor.agentClosed;
  wanted.slot = slotDueMs(draft);
  wanted.retry = floor.pending.length > 0 ? floor.blockedUntilMs : null;
  wanted.answer = answerDueMs(draft);
  wanted.silence = quietMs === null || floor.awaitingSinceMs !== null ? null : quietMs + limitsOf(call).silenceMs;
  wanted.closing = quietMs !== null && closed ? quietMs + timingOf(call).closingQuietMs : null;
}

/** Turn one: counted from the stream's start, as a trial account plays its notice first and the callee normally speaks first. */
function firstSpeechMs(draft: Draft): number | null {
  const { floor, stream } = draft.call;
  return floor.calleeHasSpoken || floor.requested || floor.pending.length > 0
    ? null
    : stream.upSinceMs + limitsOf(draft.call).firstSpeechMs;
}

/** An item whose last mark does not come back is settled by the clock. */
function lostMarkDueMs(draft: Draft): number | null {
  const { playback } = draft.call;
  const endsAtMs = endsAt(playback);
  const waiting = playback.items.some((item) => item.done && item.finalMark === 'sent');
  return waiting ? (endsAtMs ?? draft.nowMs) + (playback.delays?.leastMs ?? 0) + LOST_MARK_MS : null;
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

/** False for a timer that was put off after it had been set. */
export function isDue(draft: Draft, name: TimerName): boolean {
  const atMs = wantedTimers(draft)[name];
  return atMs === null || atMs - draft.nowMs < 0.5;
}

/**
 * Sets and clears what differs from the timers that run. One that is put off, as some are by every piece of audio, stays as it is: when
 * it fires it is not due, and is set anew.
 */
export function deriveTimers(draft: Draft): void {
  const { call } = draft;
  const wanted = wantedTimers(draft);
  // Copied with the first difference: most steps change none or two.
  let next: Partial<Record<TimerName, TimerEntry>> | null = null;
  for (const name of TIMER_NAMES) {
    const atMs = wanted[name];
    const running = call.timers[name];
    if (atMs === null) {
      if (running === undefined) continue;
      next ??= { ...call.timers };
      next[name] = undefined;
      emit(draft, { type: 'timer.clear', name });
    } else if (running === undefined || running.atMs - atMs >= 0.5) {
      call.timerSets += 1;
      next ??= { ...call.timers };
      next[name] = { atMs, setId: call.timerSets };
      emit(draft, { type: 'timer.set', name, atMs, setId: call.timerSets });
    }
  }
  if (next) call.timers = next;
}
