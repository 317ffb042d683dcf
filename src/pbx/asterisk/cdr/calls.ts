/**
 * Rows of call records as calls. One call is several rows: a conference has one for each pair, a leg that failed and the hang-up
 * behind it have one each, an agent's call that was handed over has two. Those of one `linkedid` belong together.
 */

export interface CdrRow {
  readonly call: string;
  readonly calldate: string;
  readonly src: string;
  readonly dst: string;
  readonly channel: string;
  readonly dstchannel: string;
  readonly lastapp: string;
  readonly duration: number | string;
  readonly billsec: number | string;
  readonly disposition: string;
}

export type CallResult = 'answered' | 'no-answer' | 'busy' | 'failed';

export interface CdrCall {
  /** `linkedid`, or `uniqueid` where there is none. */
  readonly call: string;
  /** In the telephone system's own time. */
  readonly startedAt: string;
  readonly from: string;
  readonly to: string;
  readonly result: CallResult;
  readonly durationSeconds: number;
  readonly talkSeconds: number;
  readonly legs: readonly CdrLeg[];
}

export interface CdrLeg {
  readonly from: string;
  readonly to: string;
  readonly channel: string;
  readonly dialledChannel: string;
  readonly application: string;
  readonly result: CallResult;
  readonly durationSeconds: number;
  readonly talkSeconds: number;
}

/** The best of them is the call's. */
const RANK: readonly CallResult[] = ['answered', 'busy', 'no-answer', 'failed'];

export function resultOf(disposition: string): CallResult {
  const word = disposition.trim().toUpperCase();
  if (word === 'ANSWERED') return 'answered';
  if (word === 'BUSY') return 'busy';
  return word === 'NO ANSWER' || word === 'NOANSWER' ? 'no-answer' : 'failed';
}

/** In the order in which the calls come in the rows. */
export function callsOf(rows: readonly CdrRow[]): readonly CdrCall[] {
  const groups = new Map<string, CdrRow[]>();
  for (const row of rows) {
    const group = groups.get(row.call);
    if (group) group.push(row);
    else groups.set(row.call, [row]);
  }
  return [...groups].map(([call, group]) => callOf(call, group));
}

function callOf(call: string, rows: readonly CdrRow[]): CdrCall {
  const ordered = rows.toSorted((a, b) => momentOf(a.calldate).localeCompare(momentOf(b.calldate)));
  const [first] = ordered;
  const legs = ordered.map(legOf);
  const result = RANK.find((one) => legs.some((leg) => leg.result === one)) ?? 'failed';
  return {
    call,
    startedAt: momentOf(first?.calldate ?? ''),
    from: first?.src ?? '',
    to: first?.dst ?? '',
    result,
    durationSeconds: Math.max(0, ...legs.map((leg) => leg.durationSeconds)),
    talkSeconds: Math.max(0, ...legs.filter((leg) => leg.result === 'answered').map((leg) => leg.talkSeconds)),
    legs,
  };
}

function legOf(row: CdrRow): CdrLeg {
  return {
    from: row.src,
    to: row.dst,
    channel: row.channel,
    dialledChannel: row.dstchannel,
    application: row.lastapp,
    result: resultOf(row.disposition),
    durationSeconds: Number(row.duration) || 0,
    talkSeconds: Number(row.billsec) || 0,
  };
}

/** `YYYY-MM-DD HH:MM:SS`, whatever stands behind it. */
export function momentOf(calldate: string): string {
  return calldate.slice(0, 19).replace('T', ' ');
}
