/** Lists that 3CX cannot filter as asked: read page by page, and sifted here. */
import { UserInputError } from '../../errors.ts';
import type { Page } from './operations.ts';
import type { Rows } from './xapi.ts';

/** With the one more that is asked for, a page. */
const STEP = 99;
/** Beyond it an answer would take minutes of the PBX's time; that there may be more is said. */
const MOST_READ = 2_000;

export interface Sift<Item> {
  read(offset: number, limit: number): Promise<Rows>;
  /** `stop`: nothing after this one can be meant. */
  take(row: Rows['rows'][number]): Item | null | 'stop';
  readonly offset: number;
  readonly limit: number;
}

/** @throws UserInputError when nothing more was found in as much as is read */
export async function sift<Item>({ read, take, offset, limit }: Sift<Item>): Promise<Page<Item>> {
  const found: Item[] = [];
  let isMore = false;
  for (let at = 0; found.length <= offset + limit; at += STEP) {
    if (at >= MOST_READ) {
      // A page of nothing that promises more would be asked for again and again.
      if (found.length <= offset)
        throw new UserInputError(
          `The latest ${at} rows that 3CX has were looked through, and ${offset === 0 ? 'none' : 'nothing more'} of them is meant. There may be older ones: ask for a later or shorter time, or without the filter.`,
        );
      isMore = true;
      break;
    }
    const { rows, isMore: isNext } = await read(at, STEP);
    const taken = rows.map(take);
    const stop = taken.indexOf('stop');
    for (const item of stop === -1 ? taken : taken.slice(0, stop))
      if (item !== null && item !== 'stop') found.push(item);
    if (stop !== -1 || !isNext) break;
  }
  return {
    items: found.slice(offset, offset + limit),
    total: null,
    isMore: isMore || found.length > offset + limit,
  };
}
