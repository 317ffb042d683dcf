/** How VoIP.ms writes values (its API page, and what users of the API have seen), and what they mean. */
import { ProtocolError, UserInputError } from '../../errors.ts';
import type { VoipMsAnswer } from './client.ts';
import type { VoipMsParams } from './operations.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Numbers come as text or as numbers. Empty for anything that is neither. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : '';
}

/** Null for what VoIP.ms writes where there is nothing: `-1`, an empty text, the date zero. */
export function known(value: unknown): string | null {
  const text = textOf(value);
  return text === '' || text === '-1' || text.startsWith('0000-00-00') ? null : text;
}

/** `1`, `"1"`, `true`, `"yes"` and their opposites. Null for anything else. */
export function flagOf(value: unknown): boolean | null {
  if (!['string', 'number', 'boolean'].includes(typeof value)) return null;
  const text = String(value).trim().toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(text)) return true;
  return ['0', 'false', 'no', 'off', ''].includes(text) ? false : null;
}

/** Of `26`, `00:26` and `01:00:26`. */
export function secondsOf(value: unknown): number | null {
  const text = textOf(value);
  if (!/^\d+(:\d{1,2}){0,2}(\.\d+)?$/.test(text)) return null;
  return Math.floor(text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0));
}

/** Texts may come as a form would write them: `hello+john`. One with a space in it did not. */
export function decoded(value: unknown): string {
  const text = textOf(value);
  if (/\s/.test(text) || !/[+%]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text.replaceAll('+', ' ');
  }
}

/** The list under the first of `keys` that is there. One row may come as it is, without a list around it. */
export function rowsOf({ body }: VoipMsAnswer, ...keys: readonly string[]): readonly Row[] {
  const value = keys.map((key) => body[key]).find((list) => list !== undefined && list !== null);
  const list = Array.isArray(value) ? value : [value];
  return list.filter(isRow).filter((row) => Object.keys(row).length > 0);
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The same where a change builds on it: then an answer that does not say that the list is empty is no empty list, and each row has its id.
 * @throws ProtocolError
 */
export function certainRowsOf(
  answer: VoipMsAnswer,
  { id, keys }: { readonly id: string; readonly keys: readonly string[] },
): readonly Row[] {
  const rows = rowsOf(answer, ...keys);
  const isListed =
    answer.status !== 'success' || keys.some((key) => isRow(answer.body[key]) || Array.isArray(answer.body[key]));
  if (isListed && rows.every((row) => textOf(row[id]) !== '')) return rows;
  throw new ProtocolError(
    'VoIP.ms did not say clearly what is there now, so nothing was changed that builds on it. Try again later.',
  );
}

/**
 * What two ways of writing one number have in common: digits alone, without the 1 of North America. Ten digits abroad (`+65 9123 4567`)
 * keep their +, as without it they are somebody else's in North America.
 */
export function comparable(number: string): string {
  const text = number.trim().toLowerCase();
  if (/[a-z@]/.test(text)) return text;
  const digits = text.replace(/\D/g, '');
  if (/^1[2-9]\d{9}$/.test(digits)) return digits.slice(1);
  return /^\D*\+/.test(text) && /^[2-9]\d{9}$/.test(digits) ? `+${digits}` : digits;
}

export function isSameNumber(one: string, other: string): boolean {
  const text = comparable(one);
  return text !== '' && text === comparable(other);
}

/** A number as VoIP.ms keeps it. @throws UserInputError for what is no number */
export function checkNumber(given: string): string {
  const text = given.trim();
  if (/^sip:[A-Za-z0-9_.+-]{1,64}(@[A-Za-z0-9.-]{1,253})?$/i.test(text)) return text;
  const number = comparable(text);
  if (!/^[+\d\s().-]+$/.test(text) || number.length < 3 || number.length > 15)
    throw new UserInputError(
      `${quoted(given)} is no telephone number. Give digits, such as 4155550123 or +14155550123, or a sip: address.`,
    );
  return number;
}

/** One that stands for one caller: neither an extension nor a service. @throws UserInputError */
export function checkWhole(given: string): string {
  const number = checkNumber(given);
  if (number.startsWith('+'))
    throw new UserInputError(
      `${quoted(given)} cannot be blocked from here: VoIP.ms could take its digits for one in North America. Make a filter in the portal.`,
    );
  if (!/^\d{7,}$/.test(number))
    throw new UserInputError(`${quoted(given)} cannot be blocked: that takes a whole telephone number.`);
  return number;
}

/** For a sentence: what was given, cut. */
export function quoted(given: string): string {
  return JSON.stringify(given.slice(0, 60));
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** @throws UserInputError unless it is a day as YYYY-MM-DD */
export function checkDate(given: string): string {
  const date = given.trim();
  const atMs = DATE.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(atMs) || dayOf(atMs) !== date)
    throw new UserInputError(`${quoted(given)} is no date. Write it as YYYY-MM-DD, such as 2026-11-27.`);
  return date;
}

/** The day in UTC. */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

export const DAY_MS = 86_400_000;

export function dayAfter(date: string, days: number): string {
  return dayOf(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS);
}

/** `2010-11-30 10:40:16`, asked for in UTC, as ISO 8601. */
export function utc(value: unknown): string {
  const text = textOf(value);
  return momentOf(text) === null ? text : `${text.replace(' ', 'T')}Z`;
}

export function newestFirst<Item extends { readonly startedAt: string }>(items: Iterable<Item>): readonly Item[] {
  return [...items].sort((a, b) => (a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : 0));
}

/** Milliseconds of `YYYY-MM-DD HH:MM:SS`, read as if it were UTC: VoIP.ms names no zone. Null for what is none. */
export function momentOf(value: unknown): number | null {
  const text = textOf(value);
  const atMs = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text)
    ? Date.parse(`${text.replace(' ', 'T')}Z`)
    : Number.NaN;
  return Number.isNaN(atMs) ? null : atMs;
}

/** A yes or no is 1 or 0 on the wire. */
export function wireParams(params: VoipMsParams): Readonly<Record<string, string>> {
  const wire = Object.entries(params).map(([name, value]) => [
    name,
    value === true ? '1' : value === false ? '0' : String(value),
  ]);
  return Object.fromEntries(wire);
}
