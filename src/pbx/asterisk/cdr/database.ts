/** Where Asterisk keeps its call records, opened for reading only, and checked to be so. */
import { type Expression, type Kysely, sql } from 'kysely';
import { ConfigError, UpstreamError } from '../../../errors.ts';

/** What every backend of Asterisk can write (cdr_csv, cdr_pgsql, cdr_adaptive_odbc, cdr_mysql, cdr_sqlite3_custom). */
const NEEDED = ['src', 'dst', 'channel', 'dstchannel', 'lastapp', 'duration', 'billsec', 'disposition'] as const;

/** `calldate` as the backend writes it, in the time zone that it is set to. One of `uniqueid` and `linkedid` may be missing, and `sequence`. */
export type CdrColumn = (typeof NEEDED)[number] | 'calldate' | 'uniqueid' | 'linkedid' | 'sequence';

/** Tables are named in each query. */
export type CdrTables = Record<never, never>;

export interface CdrStore {
  readonly db: Kysely<CdrTables>;
  readonly table: string;
  /** What they are called there. */
  readonly columns: ReadonlyMap<CdrColumn, string>;
  readonly seconds: OpenedDialect['seconds'];
  /** What is wrong with how it is set up, as sentences. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

export interface CdrOptions {
  /** `postgres://…`, `mysql://…`, `sqlite:/path` or `csv:/path`. Holds a password. */
  readonly url: string;
  readonly table: string;
}

/** What opens one kind of store: the dialect, and whether the connection is proven to change nothing. */
export interface OpenedDialect {
  readonly db: Kysely<CdrTables>;
  readonly isReadOnly: boolean;
  /** The account could change the records, if it wanted to. */
  readonly mayWrite: boolean;
  /** A moment as seconds, in this kind of SQL. */
  seconds(moment: Expression<unknown>): Expression<number>;
}

/** A query that takes longer would only load the telephone system's database. */
export const QUERY_MS = 10_000;

/** @throws ConfigError, UpstreamError; neither repeats the address, which holds a password */
export async function openCdr({ url, table }: CdrOptions): Promise<CdrStore> {
  const { db, isReadOnly, mayWrite, seconds } = await opened(url, table);
  try {
    if (!isReadOnly)
      throw new ConfigError(
        'The connection to CDR_DATABASE_URL cannot be made read-only, so it is not used. MySQL can do that from 5.6.5 on, MariaDB from 10.0 on.',
        { settings: ['CDR_DATABASE_URL'] },
      );
    const columns = await columnsIn(db, table);
    const warnings = [
      ...(mayWrite
        ? [
            'The account of CDR_DATABASE_URL may change the call records. Give it SELECT alone; what Switchboard sends is read-only all the same.',
          ]
        : []),
      ...((await lacksLinkedIds(db, table, columns))
        ? ['The call records have no linkedid, so a call of several legs counts as several calls.']
        : []),
    ];
    return { db, table, columns, seconds, warnings, close: () => db.destroy() };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

/** @throws ConfigError when the table cannot be read, or columns are missing */
async function columnsIn(db: Kysely<CdrTables>, table: string): Promise<ReadonlyMap<CdrColumn, string>> {
  // One row of nothing, whatever the table holds: its keys are the columns.
  const probe = sql<Record<string, unknown>>`
    select cdr.* from (select 1 as here) probe left join ${sql.table(table)} cdr on 1 = 0`.execute(db);
  const { rows } = await probe.catch((cause: unknown) => {
    throw new ConfigError(
      `CDR_DATABASE_URL leads to no readable table ${table} with the columns of Asterisk’s call records. Check CDR_TABLE, and what the account may read.`,
      { settings: ['CDR_DATABASE_URL', 'CDR_TABLE'], cause },
    );
  });
  const there = new Map(Object.keys(rows[0] ?? {}).map((name) => [name.toLowerCase(), name]));
  const columns = new Map<CdrColumn, string>();
  for (const column of [...NEEDED, 'uniqueid', 'linkedid', 'sequence'] as const) {
    const name = there.get(column);
    if (name !== undefined) columns.set(column, name);
  }
  // Asterisk's own schema (contrib/ast-db-manage) calls it `start`.
  const moment = there.get('calldate') ?? there.get('start');
  if (moment !== undefined) columns.set('calldate', moment);
  const missing: string[] = (['calldate', ...NEEDED] as const).filter((column) => !columns.has(column));
  if (!columns.has('uniqueid') && !columns.has('linkedid')) missing.push('uniqueid');
  if (missing.length === 0) return columns;
  throw new ConfigError(
    `The table ${table} of CDR_DATABASE_URL has no ${missing.join(', ')}. Let Asterisk write these columns too, or name another table in CDR_TABLE.`,
    { settings: ['CDR_DATABASE_URL', 'CDR_TABLE'] },
  );
}

/** There are records, and not one with a `linkedid`. */
async function lacksLinkedIds(
  db: Kysely<CdrTables>,
  table: string,
  columns: ReadonlyMap<CdrColumn, string>,
): Promise<boolean> {
  const linkedId = columns.get('linkedid');
  if (linkedId === undefined) return true;
  const cdr = sql.table(table);
  try {
    const linked = await sql`select 1 as here from ${cdr} where ${sql.ref(linkedId)} <> '' limit 1`.execute(db);
    if (linked.rows.length > 0) return false;
    return (await sql`select 1 as here from ${cdr} limit 1`.execute(db)).rows.length > 0;
  } catch {
    // Too many to look through: the records can be read all the same.
    return false;
  }
}

async function opened(url: string, table: string): Promise<OpenedDialect> {
  try {
    if (/^postgres(ql)?:/.test(url)) return await (await import('./postgres.ts')).openPostgres(url, table);
    if (/^(mysql|mariadb):/.test(url)) return await (await import('./mysql.ts')).openMysql(url, table);
    const { openFile } = await import('./file.ts');
    if (url.startsWith('sqlite:')) return await openFile('sqlite', pathOf(url, 'sqlite:'), table);
    if (url.startsWith('csv:')) return await openFile('csv', pathOf(url, 'csv:'), table);
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError(
      'The database of CDR_DATABASE_URL could not be opened. Check its address and account, and that it accepts connections from here.',
      { retryable: true, cause: error },
    );
  }
  throw new ConfigError('CDR_DATABASE_URL must begin with postgres://, mysql://, sqlite: or csv:.', {
    settings: ['CDR_DATABASE_URL'],
  });
}

function pathOf(url: string, scheme: string): string {
  return url.slice(scheme.length).replace(/^\/\/(?=\/)/, '');
}
