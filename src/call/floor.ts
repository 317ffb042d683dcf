/** Who is speaking: barge-in, the model's audio and words, turns and what becomes of them. */

import { msOfBytes } from '../media/mulaw.ts';
import type { ActiveReply } from './call.ts';
import { hasWords, isClosing } from './closings.ts';
import type { ToldLine } from './commands.ts';
import { type Draft, emit, note, policyOf, streamMs, timingOf, traitsOf } from './draft.ts';
import type { ItemRole, ModelEvent } from './events.ts';
import { endsAt, heardBytesOf, heardOut, unheard } from './heard.ts';
import { clear, disown, finish, forget, pump, receive, type Spoken } from './playback.ts';
import { discardUncreated, wantReply } from './replies.ts';
import { INSTRUCTIONS, PLACEHOLDER } from './sentences.ts';
import { LOST_MARK_MS, WORDLESS_RETURN_MS } from './timing.ts';
import { addItem, changeItem, heardText, itemOf, lineOf, spokenLength } from './turns.ts';

type Of<T extends ModelEvent['type']> = Extract<ModelEvent, { type: T }>;

/** The moment since which neither side has been heard: last audio heard, or the callee's last speech. */
export function quietSinceMs(draft: Draft): number | null {
  const { floor, playback, stream } = draft.call;
  const moments = [floor.lastSpeechEndMs, floor.nudgedAtMs, endsAt(playback), stream.upSinceMs].filter(
    (moment) => moment !== null,
  );
  return floor.speaking || floor.active || floor.requested || floor.pending.length > 0 || moments.length === 0
    ? null
    : Math.max(...moments);
}

/** An item of the conversation that is new to us, or its place in the chain, which may be told later than the item itself. */
export function meet(draft: Draft, role: ItemRole, itemId: string, previousItemId?: string | null): void {
  const startMs = streamMs(draft.call, draft.nowMs);
  draft.call.turns = addItem(draft.call.turns, { itemId, previousItemId, role, nowMs: draft.nowMs, startMs });
}

export function speechStarted(draft: Draft, event: Of<'model.speechStarted'>): void {
  const { floor, ending } = draft.call;
  meet(draft, 'callee', event.itemId);
  if (floor.speaking && floor.speaking.itemId !== event.itemId) stopSpeaking(draft);
  floor.speaking = { itemId: event.itemId, sinceMs: draft.nowMs };
  floor.calleeHasSpoken = true;
  floor.calleeClosed = false;
  floor.nudges = 0;
  if (ending.stage !== 'none' || floor.waitingUntilMs !== null) return;
  floor.waitedMs += waitedInVainMs(draft);
  floor.awaitingSinceMs = null;
  discardUncreated(draft);
  if (interrupt(draft)) floor.interruptedBy = event.itemId;
}

/** It was for us to speak, and for longer than people pause for breath nothing was heard. "Hello?" is no answer to that. */
function waitedInVainMs(draft: Draft): number {
  const { owedSinceMs } = draft.call.floor;
  if (owedSinceMs === null) return 0;
  const waitedMs = draft.nowMs - Math.max(owedSinceMs, endsAt(draft.call.playback) ?? 0);
  return waitedMs >= timingOf(draft.call).breathMs ? waitedMs : 0;
}

/**
 * The callee takes the floor: the carrier's buffer is cleared at once, the model is told what was heard of each item that was
 * not heard to its end, and what still comes of that reply is dropped. Returns false, and does nothing, when nothing was playing.
 */
export function interrupt(draft: Draft): boolean {
  const { floor, playback } = draft.call;
  const active = floor.active !== null && !floor.active.discarded ? floor.active : null;
  const pending = new Set(unheard(playback, draft.nowMs));
  const cut = playback.items.filter((item) => pending.has(item) || (!item.done && item.replyId === active?.replyId));
  if (cut.length === 0 && active === null) return false;
  const cleared = clear(playback);
  const silentAtMs = draft.nowMs + (traitsOf(draft.call).clearLeavesMs ?? 0);
  emit(draft, { type: 'carrier.clear', generation: cleared.playback.generation });
  for (const item of cut) cutShort(draft, item, true, silentAtMs);
  settleAll(draft, playback.items);
  draft.call.playback = cleared.playback;
  for (const chunkId of cleared.dropped) emit(draft, { type: 'chunk.drop', chunkId });
  if (active) {
    floor.active = { ...active, discarded: true, aliveAtMs: draft.nowMs };
    if (!(policyOf(draft.call).serverInterrupts && draft.call.model.turn?.interrupt))
      emit(draft, { type: 'model.cancel', replyId: active.replyId });
  }
  return true;
}

