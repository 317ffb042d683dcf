import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { type CdrTables, type OpenedDialect, QUERY_MS } from './database.ts';

/** Oids of date, timestamp and timestamptz: taken as PostgreSQL writes them, and not moved into this process's time zone. */
const MOMENTS: ReadonlySet<number> = new Set([1082, 1114, 1184]);

/** A session that can only read: PostgreSQL itself refuses the rest. */
export async function openPostgres(url: string, table: string): Promise<OpenedDialect> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 2,
    connectionTimeoutMillis: QUERY_MS / 2,
    idleTimeoutMillis: 30_000,
    options: `-c default_transaction_read_only=on -c datestyle=ISO -c statement_timeout=${QUERY_MS}`,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        MOMENTS.has(oid) ? (text: string) => text : pg.types.getTypeParser(oid, format as 'text'),
    },
  });
  // An idle connection that is lost is replaced by the next query.
  pool.on('error', () => undefined);
  const db = new Kysely<CdrTables>({ dialect: new PostgresDialect({ pool }) });
  try {
    const { rows } = await sql<{ transaction_read_only: string }>`SHOW transaction_read_only`.execute(db);
    const rights = await sql<{ may: boolean | null }>`
      SELECT has_table_privilege(to_regclass(${table})::oid, 'INSERT, UPDATE, DELETE') AS may`.execute(db);
    return {
      db,
      isReadOnly: rows[0]?.transaction_read_only === 'on',
      mayWrite: rights.rows[0]?.may === true,
      seconds: (moment) => sql`extract(epoch from cast(${moment} as timestamp))`,
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
