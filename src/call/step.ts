/**
 * The core of a call: `step(call, event) → { call, commands }`. Pure: no clock, socket, promise or throw; `call` is never
 * changed. What happened is applied to the regions; turn-taking, audio routing, creates and timers then follow from the state.
 */
import { type Call, phaseOf } from './call.ts';
import { type CallCommand, isSameTurn, type UplinkTarget } from './commands.ts';
import { type Draft, emit, note, openDraft } from './draft.ts';
import {
  advanceEnding,
  answerTool,
  apologise,
  endCallTool,
  enterEnding,
  hurryEnding,
  reopen,
  speechOverGoodbye,
  wantedTurn,
} from './ending.ts';
import type { CallEvent, EpochModelEvent, TimerName } from './events.ts';
import {
  committed,
  itemDone,
  personIsBack,
  personIsBackWithoutWords,
  play,
  settleHeardOut,
  speechStarted,
  speechStopped,
  spoke,
  transcribed,
  worded,
} from './floor.ts';
import { digitsSent, endingOverdue, pressKeys, redirected, transferTool, waitQuietly } from './keys-and-transfer.ts';
import {
  bound,
  endWhenSettled,
  hangUp,
  hangUpDue,
  hungUp,
  inquiryDue,
  notFound,
  progressed,
  refused,
  requested,
  spokeLast,
  tellLines,
  uncertain,
} from './line.ts';
import { echo } from './playback.ts';
import { answerOverdue, createRefused, createWhenFree, replyCreated, slotTimedOut, wantReply } from './replies.ts';
import { replyFinished, replyRefused, replyStuck } from './reply-end.ts';
import { INSTRUCTIONS, MEMOS } from './sentences.ts';
import {
  abandonModel,
  detachedDue,
  itemAdded,
  modelFailed,
  modelOverdue,
  modelReady,
  openModelAgain,
  openModelEarly,
  ringOverdue,
  streamEnded,
  streamFailed,
  streamStarted,
} from './sessions.ts';
import { shortStep, type Taken } from './short-step.ts';
import { deriveTimers, isDue, isOwed } from './timers.ts';
import { HOLD_KEEP_MS } from './timing.ts';

const MAX_WAIT_SECONDS = 120;

export function step(call: Call, event: CallEvent): Taken {
  if (call.ended) {
    const chunks: CallCommand[] = event.type === 'model.spoke' ? [{ type: 'chunk.drop', chunkId: event.chunkId }] : [];
    return { call, commands: chunks };
  }
  return shortStep(call, event) ?? wholeStep(call, event);
}

/** The step of a call that has not ended, by all its rules; a short one comes to the same. */
export function wholeStep(call: Call, event: CallEvent): Taken {
  const draft = openDraft(call, event.atMs);
  apply(draft, event);
  derive(draft);
  return { call: draft.call, commands: draft.commands };
}

function apply(draft: Draft, event: CallEvent): void {
  switch (event.type) {
    case 'call.requested':
      return requested(draft, event);
    case 'operator.ended':
      return operatorEnded(draft, event.mode);
    case 'server.draining':
      return draining(draft, event.graceMs);
    case 'carrier.bound':
      return bound(draft, event);
    case 'carrier.refused':
      return refused(draft, event);
    case 'carrier.uncertain':
      return uncertain(draft, event);
    case 'carrier.notFound':
      return notFound(draft);
    case 'carrier.progressed':
      return progressed(draft, event);
    case 'carrier.streamStarted':
      return draft.call.settling ? undefined : streamStarted(draft, event);
    case 'carrier.streamEnded':
      return streamEnded(draft, event);
    case 'carrier.streamFailed':
      return streamFailed(draft, event);
    case 'carrier.markEchoed':
      if (event.epoch === draft.call.stream.epoch)
        draft.call.playback = echo(draft.call.playback, event.generation, event.markId, draft.nowMs);
      return;
    case 'carrier.digitPressed':
      return digitPressed(draft, event.digit);
    case 'carrier.hungUp':
      return hungUp(draft, event);
    case 'carrier.redirected':
      return redirected(draft, event.outcome);
    case 'carrier.digitsSent':
      return digitsSent(draft, event.ok);
    case 'timer.fired':
      if (draft.call.timers[event.name]?.setId !== event.setId) return;
      draft.call.timers = { ...draft.call.timers, [event.name]: undefined };
      if (isDue(draft, event.name)) timerFired(draft, event.name);
      return;
    default:
      return fromModel(draft, event);
  }
}

