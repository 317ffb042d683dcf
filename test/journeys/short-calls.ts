import type { Script } from '../../src/simulator/callee/scripted-callee.ts';
import { startWorld, type World, type WorldOptions } from '../../src/simulator/world.ts';
import { until } from '../fixtures/mcp-pair.ts';

const PATIENT = { helloAfterMs: null, hangUpAfterMs: null };

/** Says at once that the table is booked, and goodbye over the goodbye: the shortest whole call, of about eight seconds. */
export const AGREES: Script = {
  rules: [
    { when: { after: 'start', ms: 300 }, act: { say: 'c.confirmed' } },
    { when: { after: 'heard', phrase: 'a.goodbye', share: 0.4 }, act: { say: 'c.bye' } },
  ],
  manners: PATIENT,
};

/** Has the agent say a sentence of two seconds, and says nothing more. */
export const ASKS: Script = { rules: [{ when: { after: 'start', ms: 300 }, act: { say: 'c.yes' } }], manners: PATIENT };

/** Has the agent say a sentence of seven seconds and a half, and says nothing more. */
export const LISTENS: Script = {
  rules: [{ when: { after: 'start', ms: 300 }, act: { say: 'c.mmhm' } }],
  manners: PATIENT,
};

/** What the agent says to each of them. */
export const SENTENCES = { asks: 'a.four', listens: 'a.long2' } as const;

/** The telephone rings for a moment, and a person answers who follows the script. */
export function shortCalls(script: Script, more: WorldOptions = {}): Promise<World> {
  return startWorld({ scenario: 'reservation', script, ringMs: 100, ...more });
}

/** The telephone rings for ever: for what is decided before anybody speaks. */
export function ringingForEver(twilio: WorldOptions['twilio'] = {}): Promise<World> {
  return startWorld({ scenario: 'reservation', answer: () => ({ kind: 'never' }), twilio });
}

/** Resolves when the person at that number has heard so much of the sentence. */
export async function inMidSentence(world: World, to: string, phrase: string, heardMs = 400): Promise<void> {
  const heard = () => world.twilio.calls.find((call) => call.to === to)?.ear?.heardMs(phrase, 1) ?? 0;
  await until(() => heard() >= heardMs, 30_000);
}
