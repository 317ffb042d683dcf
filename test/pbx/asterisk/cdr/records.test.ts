/** The call records of a real Asterisk (134 rows of 116 calls) in each kind of store, and one answer from all of them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnsOf, parseCsv } from '../../../../src/pbx/asterisk/cdr/csv.ts';
import { type CdrStore, openCdr } from '../../../../src/pbx/asterisk/cdr/database.ts';
import { moment } from '../../../../src/pbx/asterisk/cdr/grouping.ts';
import { callStatistics, extensionSummary, queryCalls } from '../../../../src/pbx/asterisk/cdr/queries.ts';
import { MARIADB, type MariaDb, startMariaDb } from '../../../system/mariadb.ts';
import { POSTGRES, type Postgres, startPostgres } from '../../../system/postgres.ts';

const CSV = fileURLToPath(new URL('./Master.csv', import.meta.url));
const ROWS = [...parseCsv(readFileSync(CSV, 'utf8'))];
const COLUMNS = columnsOf(ROWS[0] ?? []);
const DAY = { from: '2026-11-20', to: '2026-11-21' };
const folder = mkdtempSync(join(tmpdir(), 'cdr-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let postgres: Postgres;
let mariadb: MariaDb;
/** Kinds of store that there are none of here. */
const MISSING = new Set([...(POSTGRES === null ? ['PostgreSQL'] : []), ...(MARIADB === null ? ['MariaDB'] : [])]);
const open: { readonly [name: string]: () => Promise<CdrStore> } = {
  'a CSV file': () => openCdr({ url: `csv:${CSV}`, table: 'cdr' }),
  'a SQLite file': async () => {
    const path = join(folder, 'master.db');
    const database = new DatabaseSync(path);
    // As cdr_sqlite3_custom makes it: columns without types, every value a text.
    database.exec(`CREATE TABLE calls (${COLUMNS.map((column) => `"${column}"`).join(', ')})`);
    const insert = database.prepare(`INSERT INTO calls VALUES (${COLUMNS.map(() => '?').join(', ')})`);
    for (const row of ROWS) insert.run(...row);
    database.close();
    return await openCdr({ url: `sqlite:${path}`, table: 'calls' });
  },
  MariaDB: async () => await openCdr({ url: mariadb.url('reader', 'reader-password', 'asteriskcdrdb'), table: 'cdr' }),
  PostgreSQL: async () => await openCdr({ url: postgres.url('reader', 'reader-password'), table: 'office.cdr' }),
};

beforeAll(async () => {
  if (POSTGRES === null) return;
  postgres = await startPostgres();
  await postgres.run(`
    CREATE SCHEMA office;
    CREATE TABLE office.cdr (accountcode text, src text, dst text, dcontext text, clid text, channel text, dstchannel text,
      lastapp text, lastdata text, calldate timestamp, answer timestamp, "end" timestamp, duration int, billsec int,
      disposition text, amaflags text, uniqueid text, userfield text, peeraccount text, linkedid text, sequence int);
    CREATE ROLE reader LOGIN PASSWORD 'reader-password';
    CREATE ROLE writer LOGIN PASSWORD 'writer-password';
    GRANT USAGE ON SCHEMA office TO reader, writer;
    GRANT SELECT ON office.cdr TO reader;
    GRANT ALL ON office.cdr TO writer;`);
  const value = (text: string): string => (text === '' ? 'NULL' : `'${text.replaceAll("'", "''")}'`);
  const texts = ROWS.map((row) => `(${row.map((text, i) => (i < 9 && text === '' ? "''" : value(text))).join(', ')})`);
  await postgres.run(`INSERT INTO office.cdr VALUES ${texts.join(', ')}`);
}, 30_000);
afterAll(() => postgres?.stop());

