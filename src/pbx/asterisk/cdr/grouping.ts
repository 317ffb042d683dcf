/** Rows and calls as SQL that PostgreSQL, MySQL, MariaDB and SQLite all read. All values are parameters. */
import { type RawBuilder, sql } from 'kysely';
import { UserInputError } from '../../../errors.ts';
import { SEPARATOR } from './calls.ts';
import type { CdrColumn, CdrStore } from './database.ts';

/** From and to as the records have it: `YYYY-MM-DD` or `YYYY-MM-DD HH:MM[:SS]`; `to` is not part of it. */
export interface CdrRange {
  readonly from: string;
  readonly to: string;
}

export interface CdrSides {
  /** Extension or number on either side. */
  readonly party?: string | undefined;
  readonly source?: string | undefined;
  readonly destination?: string | undefined;
}

/** No call is longer. */
const DAY_MS = 86_400_000;

/**
 * One row a call that began in the range, judged by all of its rows. The talk is as long as its answered legs together, or as the time from
 * the first's beginning to the last's end, whichever is less: legs follow each other, or run side by side. `also` is more to be told of each.
 */
export function callsIn(
  store: CdrStore,
  { from, to, ...sides }: CdrRange & CdrSides,
  also: RawBuilder<unknown> = sql``,
): RawBuilder<unknown> {
  const first = moment(from);
  const end = moment(to);
  const talked = sql`sum(case when outcome = 4 then billsec else 0 end)`;
  const span = sql`max(case when outcome = 4 then begun + duration end) - min(case when outcome = 4 then begun + duration - billsec end)`;
  return sql`(
    select call_key, min(moment) as started, count(*) as legs, max(outcome) as outcome,
      max(begun + duration) - min(begun) as duration,
      coalesce(case when ${talked} < ${span} then ${talked} else ${span} end, 0) as talk ${also}
    from ${rowsBetween(store, shifted(first, -DAY_MS), shifted(end, DAY_MS))} leg
    group by call_key
    having min(moment) >= ${first} and min(moment) < ${end} ${withPart(sides)})`;
}

/** Narrows to the calls of which one row is as asked; a join with those rows is what databases plan badly without an index. */
function withPart({ party, source, destination }: CdrSides): RawBuilder<unknown> {
  const conditions = [
    ...(source === undefined ? [] : [sql`src = ${source}`]),
    ...(destination === undefined ? [] : [sql`dst = ${destination}`]),
    ...(party === undefined ? [] : [takesPart(party)]),
  ];
  return conditions.length === 0
    ? sql``
    : sql`and max(case when ${sql.join(conditions, sql` and `)} then 1 else 0 end) = 1`;
}

function takesPart(party: string): RawBuilder<unknown> {
  // Not LIKE, in which parts of a name would be wildcards.
  const begins = (column: 'channel' | 'dstchannel', prefix: string) =>
    sql`substr(${sql.ref(column)}, 1, ${sql.lit(prefix.length)}) = ${prefix}`;
  const own = (['channel', 'dstchannel'] as const).flatMap((column) => [
    begins(column, `PJSIP/${party}-`),
    begins(column, `SIP/${party}-`),
  ]);
  return sql`(src = ${party} or dst = ${party} or ${sql.join(own, sql` or `)})`;
}

/** The rows of a time, each column there and none NULL, with what is made of them. */
export function rowsBetween(store: CdrStore, from: string, to: string): RawBuilder<unknown> {
  const calldate = ref(store, 'calldate');
  const text = (column: CdrColumn) => (store.columns.has(column) ? sql`coalesce(${ref(store, column)}, '')` : sql`''`);
  const number = (column: CdrColumn) =>
    store.columns.has(column) ? sql`coalesce(${ref(store, column)} + 0, 0)` : sql`0`;
  const moment = sql`cast(${calldate} as char(19))`;
  const [uniqueid, lastapp] = [text('uniqueid'), text('lastapp')];
  // Without an id rows are of one call that began on one channel in one second.
  const key = sql`coalesce(nullif(${text('linkedid')}, ''), nullif(${uniqueid}, ''), concat('row ', ${moment}, ' ', ${text('channel')}))`;
  // Sorts as the rows do: the least of a call is its first leg. Ids that count up have more digits later.
  const order = sql`concat(${moment}, ' ', 10000000000 + ${number('sequence')}, ' ', 1000 + length(${uniqueid}), ' ', ${uniqueid})`;
  const parts = [order, uniqueid, lastapp, text('channel'), text('dst'), text('src')];
  const opening = sql`concat(${sql.join(parts, sql`, ${sql.lit(SEPARATOR)}, `)})`;
  return sql`(
    select ${key} as call_key, ${moment} as moment, ${opening} as opening, ${outcome(text)} as outcome,
      ${text('src')} as src, ${text('dst')} as dst, ${text('channel')} as channel, ${text('dstchannel')} as dstchannel,
      ${lastapp} as lastapp, ${number('duration')} as duration, ${number('billsec')} as billsec,
      coalesce(${store.seconds(calldate)}, 0) as begun
    from ${sql.table(store.table)} cdr
    where ${calldate} >= ${from} and ${calldate} < ${to})`;
}

/**
 * Of `OUTCOMES`. ANSWERED says that the server has taken the call, perhaps only to play something, to put it into a queue or to record a
 * message. Somebody has answered where there is a second channel, where the manager rang a phone that was taken, or where the application is
 * a conversation itself.
 */
function outcome(text: (column: CdrColumn) => RawBuilder<unknown>): RawBuilder<unknown> {
  const lastapp = text('lastapp');
  const word = sql`upper(trim(${text('disposition')}))`;
  return sql`case
    when ${word} = 'ANSWERED' and (${text('dstchannel')} <> '' or substr(${text('uniqueid')}, 1, 12) = 'switchboard-'
      or ${lastapp} in ('AudioSocket', 'Stasis', 'ConfBridge', 'MeetMe', 'Page', 'VoiceMailMain', 'Echo', 'ChanSpy', 'ExtenSpy',
        'Dictate', 'Record', 'ReceiveFAX', 'SendFAX')) then 4
    when ${word} = 'ANSWERED' and ${lastapp} = 'VoiceMail' then 3
    when ${word} = 'BUSY' then 2
    when ${word} in ('NO ANSWER', 'NOANSWER', 'ANSWERED') then 1
    else 0 end`;
}

function ref(store: CdrStore, column: CdrColumn): RawBuilder<unknown> {
  return sql`cdr.${sql.ref(store.columns.get(column) ?? column)}`;
}

/** @throws UserInputError */
export function moment(given: string): string {
  const [, day, time = '00:00', seconds = '00'] =
    /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(?::(\d{2}))?)?$/.exec(given.trim()) ?? [];
  if (day === undefined || Number.isNaN(Date.parse(`${day}T${time}:${seconds}Z`)))
    throw new UserInputError(
      `${JSON.stringify(given.slice(0, 40))} is no time. Give a day such as 2026-11-20, or 2026-11-20 14:30.`,
    );
  return `${day} ${time}:${seconds}`;
}

/** A moment so much later, or earlier. */
export function shifted(given: string, ms: number): string {
  const at = Date.parse(`${given.replace(' ', 'T')}Z`) + ms;
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}
