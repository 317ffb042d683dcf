/** What a number is to this telephone system. Emergency numbers are recognised, warned of, and left as they are. */
import type { DialRule } from './dial-plan.ts';
import type { Extension } from './extensions.ts';
import type { Country } from './softphones.ts';

/** What is known of numbers elsewhere: handed in, so that there is one list of emergency numbers. */
export interface NumberWisdom {
  /** As dialled on a telephone of that country. */
  isEmergency(dialled: string, country: string): boolean;
  /** Why a number is never called from here, as a sentence; null when it may be. */
  refusalOf(number: string): string | null;
  /** A number as E.164, read as one dials it in that country; null when it makes no sense. */
  e164(number: string, country: string): string | null;
  country(iso: string): Country | null;
}

export interface NumberJudgement {
  readonly number: string;
  readonly kind: 'extension' | 'feature-code' | 'emergency' | 'conference' | 'national' | 'international' | 'invalid';
  readonly valid: boolean;
  /** E.164, or the extension or code itself; null when there is none. An emergency number stays as it was written. */
  readonly normalised: string | null;
  /** What the dial plan is given; null when it is not to be dialled from here. */
  readonly dialled: string | null;
  /** Patterns of the dial plan that take what is dialled. */
  readonly matches: readonly string[];
  readonly warnings: readonly string[];
}

const EMERGENCY_WARNING =
  'This is an emergency number. It is never rewritten and never blocked on the telephones, and Switchboard never calls it: in an emergency a person has to call. Check with your carrier that such calls reach the right place.';

export function judgeNumber(
  given: string,
  known: {
    readonly country: string;
    readonly plus: string;
    readonly numbers: NumberWisdom;
    readonly extensions: readonly Extension[];
    readonly rules: readonly DialRule[];
  },
): NumberJudgement {
  const { country, plus, numbers, extensions, rules } = known;
  const number = given.trim();
  const matching = (digits: string) =>
    rules.filter(({ pattern }) => matches(pattern, digits)).map(({ pattern }) => pattern);
  const internal = (kind: NumberJudgement['kind']): NumberJudgement => ({
    number,
    kind,
    valid: true,
    normalised: number,
    dialled: number,
    matches: matching(number),
    warnings: [],
  });
  const digits = number.replace(/[\s().-]/g, '');
  if (numbers.isEmergency(digits, country)) {
    const taken = matching(digits);
    const none =
      taken.length === 0
        ? ['The dial plan of this server has no rule for it: add one, so that it can be reached.']
        : [];
    return {
      number,
      kind: 'emergency',
      valid: true,
      normalised: number,
      dialled: number,
      matches: taken,
      warnings: [EMERGENCY_WARNING, ...none],
    };
  }
  if (extensions.some(({ extension }) => extension === digits)) return internal('extension');
  if (/^[*#][\d*#]+$/.test(digits)) {
    const code = internal('feature-code');
    return code.matches.length > 0
      ? code
      : { ...code, valid: false, warnings: ['The dial plan has no such feature code.'] };
  }
  const rule = rules.find(({ pattern, kind }) => kind === 'extension' && matches(pattern, digits));
  if (rule)
    return internal(rule.applications.some((name) => /^(ConfBridge|MeetMe)$/i.test(name)) ? 'conference' : 'extension');
  const e164 = numbers.e164(digits, country);
  if (e164 === null)
    return {
      number,
      kind: 'invalid',
      valid: false,
      normalised: null,
      dialled: null,
      matches: matching(digits),
      warnings: [`It is no extension, no feature code, and no telephone number as dialled in ${country}.`],
    };
  const refusal = numbers.refusalOf(e164);
  const dialled = `${plus}${e164.slice(1)}`;
  const taken = matching(dialled);
  return {
    number,
    kind: e164.startsWith(`+${numbers.country(country)?.code ?? ''}`) ? 'national' : 'international',
    valid: true,
    normalised: e164,
    dialled: refusal === null ? dialled : null,
    matches: taken,
    warnings: [
      ...(refusal === null ? [] : [refusal]),
      ...(taken.length === 0
        ? [
            `The dial plan has no rule for ${dialled}, so it cannot be reached from here. Check ASTERISK_PLUS and the outbound routes.`,
          ]
        : []),
    ],
  };
}

/** A pattern of the dial plan (Asterisk docs, "Pattern Matching"): X 0–9, Z 1–9, N 2–9, [sets], `.` one or more, `!` none or more, `-` nothing. */
export function matches(pattern: string, dialled: string): boolean {
  if (!pattern.startsWith('_')) return pattern === dialled;
  let expression = '';
  for (const part of pattern.slice(1).match(/\[[^\]]*\]|./g) ?? []) {
    if (part.startsWith('[')) expression += `[${part.slice(1, -1).replace(/[\\^\]]/g, '')}]`;
    else if (/x/i.test(part)) expression += '[0-9]';
    else if (/z/i.test(part)) expression += '[1-9]';
    else if (/n/i.test(part)) expression += '[2-9]';
    else if (part === '.') return new RegExp(`^${expression}.+$`).test(dialled);
    else if (part === '!') return new RegExp(`^${expression}.*$`).test(dialled);
    else if (part !== '-') expression += part.replace(/[^\w]/g, '\\$&');
  }
  return new RegExp(`^${expression}$`).test(dialled);
}
