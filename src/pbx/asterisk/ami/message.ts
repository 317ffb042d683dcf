/** What goes over the Asterisk Manager Interface: messages of `Key: value` lines. A key may be repeated; its case means nothing. */
import { UserInputError } from '../../../errors.ts';

export interface AmiMessage {
  /** The first value of a header; empty where there is none, as Asterisk itself treats the two alike. */
  get(key: string): string;
  all(key: string): readonly string[];
  readonly headers: readonly (readonly [key: string, value: string])[];
}

/** A header to send. Numbers are written as they are. */
export type AmiFields = Readonly<Record<string, string | number | readonly string[]>>;

/** Asterisk 22 refuses a line of more than about 1,024 bytes ("line too long") and keeps the connection. */
const MOST_LINE_BYTES = 900;
const MOST_HEADERS = 60;
const KEY = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

export function amiMessage(headers: AmiMessage['headers']): AmiMessage {
  return {
    headers,
    get(key) {
      const wanted = key.toLowerCase();
      return headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';
    },
    all(key) {
      const wanted = key.toLowerCase();
      return headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
    },
  };
}

/**
 * The one place where an action becomes text. A line break within a value would add a header, and two a whole second action that
 * Asterisk executes.
 * @throws UserInputError for what would be more than one line
 */
export function encodeAction(action: string, actionId: string, fields: AmiFields): string {
  const lines = [headerLine('Action', action), headerLine('ActionID', actionId)];
  for (const [key, given] of Object.entries(fields)) {
    for (const value of Array.isArray(given) ? given : [given]) lines.push(headerLine(key, String(value)));
  }
  if (lines.length > MOST_HEADERS) throw new UserInputError(`That is more than ${MOST_HEADERS} values for one action.`);
  return `${lines.join('')}\r\n`;
}

function headerLine(key: string, value: string): string {
  if (!KEY.test(key)) throw new UserInputError('The name of a header of the Asterisk manager is a word.');
  if (/[\r\n\0]/.test(value))
    throw new UserInputError(`The value for ${key} holds a line break or a NUL, which no value for Asterisk may hold.`);
  const line = `${key}: ${value}\r\n`;
  if (Buffer.byteLength(line) > MOST_LINE_BYTES)
    throw new UserInputError(`The value for ${key} is longer than Asterisk takes: ${MOST_LINE_BYTES} bytes at most.`);
  return line;
}
