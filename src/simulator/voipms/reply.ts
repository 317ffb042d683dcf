import type { VoipMsFaults } from './faults.ts';
import type { AccountState } from './state.ts';

export type Params = Readonly<Record<string, string>>;
/** The JSON object of an answer; `status` comes first. */
export type Reply = { readonly status: string } & Readonly<Record<string, unknown>>;

/** What a method works on. */
export interface Context {
  readonly state: AccountState;
  readonly faults: VoipMsFaults;
  /** Unix time in milliseconds. */
  readonly nowMs: number;
  /** Tells of a mistake of the client that the vendor would not. */
  readonly violate: (sentence: string) => void;
}

export interface Method {
  /** It changes something, or has an effect outside. */
  readonly changes: boolean;
  /** Names of those that it takes, as the WSDL has them, with spaces between; the vendor lets any other pass in silence. */
  readonly params: string;
  readonly answer: (params: Params, context: Context) => Reply;
}

export function ok(fields: Readonly<Record<string, unknown>> = {}): Reply {
  return { status: 'success', ...fields };
}

export function fault(status: string): Reply {
  return { status };
}

/** A list, or the status that the vendor has for none. */
export function list(key: string, rows: readonly unknown[], none: string, { faults }: Context): Reply {
  if (rows.length === 0) return fault(none);
  return ok({ [key]: faults.oneRowAsObject && rows.length === 1 ? rows[0] : rows });
}

/** What is there and not empty. */
export function given(params: Params, name: string): string | null {
  const value = params[name];
  return value === undefined || value === '' ? null : value;
}

/** `YYYY-MM-DD HH:MM:SS` at an offset from UTC, without a zone. */
export function wireTime(atMs: number, offsetHours = 0): string {
  return new Date(atMs + offsetHours * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
}

/** `00:00:11`, or `00:11` for recordings. */
export function wireDuration(seconds: number, parts: 2 | 3): string {
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  const tail = `${two(minutes)}:${two(seconds % 60)}`;
  return parts === 3 ? `${two(hours)}:${tail}` : tail;
}

export const DAY_MS = 86_400_000;
const MOST_DAYS = 92;

/** The two days of a range as Unix time, the second one with all of it; or the status that refuses them. */
export function dateRange(
  params: Params,
  offsetHours: number,
): { readonly fromMs: number; readonly toMs: number } | string {
  const [from, to] = [given(params, 'date_from'), given(params, 'date_to')];
  if (from === null) return 'missing_from_date';
  if (to === null) return 'missing_to_date';
  const [first, last] = [dayMs(from), dayMs(to)];
  if (first === null || last === null) return 'invalid_date';
  if (first > last) return 'invalid_date_from';
  if ((last - first) / DAY_MS > MOST_DAYS) return 'invalid_daterange';
  const shiftMs = offsetHours * 3_600_000;
  return { fromMs: first - shiftMs, toMs: last + DAY_MS - shiftMs };
}

/** Midnight UTC of a day that exists. */
function dayMs(text: string): number | null {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? null : ms;
}
