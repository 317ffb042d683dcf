const FIRST_MS = 500;
const MOST_MS = 30_000;

/** How long to wait before the nth try (from 0) to connect again: doubling, half of it by chance, so that many clients do not return at once. */
export function backoffMs(tries: number, random: () => number): number {
  const ceiling = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(tries, 16));
  return Math.round(ceiling * (0.5 + 0.5 * random()));
}
