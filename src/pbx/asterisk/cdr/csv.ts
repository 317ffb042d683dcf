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

/** Names of the columns of a line with so many fields (Asterisk's cdr_csv.c: loguniqueid, loguserfield, newcdrcolumns add some). */
export function columnsOf(fields: number): readonly string[] {
  const more: Readonly<Record<number, readonly string[]>> = {
    17: ['uniqueid'],
    18: ['uniqueid', 'userfield'],
    19: ['peeraccount', 'linkedid', 'sequence'],
    20: ['uniqueid', 'peeraccount', 'linkedid', 'sequence'],
    21: ['uniqueid', 'userfield', 'peeraccount', 'linkedid', 'sequence'],
  };
  return [...FIRST, ...(more[fields] ?? [])];
}

/** Fields in quotes may hold commas, line breaks, and doubled quotes. Answers with one array a line; an unfinished last line is left out. */
export function parseCsv(text: string): readonly (readonly string[])[] {
  const lines: string[][] = [];
  let line: string[] = [];
  let field = '';
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (isQuoted) {
      if (char !== '"') field += char;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else isQuoted = false;
    } else if (char === '"') isQuoted = true;
    else if (char === ',') {
      line.push(field);
      field = '';
    } else if (char === '\n') {
      line.push(field.replace(/\r$/, ''));
      if (line.length > 1) lines.push(line);
      line = [];
      field = '';
    } else field += char;
  }
  return lines;
}