beforeAll(async () => {
  if (MARIADB === null) return;
  mariadb = await startMariaDb();
  // As FreePBX has it.
  await mariadb.run(`
    CREATE DATABASE asteriskcdrdb;
    CREATE TABLE asteriskcdrdb.cdr (accountcode varchar(80), src varchar(80), dst varchar(80), dcontext varchar(80), clid varchar(80),
      channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80), calldate datetime, answer datetime NULL,
      \`end\` datetime, duration int, billsec int, disposition varchar(45), amaflags varchar(20), uniqueid varchar(80), userfield varchar(255),
      peeraccount varchar(80), linkedid varchar(80), sequence int);
    CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'reader-password';
    CREATE USER writer@'127.0.0.1' IDENTIFIED BY 'writer-password';
    GRANT SELECT ON asteriskcdrdb.cdr TO reader@'127.0.0.1';
    GRANT ALL ON asteriskcdrdb.* TO writer@'127.0.0.1';`);
  await mariadb.run('INSERT INTO asteriskcdrdb.cdr VALUES ?', [
    ROWS.map((row) => row.map((text, i) => (text === '' && (i > 8 || i === 17) ? null : text))),
  ]);
}, 30_000);
afterAll(() => mariadb?.stop());

describe.each(Object.keys(open))('call records in %s', (name) => {
  const skipped = MISSING.has(name);
  let store: CdrStore;
  beforeAll(async () => {
    if (skipped) return;
    store = await (open[name] as () => Promise<CdrStore>)();
  });
  afterAll(() => store?.close());

  it.skipIf(skipped)('count a call of several legs once, by its best leg', async () => {
    const found = await callStatistics(store, DAY);
    expect(found).toMatchObject({ calls: 116, answered: 102, missed: 9, busy: 1, failed: 4, answeredPercent: 87.9 });
    expect(found.byDay).toEqual([{ day: '2026-11-20', calls: 116, answered: 102 }]);
    expect(found.byHour).toHaveLength(24);
    expect(found.byHour[23]).toEqual({ hour: 23, calls: 116, answered: 102 });
    expect(store.warnings).toEqual([]);
  });

  it.skipIf(skipped)('are listed newest first, page by page, each call whole', async () => {
    const seen: string[] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const page = await queryCalls(store, DAY, { limit: 50, offset });
      seen.push(...page.calls.map(({ call }) => call));
      offset = page.offset;
    }
    expect(seen).toHaveLength(116);
    expect(new Set(seen).size).toBe(116);
    const { calls } = await queryCalls(store, { ...DAY, result: 'busy' }, { limit: 10, offset: 0 });
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ result: 'busy', talkSeconds: 0 });
    expect(calls[0]?.legs.map(({ application }) => application)).toEqual(['Dial', 'Hangup']);
  });

  it.skipIf(skipped)('are found by either side, by result and by time', async () => {
    const all = async (filter: Partial<Parameters<typeof queryCalls>[1]>) =>
      (await queryCalls(store, { ...DAY, ...filter }, { limit: 200, offset: 0 })).calls;
    const of1003 = await all({ party: '1003' });
    expect(of1003.length).toBeGreaterThan(10);
    expect(of1003.every(({ legs }) => JSON.stringify(legs).includes('1003'))).toBe(true);
    expect(await all({ source: '1001', destination: '1002' })).not.toEqual([]);
    expect((await all({ result: 'answered' })).length).toBe(102);
    expect(await all({ from: '2026-11-21', to: '2026-11-22' })).toEqual([]);
    const early = await all({ to: '2026-11-20 23:12' });
    expect(early.map(({ startedAt }) => startedAt)).toEqual(['2026-11-20 23:11:11', '2026-11-20 23:11:07']);
    const long = await all({ minTalkSeconds: 9 });
    expect(long.length).toBeGreaterThan(60);
    expect(long.every(({ talkSeconds }) => talkSeconds >= 9)).toBe(true);
  });

  it.skipIf(skipped)('are summed up for an extension, by direction', async () => {
    const found = await extensionSummary(store, '1001', DAY);
    expect(found.outgoing.calls).toBeGreaterThan(20);
    expect(found.busiestHour).toBe(23);
    expect(found.partners.length).toBeGreaterThan(2);
    expect(found.lastCallAt).toMatch(/^2026-11-20 23:/);
    expect(await extensionSummary(store, '1009', DAY)).toMatchObject({ lastCallAt: null, partners: [] });
  });

  it.skipIf(skipped)('take what is asked for as values, whatever it holds', async () => {
    for (const party of ["' OR 1=1 --", '1001%', '%', "1001'; DROP TABLE cdr; --"])
      expect((await queryCalls(store, { ...DAY, party }, { limit: 10, offset: 0 })).calls).toEqual([]);
    await expect(extensionSummary(store, "1' OR '1'='1", DAY)).rejects.toThrow(/is no extension/);
  });

  it.skipIf(skipped)('cannot be changed through the connection', async () => {
    const table = sql.table(store.table);
    if (name === 'a CSV file') return;
    for (const text of [sql`DELETE FROM ${table}`, sql`UPDATE ${table} SET src = 'x'`, sql`DROP TABLE ${table}`])
      await expect(text.execute(store.db)).rejects.toThrow(/read[- ]?only|permission denied|command denied/i);
    expect((await callStatistics(store, DAY)).calls).toBe(116);
  });
});

