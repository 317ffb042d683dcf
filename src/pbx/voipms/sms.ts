/** Text messages. Sent once, whatever comes of it. */
import { UserInputError } from '../../errors.ts';
import type { VoipMsClient } from './client.ts';
import type { DateRange, NumberReport, Sms } from './operations.ts';
import { comparable, decoded, isSameNumber, known, quoted, rowsOf, textOf, utc } from './values.ts';

/** As VoIP.ms counts them (`sms_toolong`). */
const MOST_CHARACTERS = 160;
const MOST_MESSAGES = 50;

/** @throws UserInputError for what VoIP.ms cannot send; UpstreamError, code `uncertain`, where it may have been sent */
export async function sendSms(
  client: VoipMsClient,
  { from, to, text }: Sms,
  allow: () => void,
): Promise<{ readonly id: string | null }> {
  const params = { did: northAmerican(from), dst: northAmerican(to), message: text.trim() };
  const { length } = [...params.message];
  if (length === 0) throw new UserInputError('A text message needs a text.');
  if (length > MOST_CHARACTERS)
    throw new UserInputError(`VoIP.ms sends ${MOST_CHARACTERS} characters at most, and this text has ${length}.`);
  allow();
  const { body } = await client.call('sendSMS', params, { changes: true });
  return { id: known(body.sms) };
}

function northAmerican(given: string): string {
  const number = comparable(given);
  if (!/^[+\d\s().-]+$/.test(given.trim()) || !/^[2-9]\d{9}$/.test(number))
    throw new UserInputError(
      `${quoted(given)} is no number in North America, and VoIP.ms sends text messages there only. Write it as +14155550123.`,
    );
  return number;
}

/** With one number, in UTC, newest first; of days that VoIP.ms takes at once. */
export async function readMessages(
  client: VoipMsClient,
  contact: string,
  { from, to }: DateRange,
): Promise<NonNullable<NumberReport['messages']>> {
  const params = { from, to, contact, limit: String(MOST_MESSAGES), timezone: '0' };
  const rows = rowsOf(await client.call('getSMS', params, { changes: false }), 'sms');
  return rows
    .filter((row) => isSameNumber(textOf(row.contact), contact))
    .map((row) => ({
      at: utc(row.date),
      direction: textOf(row.type) === '1' ? ('received' as const) : ('sent' as const),
      text: decoded(row.message),
    }));
}
