/** Tables of call records in real databases, each with the rows that a test wants. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type CdrStore, openCdr } from '../../../../src/pbx/asterisk/cdr/database.ts';
import { MARIADB, type MariaDb, startMariaDb } from '../../../system/mariadb.ts';
import { POSTGRES, type Postgres, startPostgres } from '../../../system/postgres.ts';

export type Row = Readonly<Record<string, string | number | null>>;

export interface Office {
  readonly isMissing: boolean;
  start(): Promise<void>;
  /** A new table with these rows, opened. */
  keep(rows: readonly Row[], columns?: Readonly<Record<string, string>>): Promise<CdrStore>;
  stop(): Promise<void>;
}

const TEXTS = ['src', 'dst', 'channel', 'dstchannel', 'lastapp', 'disposition', 'uniqueid', 'linkedid'];
/** Asterisk's own schema (contrib/ast-db-manage/cdr), as far as it matters here: every column may be NULL. */
export const SCHEMA: Readonly<Record<string, string>> = {
  ...Object.fromEntries(TEXTS.map((name) => [name, 'varchar(150)'])),
  start: 'moment',
  duration: 'integer',
  billsec: 'integer',
  sequence: 'integer',
};

/** 1001 calls 1002, and they talk for 8 of 10 seconds. */
export function row(over: Row): Row {
  const parties = { src: '1001', dst: '1002', channel: 'PJSIP/1001-00000001', dstchannel: 'PJSIP/1002-00000002' };
  const times = { start: '2026-11-20 10:00:00', duration: 10, billsec: 8 };
  const id = over.linkedid ?? over.uniqueid ?? '1795216267.1';
  return {
    ...parties,
    ...times,
    lastapp: 'Dial',
    disposition: 'ANSWERED',
    uniqueid: id,
    linkedid: id,
    sequence: 1,
    ...over,
  };
}

export function statements(
  table: string,
  rows: readonly Row[],
  columns: Readonly<Record<string, string>>,
  moment: string,
): string {
  const quoted = (value: string | number | null): string =>
    typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
  const names = Object.keys(columns);
  const written = rows.map((one) => `(${names.map((name) => quoted(one[name] ?? null)).join(', ')})`);
  const types = names.map((name) => `${name} ${columns[name] === 'moment' ? moment : columns[name]}`);
  const create = `CREATE TABLE ${table} (${types.join(', ')});`;
  return written.length === 0
    ? create
    : `${create} INSERT INTO ${table} (${names.join(', ')}) VALUES ${written.join(', ')};`;
}

/** Three databases; `keep` makes a table of its own each time. */
export function offices(): Readonly<Record<string, Office>> {
  let tables = 0;
  const stores: CdrStore[] = [];
  const opened = async (url: string, table: string): Promise<CdrStore> => {
    const store = await openCdr({ url, table });
    stores.push(store);
    return store;
  };
  const closed = async (): Promise<void> => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  };
  let folder: string;
  let postgres: Postgres;
  let mariadb: MariaDb;
  return {
    SQLite: {
      isMissing: false,
      start: async () => {
        folder = mkdtempSync(join(tmpdir(), 'cdr-'));
      },
      keep: async (rows, columns = SCHEMA) => {
        tables += 1;
        const path = join(folder, `${tables}.db`);
        const database = new DatabaseSync(path);
        database.exec(statements('cdr', rows, columns, 'text'));
        database.close();
        return await opened(`sqlite:${path}`, 'cdr');
      },
      stop: async () => {
        await closed();
        rmSync(folder, { recursive: true, force: true });
      },
    },
    PostgreSQL: {
      isMissing: POSTGRES === null,
      start: async () => {
        postgres = await startPostgres();
      },
      keep: async (rows, columns = SCHEMA) => {
        tables += 1;
        await postgres.run(statements(`cdr${tables}`, rows, columns, 'timestamp'));
        return await opened(postgres.url('owner', 'owner-password-for-tests'), `cdr${tables}`);
      },
      stop: async () => {
        await closed();
        await postgres.stop();
      },
    },
    MariaDB: {
      isMissing: MARIADB === null,
      start: async () => {
        mariadb = await startMariaDb();
        await mariadb.run('CREATE DATABASE office CHARACTER SET latin1');
      },
      keep: async (rows, columns = SCHEMA) => {
        tables += 1;
        await mariadb.run(`USE office; ${statements(`cdr${tables}`, rows, columns, 'datetime')}`);
        return await opened(mariadb.url('root', '', 'office'), `cdr${tables}`);
      },
      stop: async () => {
        await closed();
        await mariadb.stop();
      },
    },
  };
}
