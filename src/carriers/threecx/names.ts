/** What a call of 3CX is known by. */
import type { Participant } from './exchange.ts';

/**
 * `3cx-<route point>-<participant>-<call>-<number or extension>`: all that is needed to find the participant again, and to see that it is
 * still the same one, for 3CX counts anew when it is started again. 3CX does not say when a call was made.
 */
const CARRIER_CALL_ID = /^3cx-(\S+)-(\d{1,15})-(\d{1,15}|x)-([A-Za-z0-9*#_]{0,40})$/;

export function carrierCallIdOf({ dn, id, callId }: Participant, number: string): string {
  return `3cx-${dn}-${id}-${callId ?? 'x'}-${plain(number)}`;
}

export interface CallName {
  readonly dn: string;
  readonly participantId: number;
  /** `unsure`: it has another party now, as when who was called has forwarded the call, or it is another call with the same two ids. */
  isOf(participant: Participant): 'same' | 'other' | 'unsure';
}

/** Null for what is none of ours. */
export function readCarrierCallId(text: string): CallName | null {
  const [, dn, id, callId, number] = CARRIER_CALL_ID.exec(text) ?? [];
  if (dn === undefined || id === undefined) return null;
  return {
    dn,
    participantId: Number(id),
    isOf: ({ callId: actual, partyNumber }) => {
      if (callId !== 'x' && actual !== null && actual !== Number(callId)) return 'other';
      return !number || partyNumber === null || isSameNumber(partyNumber, number) ? 'same' : 'unsure';
    },
  };
}

/** The number in it stays out of the log. */
export function nameInLog(carrierCallId: string): string {
  return carrierCallId.slice(0, Math.max(0, carrierCallId.lastIndexOf('-')));
}

/** So many digits at the end tell an outside number from another. */
const TELLING_DIGITS = 7;

/** GUESS: an outside number comes back as it was dialled or as an outbound rule has changed its beginning; an extension as it is. */
export function isSameNumber(one: string, other: string): boolean {
  const [a, b] = [plain(one), plain(other)];
  if (a === b) return a !== '';
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short.length >= TELLING_DIGITS && long.endsWith(short);
}

function plain(number: string): string {
  return number.replace(/[^A-Za-z0-9*#_]/g, '').slice(0, 40);
}
