/**
 * Calls in which the agent is interrupted over and over, and what came of each interruption: what the ear of the simulated
 * telephone truly heard beside what the product told the model and its own notes.
 */
import type { Answer } from '../simulator/callee/callee.ts';
import type { HeardRun } from '../simulator/callee/ear.ts';
import { type Rule, scriptedCallee } from '../simulator/callee/scripted-callee.ts';
import type { Brain } from '../simulator/openai/brain.ts';
import type { SessionRecord } from '../simulator/openai/record.ts';
import { loadPhrasebook, phrase } from '../simulator/speech/load-phrasebook.ts';
import type { SimulatedCall } from '../simulator/twilio/call.ts';
import type { World } from '../simulator/world.ts';

/** One reply of the agent. `cut`: the phrase during which the callee begins to speak, and after how many milliseconds of it. */
export interface PlannedReply {
  readonly speak: readonly string[];
  readonly cut: { readonly phrase: string; readonly atMs: number } | null;
}

/** What the product has to tell of a call that has ended. */
export interface HeldCall {
  readonly carrierCallId: string | null;
  readonly context: string;
  /** Data of the timeline's entries of one kind. */
  notes(kind: string): readonly Readonly<Record<string, unknown>>[];
}

export interface Interrupted {
  readonly itemId: string;
  readonly phraseId: string;
  /** Number of the reply in its call, from 0, and which item of the reply it is. */
  readonly reply: number;
  readonly item: number;
  /** `response.done` had been sent when the model was told. */
  readonly afterDone: boolean;
  /** The oracle: what left the playback buffer. */
  readonly trulyHeardMs: number;
  readonly trulyHeardText: string;
  /** What the product told the model, and what it wrote down. */
  readonly truncatedMs: number;
  readonly accepted: boolean;
  readonly notedMs: number | null;
  readonly notedText: string;
  /** From the end of the last stall of the playout in this item to the clear; 0 when the clear fell into one, null without. */
  readonly stalledAgoMs: number | null;
  /** Of `performance.now()`: when its first sound and the clear left the product, and when they came to the telephone. */
  readonly instantsMs: readonly number[];
  readonly clearedAtMs: number;
  /** What simpler reckonings would have said. */
  readonly sentMs: number;
  readonly markedMs: number;
}

/** Speaks the replies of whichever plan the call's brief names (`plan 3.`). */
export function plannedBrain(plans: readonly (readonly PlannedReply[])[]): Brain {
  const spoken = new Map<string, number>();
  return {
    respond({ instructions }) {
      const name = /plan \d+\./.exec(instructions)?.[0] ?? '';
      const count = spoken.get(name) ?? 0;
      spoken.set(name, count + 1);
      return { speak: plans[Number(name.slice(5, -1))]?.[count]?.speak ?? ['a.farewell'] };
    },
  };
}

/** A person who says "Hello?" whenever the plan says so, and hangs up during the farewell that comes after its last reply. */
export function interrupter(plan: readonly PlannedReply[], ringMs: number): Answer {
  const said: string[] = [];
  const rules = plan.map(({ speak, cut }): Rule => {
    said.push(...speak);
    const of = (id: string) => ({ phrase: id, occurrence: said.filter((one) => one === id).length });
    const when =
      cut === null ? { ...of(speak.at(-1) ?? ''), share: 1, thenMs: 500 } : { ...of(cut.phrase), ms: cut.atMs };
    return { when: { after: 'heard', ...when }, act: { say: 'c.hello' } };
  });
  const script = {
    rules: [
      { when: { after: 'start', ms: 200 }, act: { say: 'c.hello' } } as const,
      ...rules,
      { when: { after: 'heard', phrase: 'a.farewell', ms: 300 }, act: { hangUp: true } } as const,
    ],
    manners: { helloAfterMs: null, hangUpAfterMs: null },
  };
  return { kind: 'answers', ringMs, callee: () => scriptedCallee(script, loadPhrasebook()) };
}

/** The brief of the call with this plan, by which the simulated model and its record know it. */
export function briefOf(plan: number): string {
  return `Book a table, by plan ${plan}.`;
}

/** The number that the call with this plan is placed to. */
export function numberOf(plan: number): string {
  return `+1415555${String(100 + plan).padStart(4, '0')}`;
}

export function simulatedCallOf(world: World, held: HeldCall): SimulatedCall {
  const call = world.twilio.calls.find((one) => one.sid === held.carrierCallId);
  if (call === undefined) throw new Error(`The telephone knows no call ${held.carrierCallId}`);
  return call;
}

/** The session of the model in which this call was held: its instructions carry the brief. */
export function sessionOf(world: World, held: HeldCall): SessionRecord {
  const sessions = world.realtime.sessions.filter((one) => one.config.instructions.includes(held.context));
  const [session] = sessions;
  if (session === undefined || sessions.length > 1) throw new Error(`${sessions.length} sessions for ${held.context}`);
  return session.record;
}

