import { z } from 'zod';

/** Reads one setting's text, already trimmed and not empty. The message of a failure goes on after the setting's name. */
export type Kind<T> = z.ZodType<T, string>;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i;

/** True for the names and addresses that lead to this machine only. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

export const text: Kind<string> = z.string();

/** A text of a fixed form; `must` ends the sentence "NAME must …". */
export function form(pattern: RegExp, must: string): Kind<string> {
  return z.string().regex(pattern, `must ${must}`);
}

export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  const must = `must be ${words.length === 2 ? words.join(' or ') : `one of ${words.join(', ')}`}`;
  return z.string().transform((value, context) => {
    const word = words.find((candidate) => candidate === value.toLowerCase());
    if (word !== undefined) return word;
    context.addIssue({ code: 'custom', message: must });
    return z.NEVER;
  });
}

/** A decimal number without exponent or sign. */
export function between(least: number, most: number): Kind<number> {
  return bounded(/^\d+(\.\d+)?$/, least, most, 'a number');
}

export function whole(least: number, most: number): Kind<number> {
  return bounded(/^\d+$/, least, most, 'a whole number');
}

function bounded(pattern: RegExp, least: number, most: number, what: string): Kind<number> {
  const message = `must be ${what} from ${least} to ${most}`;
  return z.string().regex(pattern, message).transform(Number).pipe(z.number().min(least, message).max(most, message));
}

const YES = new Set(['true', 'yes', 'on', '1']);
const NO = new Set(['false', 'no', 'off', '0']);

export const yesOrNo: Kind<boolean> = z.string().transform((value, context) => {
  const word = value.toLowerCase();
  if (YES.has(word) || NO.has(word)) return YES.has(word);
  context.addIssue({ code: 'custom', message: 'must be true or false' });
  return z.NEVER;
});

const E164 = /^\+[1-9]\d{6,14}$/;

/** A telephone number; spaces and punctuation between the digits are taken away. */
export const phoneNumber: Kind<string> = z
  .string()
  .transform(bare)
  .pipe(z.string().regex(E164, 'must be a telephone number with its country code, such as +14155550100'));

/** Comma-separated beginnings of E.164 numbers. */
export const prefixes: Kind<readonly string[]> = z
  .string()
  .transform((value) =>
    value
      .split(',')
      .map(bare)
      .filter((entry) => entry !== ''),
  )
  .pipe(
    z.array(
      z
        .string()
        .regex(
          /^\+[1-9]\d{0,14}$/,
          'must be a comma-separated list of beginnings of numbers, each with + and country code, such as +1415,+44',
        ),
    ),
  );

/** Comma-separated words, each of the form of `pattern`; `must` ends the sentence "NAME must …". */
export function words(pattern: RegExp, must: string): Kind<readonly string[]> {
  return z
    .string()
    .transform(listed)
    .pipe(z.array(z.string().regex(pattern, `must ${must}`)));
}

/** Comma-separated words out of these. */
export function someOf<const T extends string>(...known: readonly T[]): Kind<readonly T[]> {
  const must = `must be a comma-separated list of ${known.join(', ')}`;
  return z
    .string()
    .transform((value) => listed(value.toLowerCase()))
    .pipe(z.array(z.enum(known, must)));
}

function listed(value: string): string[] {
  const entries = value.split(',').map((entry) => entry.trim());
  return [...new Set(entries)].filter((entry) => entry !== '');
}

/** Comma-separated origins, as browsers send them: scheme, host and port. */
export const origins: Kind<readonly string[]> = z.string().transform((value, context) => {
  const given = listed(value).map((entry) => ({ entry, url: parse(entry) }));
  const wrong = given.some(
    ({ entry, url }) => url === null || url.origin === 'null' || url.origin !== entry.toLowerCase().replace(/\/$/, ''),
  );
  if (!wrong) return given.map(({ url }) => url?.origin ?? '');
  context.addIssue({
    code: 'custom',
    message: 'must be a comma-separated list of origins, such as https://app.example.com',
  });
  return z.NEVER;
});

function bare(value: string): string {
  return value.replace(/[\s().-]/g, '');
}

/** The address under which the outside world reaches the public listener, without a slash at its end. */
export const publicUrl: Kind<string> = z.string().transform((value, context) => {
  const refuse = (message: string): never => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  const url = parse(value);
  if (!url || !/^https?:$/.test(url.protocol))
    return refuse('must be an address that begins with https://, such as https://calls.example.com');
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return refuse('must begin with https:// (http:// is accepted for this machine only)');
  if (url.username !== '' || url.password !== '') return refuse('must not hold a user name or password');
  if (url.search !== '' || url.hash !== '' || value.includes('?') || value.includes('#'))
    return refuse('must not have a part after ? or #');
  if (/\/call(\/|$)/.test(url.pathname)) return refuse('must be given without /call: that part is added');
  return url.origin + url.pathname.replace(/\/+$/, '');
});

/** The address of a service; `plain` is the unencrypted scheme, accepted for this machine only. */
export function serviceUrl(encrypted: 'https' | 'wss', plain: 'http' | 'ws'): Kind<string> {
  return z.string().transform((value, context) => {
    const url = parse(value);
    const passes =
      url && (url.protocol === `${encrypted}:` || (url.protocol === `${plain}:` && isLoopback(url.hostname)));
    if (passes && url.hash === '') return value.replace(/\/+$/, '');
    const message = `must be an address that begins with ${encrypted}:// (${plain}:// is accepted for this machine only)`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** A telephone system of one's own: a host, with a port where it is not 443, or a whole address, as `https://host[:port]`. */
export const pbxAddress: Kind<string> = z.string().transform((value, context) => {
  const refuse = (message: string): never => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  const url = parse(value.includes('://') ? value : `https://${value}`);
  const isPlain = url?.protocol === 'http:' && isLoopback(url.hostname);
  if (!url || (url.protocol !== 'https:' && !isPlain))
    return refuse('must be a host name, such as pbx.example.com or pbx.example.com:5001, or an address with https://');
  if (url.username !== '' || url.password !== '') return refuse('must not hold a user name or password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return refuse('must be given without a path: only host and port');
  return url.origin;
});

function parse(value: string): URL | null {
  return URL.canParse(value) ? new URL(value) : null;
}
