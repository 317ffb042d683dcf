/** The questions to the call records. */
import { sql } from 'kysely';
import { UpstreamError, UserInputError } from '../../../errors.ts';
import { checkExtension } from '../names.ts';
import {
  type CallResult,
  type CdrCall,
  callOf,
  type GroupedCall,
  type GroupedLeg,
  isOf,
  isRung,
  momentOf,
  OUTCOMES,
  openingOf,
  resultOf,
  secondsOf,
} from './calls.ts';
import type { CdrStore } from './database.ts';
import { type CdrRange, type CdrSides, callsIn, rowsBetween, shifted } from './grouping.ts';

export type { CdrRange } from './grouping.ts';

export interface CdrFilter extends CdrRange, CdrSides {
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
  /** By a person, or by an agent. */
  readonly answered: number;
  readonly voicemail: number;
  /** Nobody answered, and no voicemail did. */
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

/** Of one extension: more than it makes in a year. What the database answers is gone through between two frames of audio. */
const MOST_CALLS = 20_000;
/** With each result: two years by day and night. */
const MOST_HOURS = 50_000;
const MOST_LEGS_A_PAGE = 2_000;
const PARTNERS = 10;
const DAY_MS = 86_400_000;

export async function queryCalls(
  store: CdrStore,
  filter: CdrFilter,
  page: { readonly limit: number; readonly offset: number },
): Promise<CdrPage> {
  const { result, minTalkSeconds = 0 } = filter;
  const ofResult = result === undefined ? sql`` : sql`and outcome = ${OUTCOMES.indexOf(result)}`;
  const found = await asked<GroupedCall>(
    store,
    sql`select * from ${callsIn(store, filter)} found where talk >= ${minTalkSeconds} ${ofResult}
      order by started desc, call_key desc limit ${page.limit + 1} offset ${page.offset}`,
  );
  let legs = 0;
  const tooMany = found.findIndex((call, index) => {
    legs += Number(call.legs);
    return index > 0 && (index === page.limit || legs > MOST_LEGS_A_PAGE);
  });
  const shown = tooMany === -1 ? found : found.slice(0, tooMany);
  const rows = Map.groupBy(await legsOf(store, shown), (leg) => leg.call_key);
  return {
    calls: shown.map((call) => callOf(call, rows.get(call.call_key) ?? [])),
    offset: tooMany === -1 ? null : page.offset + shown.length,
  };
}

/** Only of the days on which these calls were: reading the whole table for each page would load the telephone system's database. */
async function legsOf(store: CdrStore, calls: readonly GroupedCall[]): Promise<readonly GroupedLeg[]> {
  const starts = calls.map(({ started }) => momentOf(started));
  const [last, first] = [starts[0], starts.at(-1)];
  if (first === undefined || last === undefined) return [];
  const keys = sql.join(calls.map(({ call_key }) => call_key));
  return await asked<GroupedLeg>(
    store,
    sql`select call_key, src, dst, channel, dstchannel, lastapp, outcome, duration, billsec
      from ${rowsBetween(store, first, shifted(last, DAY_MS))} leg where call_key in (${keys})
      order by opening limit ${MOST_LEGS_A_PAGE}`,
  );
}

/** What some calls come to. */
interface Tally {
  readonly outcome: number | string;
  readonly calls: number | string;
  readonly talk: number | string;
  readonly longest: number | string;
}

/** Counted by the database, so that an answer is no larger than the time has hours. */
export async function callStatistics(store: CdrStore, filter: CdrRange & CdrSides): Promise<CdrStatistics> {
  const hours = await asked<Tally & { readonly hour: string }>(
    store,
    sql`select substr(started, 1, 13) as hour, outcome, count(*) as calls, sum(talk) as talk, max(talk) as longest
      from ${callsIn(store, filter)} found group by substr(started, 1, 13), outcome limit ${MOST_HOURS + 1}`,
  );
  if (hours.length > MOST_HOURS) throw new UserInputError('That is too long a time. Ask for a year at most.');
  const byHour = Array.from({ length: 24 }, (_, hour) => ({ hour, calls: 0, answered: 0 }));
  const byDay = new Map<string, { day: string; calls: number; answered: number }>();
  for (const tally of hours) {
    const [day = '', hour] = momentOf(tally.hour).split(' ');
    const ofDay = byDay.get(day) ?? { day, calls: 0, answered: 0 };
    byDay.set(day, ofDay);
    for (const count of [ofDay, byHour[Number(hour)]]) {
      if (count === undefined) continue;
      count.calls += Number(tally.calls);
      if (resultOf(tally.outcome) === 'answered') count.answered += Number(tally.calls);
    }
  }
  return { ...figuresOf(hours), byHour, byDay: [...byDay.values()].toSorted((a, b) => (a.day < b.day ? -1 : 1)) };
}

export async function extensionSummary(store: CdrStore, given: string, range: CdrRange): Promise<ExtensionSummary> {
  const extension = checkExtension(given);
  // Long texts, which cost a database more than all the rest.
  const opening = sql`, min(opening) as opening`;
  const found = await asked<GroupedCall & { readonly opening: string }>(
    store,
    sql`select * from ${callsIn(store, { ...range, party: extension }, opening)} found limit ${MOST_CALLS + 1}`,
  );
  if (found.length > MOST_CALLS)
    throw new UserInputError(`That is more than ${MOST_CALLS} calls. Ask for a shorter time.`);
  const outgoing: Tally[] = [];
  const incoming: Tally[] = [];
  const hours = new Map<number, number>();
  const partners = new Map<string, number>();
  let lastCallAt = '';
  for (const { started, outcome, talk, ...call } of found) {
    const first = openingOf(call.opening);
    const isOwn = isOf(first.channel, extension);
    const isOutgoing = isOwn ? !isRung(first) : first.src === extension;
    (isOutgoing ? outgoing : incoming).push({ outcome, talk, longest: talk, calls: 1 });
    const partner = isOutgoing ? first.dst : first.src;
    if (partner !== '' && partner !== extension) partners.set(partner, (partners.get(partner) ?? 0) + 1);
    const at = momentOf(started);
    const hour = Number(at.slice(11, 13));
    hours.set(hour, (hours.get(hour) ?? 0) + 1);
    if (at > lastCallAt) lastCallAt = at;
  }
  return {
    extension,
    outgoing: figuresOf(outgoing),
    incoming: figuresOf(incoming),
    busiestHour: most(hours)[0]?.[0] ?? null,
    partners: most(partners)
      .slice(0, PARTNERS)
      .map(([number, calls]) => ({ number, calls })),
    lastCallAt: lastCallAt === '' ? null : lastCallAt,
  };
}

function most<Key>(counts: ReadonlyMap<Key, number>): readonly (readonly [Key, number])[] {
  return [...counts].toSorted((a, b) => b[1] - a[1]);
}

function figuresOf(tallies: readonly Tally[]): CallFigures {
  const counts: Record<CallResult, number> = { answered: 0, voicemail: 0, 'no-answer': 0, busy: 0, failed: 0 };
  let calls = 0;
  let talkSeconds = 0;
  let longestTalkSeconds = 0;
  for (const tally of tallies) {
    calls += Number(tally.calls);
    counts[resultOf(tally.outcome)] += Number(tally.calls);
    talkSeconds += secondsOf(tally.talk);
    longestTalkSeconds = Math.max(longestTalkSeconds, secondsOf(tally.longest));
  }
  const { answered, voicemail, busy, failed } = counts;
  return {
    calls,
    answered,
    voicemail,
    missed: counts['no-answer'],
    busy,
    failed,
    answeredPercent: calls === 0 ? 0 : Math.round((answered / calls) * 1_000) / 10,
    talkSeconds,
    averageTalkSeconds: answered === 0 ? 0 : Math.round(talkSeconds / answered),
    longestTalkSeconds,
  };
}

/** What a database says in an error may hold its address. */
async function asked<Row>(store: CdrStore, question: ReturnType<typeof sql<Row>>): Promise<readonly Row[]> {
  try {
    return (await question.execute(store.db)).rows;
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError('The database of the call records did not answer.', { retryable: true, cause: error });
  }
}
