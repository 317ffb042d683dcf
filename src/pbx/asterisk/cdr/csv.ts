/** The lines that cdr_csv writes. Which columns there are follows from its settings, so from how many there are. */

const FIRST = [
  'accountcode',
  'src',
  'dst',
  'dcontext',
  'clid',
  'channel',
  'dstchannel',
  'lastapp',
  'lastdata',
  'calldate',
  'answer',
  'end',
  'duration',
  'billsec',
  'disposition',
  'amaflags',
] as const;

/** Seconds and a number, perhaps behind the server's name; or an id that Switchboard has given. */
const UNIQUE_ID = /(^|-)\d{9,}\.\d+$|^switchboard-/;
const COMMA = 44;
const NEWLINE = 10;
const QUOTE = 34;

/** Names of the columns of a line (Asterisk's cdr_csv.c: loguniqueid, loguserfield, newcdrcolumns add some). */
export function columnsOf(line: readonly string[]): readonly string[] {
  // Either setting alone makes a line of 17 or 20: what stands there tells which.
  const either = UNIQUE_ID.test(line[16] ?? '') ? 'uniqueid' : 'userfield';
  const more: Readonly<Record<number, readonly string[]>> = {
    17: [either],
    18: ['uniqueid', 'userfield'],
    19: ['peeraccount', 'linkedid', 'sequence'],
    20: [either, 'peeraccount', 'linkedid', 'sequence'],
    21: ['uniqueid', 'userfield', 'peeraccount', 'linkedid', 'sequence'],
  };
  return [...FIRST, ...(more[line.length] ?? [])];
}

/** Fields in quotes may hold commas, line breaks, and doubled quotes. One array a line; an unfinished last line is left out. */
export function* parseCsv(text: string): Generator<readonly string[]> {
  let line: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // A doubled one leaves the quotes and enters them again.
    if (code === QUOTE) isQuoted = !isQuoted;
    else if (!isQuoted && (code === COMMA || code === NEWLINE)) {
      line.push(fieldOf(text.slice(start, at)));
      start = at + 1;
      if (code === COMMA) continue;
      if (line.length > 1) yield line;
      line = [];
    }
  }
}

function fieldOf(written: string): string {
  const field = written.endsWith('\r') ? written.slice(0, -1) : written;
  return field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
}
