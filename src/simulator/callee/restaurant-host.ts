import type { Phrase } from '../speech/phrasebook.ts';
import { type Script, type ScriptedCallee, scriptedCallee } from './scripted-callee.ts';

/** How long the restaurant's telephone rings before it is answered, in milliseconds. */
export const RESTAURANT_RING_MS = 1_200;

/** Interrupts the request to ask how many come, answers each sentence once it has been heard, says goodbye over the goodbye, and never hangs up first. */
export const RESTAURANT_SCRIPT: Script = {
  rules: [
    { when: { after: 'start', ms: 600 }, act: { say: 'c.greeting' } },
    { when: { after: 'heard', phrase: 'a.request', share: 0.55 }, act: { say: 'c.howmany' } },
    { when: { after: 'heard', phrase: 'a.four', share: 0.9, thenMs: 700 }, act: { say: 'c.name' } },
    { when: { after: 'heard', phrase: 'a.name', share: 0.9, thenMs: 700 }, act: { say: 'c.confirmed' } },
    { when: { after: 'heard', phrase: 'a.goodbye', share: 0.4 }, act: { say: 'c.bye' } },
  ],
  manners: { hangUpAfterMs: null },
};

/** The host of a restaurant who takes a reservation: the person of the demo. */
export function restaurantHost(phrasebook: readonly Phrase[]): ScriptedCallee {
  return scriptedCallee(RESTAURANT_SCRIPT, phrasebook);
}