/** What stays of an item that was not heard to its end. `truncate`: the model is told as well. */
function cutShort(draft: Draft, item: Spoken, truncate: boolean, atMs = draft.nowMs): void {
  const heardMs = Math.floor(msOfBytes(heardBytesOf(draft.call.playback, item, atMs)));
  const receivedMs = msOfBytes(item.receivedBytes);
  if (truncate && !item.disowned)
    emit(draft, { type: 'model.truncate', itemId: item.itemId, contentIndex: item.contentIndex, audioEndMs: heardMs });
  const turn = itemOf(draft.call.turns, item.itemId);
  const planned = turn?.text ?? '';
  const text = heardText(planned, heardMs, receivedMs, item.done && !item.partial, speedOf(draft));
  const startMs = streamMs(draft.call, item.startsAtMs ?? draft.nowMs);
  draft.call.turns = changeItem(draft.call.turns, item.itemId, {
    text,
    planned,
    interrupted: true,
    estimated: true,
    final: true,
    startMs,
    endMs: startMs + heardMs,
  });
  draft.call.floor.agentClosed = false;
  note(draft, 'interrupted', {
    itemId: item.itemId,
    heardMs,
    receivedMs: Math.floor(receivedMs),
    heard: text,
    planned,
  });
}

/** Letters a millisecond, as this voice has spoken so far. */
function speedOf(draft: Draft): number | undefined {
  const { letters, ms } = draft.call.floor.wholeSpeech;
  return ms > 0 ? letters / ms : undefined;
}

/**
 * The line or the stream is gone: what is still in the carrier's buffer will not be heard. `truncate`: the model is told. The end
 * happened over there, so by the time we know, a whole round trip lies between what we sent and what was heard.
 */
export function cutPlayback(draft: Draft, truncate: boolean): void {
  const atMs = draft.nowMs - (draft.call.playback.delays?.leastMs ?? 0);
  const open = new Set(unheard(draft.call.playback, atMs));
  // Of an item that is still being made the words run ahead of the sound, also when all of that has been heard.
  const cut = draft.call.playback.items.filter((item) => open.has(item) || !item.done);
  for (const item of cut) cutShort(draft, item, truncate, atMs);
  settleAll(draft, draft.call.playback.items);
  const cleared = clear(draft.call.playback);
  draft.call.playback = cleared.playback;
  for (const chunkId of cleared.dropped) emit(draft, { type: 'chunk.drop', chunkId });
}

/** Items that the callee has heard to their end become lines. */
export function settleHeardOut(draft: Draft): void {
  settleAll(draft, heardOut(draft.call.playback, draft.nowMs, LOST_MARK_MS));
}

function settleAll(draft: Draft, items: readonly Spoken[]): void {
  if (items.length === 0) return;
  for (const item of items) {
    const turn = itemOf(draft.call.turns, item.itemId);
    if (!turn || turn.final) continue;
    const startMs = streamMs(draft.call, item.startsAtMs ?? draft.nowMs);
    const receivedMs = msOfBytes(item.receivedBytes);
    const text = item.partial ? heardText(turn.text, receivedMs, receivedMs, false, speedOf(draft)) : turn.text;
    const cut = text === turn.text ? {} : { text, planned: turn.text, interrupted: true, estimated: true };
    draft.call.turns = changeItem(draft.call.turns, item.itemId, {
      ...cut,
      final: true,
      startMs,
      endMs: startMs + receivedMs,
    });
    draft.call.floor.agentClosed = isClosing(text);
  }
  draft.call.playback = forget(draft.call.playback, new Set(items.map((item) => item.itemId)));
}

export function speechStopped(draft: Draft, event: Of<'model.speechStopped'>): void {
  const { floor, ending } = draft.call;
  const silenceMs = draft.call.model.turn?.silenceMs ?? 0;
  stopSpeaking(draft);
  draft.call.turns = changeItem(draft.call.turns, event.itemId, {
    endMs: streamMs(draft.call, draft.nowMs - silenceMs),
  });
  if (ending.stage === 'none' && floor.waitingUntilMs === null) expectAnswer(draft);
}

/** The callee's speech is over, or cannot be followed any more. From now on its words are waited for, but not for ever. */
export function stopSpeaking(draft: Draft): void {
  const { floor } = draft.call;
  if (!floor.speaking) return;
  awaitText(draft, floor.speaking.itemId);
  floor.speaking = null;
  floor.lastSpeechEndMs = draft.nowMs;
}

