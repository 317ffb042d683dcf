import type { Line } from '../call/words.ts';

/** About what an assistant can take in at once. */
const MOST_LETTERS = 100_000;

/** The first of the lines, at least one, until there is enough to read; the cursor behind the last of them leads to the rest. */
export function untilFull(lines: readonly Line[]): readonly Line[] {
  let letters = 0;
  const end = lines.findIndex(({ text, planned }) => {
    letters += text.length + (planned?.length ?? 0);
    return letters > MOST_LETTERS;
  });
  return end === -1 ? lines : lines.slice(0, Math.max(1, end));
}

/** The lines from `from` on up to the first that is missing: of a call that goes on it may have been written late, and is still to come. */
export function untilGap(lines: readonly Line[], from: number): readonly Line[] {
  const end = lines.findIndex(({ index }, place) => index !== from + place);
  return end === -1 ? lines : lines.slice(0, end);
}
