/** Call records (getCDR): always in UTC, and of every outcome, as VoIP.ms answers for one outcome or none with a refusal. */
import { UserInputError } from '../../errors.ts';
import type { VoipMsClient } from './client.ts';
import type { CdrQuery, CdrRow, DateRange, Disposition } from './operations.ts';
import { eachOf } from './pace.ts';
import {
  checkDate,
  comparable,
  DAY_MS,
  dayAfter,
  dayOf,
  known,
  newestFirst,
  type Row,
  rowsOf,
  secondsOf,
  textOf,
  utc,
} from './values.ts';

/** VoIP.ms takes 92 days at most; another client of the API stops at 90. */
export const MOST_DAYS_AT_ONCE = 90;
const MOST_DAYS = 731;

/** What `disposition` says in a record. */
const WORDS: Readonly<Record<Disposition, string>> = {
  answered: 'ANSWERED',
  noanswer: 'NO ANSWER',
  busy: 'BUSY',
  failed: 'FAILED',
};

/** One offset for all of a range would be wrong on one side of a change of the clocks: UTC has none. */
const EVERY_CALL = { timezone: '0', answered: '1', noanswer: '1', busy: '1', failed: '1' };

/** Newest first. @throws UserInputError for a range that is none */
export async function readCdr(client: VoipMsClient, query: CdrQuery): Promise<readonly CdrRow[]> {
  const account: Record<string, string> = query.account === undefined ? {} : { account: query.account };
  const answers = await eachOf(windowsOf(query), ({ from, to }) =>
    client.call('getCDR', { date_from: from, date_to: to, ...EVERY_CALL, ...account }, { changes: false }),
  );
  const once = new Map<string, CdrRow>();
  for (const row of answers.flatMap((answer) => rowsOf(answer, 'cdr')).map(cdrRowOf))
    once.set([row.id, row.startedAt, row.account, row.destination].join(' '), row);
  const words = query.dispositions?.map((disposition) => WORDS[disposition]);
  return newestFirst(once.values()).filter((row) => words === undefined || words.includes(row.disposition));
}

/** The range in pieces that VoIP.ms takes, the first day and the last included. */
export function windowsOf(range: DateRange): readonly DateRange[] {
  const [from, to] = [checkDate(range.from), checkDate(range.to)];
  if (from > to) throw new UserInputError(`The range begins on ${from}, after its end on ${to}.`);
  if (dayAfter(from, MOST_DAYS) < to) throw new UserInputError('Give a range of two years at most.');
  const windows: DateRange[] = [];
  for (let begin = from; begin <= to; begin = dayAfter(begin, MOST_DAYS_AT_ONCE)) {
    const end = dayAfter(begin, MOST_DAYS_AT_ONCE - 1);
    const isLast = to <= end;
    windows.push({ from: begin, to: isLast ? to : end });
  }
  return windows;
}

/** The last so many days, today included. */
export function lastDays(days: number, wallMs: number): DateRange {
  if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS)
    throw new UserInputError(`Give the days to look back as a whole number from 1 to ${MOST_DAYS}.`);
  return { from: dayOf(wallMs - (days - 1) * DAY_MS), to: dayOf(wallMs) };
}

function cdrRowOf(row: Row): CdrRow {
  const callerId = textOf(row.callerid);
  return {
    id: textOf(row.uniqueid),
    startedAt: utc(row.date),
    callerId,
    callerNumber: callerNumberOf(callerId),
    destination: textOf(row.destination),
    description: known(row.description),
    account: known(row.account),
    disposition: textOf(row.disposition).toUpperCase(),
    seconds: secondsOf(row.seconds) ?? secondsOf(row.duration) ?? 0,
    totalUsd: known(row.total),
  };
}

/** Of `"John Doe" <4155550123>`, or of a number alone. A name may have digits too. */
export function callerNumberOf(callerId: string): string | null {
  const inside = /<([^<>]*)>\s*$/.exec(callerId)?.[1] ?? (/^[+\d\s().-]+$/.test(callerId) ? callerId : '');
  const digits = inside.replace(/\D/g, '');
  if (digits === '' || /^0+$/.test(digits)) return null;
  const number = comparable(inside);
  return number.startsWith('+') ? number : digits;
}
