/**
 * Call records as calls. One call is several rows: a conference has one for each pair, a leg that failed and the hang-up behind it have
 * one each, an agent's call that was handed over has two. Those of one `linkedid` belong together.
 */

export type CallResult = 'answered' | 'voicemail' | 'no-answer' | 'busy' | 'failed';

/** By the numbers that `grouping.ts` has the database give to them. The best of a call's legs is the call's. */
export const OUTCOMES: readonly CallResult[] = ['failed', 'no-answer', 'busy', 'voicemail', 'answered'];

export interface CdrCall {
  /** `linkedid`, or `uniqueid` where there is none, or when and where it began where there is neither. */
  readonly call: string;
  /** As the records have it. */
  readonly startedAt: string;
  /** Of its first leg. */
  readonly from: string;
  readonly to: string;
  readonly result: CallResult;
  readonly durationSeconds: number;
  readonly talkSeconds: number;
  /** The first ones, in the order in which they began. */
  readonly legs: readonly CdrLeg[];
  /** How many legs there are beside those. */
  readonly moreLegs: number;
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

/** A call as the database puts it together. Some databases write numbers as text. */
export interface GroupedCall {
  readonly call_key: string;
  readonly started: string;
  readonly legs: number | string;
  readonly outcome: number | string;
  readonly duration: number | string;
  readonly talk: number | string;
}

/** A leg as the database writes it. */
export interface GroupedLeg {
  readonly call_key: string;
  readonly src: string;
  readonly dst: string;
  readonly channel: string;
  readonly dstchannel: string;
  readonly lastapp: string;
  readonly outcome: number | string;
  readonly duration: number | string;
  readonly billsec: number | string;
}

/** How a call began: what its first leg says. */
export interface Opening {
  readonly src: string;
  readonly dst: string;
  readonly channel: string;
  readonly lastapp: string;
  readonly uniqueid: string;
}

/** Between the parts of an opening. */
export const SEPARATOR = '\u001f';
/** A conference of thirty has hundreds. */
const MOST_LEGS = 20;

export function resultOf(outcome: number | string): CallResult {
  return OUTCOMES[Number(outcome)] ?? 'failed';
}

export function callOf(grouped: GroupedCall, legs: readonly GroupedLeg[]): CdrCall {
  const shown = legs.slice(0, MOST_LEGS).map(legOf);
  return {
    call: grouped.call_key,
    startedAt: momentOf(grouped.started),
    from: legs[0]?.src ?? '',
    to: legs[0]?.dst ?? '',
    result: resultOf(grouped.outcome),
    durationSeconds: secondsOf(grouped.duration),
    talkSeconds: secondsOf(grouped.talk),
    legs: shown,
    moreLegs: Math.max(0, Number(grouped.legs) - shown.length),
  };
}

function legOf(leg: GroupedLeg): CdrLeg {
  const result = resultOf(leg.outcome);
  return {
    from: leg.src,
    to: leg.dst,
    channel: leg.channel,
    dialledChannel: leg.dstchannel,
    application: leg.lastapp,
    result,
    durationSeconds: secondsOf(leg.duration),
    talkSeconds: result === 'answered' ? secondsOf(leg.billsec) : 0,
  };
}

/** `src` is last, as whoever calls may have written anything into it. */
export function openingOf(opening: string): Opening {
  const [, uniqueid = '', lastapp = '', channel = '', dst = '', ...src] = opening.split(SEPARATOR);
  return { uniqueid, lastapp, channel, dst, src: src.join(SEPARATOR) };
}

/** The manager has rung the phone that the records have as the caller: the agent's calls (their ids, their extension), or any call that was not taken. */
export function isRung({ uniqueid, dst, lastapp }: Opening): boolean {
  return /^switchboard-\d{13}-/.test(uniqueid) || dst === 'outbound' || lastapp === 'AppDial2';
}

export function isOf(channel: string, extension: string): boolean {
  return channel.startsWith(`PJSIP/${extension}-`) || channel.startsWith(`SIP/${extension}-`);
}

export function secondsOf(value: number | string): number {
  return Math.max(0, Math.round(Number(value)) || 0);
}

/** `YYYY-MM-DD HH:MM:SS`, whatever stands behind it. */
export function momentOf(calldate: string): string {
  return calldate.slice(0, 19).replace('T', ' ');
}
