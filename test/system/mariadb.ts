/** A MariaDB of one's own on loopback. `scripts/test` sees to it that there is one, and names it; null: what needs it is skipped. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { freePort } from '../fixtures/free-port.ts';

/** Folder of its server. */
export const MARIADB: string | null =
  [process.env.MARIADB, '/usr/sbin'].find(
    (path) => path !== undefined && path !== '' && existsSync(join(path, 'mariadbd')),
  ) ?? null;

export interface MariaDb {
  run(sql: string, values?: readonly unknown[]): Promise<void>;
  url(user: string, password: string, database: string): string;
  stop(): Promise<void>;
}

/** It runs as root only when told so. Another user might not get at its programs: those that apt brought stand below this folder. */
const AS_ROOT = process.getuid?.() === 0 ? ['--user=root'] : [];

export async function startMariaDb(): Promise<MariaDb> {
  const base = dirname(MARIADB ?? '');
  const folder = mkdtempSync(join(tmpdir(), 'mariadb-'));
  const data = join(folder, 'data');
  mkdirSync(data);
  const libraries = process.env.MARIADB_LIBRARIES;
  const env = { ...process.env, ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}) };
  const common = ['--no-defaults', `--basedir=${base}`, `--datadir=${data}`, ...AS_ROOT];
  const how = { env, cwd: folder } as const;
  const install = [...common, '--auth-root-authentication-method=normal', '--skip-test-db'];
  execFileSync(join(base, 'bin', 'mariadb-install-db'), install, { ...how, stdio: 'ignore' });
  const port = await freePort();
  const place = [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(folder, 's')}`];
  const child = spawn(join(base, 'sbin', 'mariadbd'), [...common, ...place, '--innodb-flush-log-at-trx-commit=0'], {
    ...how,
    stdio: 'ignore',
  });
  const run = async (sql: string, values: readonly unknown[] = []): Promise<void> => {
    const connection = await createConnection({ host: '127.0.0.1', port, user: 'root', multipleStatements: true });
    try {
      await connection.query(sql, [...values]);
    } finally {
      await connection.end();
    }
  };
  for (let left = 200; ; left -= 1) {
    try {
      await run('SELECT 1');
      break;
    } catch (error) {
      if (left === 0 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    run,
    url: (user, password, database) => `mysql://${user}:${password}@127.0.0.1:${port}/${database}`,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
