/** The forms of what comes from outside and goes into actions. What passes here holds nothing that Asterisk would read as more than a name. */
import { UserInputError } from '../../errors.ts';

/** No comma, bracket, dollar sign or space: within a dialplan function's name each of them would mean something. */
const EXTENSION = /^[A-Za-z0-9*#_-]{1,40}$/;
const ENDPOINT = /^[A-Za-z0-9_-]{1,79}$/;
const CONFERENCE = /^[A-Za-z0-9_-]{1,80}$/;
/** A slash further on belongs to names of ISDN channels, such as DAHDI/i1/5551234-1. */
const CHANNEL = /^[A-Za-z0-9]+\/[\w@.:*#;+-][\w@.:*#;+/-]{0,99}$/;
const MAILBOX = /^[A-Za-z0-9_-]{1,40}(@[A-Za-z0-9_-]{1,40})?$/;

export function checkExtension(given: string): string {
  return check(given, EXTENSION, 'extension', 'digits and letters, such as 1001');
}

/** Any name that is among those under way: administrators may call them what they like, such as sales.room. */
export function checkConference(given: string, underWay: readonly string[]): string {
  const name = given.trim();
  return underWay.includes(name)
    ? name
    : check(given, CONFERENCE, 'conference', 'one that asterisk_list_conferences shows, such as 8001');
}

/** Needs no look at which ones are under way. */
export function isPlainConference(given: string): boolean {
  return CONFERENCE.test(given.trim());
}

export function checkMailbox(given: string): string {
  return check(given, MAILBOX, 'mailbox', 'its number, with @ and a context where it has one, such as 1001@default');
}

export function isEndpoint(given: string): boolean {
  return ENDPOINT.test(given);
}

/** A regular expression between slashes would hang up everything that matches, `all` would kick everybody. */
export function isChannelName(given: string): boolean {
  return CHANNEL.test(given);
}

function check(given: string, form: RegExp, what: string, how: string): string {
  const name = given.trim();
  if (form.test(name)) return name;
  throw new UserInputError(`${JSON.stringify(given.slice(0, 60))} is no ${what}: give ${how}.`);
}

/** Asterisk's word for what is not known. */
export function known(value: string): string | null {
  return value === '' || value === '<unknown>' || value === '(null)' ? null : value;
}

export function isYes(value: string): boolean {
  return /^(yes|true|1)$/i.test(value);
}

/** A whole number, or 0. */
export function countOf(value: string): number {
  const count = Number.parseInt(value, 10);
  return Number.isFinite(count) ? count : 0;
}
