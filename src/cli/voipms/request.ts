/** From the words of a command line to one call of the API. */
import { UserInputError } from '../../errors.ts';
import { METHODS, methodNamed, type VoipMsMethod, type VoipMsParameter } from '../../pbx/voipms/methods.ts';
import { DISPOSITIONS } from '../../pbx/voipms/operations.ts';
import { DAY_MS, dayOf } from '../../pbx/voipms/values.ts';
import { nearest, nearestMethod } from './nearest.ts';

export interface ApiRequest {
  readonly method: string;
  /** Null where the method is not documented. */
  readonly known: VoipMsMethod | null;
  readonly params: Readonly<Record<string, string>>;
  /** What is not known to be a look counts as a change. */
  readonly changes: boolean;
  /** Sentences for whoever typed it. */
  readonly notes: readonly string[];
}

export interface Reading {
  /** Unix time in milliseconds. */
  readonly nowMs: number;
  /** Names and values are passed on as they are, unless null. */
  readonly rawParams: boolean;
}

const USUAL_DAYS = 7;
/** Status `invalid_daterange`. */
const MOST_DAYS = 92;
/** From the first day to the last: both count. */
const MOST_DAYS_BACK = MOST_DAYS - 1;

/**
 * `words`: the method or its short form, then `name=value` each.
 * @throws UserInputError that says what to write instead; it repeats no value, as one may be a secret.
 */
export function readApiRequest(words: readonly string[], reading: Reading): ApiRequest {
  const [first = '', ...rest] = words;
  if (first === 'cdr') return checked('getCDR', cdrParams(rest, reading), reading);
  const method = METHODS.find(({ name }) => name.toLowerCase() === first.toLowerCase())?.name ?? first;
  return checked(method, paramsOf(method, rest), reading);
}

function checked(method: string, params: Readonly<Record<string, string>>, { rawParams }: Reading): ApiRequest {
  const known = methodNamed(method);
  if (known === null) {
    const near = nearestMethod(method);
    const notes = [
      `${method} is not a documented method${near === null ? '' : ` (is ${near} meant?)`}: it is passed on as it is, and counts as one that changes something.`,
    ];
    return { method, known, params, changes: true, notes };
  }
  if (rawParams) return { method, known, params, changes: known.changes, notes: [] };
  for (const name of Object.keys(params)) checkName(name, known);
  const missing = known.params.filter(({ name, required }) => required && (params[name] ?? '') === '');
  if (missing.length > 0)
    throw new UserInputError(
      `${method} needs ${missing.map(({ name }) => name).join(', ')}. See: switchboard voipms help ${method}`,
    );
  const values = known.params.flatMap((one) => {
    const value = params[one.name];
    return value === undefined ? [] : [[one.name, wireValue(value, one)] as const];
  });
  return { method, known, params: Object.fromEntries(values), changes: known.changes, notes: [] };
}

function checkName(name: string, { name: method, params }: VoipMsMethod): void {
  const names = params.map((one) => one.name);
  if (names.includes(name)) return;
  const near = nearest(name, names);
  const advice = near === null ? `It has ${names.length === 0 ? 'none' : names.join(', ')}` : `Is ${near} meant`;
  throw new UserInputError(
    `${method} has no parameter ${name}. ${advice}${near === null ? '.' : '?'} With --raw-params it is passed on as it is.`,
  );
}

/** A yes or no is 1 or 0 on the wire, and yes or no in some methods; the words of other programs are taken for them. */
function wireValue(value: string, { about }: VoipMsParameter): string {
  if (value !== 'true' && value !== 'false') return value;
  if (/^1:/.test(about)) return value === 'true' ? '1' : '0';
  return /^yes\b/.test(about) ? (value === 'true' ? 'yes' : 'no') : value;
}

/** Digits are the id of a group, other words its name. */
const SHORT_FORMS: Readonly<Record<string, readonly [digits: string, text: string]>> = {
  getPhonebook: ['group', 'group_name'],
  getPhonebookGroups: ['group', 'name'],
};

function paramsOf(method: string, words: readonly string[]): Readonly<Record<string, string>> {
  const params: Record<string, string> = {};
  const forms = Object.hasOwn(SHORT_FORMS, method) ? SHORT_FORMS[method] : undefined;
  for (const [index, word] of words.entries()) {
    const equals = word.indexOf('=');
    const isShort = equals < 0 && index === 0 && forms !== undefined;
    const name = isShort ? (/^\d+$/.test(word) ? forms[0] : forms[1]) : word.slice(0, Math.max(0, equals));
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name))
      throw new UserInputError(
        `Parameters are given as name=value; the ${ordinal(index + 1)} word after ${method} is none.`,
      );
    if (Object.hasOwn(params, name)) throw new UserInputError(`${name} is given twice.`);
    params[name] = isShort ? word : word.slice(equals + 1);
  }
  return params;
}

function ordinal(number: number): string {
  return ['first', 'second', 'third'][number - 1] ?? `${number}th`;
}

/** Every call status, UTC, the last seven days. */
function cdrParams(words: readonly string[], { nowMs }: Reading): Readonly<Record<string, string>> {
  const { from, to, days, ...params } = paramsOf('cdr', words);
  if (days !== undefined && (from !== undefined || to !== undefined))
    throw new UserInputError('Give days, or from and to, not both.');
  if (days !== undefined && !(/^\d{1,2}$/.test(days) && Number(days) >= 1 && Number(days) <= MOST_DAYS_BACK))
    throw new UserInputError(`days is a whole number from 1 to ${MOST_DAYS_BACK}.`);
  const last = msOf(to, 'to') ?? nowMs;
  const first = msOf(from, 'from') ?? last - Number(days ?? USUAL_DAYS) * DAY_MS;
  if (first > last) throw new UserInputError('from is later than to.');
  if (last - first > MOST_DAYS_BACK * DAY_MS)
    throw new UserInputError(`VoIP.ms tells of at most ${MOST_DAYS} days at once; ask for them one after another.`);
  const isChosen = DISPOSITIONS.some((name) => name in params);
  const every = isChosen ? {} : Object.fromEntries(DISPOSITIONS.map((name) => [name, '1']));
  const range = { date_from: dayOf(first), date_to: dayOf(last), timezone: '0' };
  return { ...range, ...every, ...params };
}

function msOf(text: string | undefined, name: string): number | null {
  if (text === undefined) return null;
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms) || dayOf(ms) !== text) throw new UserInputError(`${name} is a day, as YYYY-MM-DD.`);
  return ms;
}
