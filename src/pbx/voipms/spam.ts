/** Which callers behave as spam does. A guess out of the call records alone, with its reasons; pure. */
import type { CdrRow, SpamSuggestion } from './operations.ts';
import { comparable } from './values.ts';

/** Below this a caller is not worth a person's look. */
const LEAST_SCORE = 30;
const LEAST_DIGITS = 7;
const SHORT_SECONDS = 10;
const LONG_SECONDS = 120;
const HOUR_MS = 3_600_000;
/** How records of calls that came in begin: `Inbound - Local Caller` in the vendor's sample. */
const INBOUND = /^(inbound|incoming)/i;
const SUSPICIOUS_NAME = /\b(spam|scam|telemarket|robocall|survey|potential fraud)/i;

interface Signal {
  readonly points: number;
  readonly reason: string;
}

/** `isKnown`: in the phonebook, or filtered already. Highest score first. */
export function suggestSpamOf(
  rows: readonly CdrRow[],
  { isKnown, limit }: { readonly isKnown: (number: string) => boolean; readonly limit: number },
): readonly SpamSuggestion[] {
  const called = new Set(rows.filter((row) => !isInbound(row)).map((row) => comparable(row.destination)));
  const suggestions: SpamSuggestion[] = [];
  for (const [number, calls] of callsByNumber(rows)) {
    if (isKnown(number)) continue;
    const suggestion = judged(number, calls, called.has(number));
    if (suggestion.score >= LEAST_SCORE) suggestions.push(suggestion);
  }
  return suggestions
    .toSorted((a, b) => b.score - a.score || (a.lastCallAt < b.lastCallAt ? 1 : -1))
    .slice(0, Math.max(0, limit));
}

function isInbound({ description }: CdrRow): boolean {
  return INBOUND.test(description ?? '');
}

function callsByNumber(rows: readonly CdrRow[]): ReadonlyMap<string, readonly CdrRow[]> {
  const calls = new Map<string, CdrRow[]>();
  for (const row of rows.filter(isInbound)) {
    const number = comparable(row.callerNumber ?? '');
    if (number.length < LEAST_DIGITS) continue;
    const those = calls.get(number) ?? [];
    those.push(row);
    calls.set(number, those);
  }
  return calls;
}

function judged(number: string, calls: readonly CdrRow[], isCalled: boolean): SpamSuggestion {
  const signals = [
    often(calls),
    short(calls),
    unanswered(calls),
    spread(calls),
    burst(calls),
    named(calls),
    talked(calls),
    isCalled ? { points: -50, reason: 'somebody here has called this number' } : null,
  ].filter((signal) => signal !== null);
  const sum = signals.reduce((total, { points }) => total + points, 0);
  return {
    number,
    score: Math.min(100, Math.max(0, sum)),
    reasons: signals.map(({ reason }) => reason),
    calls: calls.length,
    lastCallAt:
      calls
        .map(({ startedAt }) => startedAt)
        .toSorted()
        .at(-1) ?? '',
  };
}

function often(calls: readonly CdrRow[]): Signal | null {
  if (calls.length < 3) return null;
  return { points: calls.length >= 10 ? 25 : calls.length >= 5 ? 20 : 10, reason: `${calls.length} calls` };
}

function short(calls: readonly CdrRow[]): Signal | null {
  const answered = calls.filter(({ disposition }) => disposition === 'ANSWERED');
  const few = answered.filter(({ seconds }) => seconds <= SHORT_SECONDS);
  if (few.length < 2 || few.length < answered.length * 0.7) return null;
  return {
    points: 30,
    reason: `${few.length} of ${answered.length} answered calls lasted ${SHORT_SECONDS} seconds or less`,
  };
}

function unanswered(calls: readonly CdrRow[]): Signal | null {
  const missed = calls.filter(({ disposition }) => disposition !== 'ANSWERED');
  if (missed.length < 3 || missed.length < calls.length * 0.5) return null;
  return { points: 15, reason: `${missed.length} of ${calls.length} calls were not answered` };
}

function spread(calls: readonly CdrRow[]): Signal | null {
  const numbers = new Set(calls.map(({ destination }) => comparable(destination)));
  if (numbers.size < 2) return null;
  return { points: numbers.size >= 3 ? 25 : 15, reason: `it called ${numbers.size} of your numbers` };
}

/** Three calls within one hour. */
function burst(calls: readonly CdrRow[]): Signal | null {
  const times = calls.map(({ startedAt }) => Date.parse(startedAt)).toSorted((a, b) => a - b);
  const isBurst = times.some((atMs, index) => (times[index + 2] ?? Number.POSITIVE_INFINITY) - atMs <= HOUR_MS);
  return isBurst ? { points: 15, reason: 'three or more calls within one hour' } : null;
}

/** The caller's name is a stranger's text, so it is not repeated. */
function named(calls: readonly CdrRow[]): Signal | null {
  return calls.some(({ callerId }) => SUSPICIOUS_NAME.test(callerId))
    ? { points: 25, reason: 'the name it shows speaks of spam or of a survey' }
    : null;
}

function talked(calls: readonly CdrRow[]): Signal | null {
  return calls.some(({ seconds }) => seconds >= LONG_SECONDS)
    ? { points: -40, reason: `somebody talked with it for ${LONG_SECONDS} seconds or more` }
    : null;
}
