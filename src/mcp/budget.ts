import type { Line } from '../call/words.ts';
import type { LinePage } from '../switchboard/port.ts';
import { lineFacts } from './facts.ts';
import { spoken } from './quotation.ts';

/** Bytes of both forms of an answer, about 8,000 tokens: above that clients warn, cut, or write it to a file. */
const MOST_BYTES = 24_000;
/** Of one line, which may be a monologue; the resource of the call has it whole. */
const MOST_LETTERS = 4_000;
const CUT = '… (cut here: the whole line is in the resource of the call)';

/** How many of the items an answer can hold; one at least, so that there is always a way on. */
export function fitting<Item>(items: readonly Item[], bytesOf: (item: Item) => number, most = MOST_BYTES): number {
  let bytes = 0;
  for (const [index, item] of items.entries()) {
    bytes += bytesOf(item);
    if (bytes > most && index > 0) return index;
  }
  return items.length;
}

/** As much of a page as an answer can hold, with the cursor to go on from. */
export function fittingPage({ lines, cursor }: LinePage): LinePage {
  const clipped = lines.map(clip);
  const count = fitting(clipped, (line) => bytesIn(lineFacts(line)) + Buffer.byteLength(spoken(line)));
  return { lines: clipped.slice(0, count), cursor: clipped[count]?.index ?? cursor };
}

export function bytesIn(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function clip(line: Line): Line {
  const { text, planned } = line;
  if (text.length <= MOST_LETTERS && (planned?.length ?? 0) <= MOST_LETTERS) return line;
  const short = (words: string): string => (words.length > MOST_LETTERS ? words.slice(0, MOST_LETTERS) + CUT : words);
  return { ...line, text: short(text), ...(planned === undefined ? {} : { planned: short(planned) }) };
}
