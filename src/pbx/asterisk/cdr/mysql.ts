import { Kysely, MysqlDialect, sql } from 'kysely';
import { createPool } from 'mysql2';
import { type CdrTables, type OpenedDialect, QUERY_MS } from './database.ts';

/** ER_UNKNOWN_SYSTEM_VARIABLE */
const UNKNOWN_VARIABLE = 1193;

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
    // What a server refuses is found by the check below; without anybody to hear of it the connection would be lost.
    connection.query('SET SESSION TRANSACTION READ ONLY', () => undefined);
    // Values are escaped with backslashes, which a server in this mode would take as letters.
    connection.query("SET SESSION sql_mode = REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', '')", (error) => {
      if (error) connection.destroy();
    });
    // MySQL counts milliseconds, MariaDB seconds; either refuses the other's.
    connection.query(`SET SESSION max_execution_time = ${QUERY_MS}`, () => undefined);
    connection.query(`SET SESSION max_statement_time = ${QUERY_MS / 1_000}`, () => undefined);
  });
  const db = new Kysely<CdrTables>({ dialect: new MysqlDialect({ pool }) });
  try {
    return {
      db,
      isReadOnly: await isReadOnly(db),
      mayWrite: await mayWrite(db, table),
      seconds: (moment) => sql`timestampdiff(second, '1970-01-01', ${moment})`,
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function isReadOnly(db: Kysely<CdrTables>): Promise<boolean> {
  for (const name of ['transaction_read_only', 'tx_read_only']) {
    try {
      const { rows } = await sql<{ only: number }>`SELECT ${sql.raw(`@@session.${name}`)} AS only`.execute(db);
      return rows[0]?.only === 1;
    } catch (error) {
      if ((error as { errno?: unknown }).errno !== UNKNOWN_VARIABLE) throw error;
    }
  }
  return false;
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
