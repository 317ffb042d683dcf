/** Where Asterisk keeps its call records, opened for reading only, and checked to be so. */
import { type Kysely, sql } from 'kysely';
import { ConfigError, UpstreamError } from '../../../errors.ts';

/** The columns that every backend of Asterisk writes (cdr_csv with newcdrcolumns, cdr_pgsql, cdr_adaptive_odbc, cdr_mysql, cdr_sqlite3_custom). */
export interface CdrTable {
  /** As the backend writes it, in the time zone that it is set to. */
  readonly calldate: string;
  readonly src: string;
  readonly dst: string;
  readonly channel: string;
  readonly dstchannel: string;
  readonly lastapp: string;
  readonly duration: number;
  readonly billsec: number;
  readonly disposition: string;
  readonly uniqueid: string;
  readonly linkedid: string;
}

/** Tables are named in each query. */
export type CdrTables = Record<never, never>;

export interface CdrStore {
  readonly db: Kysely<CdrTables>;
  readonly table: string;
  /** `linkedid` joins the rows of one call; servers that do not keep it have one row a call at best. */
  readonly hasLinkedId: boolean;
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
}

/** A query that takes longer would only load the telephone system's database. */
export const QUERY_MS = 10_000;

/** @throws ConfigError, UpstreamError; neither repeats the address, which holds a password */
export async function openCdr({ url, table }: CdrOptions): Promise<CdrStore> {
  const { db, isReadOnly, mayWrite } = await opened(url, table);
  if (!isReadOnly) {
    await db.destroy();
    throw new ConfigError('The connection to CDR_DATABASE_URL is not read-only, so it is not used.', {
      settings: ['CDR_DATABASE_URL'],
    });
  }
  const hasLinkedId = await hasColumn(db, table, 'linkedid');
  if (!hasLinkedId && !(await hasColumn(db, table, 'calldate'))) {
    await db.destroy();
    throw new ConfigError(
      `CDR_DATABASE_URL leads to no readable table ${table} with the columns of Asterisk’s call records. Check CDR_TABLE, and what the account may read.`,
      { settings: ['CDR_DATABASE_URL', 'CDR_TABLE'] },
    );
  }
  const warnings = [
    ...(mayWrite
      ? [
          'The account of CDR_DATABASE_URL may change the call records. Give it SELECT alone; what Switchboard sends is read-only all the same.',
        ]
      : []),
    ...(hasLinkedId ? [] : ['The call records have no linkedid, so a call of several legs counts as several calls.']),
  ];
  return { db, table, hasLinkedId, warnings, close: () => db.destroy() };
}

async function opened(url: string, table: string): Promise<OpenedDialect> {
  try {
    if (/^postgres(ql)?:/.test(url)) return await (await import('./postgres.ts')).openPostgres(url, table);
    if (/^(mysql|mariadb):/.test(url)) return await (await import('./mysql.ts')).openMysql(url, table);
    const { openFile } = await import('./file.ts');
    if (url.startsWith('sqlite:')) return await openFile('sqlite', pathOf(url, 'sqlite:'), table);
    if (url.startsWith('csv:')) return await openFile('csv', pathOf(url, 'csv:'), table);
  } catch (error) {
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

/** The start of every query: the table, whatever it is called there, under one name. */
export function fromCdr(db: Kysely<CdrTables>, table: string) {
  return db.selectFrom(sql<CdrTable>`${sql.table(table)}`.as('cdr'));
}

async function hasColumn(db: Kysely<CdrTables>, table: string, column: 'linkedid' | 'calldate'): Promise<boolean> {
  try {
    await fromCdr(db, table).select(`cdr.${column}`).where(sql<boolean>`1 = 0`).execute();
    return true;
  } catch {
    return false;
  }
}
