import { SILENCE_BYTE } from '../../src/media/mulaw.ts';
import type { Callee, CalleeTurn } from '../../src/simulator/callee/callee.ts';
import {
  type Rule,
  type Script,
  type ScriptedCallee,
  scriptedCallee,
} from '../../src/simulator/callee/scripted-callee.ts';
import { type Brain, scriptedBrain, type Rule as ThoughtRule } from '../../src/simulator/openai/brain.ts';
import { loadPhrasebook } from '../../src/simulator/speech/load-phrasebook.ts';

/** A stretch in which we were audible, or the callee spoke to us, of `performance.now()`. */
export interface Sound {
  readonly fromMs: number;
  readonly toMs: number;
}

const FRAME_MS = 20;
const HELLO = 'c.hello';
/** People say it after 3 s; this is as much shorter as the times of the product are here. */
const HELLO_AFTER_MS = 1_000;

/** The person at the telephone, with a record of when it was quiet on the line. It speaks in short sentences. */
export class Person implements Callee {
  readonly scripted: ScriptedCallee;
  readonly sounds: Sound[] = [];

  constructor(script: Script) {
    this.scripted = scriptedCallee(script, loadPhrasebook());
  }

  tick(heard: Uint8Array | null, atMs: number): CalleeTurn {
    const turn = this.scripted.tick(heard, atMs);
    const speaks = turn.spoken !== null && !this.isSaying(HELLO);
    const audible = speaks || heard?.some((byte) => byte !== SILENCE_BYTE) === true;
    const nowMs = performance.now();
    if (audible) this.sounds.push({ fromMs: nowMs - FRAME_MS, toMs: nowMs });
    return turn;
  }

  isSaying(phraseId: string): boolean {
    const last = this.scripted.said.at(-1);
    return last?.phraseId === phraseId && last.endMs === null;
  }
}

const answers = (phrase: string): Rule => ({
  when: { after: 'heard', phrase, share: 0.9, thenMs: 200 },
  act: { say: 'c.bye' },
  repeat: true,
});

/** Whatever of ours it hears to the end, it says goodbye to; into a long silence it says "Hello?", and in the end it hangs up. */
const RULES: readonly Rule[] = [
  ...['a.name', 'a.four', 'a.short', 'a.stillthere'].map(answers),
  { when: { after: 'quiet', ms: HELLO_AFTER_MS }, act: { say: HELLO }, repeat: true },
  { when: { after: 'start', ms: 14_000 }, act: { hangUp: true } },
];
const SPEAKS_FIRST: Rule = { when: { after: 'start', ms: 60 }, act: { say: 'c.yes' } };
const INTERRUPTS: Rule = { when: { after: 'heard', phrase: 'a.name', ms: 500 }, act: { say: 'c.stop' } };

export const PEOPLE = {
  /** Speaks first, and interrupts once. */
  interrupts: { rules: [SPEAKS_FIRST, INTERRUPTS, ...RULES] },
  speaks: { rules: [SPEAKS_FIRST, ...RULES] },
  /** Waits to be spoken to. */
  waits: { rules: RULES },
} as const;

export function personWho(kind: keyof typeof PEOPLE): Person {
  return new Person({ rules: PEOPLE[kind].rules, manners: { helloAfterMs: null, hangUpAfterMs: null } });
}

/** What the model answers, in clips of one to two seconds. */
export function terseBrain(): Brain {
  const end = [{ name: 'end_call', args: { outcome: 'It is done.' } }];
  const thoughts: readonly ThoughtRule[] = [
    { when: { purpose: 'goodbye' }, reply: { speak: ['a.farewell'] } },
    { when: { purpose: 'nudge' }, reply: { speak: ['a.stillthere'] } },
    { when: { heard: 'c.yes' }, reply: { speak: ['a.name'] } },
    { when: { heard: 'c.stop' }, reply: { speak: ['a.four'] } },
    { when: { heard: 'c.bye' }, reply: { speak: ['a.farewell'], calls: end } },
    { when: {}, reply: { speak: ['a.short'] } },
  ];
  return scriptedBrain(thoughts);
}