/** Events of an earlier session change nothing. */
function fromModel(draft: Draft, event: Extract<CallEvent, EpochModelEvent>): void {
  const { model, settling } = draft.call;
  if (event.epoch !== model.epoch || (model.state !== 'opening' && model.state !== 'ready')) {
    if (event.type === 'model.spoke') emit(draft, { type: 'chunk.drop', chunkId: event.chunkId });
    return;
  }
  switch (event.type) {
    case 'model.ready':
      return modelReady(draft);
    case 'model.failed':
      return modelFailed(draft, event);
    case 'model.objected':
      note(draft, 'objection', { objection: event.objection, code: event.code ?? null });
      if (event.objection === 'reply-active') return createRefused(draft, event.requestId);
      if (event.objection === 'other') replyRefused(draft, event.requestId);
      return;
    case 'model.speechStarted':
      return settling ? spokeLast(draft, event) : speechStarted(draft, event);
    case 'model.speechStopped':
      return speechEnded(draft, event);
    case 'model.committed':
      return committed(draft, event);
    case 'model.itemAdded':
      return itemAdded(draft, event);
    case 'model.replyCreated':
      return replyCreated(draft, event);
    case 'model.spoke':
      return spoke(draft, event);
    case 'model.worded':
      return worded(draft, event);
    case 'model.toolCalled':
      return toolCalled(draft, event);
    case 'model.itemDone':
      return itemDone(draft, event);
    case 'model.replyDone':
      return replyFinished(draft, event);
    case 'model.transcribed':
      if (event.usage) emit(draft, { type: 'scribe.usage', usage: event.usage });
      return transcribed(draft, event);
    case 'model.truncated':
      return;
    default:
      return event satisfies never;
  }
}

function operatorEnded(draft: Draft, mode: 'polite' | 'now'): void {
  const verdict = {
    outcome: 'canceled',
    reason: 'The call was ended on request.',
    result: null,
    mayReopen: false,
  } as const;
  const { ending } = draft.call;
  if (mode === 'now') {
    if (ending.stop === 'draining') ending.stop = 'hurried';
    hangUp(draft, ending.verdict ?? verdict);
  } else enterEnding(draft, verdict, { farewell: INSTRUCTIONS.farewellOperator });
}

function draining(draft: Draft, graceMs: number): void {
  const verdict = {
    outcome: 'canceled',
    reason: 'The server was stopped during the call.',
    result: null,
    mayReopen: false,
  } as const;
  draft.call.ending.stop = 'draining';
  if (draft.call.ending.stage === 'none')
    enterEnding(draft, verdict, { farewell: INSTRUCTIONS.farewellOperator, withinMs: graceMs / 2 });
  else hurryEnding(draft, graceMs / 2);
}

function digitPressed(draft: Draft, digit: string): void {
  note(draft, 'digit', { digit });
  if (draft.call.model.state === 'ready') emit(draft, { type: 'model.remember', text: MEMOS.keyPressed(digit) });
}

function speechEnded(draft: Draft, event: Extract<CallEvent, { type: 'model.speechStopped' }>): void {
  const sinceMs = draft.call.floor.speaking?.sinceMs ?? draft.nowMs;
  speechStopped(draft, event);
  speechOverGoodbye(draft, draft.nowMs - sinceMs - (draft.call.model.turn?.silenceMs ?? 0));
}

function toolCalled(draft: Draft, event: Extract<CallEvent, { type: 'model.toolCalled' }>): void {
  const { floor, ending, line } = draft.call;
  if (line.hangUp !== 'none' || draft.call.settling) return;
  const outdated = floor.speaking !== null || (floor.active?.replyId === event.replyId && floor.active.discarded);
  if (!outdated) floor.awaitingSinceMs = null;
  if (floor.active?.replyId === event.replyId) floor.active = { ...floor.active, called: true };
  note(draft, 'tool', { name: event.name, outdated });
  if (event.name === 'end_call') return endCallTool(draft, event, outdated);
  if (event.name === 'stay_quiet') return answerTool(draft, event.toolCallId, stayQuiet(draft, event.args, outdated));
  if (event.name === 'transfer_call') return transferTool(draft, event, outdated);
  if (event.name === 'press_keys') return answerTool(draft, event.toolCallId, pressKeys(draft, event.args, outdated));
  answerTool(draft, event.toolCallId, { status: 'error', reason: 'There is no such tool.' });
  if (ending.stage === 'none' && !outdated) wantReply(draft, 'answer');
}

/** Nothing of ours is said until the person is back with words, or until the time is over. */
function stayQuiet(draft: Draft, args: string, outdated: boolean): Readonly<Record<string, string>> {
  if (draft.call.ending.stage !== 'none') return { status: 'error', reason: 'The call is being ended.' };
  if (outdated) return { status: 'not waiting', reason: 'The other person is speaking. Answer them first.' };
  waitQuietly(draft, waitSeconds(args) * 1_000);
  return { status: 'waiting quietly' };
}

function waitSeconds(args: string): number {
  const match = /"seconds"\s*:\s*(\d+(?:\.\d+)?)/.exec(args);
  return Math.min(MAX_WAIT_SECONDS, Math.max(5, Number(match?.[1] ?? 60)));
}

