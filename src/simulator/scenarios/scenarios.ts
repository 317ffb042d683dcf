import { RESTAURANT_RING_MS, RESTAURANT_SCRIPT } from '../callee/restaurant-host.ts';
import type { Script } from '../callee/scripted-callee.ts';
import { type Brain, reservationBrain } from '../openai/brain.ts';
import type { RealtimeSimulatorOptions } from '../openai/knobs.ts';
import type { TwilioSimulatorOptions } from '../twilio/account.ts';

/** A call that can be played: who answers, what the model would say, and how it should end. */
export interface Scenario {
  readonly about: string;
  /** The brief that the assistant gives. */
  readonly brief: string;
  /** The outcome of a call that went well. */
  readonly outcome: string;
  readonly ringMs: number;
  readonly script: Script;
  readonly brain: () => Brain;
  readonly twilio?: Partial<TwilioSimulatorOptions>;
  readonly realtime?: Partial<RealtimeSimulatorOptions>;
}

const BRIEF =
  'Reserve a table for 4 people this Friday at 7 pm, by the window if possible, under the name Carter. ' +
  'Any table is fine if the window is taken; do not agree to another day.';

const common = { brief: BRIEF, outcome: 'completed', ringMs: 400, brain: () => reservationBrain() };

/** A real line: 60 ms of round trip to the carrier, a little jitter. */
const line = { network: { up: { delayMs: 30, jitterMs: 10 }, down: { delayMs: 30, jitterMs: 10 }, seed: 7 } };

/** The scenarios of `switchboard demo`, by name. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  reservation: {
    ...common,
    about: 'A restaurant takes a reservation, and interrupts once.',
    ringMs: RESTAURANT_RING_MS,
    script: RESTAURANT_SCRIPT,
    twilio: line,
  },
  'one-moment': {
    ...common,
    about: 'The host asks for a moment; background voices for 25 seconds; then the host is back.',
    script: {
      rules: [
        { when: { after: 'start', ms: 600 }, act: { say: 'c.moment' } },
        { when: { after: 'start', ms: 5_000 }, act: { chatter: 'c.chatter', forMs: 12_000 } },
        { when: { after: 'start', ms: 18_200 }, act: { chatter: 'c.chatter', forMs: 12_000 } },
        { when: { after: 'start', ms: 31_500 }, act: { say: 'c.back' } },
        { when: { after: 'heard', phrase: 'a.perfect', share: 0.9, thenMs: 700 }, act: { say: 'c.confirmed' } },
        { when: { after: 'heard', phrase: 'a.goodbye', share: 0.4 }, act: { say: 'c.bye' } },
      ],
      manners: { helloAfterMs: null, hangUpAfterMs: null },
    },
    twilio: line,
  },
  'one-more-thing': {
    ...common,
    about: 'The host thinks of something during the goodbye, and the conversation opens again.',
    script: {
      rules: [
        { when: { after: 'start', ms: 600 }, act: { say: 'c.greeting' } },
        { when: { after: 'heard', phrase: 'a.request', share: 0.9, thenMs: 1_200 }, act: { say: 'c.confirmed' } },
        { when: { after: 'heard', phrase: 'a.goodbye', share: 0.4 }, act: { say: 'c.onemore' } },
        { when: { after: 'heard', phrase: 'a.parking', share: 0.9, thenMs: 700 }, act: { say: 'c.confirmed' } },
        { when: { after: 'heard', phrase: 'a.goodbye', occurrence: 2, share: 0.4 }, act: { say: 'c.bye' } },
      ],
      manners: { helloAfterMs: null, hangUpAfterMs: null },
    },
    twilio: line,
  },
  'silent-answer': {
    ...common,
    about: 'Somebody picks up and says nothing: the agent opens.',
    script: {
      rules: [
        { when: { after: 'heard', phrase: 'a.opener', share: 0.9, thenMs: 700 }, act: { say: 'c.howmany' } },
        { when: { after: 'heard', phrase: 'a.four', share: 0.9, thenMs: 700 }, act: { say: 'c.confirmed' } },
        { when: { after: 'heard', phrase: 'a.goodbye', share: 0.4 }, act: { say: 'c.bye' } },
      ],
      manners: { helloAfterMs: null, hangUpAfterMs: null },
    },
    twilio: line,
  },
  'hangs-up': {
    ...common,
    about: 'The other side hangs up in the middle of the agent’s sentence.',
    outcome: 'callee-hung-up',
    script: {
      rules: [
        { when: { after: 'start', ms: 600 }, act: { say: 'c.greeting' } },
        { when: { after: 'heard', phrase: 'a.request', share: 0.5 }, act: { hangUp: true } },
      ],
    },
    twilio: line,
  },
};
