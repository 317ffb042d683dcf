import type { IncomingHttpHeaders } from 'node:http';
import { ProtocolError } from '../errors.ts';

/** A path in Express style, as a function from a request's path to its parameters, or null when it is another path. */
export type PathMatcher = (path: string) => Readonly<Record<string, string>> | null;

/** `template` is literal segments and `:name` parameters. Case counts; one trailing slash does not. */
export function matchPath(template: string): PathMatcher {
  const wanted = template.split('/');
  return (path) => {
    const given = (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path).split('/');
    if (given.length !== wanted.length) return null;
    const params: Record<string, string> = {};
    for (const [index, segment] of wanted.entries()) {
      const value = given[index] ?? '';
      if (segment.startsWith(':')) {
        const decoded = decodeSegment(value);
        if (decoded === null) return null;
        params[segment.slice(1)] = decoded;
      } else if (segment !== value) return null;
    }
    return params;
  };
}

function decodeSegment(text: string): string | null {
  if (text === '') return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

/** A repeated header is joined as RFC 9110 says. */
export function flatHeaders(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  const flat: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  return flat;
}

/** Carriers send some dozens. Each one more would be sorted and hashed several times before anybody knows who sent it. */
const MOST_FIELDS = 300;

/**
 * The fields of an `application/x-www-form-urlencoded` body (WHATWG URL standard); a repeated name has several values.
 * @throws ProtocolError when there are more than a carrier sends.
 */
export function parseForm(body: string): Readonly<Record<string, string | readonly string[]>> {
  if (body.split('&', MOST_FIELDS + 1).length > MOST_FIELDS) throw new ProtocolError('The form has too many fields.');
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(body)) {
    const present = fields.get(name);
    if (present === undefined) fields.set(name, value);
    else if (typeof present === 'string') fields.set(name, [present, value]);
    else present.push(value);
  }
  // Without a prototype, so that a field called `constructor` or `__proto__` is only a field.
  return Object.assign(Object.create(null), Object.fromEntries(fields));
}