function timerFired(draft: Draft, name: TimerName): void {
  const { call } = draft;
  switch (name) {
    case 'ring':
      return ringOverdue(draft);
    case 'inquire':
      return inquiryDue(draft);
    case 'join':
      return modelOverdue(draft);
    case 'renew':
      return openModelAgain(draft);
    case 'deadAir':
      return apologise(draft, 'The speech model gave no answer in time.');
    case 'firstSpeech':
      call.floor.opened = true;
      return wantReply(draft, 'opener', INSTRUCTIONS.opener);
    case 'slot':
      if (call.floor.requested) return slotTimedOut(draft) ? undefined : abandonModel(draft);
      return replyStuck(draft);
    case 'answer':
      return answerOverdue(draft) ? undefined : apologise(draft, 'The speech model stopped answering.');
    case 'silence':
      return silent(draft);
    case 'waiting':
      return personIsBack(draft, INSTRUCTIONS.nudgeFirst);
    case 'closing':
      return closingDue(draft);
    case 'warn':
      call.ending.warned = true;
      if (call.model.state === 'ready') emit(draft, { type: 'model.remember', text: MEMOS.warn });
      return;
    case 'limit':
      return limitReached(draft);
    case 'ending':
      return endingOverdue(draft);
    case 'detached':
      return detachedDue(draft);
    case 'hangUp':
      return hangUpDue(draft);
    case 'settle':
      return endWhenSettled(draft, true);
    case 'pace':
    case 'retry':
    case 'grace':
    case 'lines':
      return;
    default:
      return name satisfies never;
  }
}

/** Silence on both sides: asked about twice, then a goodbye. */
function silent(draft: Draft): void {
  const { floor } = draft.call;
  floor.nudges += 1;
  floor.nudgedAtMs = draft.nowMs;
  if (floor.nudges <= 2)
    return wantReply(draft, 'nudge', floor.nudges === 1 ? INSTRUCTIONS.nudgeFirst : INSTRUCTIONS.nudgeSecond);
  const verdict = {
    outcome: 'limit',
    reason: 'The other person said nothing any more.',
    result: null,
    mayReopen: true,
  } as const;
  enterEnding(draft, verdict, { farewell: INSTRUCTIONS.farewellSilence });
}

/** Both sides have said goodbye and it is quiet; or, while ending, the callee has spoken for so long that we go on. */
function closingDue(draft: Draft): void {
  if (draft.call.ending.stage !== 'none') return reopen(draft);
  const verdict = { outcome: 'completed', reason: 'Both sides said goodbye.', result: null, mayReopen: true } as const;
  enterEnding(draft, verdict, { farewell: null });
  draft.call.ending.goodbyeDone = true;
}

function limitReached(draft: Draft): void {
  const verdict = {
    outcome: 'limit',
    reason: 'The longest duration of the call was reached.',
    result: null,
    mayReopen: false,
  } as const;
  if (draft.call.ending.stage !== 'none') return hangUp(draft, draft.call.ending.verdict ?? verdict);
  // A goodbye that nobody could hear or answer is not asked for.
  enterEnding(draft, verdict, { farewell: INSTRUCTIONS.farewellLimit });
}

/** What follows from the state, whatever the event was. */
function derive(draft: Draft): void {
  openModelEarly(draft);
  settleHeardOut(draft);
  if (!draft.call.settling) play(draft);
  advanceEnding(draft);
  personIsBackWithoutWords(draft, tellLines(draft, false));
  deriveTurn(draft);
  createWhenFree(draft);
  endWhenSettled(draft, false);
  deriveUplink(draft);
  draft.call.floor.owedSinceMs = isOwed(draft.call) ? (draft.call.floor.owedSinceMs ?? draft.nowMs) : null;
  deriveTimers(draft);
}

function deriveTurn(draft: Draft): void {
  const { model } = draft.call;
  if (model.state !== 'ready' || !model.turn) return;
  const turn = wantedTurn(draft);
  if (isSameTurn(turn, model.turn)) return;
  model.turn = turn;
  emit(draft, { type: 'model.configure', turn });
}

function deriveUplink(draft: Draft): void {
  const { call } = draft;
  const to = wantedUplink(call);
  if (to === call.uplink) return;
  call.uplink = to;
  emit(draft, { type: 'uplink.set', to, keepMs: HOLD_KEEP_MS });
}

/** Caller audio that comes before the model is configured would be judged by its defaults: it is held, then sent. */
function wantedUplink(call: Call): UplinkTarget {
  const phase = phaseOf(call);
  if (call.stream.state !== 'up' || phase === 'settling' || phase === 'ended' || call.ending.stage === 'apology')
    return 'off';
  if (phase === 'hangingUp') return call.model.state === 'ready' ? 'model' : 'off';
  return call.model.state === 'ready' ? 'model' : 'hold';
}
