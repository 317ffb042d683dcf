/** The questions to the call records. All values are parameters; nothing is put together as text. */
import { type Expression, type SqlBool, sql } from 'kysely';
import { UpstreamError, UserInputError } from '../../../errors.ts';
import { checkExtension } from '../names.ts';
import { type CallResult, type CdrCall, type CdrRow, callsOf, resultOf } from './calls.ts';
import { type CdrStore, fromCdr } from './database.ts';

/** From and to in the telephone system's own time: `YYYY-MM-DD` or `YYYY-MM-DD HH:MM[:SS]`; `to` is not part of it. */
export interface CdrRange {
  readonly from: string;
  readonly to: string;
}

export interface CdrFilter extends CdrRange {
  /** Extension or number on either side. */
  readonly party?: string | undefined;
  readonly source?: string | undefined;
  readonly destination?: string | undefined;
  readonly result?: CallResult | undefined;
  readonly minTalkSeconds?: number | undefined;
}

export interface CdrPage {
  readonly calls: readonly CdrCall[];
  /** Where to go on; null at the end. */
  readonly offset: number | null;
}

export interface CallFigures {
  readonly calls: number;
  readonly answered: number;
  readonly missed: number;
  readonly busy: number;
  readonly failed: number;
  readonly answeredPercent: number;
  readonly talkSeconds: number;
  readonly averageTalkSeconds: number;
  readonly longestTalkSeconds: number;
}

export interface CdrStatistics extends CallFigures {
  /** Twenty-four, by the hour of the day in which they began. */
  readonly byHour: readonly { readonly hour: number; readonly calls: number; readonly answered: number }[];
  readonly byDay: readonly { readonly day: string; readonly calls: number; readonly answered: number }[];
}

export interface ExtensionSummary {
  readonly extension: string;
  readonly outgoing: CallFigures;
  readonly incoming: CallFigures;
  readonly busiestHour: number | null;
  readonly partners: readonly { readonly number: string; readonly calls: number }[];
  readonly lastCallAt: string | null;
}

/** More than an office makes in a year; a larger question is asked in parts. */
const MOST_CALLS = 100_000;
const MOST_LEGS_A_PAGE = 2_000;
const PARTNERS = 10;

export async function queryCalls(
  store: CdrStore,
  filter: CdrFilter,
  page: { readonly limit: number; readonly offset: number },
): Promise<CdrPage> {
  const call = callKey(store);
  const isAnswered = sql<number>`max(case when cdr.disposition = 'ANSWERED' then 1 else 0 end)`;
  let query = matching(store, filter)
    .select(call.as('call'))
    .select(sql<string>`min(cdr.calldate)`.as('started'))
    .groupBy(call)
    .orderBy('started', 'desc')
    .limit(page.limit + 1)
    .offset(page.offset);
  const { result, minTalkSeconds } = filter;
  if (result !== undefined) query = query.having(resultIs(result, isAnswered));
  if (minTalkSeconds !== undefined) query = query.having(sql<SqlBool>`max(cdr.billsec + 0) >= ${minTalkSeconds}`);
  const found = await asked(query.execute());
  const ids = found.slice(0, page.limit).map((row) => row.call);
  const calls = callsOf(ids.length === 0 ? [] : await rowsOf(store, ids));
  const byId = new Map(calls.map((one) => [one.call, one]));
  return {
    calls: ids.flatMap((id) => byId.get(id) ?? []),
    offset: found.length > page.limit ? page.offset + page.limit : null,
  };
}

export async function callStatistics(store: CdrStore, filter: CdrFilter): Promise<CdrStatistics> {
  const found = await shortCalls(store, filter);
  const byHour = Array.from({ length: 24 }, (_, hour) =>
    counted(
      found.filter((one) => one.hour === hour),
      { hour },
    ),
  );
  const days = [...new Set(found.map(({ day }) => day))].toSorted();
  const byDay = days.map((day) =>
    counted(
      found.filter((one) => one.day === day),
      { day },
    ),
  );
  return { ...figuresOf(found), byHour, byDay };
}

export async function extensionSummary(store: CdrStore, given: string, range: CdrRange): Promise<ExtensionSummary> {
  const extension = checkExtension(given);
  const found = await shortCalls(store, { ...range, party: extension });
  const isOutgoing = ({ src, channel }: ShortCall): boolean => src === extension || isOf(channel, extension);
  const outgoing = found.filter(isOutgoing);
  const incoming = found.filter((one) => !isOutgoing(one));
  const hours = new Map<number, number>();
  for (const { hour } of found) hours.set(hour, (hours.get(hour) ?? 0) + 1);
  const partners = new Map<string, number>();
  for (const one of found) {
    const number = isOutgoing(one) ? one.dst : one.src;
    if (number !== '' && number !== extension) partners.set(number, (partners.get(number) ?? 0) + 1);
  }
  const most = <Key>(counts: ReadonlyMap<Key, number>) => [...counts].toSorted((a, b) => b[1] - a[1]);
  return {
    extension,
    outgoing: figuresOf(outgoing),
    incoming: figuresOf(incoming),
    busiestHour: most(hours)[0]?.[0] ?? null,
    partners: most(partners)
      .slice(0, PARTNERS)
      .map(([number, calls]) => ({ number, calls })),
    lastCallAt:
      found
        .map(({ startedAt }) => startedAt)
        .toSorted()
        .at(-1) ?? null,
  };
}

interface ShortCall {
  readonly startedAt: string;
  readonly day: string;
  readonly hour: number;
  readonly src: string;
  readonly dst: string;
  readonly channel: string;
  readonly result: CallResult;
  readonly talkSeconds: number;
}

