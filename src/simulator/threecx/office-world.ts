/** The demo's office with a simulated 3CX: people at its telephones, and a simulated speech model. */
import { type Script, type ScriptedCallee, scriptedCallee } from '../callee/scripted-callee.ts';
import { COLLEAGUE_EXTENSION, reservationBrain } from '../openai/brain.ts';
import { CALLED_EXTENSION, COLLEAGUE, GUEST } from '../scenarios/office.ts';
import { loadPhrasebook } from '../speech/load-phrasebook.ts';
import { startWorld } from '../world.ts';
import { startThreeCxSimulator, type ThreeCxSimulator } from './pbx.ts';

export interface ThreeCxWorld {
  /** The settings with which a server finds it, by their names in the environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly pbx: ThreeCxSimulator;
  /** The person who is called, once they have answered. */
  readonly callees: readonly ScriptedCallee[];
  /** How much the two heard of each other after the agent had handed over: the colleague's first sentence, in milliseconds. */
  heardOfColleagueMs(): number;
  close(): Promise<void>;
}

const RING_MS = 1_200;
const EXTENSIONS = [
  { number: CALLED_EXTENSION, firstName: 'Gina', lastName: 'Guest', telephone: 'plain', isListed: true },
  { number: COLLEAGUE_EXTENSION, firstName: 'Cole', lastName: 'League', telephone: 'plain', isListed: true },
] as const;

export async function startThreeCxWorld(): Promise<ThreeCxWorld> {
  const world = await startWorld({ brain: () => reservationBrain() });
  const phrases = loadPhrasebook();
  const callees: ScriptedCallee[] = [];
  const person = (script: Script, seen: ScriptedCallee[]) => (): ScriptedCallee => {
    const callee = scriptedCallee(script, phrases);
    seen.push(callee);
    return callee;
  };
  const answer = (to: string) => ({
    kind: 'answers' as const,
    ringMs: RING_MS,
    callee: to === CALLED_EXTENSION ? person(GUEST, callees) : person(COLLEAGUE, []),
  });
  try {
    const pbx = await startThreeCxSimulator({ answer, extensions: EXTENSIONS });
    return {
      env: { ...world.env, ...pbx.env },
      pbx,
      callees,
      heardOfColleagueMs: () => callees[0]?.ear.heardMs('c.office', 1) ?? 0,
      close: async () => {
        await pbx.stop();
        await world.close();
      },
    };
  } catch (error) {
    await world.close();
    throw error;
  }
}
