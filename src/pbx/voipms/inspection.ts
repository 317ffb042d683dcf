/** Everything that VoIP.ms knows of one number, and which numbers behave as spam does. Only read. */
import { ConfigError } from '../../errors.ts';
import { lastDays, MOST_DAYS_AT_ONCE, readCdr } from './cdr.ts';
import type { VoipMsClient } from './client.ts';
import { filtersOf, isExact, readFilters } from './filters.ts';
import type { CdrRow, DateRange, NumberReport, SpamSuggestion } from './operations.ts';
import { entriesOf, membersOf, readEntries, readGroups } from './phonebook.ts';
import { readMessages } from './sms.ts';
import { suggestSpamOf } from './spam.ts';
import { checkNumber, comparable, dayAfter, isSameNumber } from './values.ts';

export const SPAM_GROUP = 'Spam';

export async function inspectNumber(
  client: VoipMsClient,
  given: string,
  days: number,
  wallMs: number,
): Promise<NumberReport> {
  const number = checkNumber(given);
  const range = lastDays(days, wallMs);
  const warnings: string[] = [];
  const [groups, entries, filters, rows, messages] = await Promise.all([
    readGroups(client),
    readEntries(client),
    readFilters(client),
    readCdr(client, range),
    messagesOf(client, number, range, warnings),
  ]);
  const mine = entriesOf(entries, number);
  const inside = groups.filter((group) =>
    membersOf(group, entries).some((id) => mine.some((entry) => entry.id === id)),
  );
  const patterns = filters.filter(({ callerId }) => !isExact(callerId)).length;
  if (patterns > 0)
    warnings.push(
      `${patterns} ${patterns === 1 ? 'filter is' : 'filters are'} of patterns or of withheld numbers; whether they apply to this number was not judged.`,
    );
  return {
    number,
    entries: mine,
    groups: inside,
    filters: filtersOf(filters, number),
    calls: { days, rows: rows.filter((row) => isOf(row, number)) },
    messages,
    isInSpamGroup: inside.some(({ name }) => name.toLowerCase() === SPAM_GROUP.toLowerCase()),
    warnings,
  };
}

function isOf({ callerNumber, destination }: CdrRow, number: string): boolean {
  return isSameNumber(callerNumber ?? '', number) || isSameNumber(destination, number);
}

/** Null where they cannot be had: an account may have no text messages at all. */
async function messagesOf(
  client: VoipMsClient,
  number: string,
  range: DateRange,
  warnings: string[],
): Promise<NumberReport['messages']> {
  if (!/^\d{10}$/.test(number)) return null;
  try {
    const first = dayAfter(range.to, 1 - MOST_DAYS_AT_ONCE);
    if (first <= range.from) return await readMessages(client, number, range);
    warnings.push(`Text messages were looked for from ${first} on only.`);
    return await readMessages(client, number, { from: first, to: range.to });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    warnings.push(`The text messages could not be read: ${error instanceof Error ? error.message : 'no answer.'}`);
    return null;
  }
}

export async function suggestSpam(
  client: VoipMsClient,
  { days, limit }: { readonly days: number; readonly limit: number },
  wallMs: number,
): Promise<readonly SpamSuggestion[]> {
  const [rows, entries, filters] = await Promise.all([
    readCdr(client, lastDays(days, wallMs)),
    readEntries(client),
    readFilters(client),
  ]);
  const filtered = filters.map(({ callerId }) => callerId).filter(isExact);
  const known = new Set([...entries.map(({ number }) => number), ...filtered].map(comparable));
  return suggestSpamOf(rows, { isKnown: (number) => known.has(comparable(number)), limit });
}
