import { CARRIER_FAULTS } from './carrier-faults.ts';
import { expectedOf, type Fault, tableOf } from './matrix.ts';
import { MODEL_FAULTS } from './model-faults.ts';
import { STORE_FAULTS } from './store-faults.ts';

const HEAD = `# What becomes of a call when something goes wrong

Each cell is a whole call of the real server in simulated worlds, in which the fault strikes at that moment. What a cell says is what
the tests in \`test/faults\` demand of it; words in italics say why a fault makes no sense there. Whatever the cell, this holds:

- the call ends exactly once, with an outcome that is true and a sentence that says why;
- Twilio is asked for one call at most, and that call is not left up;
- what the callee heard to its end is in the transcript, in order;
- nobody hears nothing for long (below);
- sockets, timers and tokens are released, and the last net of the process has nothing to do;
- the log says what happened, at \`warn\` or above, without secrets and without anybody's words.

## How long it can be quiet

As long as it is for the agent to speak, 10 seconds: whatever is tried again behind it, then the carrier says a sentence and hangs up (a
carrier that cannot speak hangs up). A stream that breaks is attached again at once, one in which nothing comes any more after 5
seconds; when no new one comes, the line is put down 10 seconds later. A model that hangs without a word is noticed within
7.5 seconds. The callee's own silence is another matter (\`SILENCE_SECONDS\`).

## What is kept

A line that the store cannot take (locked for long, disk full) goes to a file in \`DATA_DIR/rescued\`, readable by this user alone, and into the store when there is
room again, at the latest at the next start. A file that ends in \`.refused\` belongs to a call that the store does not know.
`;

const SECTIONS: readonly (readonly [string, readonly Fault[]])[] = [
  ['The model', MODEL_FAULTS],
  ['The carrier', CARRIER_FAULTS],
  ['The store', STORE_FAULTS],
];

/** The text of `docs/faults.md`. */
export function faultsPage(): string {
  const sections = SECTIONS.map(([title, faults]) => `\n## ${title}\n\n${tableOf(faults, expectedOf)}\n`);
  return `${HEAD}${sections.join('')}`;
}
