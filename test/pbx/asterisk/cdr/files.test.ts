/** Call records in files, which Asterisk goes on writing to: what is missing in them is said, and reading them costs it nothing. */
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type CdrStore, openCdr } from '../../../../src/pbx/asterisk/cdr/database.ts';
import { openFile } from '../../../../src/pbx/asterisk/cdr/file.ts';
import { callStatistics, queryCalls } from '../../../../src/pbx/asterisk/cdr/queries.ts';
import { type Row, row, SCHEMA, statements } from './offices.ts';

const DAY = { from: '2026-11-20', to: '2026-11-21' };
const folder = mkdtempSync(join(tmpdir(), 'cdr-'));
const toClose: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of toClose.splice(0)) await one.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
/** A file of SQLite, open as Asterisk has it. */
function file(rows: readonly Row[], columns: Readonly<Record<string, string>> = SCHEMA) {
  files += 1;
  const path = join(folder, `${files}.db`);
  const asterisk = new DatabaseSync(path, { timeout: 1_000 });
  asterisk.exec(statements('cdr', rows, columns, 'text'));
  toClose.push(asterisk);
  return {
    path,
    asterisk,
    write: (one: Row) => asterisk.exec(statements('cdr', [one], columns, 'text').replace(/.*?; /, '')),
  };
}

async function opened(url: string): Promise<CdrStore> {
  const store = await openCdr({ url, table: 'cdr' });
  toClose.push(store);
  return store;
}

const counted = async (store: CdrStore): Promise<number> => (await callStatistics(store, DAY)).calls;

describe('a CSV', () => {
  const line = (at: string, channel: string, more: readonly string[]): string =>
    [
      ...['', '1001', '1002', 'internal', '"Lab" <1001>', channel, 'PJSIP/1002-1', 'Dial', 'PJSIP/1002'],
      ...[`2026-11-20 ${at}`, `2026-11-20 ${at}`, `2026-11-20 ${at}`, '3', '3', 'ANSWERED', 'DOCUMENTATION', ...more],
    ]
      .map((field) => `"${field.replaceAll('"', '""')}"`)
      .join(',');
  const csv = async (lines: readonly string[]): Promise<CdrStore> => {
    files += 1;
    const path = join(folder, `${files}.csv`);
    writeFileSync(path, lines.map((one) => `${one}\n`).join(''));
    return await opened(`csv:${path}`);
  };
  const noLinkedId = [expect.stringContaining('no linkedid')];

  it('without any id counts each record, and says that it has none to put them together by', async () => {
    const store = await csv([
      line('10:00:00', 'PJSIP/1001-1', []),
      line('10:00:00', 'PJSIP/1003-2', []),
      line('11:00:00', 'PJSIP/1001-1', []),
    ]);
    expect(await counted(store)).toBe(3);
    expect(store.warnings).toEqual(noLinkedId);
    const { calls } = await queryCalls(store, DAY, { limit: 10, offset: 0 });
    expect(calls.map(({ startedAt, legs }) => [startedAt, legs.length])).toEqual([
      ['2026-11-20 11:00:00', 1],
      ['2026-11-20 10:00:00', 1],
      ['2026-11-20 10:00:00', 1],
    ]);
  });

  it('with a note of its own in place of an id does not take that for one', async () => {
    const store = await csv([line('10:00:00', 'PJSIP/1001-1', ['sales']), line('11:00:00', 'PJSIP/1001-2', ['sales'])]);
    expect(await counted(store)).toBe(2);
    expect(store.warnings).toEqual(noLinkedId);
  });

  it('with a uniqueid alone counts those, and says so', async () => {
    const more = (id: string) => [id, ''];
    const store = await csv([
      line('10:00:00', 'PJSIP/1001-1', more('1795216267.1')),
      line('10:00:09', 'PJSIP/1001-1', more('1795216267.1')),
      line('10:00:00', 'PJSIP/1001-2', more('1795216267.2')),
    ]);
    expect(await counted(store)).toBe(2);
    expect(store.warnings).toEqual(noLinkedId);
  });

  it('that is too large is refused, with what to do', async () => {
    const path = join(folder, 'large.csv');
    writeFileSync(path, '');
    truncateSync(path, 65 * 1024 * 1024);
    await expect(opened(`csv:${path}`)).rejects.toThrow(
      'The CSV is larger than 64 MB: let Asterisk write to a database.',
    );
  });

  it('in which nothing stands yet lacks nothing', async () => {
    const store = await csv([]);
    expect(store.warnings).toEqual([]);
    expect(await counted(store)).toBe(0);
  });
});

