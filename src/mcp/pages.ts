/** Pages of a list, as far as an answer holds them. */
import { UserInputError } from '../errors.ts';
import { bytesIn, fitting } from './budget.ts';

export interface Page<Item> {
  readonly shown: Item[];
  /** Null: that was all. */
  readonly cursor: string | null;
  /** A sentence: how to go on. */
  readonly next: string;
}

/** Where a page begins. @throws UserInputError on a cursor that was not given out */
export function offsetOf(cursor: string | undefined): number {
  const offset = cursor === undefined ? 0 : Number(cursor);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new UserInputError('The cursor is not one that was given out. Leave it out to begin at the start.');
  return offset;
}

/** Of items that were read from `offset` on; `isMore`: there are others after them. */
export function pageAt<Item extends object>(items: readonly Item[], offset: number, isMore: boolean): Page<Item> {
  // Said twice, for programs and for readers.
  const shown = items.slice(
    0,
    fitting(items, (item) => 2 * bytesIn(item)),
  );
  const cursor = isMore || shown.length < items.length ? String(offset + shown.length) : null;
  return { shown, cursor, next: cursor === null ? 'That is all of them.' : `For more use the cursor "${cursor}".` };
}

/** Of a list that is there whole. */
export function pageOf<Item extends object>(
  all: readonly Item[],
  limit: number,
  cursor: string | undefined,
): Page<Item> {
  const offset = offsetOf(cursor);
  return pageAt(all.slice(offset, offset + limit), offset, offset + limit < all.length);
}

/** As much of a text as is useful in a list; `where` says where the whole of it is. */
export function cut(text: string, most: number, where: string): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (cut here: ${where})`;
}
