/** A PostgreSQL of one's own on loopback. `scripts/test` sees to it that there is one, and names it; null: what needs it is skipped. */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import pg from 'pg';
import { freePort } from '../fixtures/free-port.ts';

const DEBIAN = '/usr/lib/postgresql';

/** Folder of its programs. */
export const POSTGRES: string | null =
  [
    process.env.POSTGRES,
    ...(existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : []),
  ].find((path) => path !== undefined && path !== '' && existsSync(join(path, 'initdb'))) ?? null;

export interface Postgres {
  readonly port: number;
  /** As its owner, for setting up. */
  run(sql: string): Promise<readonly Record<string, unknown>[]>;
  url(user: string, password: string): string;
  stop(): Promise<void>;
}

/** It refuses to run as root, so as root it runs as `nobody`. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null;

export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  if (NOBODY) chownSync(folder, NOBODY.uid, NOBODY.gid);
  const { bin, libraries } = withinReach(folder);
  const env = { ...process.env, ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}) };
  const data = join(folder, 'data');
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'owner-password-for-tests\n', { mode: 0o644 });
  const init = ['-D', data, '-U', 'owner', '-A', 'scram-sha-256', '--pwfile', secret, '-E', 'UTF8', '--no-sync'];
  execFileSync(join(bin, 'initdb'), init, { stdio: 'ignore', env, cwd: folder, ...NOBODY });
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-c', 'fsync=off'];
  const child = spawn(join(bin, 'postgres'), args, { stdio: 'ignore', env, cwd: folder, ...NOBODY });
  const owner = { host: '127.0.0.1', port, user: 'owner', password: 'owner-password-for-tests', database: 'postgres' };
  for (let left = 200; ; left -= 1) {
    try {
      await query(owner, 'SELECT 1');
      break;
    } catch (error) {
      if (left === 0 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    port,
    run: (sql) => query(owner, sql),
    url: (user, password) => `postgres://${user}:${password}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      // Immediate: nobody needs what is in it.
      child.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What apt brought stands below this folder, which may be closed to others than its owner: then `nobody` gets a copy. */
function withinReach(folder: string): { readonly bin: string; readonly libraries: string | undefined } {
  const bin = POSTGRES ?? '';
  const libraries = process.env.POSTGRES_LIBRARIES;
  if (NOBODY === null || libraries === undefined) return { bin, libraries };
  const usr = join(libraries, '../..');
  const copy = join(folder, 'usr');
  cpSync(usr, copy, { recursive: true, verbatimSymlinks: true });
  return { bin: join(copy, relative(usr, bin)), libraries: join(copy, relative(usr, libraries)) };
}

async function query(options: pg.ClientConfig, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client(options);
  client.on('error', () => undefined);
  await client.connect();
  try {
    const result = await client.query(sql);
    return Array.isArray(result) ? [] : result.rows;
  } finally {
    await client.end();
  }
}
