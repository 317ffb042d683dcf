import { Kysely, MysqlDialect, sql } from 'kysely';
import { createPool } from 'mysql2';
import { type CdrTables, type OpenedDialect, QUERY_MS } from './database.ts';

/** A session that can only read; the names of its variables are those of MySQL 8, or of MariaDB. */
export async function openMysql(url: string, table: string): Promise<OpenedDialect> {
  const pool = createPool({
    uri: url.replace(/^mariadb:/, 'mysql:'),
    connectionLimit: 2,
    // Taken as they are written, and not moved into this process's time zone.
    dateStrings: true,
    connectTimeout: QUERY_MS / 2,
  });
  pool.on('connection', (connection) => {
    connection.query('SET SESSION TRANSACTION READ ONLY');
    // MySQL counts milliseconds, MariaDB seconds; either refuses the other's.
    connection.query(`SET SESSION max_execution_time = ${QUERY_MS}`, () => undefined);
    connection.query(`SET SESSION max_statement_time = ${QUERY_MS / 1_000}`, () => undefined);
  });
  const db = new Kysely<CdrTables>({ dialect: new MysqlDialect({ pool }) });
  try {
    return { db, isReadOnly: await isReadOnly(db), mayWrite: await mayWrite(db, table) };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function isReadOnly(db: Kysely<CdrTables>): Promise<boolean> {
  try {
    const { rows } = await sql<{ only: number }>`SELECT @@session.transaction_read_only AS only`.execute(db);
    return rows[0]?.only === 1;
  } catch {
    const { rows } = await sql<{ only: number }>`SELECT @@session.tx_read_only AS only`.execute(db);
    return rows[0]?.only === 1;
  }
}

/** By what the account is granted, as far as it may see that. */
async function mayWrite(db: Kysely<CdrTables>, table: string): Promise<boolean> {
  const { rows } = await sql<Record<string, string>>`SHOW GRANTS`.execute(db);
  const name = table.split('.').at(-1) ?? table;
  return rows
    .flatMap((row) => Object.values(row))
    .some(
      (grant) =>
        /\b(ALL PRIVILEGES|INSERT|UPDATE|DELETE)\b/i.test(grant) && (/\.\*/.test(grant) || grant.includes(name)),
    );
}
