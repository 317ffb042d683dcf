import type { Reply } from './reply.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface CollectionOptions {
  /** Of the list, without its query. */
  readonly url: string;
  /** What `@odata.context` says. */
  readonly context: string;
  /** Most rows of a page. */
  readonly pageCap: number | undefined;
  readonly oneRowAsObject: boolean;
  /** Fields that exist although no row may show them. */
  readonly fields: readonly string[];
}

/** A query that the server does not understand. */
export class BadQuery extends Error {}

const KNOWN_OPTIONS = ['$top', '$skip', '$search', '$filter', '$count', '$orderby', '$select', '$expand'];
const CLAUSE = /^(\w+) (eq|ne|ge|gt|le|lt) (.+)$/;
const CONTAINS = /^contains\((\w+),\s*(.+)\)$/;

/** OData's answer to a GET of a collection (OData 4.01, "System Query Options", as far as 3CX's own document lists them). */
export function collection(rows: readonly Row[], query: URLSearchParams, options: CollectionOptions): Reply {
  for (const name of query.keys()) if (!KNOWN_OPTIONS.includes(name)) throw new BadQuery(`Unknown option ${name}.`);
  const { fields } = options;
  const found = sorted(searched(filtered(rows, query.get('$filter'), fields), query.get('$search')), query, fields);
  const skip = count(query, '$skip') ?? 0;
  const wanted = found.slice(skip, skip + (count(query, '$top') ?? found.length));
  const page = wanted.slice(0, options.pageCap ?? wanted.length);
  const value = page.map((row) => selected(row, query.get('$select'), fields));
  if (options.oneRowAsObject && value.length === 1) return { status: 200, body: value[0] };
  const body: Record<string, unknown> = { '@odata.context': options.context };
  if (query.get('$count') === 'true') body['@odata.count'] = found.length;
  body.value = value;
  if (page.length < wanted.length) body['@odata.nextLink'] = nextLink(query, options, skip + page.length, page.length);
  return { status: 200, body };
}

/** What `$select` leaves of one row; all of it without one. */
export function selected(row: Row, select: string | null, fields: readonly string[]): Row {
  if (select === null) return row;
  const names = select.split(',').map((name) => name.trim());
  for (const name of names) checkField(name, fields);
  return Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
}

/** A quoted text, with its inner quotes doubled, or a number, a truth value, null, a time; an enum's literal may have its type before it. */
export function literal(text: string): unknown {
  const quoted = /^(?:[\w.]+)?'((?:[^']|'')*)'$/.exec(text.trim());
  if (quoted !== null) return (quoted[1] ?? '').replaceAll("''", "'");
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return text;
  throw new BadQuery(`No literal: ${text}`);
}

function filtered(rows: readonly Row[], filter: string | null, fields: readonly string[]): readonly Row[] {
  if (filter === null) return rows;
  const tests = filter.split(/ and (?=(?:[^']*'[^']*')*[^']*$)/).map((clause) => testOf(clause.trim(), fields));
  return rows.filter((row) => tests.every((passes) => passes(row)));
}

function testOf(clause: string, fields: readonly string[]): (row: Row) => boolean {
  const contains = CONTAINS.exec(clause);
  if (contains !== null) {
    const field = checkField(contains[1] ?? '', fields);
    const part = String(literal(contains[2] ?? '')).toLowerCase();
    return (row) =>
      String(row[field] ?? '')
        .toLowerCase()
        .includes(part);
  }
  const [, name = '', operator = '', text = ''] = CLAUSE.exec(clause) ?? [];
  const field = checkField(name, fields);
  const wanted = literal(text);
  return (row) => {
    const order = compared(row[field] ?? null, wanted);
    if (operator === 'eq') return order === 0;
    if (operator === 'ne') return order !== 0;
    if (Number.isNaN(order)) return false;
    if (operator === 'ge') return order >= 0;
    if (operator === 'gt') return order > 0;
    return operator === 'le' ? order <= 0 : order < 0;
  };
}

/** Below, above or at 0; NaN where the two are of different kinds. */
function compared(one: unknown, two: unknown): number {
  if (one === two) return 0;
  if (typeof one === 'number' && typeof two === 'number') return one - two;
  if (typeof one !== 'string' || typeof two !== 'string') return Number.NaN;
  const times = [Date.parse(one), Date.parse(two)] as const;
  const areTimes = one.includes('T') && two.includes('T') && !Number.isNaN(times[0] + times[1]);
  if (areTimes) return times[0] - times[1];
  return one < two ? -1 : 1;
}

function searched(rows: readonly Row[], search: string | null): readonly Row[] {
  if (search === null) return rows;
  const part = search.replace(/^"(.*)"$/, '$1').toLowerCase();
  return rows.filter((row) =>
    Object.values(row).some((value) => typeof value === 'string' && value.toLowerCase().includes(part)),
  );
}

function sorted(rows: readonly Row[], query: URLSearchParams, fields: readonly string[]): readonly Row[] {
  const order = query.get('$orderby');
  if (order === null) return rows;
  const [name = '', direction = 'asc'] = order.split(' ');
  const field = checkField(name, fields);
  const sign = direction === 'desc' ? -1 : 1;
  return rows.toSorted((one, two) => sign * (compared(one[field] ?? null, two[field] ?? null) || 0));
}

function count(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null) return null;
  if (!/^\d+$/.test(text)) throw new BadQuery(`${name} is a whole number.`);
  return Number(text);
}

function checkField(name: string, fields: readonly string[]): string {
  if (!fields.includes(name)) throw new BadQuery(`Could not find a property named '${name}'.`);
  return name;
}

function nextLink(query: URLSearchParams, options: CollectionOptions, skip: number, given: number): string {
  const next = new URLSearchParams(query);
  next.set('$skip', String(skip));
  const top = count(query, '$top');
  if (top !== null) next.set('$top', String(top - given));
  return `${options.url}?${next}`;
}