/** What came of each interruption of a call that has ended; `roundTripMs` is that of the world's telephone network. */
export function interruptionsOf(world: World, held: HeldCall, roundTripMs: number): readonly Interrupted[] {
  const call = simulatedCallOf(world, held);
  const { ear } = call;
  if (ear === null) throw new Error('The call has no ear');
  const record = sessionOf(world, held);
  const items = [...record.spoken.values()];
  const notes = held.notes('interrupted');
  const marked = markedReckonings(record, call, roundTripMs);
  const stream = call.streams[0];
  const zeroMs = stream === undefined ? 0 : performance.now() - stream.elapsedMs;
  return record.truncations.map((truncation): Interrupted => {
    const spoken = record.spoken.get(truncation.itemId);
    if (spoken === undefined) throw new Error(`${truncation.itemId} was truncated and never spoken`);
    const { itemId, phraseId } = spoken;
    const occurrence = items.filter((one) => one.phraseId === phraseId).indexOf(spoken) + 1;
    const reply = record.responses.findIndex((one) => one.id === spoken.responseId);
    const doneAtMs = record.responses[reply]?.doneAtMs ?? Number.POSITIVE_INFINITY;
    const note = notes.find((one) => one.itemId === itemId);
    const pieces = ear.runs().filter((one) => one.phraseId === phraseId && one.occurrence === occurrence);
    const firstMs = pieces[0]?.heardAtMs ?? 0;
    const clears = (stream?.received ?? []).filter((one) => one.event === 'clear').map((one) => one.atMs);
    const clearMs = clears.find((atMs) => atMs > firstMs) ?? firstMs;
    return {
      itemId,
      phraseId,
      reply,
      item: items.filter((one) => one.responseId === spoken.responseId).indexOf(spoken),
      // The server cancels by itself when it hears speech: a response that outlived this by less was still being made.
      afterDone: doneAtMs < truncation.atMs && record.responses[reply]?.status === 'completed',
      trulyHeardMs: ear.heardMs(phraseId, occurrence),
      trulyHeardText: ear.heardText(phraseId, occurrence),
      truncatedMs: truncation.audioEndMs,
      accepted: truncation.accepted,
      notedMs: typeof note?.heardMs === 'number' ? note.heardMs : null,
      notedText: typeof note?.heard === 'string' ? note.heard : '',
      stalledAgoMs: stalledAgo(pieces, clearMs),
      clearedAtMs: zeroMs + clearMs,
      instantsMs: [firstMs, clearMs].flatMap((atMs) => [zeroMs + atMs, zeroMs + atMs - roundTripMs / 2]),
      sentMs: truncation.generatedMs,
      markedMs: marked.get(itemId) ?? 0,
    };
  });
}

function stalledAgo(pieces: readonly HeardRun[], clearMs: number): number | null {
  const last = pieces.at(-1);
  if (last === undefined) return null;
  if (clearMs - (last.heardAtMs + last.toMs - last.fromMs) > 15) return 0;
  return pieces.length > 1 ? clearMs - last.heardAtMs : null;
}

/**
 * What somebody would say who trusts the echoes of marks alone: for each truncated item, its part before the last mark that had
 * been echoed, one round trip before the clear arrived (so that the echo was known when the clear was sent).
 */
function markedReckonings(
  record: SessionRecord,
  call: SimulatedCall,
  roundTripMs: number,
): ReadonlyMap<string, number> {
  const stream = call.streams[0];
  const reckoned = new Map<string, number>();
  if (stream === undefined) return reckoned;
  const echoedAt = new Map(stream.sent.filter((one) => one.event === 'mark').map((one) => [one.detail, one.atMs]));
  const truncated = new Set(record.truncations.map((one) => one.itemId));
  const items = [...record.spoken.values()];
  let bytes = 0;
  let marks: { readonly name: string; readonly atByte: number }[] = [];
  for (const one of stream.received) {
    if (one.event === 'media') bytes += Number(one.detail);
    else if (one.event === 'mark') marks.push({ name: String(one.detail), atByte: bytes });
    else {
      const known = marks.filter(
        (mark) => (echoedAt.get(mark.name) ?? Number.POSITIVE_INFINITY) <= one.atMs - roundTripMs,
      );
      let confirmed = known.at(-1)?.atByte ?? 0;
      // Items before the one that was cut had been heard out, whole.
      for (let item = items.shift(); item !== undefined; item = items.shift()) {
        const whole = phrase(item.phraseId).audio.byteLength;
        if (truncated.has(item.itemId)) {
          reckoned.set(item.itemId, Math.max(0, Math.min(confirmed, whole)) / 8);
          while (items[0]?.responseId === item.responseId) items.shift();
          break;
        }
        confirmed -= whole;
      }
      bytes = 0;
      marks = [];
    }
  }
  return reckoned;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
