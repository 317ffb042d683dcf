import type { z } from 'zod';
import { UserInputError } from '../errors.ts';

const KINDS: Readonly<Record<string, string>> = { string: 'a text', number: 'a number', int: 'a whole number' };
const LONGEST_NAME = 40;

/**
 * What an assistant gave a tool, by the tool's schema.
 * @throws UserInputError that says of every argument what is wrong, and what it should be.
 */
export function readArguments<Schema extends z.ZodObject>(
  schema: Schema,
  args: Readonly<Record<string, unknown>> | undefined,
): z.output<Schema> {
  const given = args ?? {};
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  throw new UserInputError(read.error.issues.map((issue) => sentenceOf(issue, schema, given)).join(' '), {
    cause: read.error,
  });
}

function sentenceOf(issue: z.core.$ZodIssue, schema: z.ZodObject, given: Readonly<Record<string, unknown>>): string {
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => JSON.stringify(key.slice(0, LONGEST_NAME))).join(', ');
    return `There is no argument ${names}; there are ${Object.keys(schema.shape).join(', ')}.`;
  }
  const name = String(issue.path[0] ?? '');
  const about = (schema.shape[name] as z.ZodType | undefined)?.description;
  const missing = issue.code === 'invalid_type' && given[name] === undefined;
  return `${name} ${missing ? 'is missing' : wrongness(issue)}.${about === undefined ? '' : ` ${name}: ${about}`}`;
}

function wrongness(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
    default:
      return 'does not have the right form';
  }
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters long' : '';
}
