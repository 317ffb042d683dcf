/** One step's working copy: regions are copied once, changed in place, and returned as the next state. Nothing nested is mutated. */
import type { Call } from './call.ts';
import type { CallCommand } from './commands.ts';
import type { CallPolicy } from './events.ts';
import { TIMING, type Timing } from './timing.ts';
import type { Brief, CarrierTraits, Limits } from './words.ts';

export interface Draft {
  readonly call: Call;
  readonly commands: CallCommand[];
  readonly nowMs: number;
}

export function openDraft(call: Call, atMs: number): Draft {
  const nowMs = Math.max(call.nowMs, atMs);
  return {
    call: {
      ...call,
      nowMs,
      line: { ...call.line },
      stream: { ...call.stream },
      model: { ...call.model },
      floor: { ...call.floor },
      ending: { ...call.ending },
    },
    commands: [],
    nowMs,
  };
}

export function emit(draft: Draft, command: CallCommand): void {
  draft.commands.push(command);
}

export function note(
  draft: Draft,
  kind: string,
  data: Readonly<Record<string, string | number | boolean | null>> = {},
): void {
  emit(draft, { type: 'scribe.note', kind, data });
}

const NO_LIMITS: Limits = { ringMs: 30_000, firstSpeechMs: 3_000, silenceMs: 15_000, callMs: 900_000 };
const NO_POLICY: CallPolicy = { serverInterrupts: true, turnSilenceMs: 500, firstTurnSilenceMs: 1_000 };
const NO_TRAITS: CarrierTraits = {
  lookAheadMs: 600_000,
  clearEchoesMarks: true,
  canSay: false,
  canReattach: false,
  canSendDigits: false,
};

export function limitsOf(call: Call): Limits {
  return call.request?.limits ?? NO_LIMITS;
}

export function policyOf(call: Call): CallPolicy {
  return call.request?.policy ?? NO_POLICY;
}

export function traitsOf(call: Call): CarrierTraits {
  return call.request?.traits ?? NO_TRAITS;
}

export function timingOf(call: Call): Timing {
  return call.request?.timing ?? TIMING;
}

export function briefOf(call: Call): Brief | null {
  return call.request?.brief ?? null;
}

/** Milliseconds since the stream started, the transcript's clock. */
export function streamMs(call: Call, atMs: number): number {
  return call.stream.startedAtMs === null ? 0 : Math.max(0, atMs - call.stream.startedAtMs);
}
