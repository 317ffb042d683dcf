/**
 * The configuration API (`/xapi/v1`, OData 4). Fields are always named by `$select`: users hold passwords, and the system's status its
 * licence key, which must never come here.
 */
import { numberOf, type Row, rowOf, rowsOf } from './json.ts';
import { nullOn } from './refusals.ts';
import type { Rest } from './rest.ts';

export interface ListQuery {
  readonly select: readonly string[];
  readonly search?: string | undefined;
  readonly orderby?: string | undefined;
  readonly isCounted?: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface Rows {
  readonly rows: readonly Row[];
  readonly total: number | null;
  readonly isMore: boolean;
}

export interface Xapi {
  /** From `offset` on, at most `limit`. */
  list(path: string, query: ListQuery, what: string): Promise<Rows>;
  /** Null: there is none. */
  one(path: string, select: readonly string[], what: string): Promise<Row | null>;
  post(path: string, body: unknown, what: string): Promise<unknown>;
  patch(path: string, body: unknown, what: string): Promise<void>;
  bytes(path: string, what: string, mostBytes: number): Promise<{ bytes: Uint8Array; contentType: string }>;
}

const BASE = '/xapi/v1';
/** The most of a page is not documented; so many are safe, and fewer may come. */
const PAGE = 100;
const DOWNLOAD_MS = 60_000;

/** A text within a key or an argument: a quote is doubled, and all is encoded as part of a path. */
export function quoted(text: string): string {
  return encodeURIComponent(`'${text.replaceAll("'", "''")}'`).replaceAll("'", '%27');
}

export function createXapi(rest: Rest): Xapi {
  const get = async (path: string, what: string): Promise<unknown> => (await rest.get(BASE + path, what)).body;
  return {
    list: (path, query, what) => list(get, path, query, what),
    async one(path, select, what) {
      const row = rowOf(await get(`${path}?$select=${select.join(',')}`, what).catch(nullOn(404)));
      // A key that is not the only one answers with a list.
      return row !== null && Array.isArray(row.value) ? (rowsOf(row)[0] ?? null) : row;
    },
    post: async (path, body, what) => (await rest.change('POST', BASE + path, body, what)).body,
    patch: async (path, body, what) => void (await rest.change('PATCH', BASE + path, body, what)),
    bytes: (path, what, mostBytes) => rest.get(BASE + path, what, { mostBytes, timeoutMs: DOWNLOAD_MS }),
  };
}

/** Pages of whatever size the server gives: its `nextLink` only says that there are more, and is no address to be followed. */
async function list(
  get: (path: string, what: string) => Promise<unknown>,
  path: string,
  query: ListQuery,
  what: string,
): Promise<Rows> {
  const found: Row[] = [];
  let total: number | null = null;
  // One more than wanted tells whether there are more.
  const wanted = query.limit + 1;
  while (found.length < wanted) {
    const top = Math.min(PAGE, wanted - found.length);
    const body = await get(`${path}?${optionsOf(query, top, query.offset + found.length)}`, what);
    const rows = rowsOf(body);
    found.push(...rows);
    total ??= numberOf(rowOf(body)?.['@odata.count']);
    const isLast = rows.length < top && rowOf(body)?.['@odata.nextLink'] === undefined;
    if (rows.length === 0 || isLast) break;
  }
  return { rows: found.slice(0, query.limit), total, isMore: found.length > query.limit };
}

function optionsOf({ select, search, orderby, isCounted }: ListQuery, top: number, skip: number): string {
  return [
    `$select=${select.join(',')}`,
    `$top=${top}`,
    `$skip=${skip}`,
    ...(search === undefined ? [] : [`$search=${encodeURIComponent(search)}`]),
    ...(orderby === undefined ? [] : [`$orderby=${encodeURIComponent(orderby)}`]),
    ...(isCounted === true ? ['$count=true'] : []),
  ].join('&');
}
