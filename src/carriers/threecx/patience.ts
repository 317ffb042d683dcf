import type { Patience } from '../inbound-audio.ts';

/** Whether 3CX sends anything while a telephone is quiet is not documented. TCP loses nothing: what is late by a repeated packet still comes. */
const PATIENCE_MS = 260;
/** A look that is so late had to wait for a busy process, as had the audio. That is read first: so many looks in time come before a judgement. */
const LATE_MS = 30;
const LOOKS_IN_TIME = 2;
/** A process that is never in time judges all the same. */
const MOST_BEHIND_MS = 1_500;

/** Of one stream. */
export function newPatience(): Patience {
  let inTime = 0;
  return (lateMs) => {
    inTime = lateMs > LATE_MS ? 0 : inTime + 1;
    return { patienceMs: inTime >= LOOKS_IN_TIME ? PATIENCE_MS : MOST_BEHIND_MS, inMs: 0 };
  };
}