describe('a table', () => {
  it('of Asterisk’s sample configuration for SQLite is refused, with what it lacks', async () => {
    const lacking = ['src', 'dst', 'linkedid', 'start'];
    const kept = Object.entries(SCHEMA).filter(([name]) => !lacking.includes(name));
    const { path } = file([], { ...Object.fromEntries(kept), calldate: 'text' });
    await expect(opened(`sqlite:${path}`)).rejects.toThrow(
      /The table cdr of CDR_DATABASE_URL has no src, dst\. Let Asterisk write/,
    );
  });

  it('without a time or without any id is refused', async () => {
    const { start: _start, uniqueid: _uniqueid, linkedid: _linkedid, ...columns } = SCHEMA;
    const { path } = file([], columns);
    await expect(opened(`sqlite:${path}`)).rejects.toThrow(/has no calldate, uniqueid\./);
    const { path: other } = file([], { note: 'text' });
    await expect(opened(`sqlite:${other}`)).rejects.toThrow(/has no calldate, src, dst, channel/);
  });

  it('whose linkedid is never filled counts each uniqueid, and says so', async () => {
    const { path } = file([row({ linkedid: '', uniqueid: '1.1' }), row({ linkedid: null, uniqueid: '1.2' })]);
    const store = await opened(`sqlite:${path}`);
    expect(store.warnings).toEqual([expect.stringContaining('no linkedid')]);
    expect(await counted(store)).toBe(2);
  });
});

describe('a file of SQLite', () => {
  it('can be written to while a long question is asked', async () => {
    const { path, asterisk, write } = file([row({})]);
    asterisk.exec('PRAGMA busy_timeout = 100');
    const store = await opened(`sqlite:${path}`);
    const slow = sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000000)
      select count(*) as many from n, cdr`.execute(store.db);
    let isOver = false;
    const over = slow.then(() => {
      isOver = true;
    });
    let written = 0;
    while (!isOver) {
      write(row({ linkedid: `during ${written}` }));
      written += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await over;
    expect(written).toBeGreaterThan(5);
    expect(await counted(store)).toBe(written + 1);
  });

  it('is waited for while Asterisk writes to it', async () => {
    const { path, asterisk, write } = file([row({})]);
    const store = await opened(`sqlite:${path}`);
    asterisk.exec('BEGIN EXCLUSIVE');
    const answer = counted(store);
    await new Promise((resolve) => setTimeout(resolve, 300));
    write(row({ linkedid: 'new' }));
    asterisk.exec('COMMIT');
    expect(await answer).toBe(2);
  });

  it('is followed when old records are thrown away, and when the table is begun anew', async () => {
    const rows = Array.from({ length: 5_000 }, (_, index) => row({ linkedid: `call ${index}` }));
    const { path, asterisk, write } = file(rows);
    const store = await opened(`sqlite:${path}`);
    expect(await counted(store)).toBe(5_000);
    asterisk.exec('DELETE FROM cdr WHERE rowid <= 4990');
    write(row({ linkedid: 'new' }));
    expect(await counted(store)).toBe(11);
    asterisk.exec('DELETE FROM cdr');
    expect(await counted(store)).toBe(0);
    write(row({ linkedid: 'first again' }));
    expect(await counted(store)).toBe(1);
  });

  it('with a quote, a space and a sign in its name is opened all the same', async () => {
    const { path } = file([row({})]);
    const strange = join(folder, "it's 100% #1?.db");
    writeFileSync(strange, readFileSync(path));
    expect(await counted(await opened(`sqlite:${strange}`))).toBe(1);
  });
});

describe('the thread that reads files', () => {
  it('is ended by a question that takes too long, and the next one begins another', async () => {
    const { path } = file([row({})]);
    const { db } = await openFile('sqlite', path, 'cdr', 700);
    toClose.push({ close: () => db.destroy() });
    const endless = sql`with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n`;
    await expect(endless.execute(db)).rejects.toThrow(/takes too long/);
    expect((await sql`select src from cdr`.execute(db)).rows).toEqual([{ src: '1001' }]);
  });

  it.skipIf(!existsSync('/proc/self/status'))('does not stay behind when a file cannot be opened', async () => {
    const threads = () => Number(/^Threads:\s*(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
    const before = threads();
    for (let left = 6; left > 0; left -= 1)
      await expect(opened('csv:/nowhere/Master.csv')).rejects.toThrow(/could not be opened/);
    await expect.poll(threads).toBeLessThan(before + 6);
  });

  it('leaves the other work alone while it counts a year of calls', async () => {
    const { path, asterisk } = file([]);
    asterisk.exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
      INSERT INTO cdr (start, src, dst, channel, dstchannel, lastapp, duration, billsec, disposition, uniqueid, linkedid, sequence)
      SELECT datetime('2026-01-01', (i * 315) || ' seconds'), '1001', '1002', 'PJSIP/1001-1', 'PJSIP/1002-1', 'Dial', 9, 8, 'ANSWERED', i, i, i FROM n`);
    const store = await opened(`sqlite:${path}`);
    let longest = 0;
    let last = performance.now();
    const look = (): void => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    };
    const pace = setInterval(look, 5);
    const found = await callStatistics(store, { from: '2026-01-01', to: '2027-01-01' });
    look();
    clearInterval(pace);
    expect(found).toMatchObject({ calls: 100_000, answered: 100_000, talkSeconds: 800_000 });
    expect(found.byDay).toHaveLength(365);
    // The whole answer, gone through in one piece, took more than 300 ms.
    expect(longest).toBeLessThan(100);
  }, 30_000);
});
