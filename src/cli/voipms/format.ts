/** An answer of the API for a person, or for a program. */
import { clean } from '../../mcp/quotation.ts';
import type { VoipMsAnswer } from '../../pbx/voipms/client.ts';
import { isRow, type Row } from '../../pbx/voipms/values.ts';
import { blottedText, blottedValue } from './blot.ts';

export const FORMATS = ['pretty', 'json', 'raw'] as const;
export type Format = (typeof FORMATS)[number];

/** Fields that hold a list; one row alone may come without its list. */
// biome-ignore format: one word a line says no more
const LISTS: ReadonlySet<string> = new Set([
  'accounts', 'allowed_codecs', 'auth_types', 'call_billing', 'call_types', 'callbacks', 'cdr', 'charges', 'clients',
  'deposits', 'device_types', 'dids', 'disa', 'filtering', 'folders', 'forwardings', 'ivrs', 'languages', 'locales',
  'media', 'members', 'messages', 'music_on_hold', 'packages', 'phonebook_groups', 'phonebooks', 'pops', 'protocols',
  'queues', 'rates', 'recognized_phrases', 'recordings', 'registrations', 'ring_groups', 'routes', 'servers', 'sipuris',
  'sms', 'mms', 'speakers', 'timecondition', 'timezones', 'transcriptions', 'transactions', 'voicemails',
]);
/** Columns of a table, by the field that holds the list; other lists show all that their rows have. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  cdr: ['date', 'callerid', 'destination', 'disposition', 'duration', 'account', 'total'],
  phonebooks: [
    'phonebook',
    'phonebook_group',
    'name',
    'number',
    'members',
    'speed_dial',
    'group',
    'group_name',
    'note',
  ],
  phonebook_groups: ['phonebook_group', 'name', 'members'],
  filtering: ['filtering', 'callerid', 'did', 'routing', 'note'],
  dids: ['did', 'description', 'routing', 'voicemail', 'pop', 'sms_enabled', 'transcribe', 'note'],
  recordings: ['datetime', 'type', 'destination', 'duration', 'subaccount', 'callrecording'],
  sms: ['id', 'date', 'type', 'did', 'contact', 'message'],
};
const SUB_ACCOUNT_COLUMNS = [
  'id',
  'account',
  'description',
  'internal_extension',
  'callerid_number',
  'record_calls',
  'transcribe',
];
const WIDEST_CELL = 48;
const MOST_COLUMNS = 9;

/** Ends in a line break. Passwords and pins are blotted out in each form. `changes`: of a method that changes something. */
export function shown(answer: VoipMsAnswer, format: Format, changes: boolean): string {
  switch (format) {
    case 'raw':
      return `${blottedText(answer.text)}\n`;
    case 'json':
      return `${JSON.stringify(normalised({ ...answer.body, status: answer.status }), null, 2)}\n`;
    case 'pretty':
      return `${changes ? 'Done.\n' : ''}${pretty(answer, changes)}`;
    default: {
      const never: never = format;
      return never;
    }
  }
}

/** `status` first, lists always lists, sound without the spaces in its base64. */
function normalised(body: Row): Row {
  const { status, ...rest } = blottedValue(body) as Row;
  return { status, ...tidied(rest) };
}

function tidied(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (name === 'base64file' && typeof value === 'string') return [name, value.replace(/\s+/g, '')];
      if (LISTS.has(name) && isRow(value)) return [name, [tidied(value)]];
      if (Array.isArray(value)) return [name, value.map((one) => (isRow(one) ? tidied(one) : one))];
      return [name, isRow(value) ? tidied(value) : value];
    }),
  );
}

function pretty({ status, body }: VoipMsAnswer, changes: boolean): string {
  if (status !== 'success') return `Nothing found (${clean(status)}).\n`;
  const { status: _, ...fields } = normalised(body);
  const parts = Object.entries(fields).map(([name, value]) => part(name, value));
  if (parts.length === 0) return changes ? '' : 'VoIP.ms answered with nothing more.\n';
  return `${parts.join('\n\n')}\n`;
}

function part(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? `${name}: none` : listPart(name, value);
  if (isRow(value)) return `${name}\n${fieldLines(value)}`;
  return `${name}: ${cell(name, value)}`;
}

function listPart(name: string, values: readonly unknown[]): string {
  const rows = values.filter(isRow);
  if (rows.length < values.length) return `${name}: ${values.map((one) => cell(name, one)).join(', ')}`;
  const isNested = rows.some((row) => Object.values(row).some((value) => typeof value === 'object' && value !== null));
  const columns = columnsOf(name, rows);
  const count = `${rows.length} in ${name}`;
  if (isNested || columns.length > MOST_COLUMNS) return [count, ...rows.map(fieldLines)].join('\n\n');
  return `${count}\n\n${table(columns, rows)}`;
}

/** Without those that are empty in every row. */
function columnsOf(name: string, rows: readonly Row[]): readonly string[] {
  const all = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const preferred = name === 'accounts' && all.includes('protocol') ? SUB_ACCOUNT_COLUMNS : COLUMNS[name];
  return (preferred ?? all).filter((column) => rows.some((row) => cell(column, row[column]) !== ''));
}

function table(columns: readonly string[], rows: readonly Row[]): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => cell(column, row[column])))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function fieldLines(row: Row): string {
  const simple = Object.entries(row).filter(([name, value]) => typeof value !== 'object' && cell(name, value) !== '');
  const width = Math.max(0, ...simple.map(([name]) => name.length));
  const inner = Object.entries(row).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null ? [indented(part(name, value))] : [],
  );
  return [...simple.map(([name, value]) => `  ${name.padEnd(width)}  ${cell(name, value)}`), ...inner].join('\n');
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

/** Text of strangers, which must not steer the terminal. */
function cell(name: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = clean(String(value));
  if (name === 'base64file')
    return text === '' ? '' : `${Buffer.byteLength(text, 'base64')} bytes; --format json has them`;
  return text.length > WIDEST_CELL && !WHOLE.has(name) ? `${text.slice(0, WIDEST_CELL - 1)}…` : text;
}

/** Cut short they are of no use. */
const WHOLE: ReadonlySet<string> = new Set(['message', 'msg', 'phrase', 'result', 'members', 'callrecording', 'note']);