function awaitText(draft: Draft, itemId: string): void {
  const turn = itemOf(draft.call.turns, itemId);
  if (turn && turn.role === 'callee' && !turn.final)
    draft.call.turns = changeItem(draft.call.turns, itemId, {
      textDueMs: draft.nowMs + timingOf(draft.call).transcriptMs,
      endMs: Math.max(turn.endMs, turn.startMs),
    });
}

export function expectAnswer(draft: Draft): void {
  const { floor } = draft.call;
  floor.awaitingSinceMs = draft.nowMs;
  if (floor.waitedMs === 0) floor.awaitingRetries = 0;
}

export function committed(draft: Draft, event: Of<'model.committed'>): void {
  const { floor } = draft.call;
  meet(draft, 'callee', event.itemId, event.previousItemId);
  if (floor.speaking?.itemId === event.itemId) stopSpeaking(draft);
  else awaitText(draft, event.itemId);
  floor.firstTurnDone = true;
  if (floor.answerNextTurn) {
    floor.answerNextTurn = false;
    expectAnswer(draft);
    wantReply(draft, 'answer');
  }
}

export function transcribed(draft: Draft, event: Of<'model.transcribed'>): void {
  const { floor } = draft.call;
  const turn = itemOf(draft.call.turns, event.itemId);
  if (turn && turn.role !== 'callee') return;
  if (!turn) meet(draft, 'callee', event.itemId);
  const words = event.text !== null && hasWords(event.text);
  if (event.text !== null) takeWords(draft, event.itemId, event.text);
  // The placeholder comes at once: nothing better will.
  else if (!turn?.final)
    draft.call.turns = changeItem(draft.call.turns, event.itemId, { textDueMs: draft.nowMs, estimated: true });
  if (floor.interruptedBy === event.itemId) {
    floor.interruptedBy = null;
    if (event.text !== null) floor.wordlessInterruptions = words ? 0 : floor.wordlessInterruptions + 1;
  }
  // Words from before the wait, transcribed late, are what asked for it; and transcribers make a "Bye." out of background voices.
  const since = turn?.addedAtMs ?? draft.nowMs;
  const speaksToUs = event.text !== null && words && !isClosing(event.text);
  if (speaksToUs && floor.waitingUntilMs !== null && since > floor.waitingSinceMs) personIsBack(draft);
}

/** The callee's words. A line that stands there as a placeholder is told again, with them. */
function takeWords(draft: Draft, itemId: string, text: string): void {
  const before = itemOf(draft.call.turns, itemId);
  const known = before?.text === text.trim() ? null : (before?.line ?? null);
  draft.call.turns = changeItem(draft.call.turns, itemId, {
    text: text.trim(),
    final: true,
    textDueMs: null,
    estimated: false,
  });
  const turn = itemOf(draft.call.turns, itemId);
  if (turn && known !== null && hasWords(text)) emit(draft, { type: 'scribe.line', ...lineOf(turn, known) });
  const last = draft.call.turns.items.findLast((item) => item.role === 'callee');
  if (last?.itemId === itemId) draft.call.floor.calleeClosed = isClosing(text);
}

/** The wait that the agent was asked for is over: somebody spoke words to it, or the time ran out. */
export function personIsBack(draft: Draft, instructions?: string): void {
  draft.call.floor.waitingUntilMs = null;
  expectAnswer(draft);
  wantReply(draft, 'answer', instructions ?? INSTRUCTIONS.answer);
}

/** Of speech whose words never come nobody can say whether it was meant for us; after so much of it we ask. */
export function personIsBackWithoutWords(draft: Draft, told: readonly ToldLine[]): void {
  const { waitingUntilMs, waitingSinceMs } = draft.call.floor;
  if (waitingUntilMs === null || told.length === 0) return;
  const sinceMs = streamMs(draft.call, waitingSinceMs);
  const isLongSpeech = ({ speaker, text, startMs, endMs }: ToldLine): boolean =>
    speaker === 'callee' && text === PLACEHOLDER && startMs > sinceMs && endMs - startMs >= WORDLESS_RETURN_MS;
  if (told.some(isLongSpeech)) personIsBack(draft);
}

export function spoke(draft: Draft, event: Of<'model.spoke'>): void {
  const { floor, line, stream, settling } = draft.call;
  const { active } = floor;
  if (
    !active ||
    active.replyId !== event.replyId ||
    active.discarded ||
    line.hangUp !== 'none' ||
    settling ||
    stream.state !== 'up'
  ) {
    emit(draft, { type: 'chunk.drop', chunkId: event.chunkId });
    return;
  }
  floor.active = { ...active, spoke: true, aliveAtMs: draft.nowMs };
  floor.awaitingSinceMs = null;
  floor.awaitingRetries = 0;
  floor.waitedMs = 0;
  meet(draft, 'agent', event.itemId);
  draft.call.playback = receive(draft.call.playback, event);
  play(draft);
}

