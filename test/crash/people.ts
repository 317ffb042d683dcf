/** Who answers: a number for each phase in which its call is to be killed, and stays long enough. */
import type { Answer } from '../../src/simulator/callee/callee.ts';
import { type Script, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { BOOKED, type Rule, reservationBrain } from '../../src/simulator/openai/brain.ts';
import { loadPhrasebook } from '../../src/simulator/speech/load-phrasebook.ts';
import { startWorld, type World } from '../../src/simulator/world.ts';
import { AGREES, LISTENS } from '../journeys/short-calls.ts';
import { PHASES, type Phase } from './phases.ts';

const PATIENT = { helloAfterMs: null, hangUpAfterMs: null };
/** Nobody speaks first, on either side. */
const WAITS: Script = { rules: [], manners: PATIENT };
/** Talks over the agent's long sentence, and does not stop. */
const TALKS_OVER: Script = {
  rules: [
    { when: { after: 'start', ms: 300 }, act: { say: 'c.mmhm' } },
    { when: { after: 'heard', phrase: 'a.long2', ms: 800 }, act: { chatter: 'c.chatter', forMs: 20_000 } },
  ],
  manners: PATIENT,
};
/** Agrees, and hears the goodbye out. */
const AGREES_AND_WAITS: Script = { rules: AGREES.rules.slice(0, 1), manners: PATIENT };

const SCRIPTS: Readonly<Record<Exclude<Phase, 'placing' | 'ringing'>, Script>> = {
  joining: WAITS,
  opening: WAITS,
  talking: LISTENS,
  interrupted: TALKS_OVER,
  ending: AGREES_AND_WAITS,
};

/** The model takes so long to be ready: a telephone that is answered sooner keeps its call joining for the rest. */
export const MODEL_READY_MS = 2_000;

/** The nth number of the people of this phase; ten of each. */
export function numberFor(phase: Phase, nth: number): string {
  return `+141555501${1 + PHASES.indexOf(phase)}${nth}`;
}

function answer(to: string): Answer {
  const phase = PHASES[Number(to.at(-2)) - 1];
  if (phase === undefined || phase === 'placing' || phase === 'ringing') return { kind: 'never' };
  const callee = () => scriptedCallee(SCRIPTS[phase], loadPhrasebook());
  return { kind: 'answers', ringMs: 50, callee };
}

/** Says a goodbye of eleven seconds, so that ending takes its time. */
const LONG_GOODBYE: Rule = {
  when: { heard: 'c.confirmed' },
  reply: { speak: ['a.goodbye', 'a.long2'], calls: [{ name: 'end_call', args: { outcome: BOOKED } }] },
};

export function startPeople(): Promise<World> {
  return startWorld({
    brain: () => reservationBrain([LONG_GOODBYE]),
    answer,
    realtime: { sessionCreatedDelayMs: MODEL_READY_MS },
  });
}

/** Settings under which nobody speaks before the callee does, for as long as a test lasts. */
export const PATIENCE = { FIRST_SPEECH_SECONDS: '30', SILENCE_SECONDS: '60', MAX_CONCURRENT_CALLS: '60' } as const;
