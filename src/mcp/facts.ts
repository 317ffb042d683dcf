import { z } from 'zod';
import type { Cost } from '../call/cost.ts';
import { CALL_STATES, type Line, OUTCOMES } from '../call/words.ts';
import type { CallRecord } from '../store/store.ts';
import { clean } from './quotation.ts';

/** The facts of a call and its lines as tools and resources show them. Times of day are ISO 8601, times in a call milliseconds. */

export const callIdSchema = z.string().min(1).max(64).describe('From trigger-call or list-calls.');
export const lineCursorSchema = z.number().int().min(0).max(100_000).default(0);
export const pageCursorSchema = z.string().min(1).max(200).optional().describe('From the page before.');

export const stateSchema = z.enum(CALL_STATES);
export const outcomeSchema = z.enum(OUTCOMES).nullable();

export const lineSchema = z.object({
  index: z.number(),
  speaker: z.enum(['agent', 'callee', 'system']),
  text: z.string(),
  planned: z.string().optional(),
  interrupted: z.boolean(),
  estimated: z.boolean(),
  startMs: z.number(),
  endMs: z.number(),
  final: z.boolean(),
});

/** `line` with its words cleaned of what a terminal or a reader could be fooled with. */
export function lineFacts(line: Line): z.output<typeof lineSchema> {
  const { index, speaker, text, planned, interrupted, estimated, startMs, endMs, final } = line;
  const words = planned === undefined ? {} : { planned: clean(planned) };
  return { index, speaker, text: clean(text), ...words, interrupted, estimated, startMs, endMs, final };
}

export const callSchema = z.object({
  callId: z.string(),
  to: z.string(),
  direction: z.enum(['outbound', 'inbound']),
  via: z.string(),
  state: stateSchema,
  outcome: outcomeSchema,
  reason: z.string().nullable(),
  createdAt: z.string(),
  answeredAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  durationSeconds: z.number().nullable(),
  lineCount: z.number(),
  costUsd: z.number().nullable(),
  costComplete: z.boolean().nullable().describe('false: it costs at least costUsd.'),
  simulated: z.boolean(),
});

export function callFacts(call: CallRecord): z.output<typeof callSchema> {
  const { callId, to, state, outcome, reason, answeredAtMs, endedAtMs, lineCount, cost, simulated } = call;
  const talkedMs = answeredAtMs === null || endedAtMs === null ? null : endedAtMs - answeredAtMs;
  return {
    callId,
    to: clean(to),
    direction: call.inbound ? 'inbound' : 'outbound',
    via: call.carrier,
    state,
    outcome,
    reason,
    createdAt: isoTime(call.createdAtMs),
    answeredAt: answeredAtMs === null ? null : isoTime(answeredAtMs),
    endedAt: endedAtMs === null ? null : isoTime(endedAtMs),
    durationSeconds: talkedMs === null ? null : Math.round(talkedMs / 1000),
    lineCount,
    costUsd: cost === null ? null : shortUsd(cost.amount),
    costComplete: cost === null ? null : cost.complete,
    simulated,
  };
}

/** One line about a call for a reader; only words of ours. */
export function callSentence(call: CallRecord): string {
  const { state, outcome, reason, durationSeconds, createdAt } = callFacts(call);
  const how = outcome === null ? state : `${state}, ${outcome}`;
  const length = durationSeconds === null ? '' : `, ${durationSeconds} s`;
  return `${call.callId} ${call.inbound ? 'from' : 'to'} ${clean(call.to)} (${createdAt}): ${how}${length}${costClause(call.cost)}${reason === null ? '' : ` – ${reason}`}`;
}

function costClause(cost: Cost | null): string {
  if (cost === null || (cost.amount === 0 && cost.complete)) return '';
  return `, ${cost.complete ? 'about' : 'at least'} $${shortUsd(cost.amount)}`;
}

/** To a hundredth of a cent: more digits would be noise. */
function shortUsd(amount: number): number {
  return Number(amount.toFixed(4));
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
