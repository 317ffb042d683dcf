/** Which of the vendor's transcripts is a recording's: no id connects the two (the vendor's sample of getCallTranscriptions). Pure. */
import type { CallRecording, Transcript } from './operations.ts';
import { decoded, isRow, isSameNumber, known, momentOf, type Row, secondsOf, textOf } from './values.ts';

/** Of how far the two may begin apart, nothing is documented. */
const START_TOLERANCE_SECONDS = 60;
const DURATION_TOLERANCE_SECONDS = 3;

export type Match =
  | { readonly kind: 'one'; readonly row: Row; readonly how: string; readonly warnings: readonly string[] }
  | { readonly kind: 'several'; readonly count: number }
  | { readonly kind: 'none' };

export function matchTranscript(recording: CallRecording, rows: readonly Row[]): Match {
  const near = rows.filter((row) => isNear(recording, row));
  const named = near.filter((row) => speakersOf(row).some((one) => isSameNumber(one, recording.destination)));
  // The destination of a call that came in is a number of the account, and need not be among those who speak.
  const isOpen = recording.direction === 'incoming' || near.every((row) => speakersOf(row).length === 0);
  const candidates = named.length > 0 ? named : isOpen ? near : [];
  const [row, ...others] = candidates;
  if (row === undefined) return { kind: 'none' };
  if (others.length > 0) return { kind: 'several', count: candidates.length };
  const apart = Math.round(Math.abs(apartSeconds(recording, row) ?? 0));
  const longer = Math.abs((secondsOf(row.duration) ?? 0) - (recording.durationSeconds ?? 0));
  const duration = longer === 0 ? 'same duration' : `${longer} s apart in duration`;
  const how = `same account, begun ${apart} s apart, ${duration}${named.length > 0 ? ', and its number among the speakers' : ''}`;
  const warnings =
    named.length > 0
      ? []
      : ['The transcript names no number that could be compared, so it belongs to this recording by time alone.'];
  return { kind: 'one', row, how, warnings };
}

function isNear(recording: CallRecording, row: Row): boolean {
  const apart = apartSeconds(recording, row);
  const seconds = secondsOf(row.duration);
  if (apart === null || seconds === null || recording.durationSeconds === null) return false;
  return (
    Math.abs(apart) <= START_TOLERANCE_SECONDS &&
    Math.abs(seconds - recording.durationSeconds) <= DURATION_TOLERANCE_SECONDS
  );
}

/** Both are in the account's zone, which is not named. */
function apartSeconds({ startedAt }: CallRecording, row: Row): number | null {
  const [recorded, written] = [momentOf(startedAt), momentOf(row.date)];
  return recorded === null || written === null ? null : (written - recorded) / 1_000;
}

function speakersOf({ speakers }: Row): readonly string[] {
  return (Array.isArray(speakers) ? speakers : [speakers]).map(textOf).filter((text) => text !== '');
}

export function languageOf(row: Row): string | null {
  return known(row.locale);
}

export function linesOf({ startedAt }: CallRecording, row: Row): Transcript['lines'] {
  const phrases: unknown = row.recognized_phrases;
  const list = Array.isArray(phrases) ? phrases : [phrases];
  const beganMs = momentOf(startedAt);
  return list
    .filter(isRow)
    .map((one) => {
      const atMs = momentOf(one.time);
      const atSeconds = atMs === null || beganMs === null ? null : (atMs - beganMs) / 1_000;
      return {
        speaker: known(one.speaker),
        // The vendor's own sample has a phrase before its call.
        atSeconds: atSeconds === null || atSeconds < 0 ? null : atSeconds,
        text: decoded(one.phrase),
      };
    })
    .filter(({ text }) => text !== '');
}
