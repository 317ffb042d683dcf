import { isEmergency, isEmergencyIn, type NumberKind, readNumber, suggestE164 } from './numbers.ts';

/** A refusal's `reason` is a sentence of ours that says why, and what to do: the message of a UserInputError. */
export interface Refusal {
  readonly ok: false;
  readonly reason: string;
}

export type NumberVerdict = { readonly ok: true; readonly e164: string } | Refusal;
export type DurationVerdict = { readonly ok: true; readonly durationMs: number } | Refusal;

export interface NumberRules {
  /** Beginnings of E.164 numbers; empty allows all. */
  readonly allowed: readonly string[];
  readonly blocked: readonly string[];
  /** ISO 3166 country to read a number by that has no country code: for a suggestion only, it is refused all the same. */
  readonly defaultRegion?: string;
}

const HOW_TO_WRITE = 'Write it with + and the country code, such as +14155550100.';
const MIN_CALL_SECONDS = 10;

const REFUSED_ALWAYS: Readonly<Record<Exclude<NumberKind, 'callable'>, string>> = {
  emergency: 'is an emergency or crisis number. Switchboard never calls those: in an emergency a person has to call.',
  short: 'is a short number, which cannot be called from here. Give the full number with its country code.',
  premium: 'is a premium-rate number. Switchboard never calls those; look for an ordinary number of the same place.',
  satellite:
    'belongs to a satellite or international network that costs like a premium-rate number, so it is not called. Look for another number.',
  invalid: 'is not a number that exists in its country. Check its digits.',
};

/** Decides whether a number may be called. What is always refused is refused before the lists are asked. */
export function checkNumber(to: string, rules: NumberRules): NumberVerdict {
  const written = to.trim();
  const number = readNumber(written);
  if (!number) return refuse(withoutCountry(written, rules.defaultRegion));
  if (number.kind !== 'callable') return refuse(`${number.e164} ${REFUSED_ALWAYS[number.kind]}`);
  const { e164 } = number;
  const blocked = rules.blocked.find((prefix) => e164.startsWith(prefix));
  if (blocked !== undefined) {
    return refuse(`${e164} is blocked: BLOCKED_NUMBERS holds ${blocked}. The operator can change that setting.`);
  }
  if (rules.allowed.length > 0 && !rules.allowed.some((prefix) => e164.startsWith(prefix))) {
    return refuse(
      `${e164} is not allowed: ALLOWED_NUMBERS permits only numbers that begin with ${rules.allowed.join(', ')}. The operator can change that setting.`,
    );
  }
  return { ok: true, e164 };
}

/** Decides whether an extension of the office may be called. `e164` is then the extension; that it exists is for the telephone system to say. */
export function checkExtension(given: string, country: string): NumberVerdict {
  const extension = given.trim();
  if (isEmergencyIn(country, extension.replace(/[\s().-]/g, '')))
    return refuse(`${extension} ${REFUSED_ALWAYS.emergency}`);
  if (/^[A-Za-z0-9_-]{1,40}$/.test(extension)) return { ok: true, e164: extension };
  return refuse(
    `${JSON.stringify(extension.slice(0, 40))} is no extension. Give one such as 1001, or a number with + and its country code.`,
  );
}

/** Decides how long a call may last: what was asked for, or without a wish the most that the settings allow. */
export function checkDuration(askedMs: number | undefined, maxCallSeconds: number): DurationVerdict {
  if (askedMs === undefined) return { ok: true, durationMs: maxCallSeconds * 1000 };
  if (Number.isFinite(askedMs) && askedMs >= MIN_CALL_SECONDS * 1000 && askedMs <= maxCallSeconds * 1000) {
    return { ok: true, durationMs: askedMs };
  }
  const asked = `A call of ${Math.round(askedMs / 1000)} seconds is not possible`;
  return refuse(
    `${asked}: give ${MIN_CALL_SECONDS} to ${maxCallSeconds} seconds. The operator sets the upper bound with MAX_CALL_SECONDS.`,
  );
}

function withoutCountry(written: string, region: string | undefined): string {
  const digits = written.replace(/\D/g, '');
  if (isEmergency(digits) && digits.length <= 6) return `${digits} ${REFUSED_ALWAYS.emergency}`;
  const shown = JSON.stringify(written.slice(0, 40));
  const suggestion = suggestE164(written, region);
  if (suggestion !== null)
    return `${shown} has no country code with + before it. If ${suggestion} is meant, give it so.`;
  return `${shown} is not a telephone number that can be called. ${HOW_TO_WRITE}`;
}

function refuse(reason: string): Refusal {
  return { ok: false, reason };
}
