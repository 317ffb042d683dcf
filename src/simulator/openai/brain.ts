import type { ResponseFault } from './knobs.ts';

/** One thing that the callee said. `phraseId` is null when it was heard but not understood. */
export interface Heard {
  readonly phraseId: string | null;
  readonly text: string;
  /** Whether every frame of it arrived, in order. */
  readonly exact: boolean;
}

/** What the model knows when it decides what to say. */
export interface BrainTurn {
  /** Since the last response that was not lost. */
  readonly heard: readonly Heard[];
  readonly instructions: string;
  /** From the `response.create`; empty when the server began the response by itself. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly toolOutputs: readonly { readonly callId: string; readonly name: string; readonly output: string }[];
  readonly history: readonly { readonly role: string; readonly text: string; readonly phraseId: string | null }[];
  /** Names of the tools that may be called in this response. */
  readonly tools: readonly string[];
  /** True when the server began the response by itself. */
  readonly own: boolean;
}

export interface BrainReply {
  /** Ids of phrases; each becomes an item of the response. */
  readonly speak?: readonly string[];
  readonly calls?: readonly { readonly name: string; readonly args: Readonly<Record<string, unknown>> | string }[];
  /** Thinking time, on top of the server's first-audio delay. */
  readonly delayMs?: number;
  readonly fail?: ResponseFault;
}

/** Decides what each response is. Asked once a response, when it is created; calls of tools that are not on offer are dropped. */
export interface Brain {
  respond(turn: BrainTurn): BrainReply;
}

/** Answers `reply` when everything in `when` holds; the first such rule wins. */
export interface Rule {
  readonly when: {
    /** The last thing heard; null stands for something not understood. */
    readonly heard?: string | null;
    readonly purpose?: string;
    readonly toolOutput?: string;
    readonly own?: boolean;
    readonly test?: (turn: BrainTurn) => boolean;
  };
  readonly reply: BrainReply;
  /** The rule holds for one response only. */
  readonly once?: boolean;
}

export function lastHeard(turn: BrainTurn): Heard | undefined {
  return turn.heard.at(-1);
}

function holds({ when }: Rule, turn: BrainTurn): boolean {
  if (when.heard !== undefined && lastHeard(turn)?.phraseId !== when.heard) return false;
  if (when.purpose !== undefined && turn.metadata.purpose !== when.purpose) return false;
  if (when.toolOutput !== undefined && !turn.toolOutputs.some((one) => one.name === when.toolOutput)) return false;
  if (when.own !== undefined && turn.own !== when.own) return false;
  return when.test?.(turn) ?? true;
}

/** What is said when no rule holds. What was not understood is answered wrongly, so that a broken line shows. */
function otherwise(turn: BrainTurn): BrainReply {
  const { purpose } = turn.metadata;
  if (purpose === 'goodbye') return { speak: ['a.farewell'] };
  if (purpose === 'operator') return { speak: ['a.short'] };
  if (purpose === 'nudge') return { speak: ['a.stillthere'] };
  if (lastHeard(turn) !== undefined) return { speak: ['a.again'] };
  if (purpose === 'opener') return { speak: ['a.opener'] };
  if (turn.toolOutputs.length > 0) return { speak: ['a.short'] };
  return { speak: [turn.history.some((one) => one.role === 'assistant') ? 'a.stillthere' : 'a.opener'] };
}

/** A brain of rules, in order; defaults after them. */
export function scriptedBrain(rules: readonly Rule[]): Brain {
  const spent = new Set<Rule>();
  return {
    respond(turn) {
      const rule = rules.find((one) => !spent.has(one) && holds(one, turn));
      if (rule === undefined) return otherwise(turn);
      if (rule.once === true) spent.add(rule);
      return rule.reply;
    },
  };
}

/** What the reservation's `end_call` reports. */
export const BOOKED = 'A table for four on Friday at seven is booked under the name Carter.';

const ANSWERS: Readonly<Record<string, BrainReply>> = {
  'c.greeting': { speak: ['a.request'] },
  'c.hello': { speak: ['a.opener'] },
  'c.howmany': { speak: ['a.four'] },
  'c.name': { speak: ['a.name'] },
  'c.confirmed': { speak: ['a.goodbye'], calls: [{ name: 'end_call', args: { outcome: BOOKED } }] },
  'c.bye': { speak: ['a.farewell'] },
  'c.onemore': { speak: ['a.parking'] },
  'c.moment': { calls: [{ name: 'stay_quiet', args: { seconds: 60 } }] },
  'c.back': { speak: ['a.perfect'] },
  'c.stop': { speak: ['a.long2'] },
  'c.seven': { speak: ['a.name'] },
  'c.yes': { speak: ['a.four'] },
  'c.mmhm': { speak: ['a.long2'] },
  'c.person': {
    speak: ['a.goodbye'],
    calls: [{ name: 'end_call', args: { outcome: 'They want to speak to a person.' } }],
  },
  'c.office': { speak: ['a.request'] },
};

/** The extension that the phrasebook's office hands calls over to. */
export const COLLEAGUE_EXTENSION = '1003';
export const HANDED_OVER = 'They want to speak to a person.';

/** Where calls may be handed over. */
const HAND_OVER: Rule = {
  when: { heard: 'c.person', test: (turn) => turn.tools.includes('transfer_call') },
  reply: {
    speak: ['a.transfer'],
    calls: [{ name: 'transfer_call', args: { to: COLLEAGUE_EXTENSION, summary: HANDED_OVER } }],
  },
};

/** Books a table: an answer to everything that the phrasebook's restaurant says. Rules given here come first. */
export function reservationBrain(first: readonly Rule[] = []): Brain {
  const requests: Rule[] = ['goodbye', 'operator', 'nudge'].map((purpose) => ({
    when: { purpose },
    reply: speakFor(purpose),
  }));
  const answers: Rule[] = Object.entries(ANSWERS).map(([heard, reply]) => ({ when: { heard }, reply }));
  return scriptedBrain([...first, HAND_OVER, ...requests, ...answers]);
}

function speakFor(purpose: string): BrainReply {
  if (purpose === 'goodbye') return { speak: ['a.farewell'] };
  return { speak: [purpose === 'nudge' ? 'a.stillthere' : 'a.short'] };
}
