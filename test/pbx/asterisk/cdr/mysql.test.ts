/** What is peculiar to MySQL and MariaDB. */
import { createServer } from 'mysql2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCdr } from '../../../../src/pbx/asterisk/cdr/database.ts';
import { queryCalls } from '../../../../src/pbx/asterisk/cdr/queries.ts';
import { freePort } from '../../../fixtures/free-port.ts';
import { MARIADB, type MariaDb, startMariaDb } from '../../../system/mariadb.ts';
import { row, SCHEMA, statements } from './offices.ts';

const DAY = { from: '2026-11-20', to: '2026-11-21' };

describe.skipIf(MARIADB === null)('MariaDB with NO_BACKSLASH_ESCAPES', () => {
  let mariadb: MariaDb;
  beforeAll(async () => {
    mariadb = await startMariaDb();
    await mariadb.run(`CREATE DATABASE office; USE office; ${statements('cdr', [row({})], SCHEMA, 'datetime')}
      SET GLOBAL sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES');`);
  }, 30_000);
  afterAll(() => mariadb?.stop());

  it('takes what is asked for as a value, on every connection', async () => {
    const store = await openCdr({ url: mariadb.url('root', '', 'office'), table: 'cdr' });
    const asked = (party: string) => queryCalls(store, { ...DAY, party }, { limit: 10, offset: 0 });
    const answers = await Promise.all(["\\' OR 1=1 -- ", "\\' OR 1=1) -- ", "\\'", '1001'].map(asked));
    expect(answers.map(({ calls }) => calls.length)).toEqual([0, 0, 0, 1]);
    await store.close();
  });
});

describe('a server that cannot make a session read-only', () => {
  // As MariaDB 5.5 answers: it knows neither the statement nor the variables.
  const server = createServer((connection) => {
    // Its numbering of packets, which it forgets to begin anew with each command.
    const restart = () => Object.assign(connection, { sequenceId: 0 });
    const answer = (text: string): void => {
      if (/READ ONLY/.test(text))
        connection.writeError({ code: 1064, message: 'You have an error in your SQL syntax' });
      else if (/max_|@@session/.test(text)) connection.writeError({ code: 1193, message: 'Unknown system variable' });
      else connection.writeOk();
      restart();
    };
    connection.on('error', () => undefined);
    connection.on('query', answer);
    // What the fake calls every SET.
    connection.on('stmt_prepare', answer);
    connection.serverHandshake({
      ...{ protocolVersion: 10, serverVersion: '5.5.68-MariaDB', connectionId: 1, statusFlags: 2 },
      ...{ characterSet: 8, capabilityFlags: 0xffffff },
      authCallback: (_given: unknown, accept: (error: null) => void) => {
        accept(null);
        restart();
      },
    });
  });
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    server.listen(port);
  });
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

  it('is not used, and the versions that can are named', async () => {
    const opening = openCdr({ url: `mysql://reader:reader-password@127.0.0.1:${port}/asteriskcdrdb`, table: 'cdr' });
    await expect(opening).rejects.toThrow(
      /cannot be made read-only.*MySQL can do that from 5\.6\.5 on, MariaDB from 10\.0 on/,
    );
  });
});