/** A row a call, put together by the database. */
async function shortCalls(store: CdrStore, filter: CdrFilter): Promise<readonly ShortCall[]> {
  const call = callKey(store);
  const saw = (disposition: string) => sql<number>`max(case when cdr.disposition = ${disposition} then 1 else 0 end)`;
  const found = await asked(
    matching(store, filter)
      .select(call.as('call'))
      .select(sql<string>`min(cdr.calldate)`.as('started'))
      .select(sql<string>`min(cdr.src)`.as('src'))
      .select(sql<string>`min(cdr.dst)`.as('dst'))
      .select(sql<string>`min(cdr.channel)`.as('channel'))
      .select([saw('ANSWERED').as('answered'), saw('BUSY').as('busy'), saw('NO ANSWER').as('rang')])
      .select(sql<number>`max(case when cdr.disposition = 'ANSWERED' then cdr.billsec + 0 else 0 end)`.as('talk'))
      .groupBy(call)
      .limit(MOST_CALLS + 1)
      .execute(),
  );
  if (found.length > MOST_CALLS)
    throw new UserInputError(`That is more than ${MOST_CALLS} calls. Ask for a shorter time.`);
  return found.map((row) => {
    const startedAt = String(row.started).slice(0, 19).replace('T', ' ');
    const word = Number(row.answered)
      ? 'ANSWERED'
      : Number(row.busy)
        ? 'BUSY'
        : Number(row.rang)
          ? 'NO ANSWER'
          : 'FAILED';
    return {
      startedAt,
      day: startedAt.slice(0, 10),
      hour: Number(startedAt.slice(11, 13)),
      src: row.src,
      dst: row.dst,
      channel: row.channel,
      result: resultOf(word),
      talkSeconds: Number(row.talk) || 0,
    };
  });
}

function figuresOf(calls: readonly ShortCall[]): CallFigures {
  const count = (result: CallResult): number => calls.filter((one) => one.result === result).length;
  const answered = count('answered');
  const talks = calls.filter((one) => one.result === 'answered').map((one) => one.talkSeconds);
  const talkSeconds = talks.reduce((sum, seconds) => sum + seconds, 0);
  return {
    calls: calls.length,
    answered,
    missed: count('no-answer'),
    busy: count('busy'),
    failed: count('failed'),
    answeredPercent: calls.length === 0 ? 0 : Math.round((answered / calls.length) * 1_000) / 10,
    talkSeconds,
    averageTalkSeconds: answered === 0 ? 0 : Math.round(talkSeconds / answered),
    longestTalkSeconds: talks.reduce((most, seconds) => Math.max(most, seconds), 0),
  };
}

function counted<Key extends object>(calls: readonly ShortCall[], key: Key) {
  return { ...key, calls: calls.length, answered: calls.filter((one) => one.result === 'answered').length };
}

function matching(store: CdrStore, filter: CdrFilter) {
  const { party, source, destination } = filter;
  let query = fromCdr(store.db, store.table)
    .where('cdr.calldate', '>=', moment(filter.from))
    .where('cdr.calldate', '<', moment(filter.to));
  if (source !== undefined) query = query.where('cdr.src', '=', source);
  if (destination !== undefined) query = query.where('cdr.dst', '=', destination);
  if (party === undefined) return query;
  return query.where((builder) =>
    builder.or([
      builder('cdr.src', '=', party),
      builder('cdr.dst', '=', party),
      begins(sql.ref('cdr.channel'), `PJSIP/${party}-`),
      begins(sql.ref('cdr.dstchannel'), `PJSIP/${party}-`),
      begins(sql.ref('cdr.channel'), `SIP/${party}-`),
      begins(sql.ref('cdr.dstchannel'), `SIP/${party}-`),
    ]),
  );
}

/** Not LIKE, in which parts of a name would be wildcards. */
function begins(column: Expression<unknown>, prefix: string): Expression<SqlBool> {
  return sql<SqlBool>`substr(${column}, 1, ${sql.lit(prefix.length)}) = ${prefix}`;
}

function isOf(channel: string, extension: string): boolean {
  return channel.startsWith(`PJSIP/${extension}-`) || channel.startsWith(`SIP/${extension}-`);
}

function callKey({ hasLinkedId }: CdrStore) {
  return hasLinkedId ? sql<string>`coalesce(nullif(cdr.linkedid, ''), cdr.uniqueid)` : sql<string>`cdr.uniqueid`;
}

function resultIs(result: CallResult, isAnswered: Expression<number>): Expression<SqlBool> {
  if (result === 'answered') return sql<SqlBool>`${isAnswered} = 1`;
  const word = { busy: 'BUSY', 'no-answer': 'NO ANSWER', failed: 'FAILED' }[result];
  return sql<SqlBool>`${isAnswered} = 0 and max(case when cdr.disposition = ${word} then 1 else 0 end) = 1`;
}

async function rowsOf(store: CdrStore, ids: readonly string[]): Promise<readonly CdrRow[]> {
  const call = callKey(store);
  return await asked(
    fromCdr(store.db, store.table)
      .select(call.as('call'))
      .select(['cdr.calldate', 'cdr.src', 'cdr.dst', 'cdr.channel', 'cdr.dstchannel', 'cdr.lastapp'])
      .select(['cdr.duration', 'cdr.billsec', 'cdr.disposition'])
      .where(call, 'in', ids)
      .orderBy('cdr.calldate')
      .limit(MOST_LEGS_A_PAGE)
      .execute(),
  );
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

/** What a database says in an error may hold its address. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new UpstreamError('The database of the call records did not answer.', { retryable: true, cause: error });
  }
}
