/** Caller ID filters: what is done with calls from a number, a pattern, or nobody known. */
import type { VoipMsClient } from './client.ts';
import type { CallerIdFilter } from './operations.ts';
import { certainRowsOf, checkNumber, isSameNumber, known, type Row, rowsOf, textOf } from './values.ts';

const KEY = 'filtering';
export const HANG_UP = 'sys:hangup';
export const ALL_NUMBERS = 'all';
/** Where a call that is turned away can end (routings of the kind `sys`, by the vendor's page). */
const TURNED_AWAY = /^sys:(hangup|busy|noservice|disconnected)$/;

/** `did`: `all` or a number, however it is written. @throws UserInputError for what is neither: VoIP.ms would say that it has no filters */
export async function readFilters(client: VoipMsClient, did?: string): Promise<readonly CallerIdFilter[]> {
  const isAll = did?.trim().toLowerCase() === ALL_NUMBERS;
  const params: Record<string, string> = did === undefined ? {} : { did: isAll ? ALL_NUMBERS : checkNumber(did) };
  return rowsOf(await client.call('getCallerIDFiltering', params, { changes: false }), KEY).map(filterOf);
}

/** For a change. @throws ProtocolError when VoIP.ms leaves open what is there */
export async function readCertainFilters(client: VoipMsClient): Promise<readonly CallerIdFilter[]> {
  const answer = await client.call('getCallerIDFiltering', {}, { changes: false });
  return certainRowsOf(answer, { id: KEY, keys: [KEY] }).map(filterOf);
}

function filterOf(row: Row): CallerIdFilter {
  return {
    id: textOf(row.filtering),
    callerId: textOf(row.callerid),
    did: textOf(row.did),
    routing: textOf(row.routing),
    note: known(row.note),
  };
}

/** Those of exactly this number; one of a pattern is of many, and never among them. */
export function filtersOf(filters: readonly CallerIdFilter[], number: string): readonly CallerIdFilter[] {
  return filters.filter(({ callerId }) => isExact(callerId) && isSameNumber(callerId, number));
}

/** Neither a pattern (which may end in a dot), nor `i` (outside the USA and Canada), nor `0` (anonymous). */
export function isExact(callerId: string): boolean {
  return /^\+?[\d\s().-]{2,}\d$/.test(callerId);
}

export function turnsAway({ routing }: CallerIdFilter): boolean {
  return TURNED_AWAY.test(routing);
}
