import { UserInputError } from '../errors.ts';

const WINDOW_MS = 60_000;

/** Lets at most so many changes through in a minute: an assistant in a loop must not take an office's telephones apart. `setting` is what raises it. @throws UserInputError */
export function createChangeLimit(perMinute: number, now: () => number, setting: string): () => void {
  const recent: number[] = [];
  return () => {
    const atMs = now();
    while (recent[0] !== undefined && recent[0] <= atMs - WINDOW_MS) recent.shift();
    if (recent.length >= perMinute)
      throw new UserInputError(
        `${perMinute} changes were made to the telephone system within the last minute, which is the most allowed. Wait a minute, or raise ${setting}.`,
      );
    recent.push(atMs);
  };
}
