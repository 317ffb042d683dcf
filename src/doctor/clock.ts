import { type Finding, fail, ok, skipped, warn } from './finding.ts';

/** A `Date` header has whole seconds, and the answer was under way for a moment. */
const NOTABLE_MS = 5_000;
/** By how much we still find our own call in Twilio's list, when an answer was lost. */
const TOO_MUCH_MS = 15_000;
const ADVICE = 'Let the system keep the time: timedatectl set-ntp true, or install chrony.';

/** `skewMs`: our clock minus that of a service outside; null when none has told the time. */
export function checkClock(skewMs: number | null): Finding {
  const check = 'clock';
  if (skewMs === null) return skipped(check, 'No service outside has told the time.');
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  if (Math.abs(skewMs) < NOTABLE_MS) return ok(check, 'It agrees with that of Twilio.');
  const message = `It is ${seconds} seconds ${skewMs > 0 ? 'ahead of' : 'behind'} that of Twilio.`;
  return Math.abs(skewMs) < TOO_MUCH_MS ? warn(check, message, ADVICE) : fail(check, message, ADVICE);
}
