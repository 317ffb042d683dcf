/** What a number is to this telephone system. Emergency numbers are recognised, warned of, and left as they are. */
import type { DialRule } from './dial-plan.ts';
import type { Extension } from './extensions.ts';

export interface Country {
  /** ISO 3166, such as US. */
  readonly iso: string;
  /** English name. */
  readonly name: string;
  /** Country calling code without +. */
  readonly code: string;
}

export type NumberVerdict =
  | { readonly ok: true; readonly e164: string }
  | { readonly ok: false; readonly reason: string };

/** What is known of numbers elsewhere: handed in, so that there is one list of emergency numbers. */
export interface NumberWisdom {
  /** As dialled on a telephone of that country. */
  isEmergency(dialled: string, country: string): boolean;
  /** Whether a number may be called from here; `e164` is then what was judged, and alone may be dialled. Otherwise why not, as a sentence. */
  verdictOf(number: string): NumberVerdict;
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

interface Known {
  readonly country: string;
  readonly plus: string;
  readonly numbers: NumberWisdom;
  readonly extensions: readonly Extension[];
  readonly rules: readonly DialRule[];
}

/** As it was given, and without what people put between digits. */
interface Written {
  readonly number: string;
  readonly digits: string;
}

export function judgeNumber(given: string, known: Known): NumberJudgement {
  const number = given.trim();
  const written = { number, digits: number.replace(/[\s().-]/g, '') };
  if (known.numbers.isEmergency(written.digits, known.country)) return emergencyNumber(written, known);
  return internalNumber(written, known) ?? outsideNumber(written, known);
}

function emergencyNumber({ number, digits }: Written, { rules }: Known): NumberJudgement {
  const taken = patternsFor(digits, rules);
  const none =
    taken.length === 0 ? ['The dial plan of this server has no rule for it: add one, so that it can be reached.'] : [];
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

/** An extension, a conference or a feature code; null when it is none of them. */
function internalNumber({ number, digits }: Written, { extensions, rules }: Known): NumberJudgement | null {
  const internal = (kind: NumberJudgement['kind'], dialled: string): NumberJudgement => ({
    number,
    kind,
    valid: true,
    normalised: dialled,
    dialled,
    matches: patternsFor(dialled, rules),
    warnings: [],
  });
  // The hyphen of an extension such as door-1 is its own; that of 10-01 is none.
  const forms = [number, digits];
  const listed = forms.find((form) => extensions.some(({ extension }) => extension === form));
  if (listed !== undefined) return internal('extension', listed);
  if (/^[*#][\d*#]+$/.test(digits)) {
    const code = internal('feature-code', digits);
    return code.matches.length > 0
      ? code
      : { ...code, valid: false, warnings: ['The dial plan has no such feature code.'] };
  }
  for (const form of forms) {
    const rule = rules.find(({ pattern, kind }) => kind === 'extension' && matches(pattern, form));
    const isConference = rule?.applications.some((name) => /^(ConfBridge|MeetMe)$/i.test(name));
    if (rule) return internal(isConference ? 'conference' : 'extension', form);
  }
  return null;
}

function outsideNumber({ number, digits }: Written, { country, plus, numbers, rules }: Known): NumberJudgement {
  const e164 = numbers.e164(digits, country);
  if (e164 === null)
    return {
      number,
      kind: 'invalid',
      valid: false,
      normalised: null,
      dialled: null,
      matches: patternsFor(digits, rules),
      warnings: [`It is no extension, no feature code, and no telephone number as dialled in ${country}.`],
    };
  const verdict = numbers.verdictOf(e164);
  const dialled = dialledFor(e164, country, plus);
  const taken = patternsFor(dialled, rules);
  return {
    number,
    kind: e164.startsWith(`+${numbers.country(country)?.code ?? ''}`) ? 'national' : 'international',
    valid: true,
    normalised: e164,
    dialled: verdict.ok ? dialled : null,
    matches: taken,
    warnings: [
      ...(verdict.ok ? [] : [verdict.reason]),
      ...(taken.length === 0
        ? [
            `The dial plan has no rule for ${dialled}, so it cannot be reached from here. Check ASTERISK_PLUS and the outbound routes.`,
          ]
        : []),
    ],
  };
}

/** ISO 3166 codes of the North American Numbering Plan (NANPA), whose countries call each other as one calls within a country. */
const NORTH_AMERICA: ReadonlySet<string> = new Set(
  'AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI'.split(' '),
);

/**
 * What the dial plan of an office in `country` is given for a number: `plus` in place of its +. Within North America the international
 * prefix 011 at the end of `plus` is left out, as carriers take 1 and ten digits for such a call, and 011 1 … for none at all.
 */
export function dialledFor(e164: string, country: string, plus: string): string {
  const digits = e164.replace(/\D/g, '');
  const isNear = digits.startsWith('1') && NORTH_AMERICA.has(country.toUpperCase());
  return `${isNear ? plus.replace(/011$/, '') : plus}${digits}`;
}

function patternsFor(dialled: string, rules: readonly DialRule[]): readonly string[] {
  return rules.filter(({ pattern }) => matches(pattern, dialled)).map(({ pattern }) => pattern);
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
    else if (part === '.') return fits(`${expression}.+`, dialled);
    else if (part === '!') return fits(`${expression}.*`, dialled);
    else if (part !== '-') expression += part.replace(/[^\w]/g, '\\$&');
  }
  return fits(expression, dialled);
}

/** A set that makes no sense, such as [a-Z], fits nothing: one bad line of a dial plan must not hide all the others. */
function fits(expression: string, dialled: string): boolean {
  try {
    return new RegExp(`^${expression}$`).test(dialled);
  } catch {
    return false;
  }
}
