/** Which timers a call wants follows from its state after every step, so none is ever forgotten or left behind. */
import { type Call, phaseOf, type TimerEntry } from './call.ts';
import { type Draft, emit, limitsOf, timingOf, traitsOf } from './draft.ts';
import { endingDueMs, overlapDueMs } from './ending.ts';
import { TIMER_NAMES, type TimerName } from './events.ts';
import { quietSinceMs } from './floor.ts';
import { inquiryDueMs, listenedUntilMs } from './line.ts';
import { endsAt, pumpDueMs } from './playback.ts';
import { answerDueMs, slotDueMs } from './replies.ts';
import { callEndsAtMs, detachedDueMs, modelDueMs } from './sessions.ts';
import { LOST_MARK_MS } from './timing.ts';
import { tellDueMs } from './turns.ts';

type Wanted = Partial<Record<TimerName, number | null>>;

function wantedTimers(draft: Draft): Wanted {
  const { call } = draft;
  const phase = phaseOf(call);
  switch (phase) {
    case 'queued':
    case 'ended':
      return {};
    case 'placing':
    case 'uncertain':
    case 'ringing':
      return {
        ring: call.line.dialledAtMs + limitsOf(call).ringMs + timingOf(draft.call).ringSlackMs,
        inquire: inquiryDueMs(draft),
        renew: call.model.retryAtMs,
      };
    case 'joining':
    case 'renewing':
      return { ...liveTimers(draft), join: modelDueMs(draft), renew: call.model.retryAtMs };
    case 'opening':
      return { ...liveTimers(draft), ...talkTimers(draft), firstSpeech: firstSpeechMs(draft) };
    case 'talking':
      return { ...liveTimers(draft), ...talkTimers(draft) };
    case 'waiting':
      return { ...liveTimers(draft), waiting: call.floor.waitingUntilMs, slot: slotDueMs(draft) };
    case 'detached':
      return { ...liveTimers(draft), detached: detachedDueMs(draft), renew: call.model.retryAtMs };
    case 'ending':
      return {
        ...liveTimers(draft),
        slot: slotDueMs(draft),
        retry: call.floor.pending.length > 0 ? call.floor.blockedUntilMs : null,
        ending: endingDueMs(draft),
        grace: call.floor.speaking ? null : call.ending.graceUntilMs,
        closing: overlapDueMs(draft),
        detached: detachedDueMs(draft),
      };
    case 'hangingUp':
      // An end that waits for the carrier's id still asks for it: the telephone may be ringing.
      return { hangUp: call.line.hangUpDueMs, inquire: inquiryDueMs(draft), lines: tellDueMs(call.turns) };
    case 'settling':
      return { settle: (call.settling?.sinceMs ?? 0) + timingOf(draft.call).settleMs, lines: listenedUntilMs(draft) };
    default:
      return phase satisfies never;
  }
}

/** While there is, or was just now, a stream. */
function liveTimers(draft: Draft): Wanted {
  const { call } = draft;
  const endsAtMs = callEndsAtMs(draft);
  const { callMs } = limitsOf(call);
  const leadMs = farewellLeadMs(call);
  const ending = call.ending.stage !== 'none';
  return {
    pace: call.stream.state === 'up' ? pumpDueMs(call.playback, draft.nowMs, traitsOf(call).lookAheadMs) : null,
    lines: earliest(tellDueMs(call.turns), lostMarkDueMs(draft)),
    warn:
      endsAtMs === null || call.ending.warned || ending || callMs < 3 * timingOf(draft.call).warnBeforeMs
        ? null
        : endsAtMs - timingOf(draft.call).warnBeforeMs,
    deadAir: deadAirDueMs(call),
    limit: endsAtMs === null ? null : endsAtMs - (ending ? 0 : leadMs),
  };
}

/** It is for us to speak, and nothing is heard: whatever goes on behind it, and however often it is tried again, this is the end of it. */
function deadAirDueMs(call: Call): number | null {
  const { floor, stream, playback } = call;
  if (floor.owedSinceMs === null) return null;
  const { owedSinceMs, lastSpeechEndMs } = floor;
  return (
    Math.max(owedSinceMs, endsAt(playback) ?? 0, lastSpeechEndMs ?? 0, stream.upSinceMs) + timingOf(call).deadAirMs
  );
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

function talkTimers(draft: Draft): Wanted {
  const { call } = draft;
  const { floor } = call;
  // Once the callee has spoken there is no opener to wait for, so silence counts from then on.
  const quietMs = floor.opened || floor.calleeHasSpoken ? quietSinceMs(draft) : null;
  const closed = floor.calleeClosed && floor.agentClosed;
  return {
    slot: slotDueMs(draft),
    retry: floor.pending.length > 0 ? floor.blockedUntilMs : null,
    answer: answerDueMs(draft),
    silence: quietMs === null || floor.awaitingSinceMs !== null ? null : quietMs + limitsOf(call).silenceMs,
    closing: quietMs !== null && closed ? quietMs + timingOf(draft.call).closingQuietMs : null,
  };
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

function earliest(...times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** Sets and clears what differs from the timers that run. */
export function deriveTimers(draft: Draft): void {
  const { call } = draft;
  const wanted = wantedTimers(draft);
  // Copied with the first difference: most steps change none or two.
  let next: Partial<Record<TimerName, TimerEntry>> | null = null;
  for (const name of TIMER_NAMES) {
    const atMs = wanted[name] ?? null;
    const running = call.timers[name];
    if (atMs === null) {
      if (running === undefined) continue;
      next ??= { ...call.timers };
      next[name] = undefined;
      emit(draft, { type: 'timer.clear', name });
    } else if (running === undefined || Math.abs(running.atMs - atMs) >= 0.5) {
      call.timerSets += 1;
      next ??= { ...call.timers };
      next[name] = { atMs, setId: call.timerSets };
      emit(draft, { type: 'timer.set', name, atMs, setId: call.timerSets });
    }
  }
  if (next) call.timers = next;
}