describe('the connection to the call records', () => {
  it.skipIf(POSTGRES === null)('is read-only for an account that may write, and says that it may', async () => {
    const store = await openCdr({ url: postgres.url('writer', 'writer-password'), table: 'office.cdr' });
    expect(store.warnings).toEqual([expect.stringContaining('may change the call records')]);
    await expect(sql`DELETE FROM office.cdr`.execute(store.db)).rejects.toThrow(/read-only transaction/);
    await store.close();
  });

  it.skipIf(MARIADB === null)('is read-only in MariaDB too, for an account that may write', async () => {
    const store = await openCdr({ url: mariadb.url('writer', 'writer-password', 'asteriskcdrdb'), table: 'cdr' });
    expect(store.warnings).toEqual([expect.stringContaining('may change the call records')]);
    await expect(sql`DELETE FROM cdr`.execute(store.db)).rejects.toThrow(/READ ONLY transaction/);
    await store.close();
  });

  it.skipIf(POSTGRES === null)('says what is wrong without its password', async () => {
    const wrong = openCdr({ url: postgres.url('reader', 'not-the-password'), table: 'office.cdr' });
    await expect(wrong).rejects.toThrow(/could not be opened/);
    await expect(wrong).rejects.not.toThrow(/not-the-password/);
    const none = openCdr({ url: postgres.url('reader', 'reader-password'), table: 'office.nothing' });
    await expect(none).rejects.toThrow(/no readable table office.nothing/);
  });

  it('takes a CSV in anew when Asterisk has written to it, and leaves an unfinished line for later', async () => {
    const path = join(folder, 'growing.csv');
    const lines = readFileSync(CSV, 'utf8').split('\n');
    writeFileSync(path, `${lines.slice(0, 2).join('\n')}\n`);
    const store = await openCdr({ url: `csv:${path}`, table: 'cdr' });
    expect((await callStatistics(store, DAY)).calls).toBe(2);
    writeFileSync(path, `${lines.slice(0, 3).join('\n')}\n"","10`);
    expect((await callStatistics(store, DAY)).calls).toBe(3);
    await store.close();
  });

  it('says when a file is not there, and what a time must look like', async () => {
    await expect(openCdr({ url: 'sqlite:/nowhere/cdr.db', table: 'cdr' })).rejects.toThrow(/could not be opened/);
    expect(moment('2026-11-20T14:30')).toBe('2026-11-20 14:30:00');
    for (const wrong of ['yesterday', '2026-13-40', '2026-11-20 14', "2026-11-20'"])
      expect(() => moment(wrong)).toThrow(/is no time/);
  });
});

describe('a line of cdr_csv', () => {
  it('may hold commas, quotes and line breaks in quotes', () => {
    expect([...parseCsv('"a, ""b""",2,"x\ny"\r\n1,2\n3,')]).toEqual([
      ['a, "b"', '2', 'x\ny'],
      ['1', '2'],
    ]);
  });

  it('tells by its length which columns the server writes', () => {
    const line = (fields: number, seventeenth = '') =>
      Array.from({ length: fields }, (_, i) => (i === 16 ? seventeenth : ''));
    expect(columnsOf(line(16))).not.toContain('uniqueid');
    expect(columnsOf(line(18)).slice(16)).toEqual(['uniqueid', 'userfield']);
    expect(columnsOf(line(21)).indexOf('linkedid')).toBe(19);
    for (const id of ['1795216267.0', 'office-1795216267.12', 'switchboard-1795216267000-1002-abc']) {
      expect(columnsOf(line(17, id)).slice(16)).toEqual(['uniqueid']);
      expect(columnsOf(line(20, id))[16]).toBe('uniqueid');
    }
    for (const note of ['', 'order 17', '12.5']) {
      expect(columnsOf(line(17, note)).slice(16)).toEqual(['userfield']);
      expect(columnsOf(line(20, note))[16]).toBe('userfield');
    }
  });
});
