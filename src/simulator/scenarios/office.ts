/** The people of the demo's office: one is called by the agent, and handed over to the other. */
import type { Script } from '../callee/scripted-callee.ts';

export const CALLED_EXTENSION = '1002';

/** Interrupts, answers, and then wants to speak to a person. */
export const GUEST: Script = {
  rules: [
    { when: { after: 'start', ms: 600 }, act: { say: 'c.greeting' } },
    { when: { after: 'heard', phrase: 'a.request', share: 0.55 }, act: { say: 'c.howmany' } },
    { when: { after: 'heard', phrase: 'a.four', share: 0.9, thenMs: 700 }, act: { say: 'c.person' } },
    { when: { after: 'heard', phrase: 'c.office', share: 0.95, thenMs: 300 }, act: { say: 'c.bye' } },
    { when: { after: 'said', phrase: 'c.bye', ms: 300 }, act: { hangUp: true } },
  ],
  manners: { helloAfterMs: null, hangUpAfterMs: null },
};
export const COLLEAGUE: Script = {
  rules: [{ when: { after: 'start', ms: 400 }, act: { say: 'c.office' } }],
  manners: { helloAfterMs: null, hangUpAfterMs: null },
};