/** Sends to the carrier what its buffer takes now. */
export function play(draft: Draft): void {
  if (draft.call.stream.state !== 'up' || draft.call.line.hangUp !== 'none' || draft.call.settling) return;
  const { playback, sent } = pump(draft.call.playback, draft.nowMs, traitsOf(draft.call).lookAheadMs);
  draft.call.playback = playback;
  for (const each of sent) {
    if ('play' in each) emit(draft, { type: 'carrier.play', chunkId: each.play });
    else emit(draft, { type: 'carrier.mark', generation: playback.generation, markId: each.mark });
  }
}

export function worded(draft: Draft, event: Of<'model.worded'>): void {
  const turn = itemOf(draft.call.turns, event.itemId);
  if (turn?.interrupted) {
    // Words that came after the cut belong to what was planned, not to what was heard.
    const planned = wordsSoFar(turn.planned ?? '', event);
    if (turn.line === null) draft.call.turns = changeItem(draft.call.turns, event.itemId, { planned });
    return;
  }
  if (!turn) meet(draft, 'agent', event.itemId);
  const text = wordsSoFar(turn?.text ?? '', event);
  draft.call.turns = changeItem(draft.call.turns, event.itemId, { text });
}

/** A reply of half an hour has no more; a model that never stops must not fill the memory. */
const MOST_LETTERS = 20_000;

/** The words of an item, with what the event adds to them. */
export function wordsSoFar(before: string, event: Of<'model.worded'>): string {
  return (event.whole ? event.text : before + event.text).slice(0, MOST_LETTERS);
}

export function itemDone(draft: Draft, event: Of<'model.itemDone'>): void {
  const spokenItem = draft.call.playback.items.find((item) => item.itemId === event.itemId);
  if (spokenItem) {
    if (event.complete) learnSpeed(draft, spokenItem);
    draft.call.playback = finish(draft.call.playback, (item) => item.itemId === event.itemId, !event.complete);
    play(draft);
    return;
  }
  const turn = itemOf(draft.call.turns, event.itemId);
  // An agent's item without audio was never heard.
  if (turn?.role === 'agent' && !turn.final)
    draft.call.turns = changeItem(draft.call.turns, event.itemId, { text: '', planned: turn.text, final: true });
}

/** Text and audio of an item are both whole. */
function learnSpeed(draft: Draft, item: Spoken): void {
  const letters = spokenLength(itemOf(draft.call.turns, item.itemId)?.text ?? '');
  if (letters === 0) return;
  const known = draft.call.floor.wholeSpeech;
  draft.call.floor.wholeSpeech = { letters: known.letters + letters, ms: known.ms + msOfBytes(item.receivedBytes) };
}

/** The reply is made. Its slot is free; its audio may go on playing for long. Returns the reply when it was the one we knew. */
export function replyDone(draft: Draft, event: Of<'model.replyDone'>): ActiveReply | null {
  const { floor } = draft.call;
  if (event.usage) emit(draft, { type: 'scribe.usage', usage: event.usage });
  const active = floor.active?.replyId === event.replyId ? floor.active : null;
  if (!active) return null;
  floor.active = null;
  finishReplies(draft);
  play(draft);
  if (event.status === 'failed' || event.status === 'incomplete')
    note(draft, `reply-${event.status}`, { reason: event.reason ?? null });
  return active;
}

/** No reply is being made any more: what items have is all they will get. One without audio was never heard. */
export function finishReplies(draft: Draft): void {
  draft.call.playback = finish(draft.call.playback, () => true, true);
  const spoken = new Set(draft.call.playback.items.map((item) => item.itemId));
  for (const item of draft.call.turns.items.slice(draft.call.turns.told)) {
    if (item.role === 'agent' && !item.final && !spoken.has(item.itemId))
      draft.call.turns = changeItem(draft.call.turns, item.itemId, { text: '', planned: item.text, final: true });
  }
}

/** The model is gone: nothing more comes of its replies, and no transcription of what the callee said to it. */
export function abandonTurns(draft: Draft): void {
  stopSpeaking(draft);
  finishReplies(draft);
  draft.call.playback = disown(draft.call.playback);
  for (const item of draft.call.turns.items.slice(draft.call.turns.told)) {
    if (item.role === 'callee' && !item.final)
      draft.call.turns = changeItem(draft.call.turns, item.itemId, { textDueMs: draft.nowMs });
  }
}
