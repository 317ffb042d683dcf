import { type Complaint, complaint } from './failure.ts';

/** JSON as it came from a client. */
export type Json = Readonly<Record<string, unknown>>;

/** Judges one value; null when it is right. The path names it in the complaint, as in `session.audio.input.format`. */
export type Check = (value: unknown, path: string) => Complaint | null;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function wrongType(path: string, expected: string, value: unknown): Complaint {
  return complaint(
    'invalid_type',
    `Invalid type for '${path}': expected ${expected}, but got ${kindOf(value)} instead.`,
    path,
  );
}

export function unknownParameter(path: string): Complaint {
  return complaint('unknown_parameter', `Unknown parameter: '${path}'.`, path);
}

export function missingParameter(path: string): Complaint {
  return complaint('missing_required_parameter', `Missing required parameter: '${path}'.`, path);
}

export const anything: Check = () => null;

export const string: Check = (value, path) => (typeof value === 'string' ? null : wrongType(path, 'a string', value));

export const boolean: Check = (value, path) =>
  typeof value === 'boolean' ? null : wrongType(path, 'a boolean', value);

export function oneOf(...allowed: readonly string[]): Check {
  const list = allowed.map((one) => `'${one}'`).join(', ');
  return (value, path) => {
    if (typeof value !== 'string') return wrongType(path, `one of ${list}`, value);
    if (allowed.includes(value)) return null;
    return complaint('invalid_value', `Invalid value: '${value}'. Supported values are: ${list}.`, path);
  };
}

export function number(least: number, most: number, whole = false): Check {
  return (value, path) => {
    const expected = whole ? 'an integer' : 'a number';
    if (typeof value !== 'number' || (whole && !Number.isInteger(value))) return wrongType(path, expected, value);
    if (value >= least && value <= most) return null;
    const code = value < least ? 'integer_below_min_value' : 'integer_above_max_value';
    const bound = value < least ? `>= ${least}` : `<= ${most}`;
    return complaint(
      whole ? code : 'invalid_value',
      `Invalid '${path}': expected a value ${bound}, but got ${value} instead.`,
      path,
    );
  };
}

export function integer(least: number, most: number): Check {
  return number(least, most, true);
}

export function orNull(check: Check): Check {
  return (value, path) => (value === null ? null : check(value, path));
}

/** The first alternative that fits; otherwise the complaint of the last one. */
export function either(...checks: readonly Check[]): Check {
  return (value, path) => {
    let last: Complaint | null = null;
    for (const check of checks) {
      last = check(value, path);
      if (last === null) return null;
    }
    return last;
  };
}

export function list(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return wrongType(path, 'an array', value);
    for (const [index, one] of value.entries()) {
      const wrong = check(one, `${path}[${index}]`);
      if (wrong !== null) return wrong;
    }
    return null;
  };
}

/** Members not named here are refused. Optional unless listed in `required`. */
export function object(members: Readonly<Record<string, Check>>, required: readonly string[] = []): Check {
  return (value, path) => {
    if (!isObject(value)) return wrongType(path, 'an object', value);
    for (const name of required) {
      if (value[name] === undefined) return missingParameter(`${path}.${name}`);
    }
    for (const [name, member] of Object.entries(value)) {
      const check = Object.hasOwn(members, name) ? members[name] : undefined;
      if (check === undefined) return unknownParameter(`${path}.${name}`);
      const wrong = check(member, `${path}.${name}`);
      if (wrong !== null) return wrong;
    }
    return null;
  };
}

/** An object whose `tag` member says which of several shapes it has. */
export function tagged(tag: string, shapes: Readonly<Record<string, Check>>): Check {
  const known = oneOf(...Object.keys(shapes));
  return (value, path) => {
    if (!isObject(value)) return wrongType(path, 'an object', value);
    const name = value[tag];
    if (name === undefined) return missingParameter(`${path}.${tag}`);
    const wrong = known(name, `${path}.${tag}`);
    if (wrong !== null) return wrong;
    return shapes[String(name)]?.(value, path) ?? null;
  };
}
