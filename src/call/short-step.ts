/**
 * Three things happen many times a second in every call that speaks: a piece of audio goes on with what is being said, more words of it
 * are told, and a mark comes back from its midst. Nothing follows from them but what stands here, so they need not look at every region.
 */
import { type Call, phaseOf } from './call.ts';
import type { CallCommand } from './commands.ts';
import { traitsOf } from './draft.ts';
import type { CallEvent, EpochModelEvent } from './events.ts';
import { wordsSoFar } from './floor.ts';
import { continueRun, echo } from './playback.ts';
import { changeItem, itemOf } from './turns.ts';

export interface Taken {
  readonly call: Call;
  readonly commands: readonly CallCommand[];
}

type Of<T extends CallEvent['type']> = Extract<CallEvent, { readonly type: T }>;

const NOTHING: readonly CallCommand[] = [];

/** The step in short; null when more may follow from the event. */
export function shortStep(call: Call, event: CallEvent): Taken | null {
  // A pause before the next create ends with a whole step.
  if (call.floor.blockedUntilMs !== null) return null;
  switch (event.type) {
    case 'model.worded':
      return worded(call, event);
    case 'model.spoke':
      return spoke(call, event);
    case 'carrier.markEchoed':
      return echoed(call, event);
    default:
      return null;
  }
}

function worded(call: Call, event: Of<'model.worded'>): Taken | null {
  if (!isOfSession(call, event)) return null;
  const turn = itemOf(call.turns, event.itemId);
  if (!turn || turn.final || turn.interrupted) return null;
  const turns = changeItem(call.turns, event.itemId, { text: wordsSoFar(turn.text, event) });
  return { call: { ...call, nowMs: later(call, event), turns }, commands: NOTHING };
}

function spoke(call: Call, event: Of<'model.spoke'>): Taken | null {
  const { floor } = call;
  const { active } = floor;
  if (!isOfSession(call, event) || !active?.spoke || active.replyId !== event.replyId || active.discarded) return null;
  if (floor.awaitingSinceMs !== null || floor.awaitingRetries !== 0 || floor.waitedMs !== 0) return null;
  if (phaseOf(call) !== 'talking') return null;
  const nowMs = later(call, event);
  const continued = continueRun(call.playback, event, nowMs, traitsOf(call).lookAheadMs);
  if (!continued) return null;
  const { playback, markId } = continued;
  const commands: CallCommand[] = [{ type: 'carrier.play', chunkId: event.chunkId }];
  if (markId !== null) commands.push({ type: 'carrier.mark', generation: playback.generation, markId });
  return {
    call: { ...call, nowMs, playback, floor: { ...floor, active: { ...active, aliveAtMs: nowMs } } },
    commands,
  };
}

/** Not when the echo tells of a stall, or of one that is over, or comes sooner than any before: all moments move then. */
function echoed(call: Call, event: Of<'carrier.markEchoed'>): Taken | null {
  const { playback } = call;
  if (event.epoch !== call.stream.epoch || phaseOf(call) !== 'talking' || playback.queue.length > 0) return null;
  const nowMs = later(call, event);
  const after = echo(playback, event.generation, event.markId, nowMs);
  const isUsual =
    after.items === playback.items &&
    after.run?.stallMs === playback.run?.stallMs &&
    after.delays?.leastMs === playback.delays?.leastMs;
  return isUsual ? { call: { ...call, nowMs, playback: after }, commands: NOTHING } : null;
}

function isOfSession(call: Call, event: EpochModelEvent): boolean {
  return event.epoch === call.model.epoch && call.model.state === 'ready';
}

function later(call: Call, event: CallEvent): number {
  return Math.max(call.nowMs, event.atMs);
}
