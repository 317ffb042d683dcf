/** In which phase a call is, judged by what the outside world has seen of it: the telephone, the model and the callee's ear. */
import type { SessionRecord } from '../../src/simulator/openai/record.ts';
import type { SimulatedCall } from '../../src/simulator/twilio/call.ts';
import type { World } from '../../src/simulator/world.ts';

export const PHASES = ['placing', 'ringing', 'joining', 'opening', 'talking', 'interrupted', 'ending'] as const;
export type Phase = (typeof PHASES)[number];

/** `over` when nothing of it lives any more. */
export function phaseOf(world: World, to: string): Phase | 'over' {
  const call = world.twilio.calls.find((one) => one.to === to);
  if (!call) return 'placing';
  if (call.isOver) return 'over';
  if (call.status === 'queued') return call.webhooks.some(({ reply }) => reply !== null) ? 'ringing' : 'placing';
  if (call.status === 'ringing') return 'ringing';
  const session = sessionTo(world, to);
  if (!call.stream || call.stream.elapsedMs === 0 || !session?.sentTypes().includes('session.updated'))
    return 'joining';
  if (isEnding(session)) return 'ending';
  return callee(call) ?? (session.responses.length + session.turns.length > 0 ? 'talking' : 'opening');
}

/** The session of the model that speaks to this number: its instructions carry the brief, which `briefTo` wrote. */
export function sessionTo(world: World, to: string): SessionRecord | null {
  return world.realtime.sessions.find(({ config }) => config.instructions.includes(briefTo(to)))?.record ?? null;
}

export function briefTo(to: string): string {
  return `Book a table for four on Friday at seven; this is call ${to.slice(-4)}.`;
}

/** The model has said that the call shall end, or was asked for a goodbye. */
function isEnding({ responses }: SessionRecord): boolean {
  return responses.some(
    ({ calls, doneAtMs, metadata }) =>
      (calls.includes('end_call') && doneAtMs !== null) || metadata.purpose === 'goodbye',
  );
}

/** Speaks over the agent, or has silenced it and goes on. */
function callee(call: SimulatedCall): 'interrupted' | null {
  const person = call.callee;
  if (person === null || !('said' in person) || !('interruptions' in person)) return null;
  const said = person.said as readonly { readonly startMs: number; readonly endMs: number | null }[];
  const interruptions = person.interruptions as readonly { readonly atMs: number }[];
  const last = said.at(-1);
  return last?.endMs === null && interruptions.some(({ atMs }) => atMs >= last.startMs) ? 'interrupted' : null;
}
