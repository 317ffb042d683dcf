import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallId } from '../../../src/call/words.ts';
import { ConfigError, UpstreamError } from '../../../src/errors.ts';
import { openSqliteStore } from '../../../src/store/sqlite/store.ts';
import { newCall, newLine } from '../../fixtures/calls.ts';

let dataDir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'switchboard-store-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

const script = (name: string): string => fileURLToPath(new URL(`./processes/${name}.ts`, import.meta.url));

interface Child {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  say(line: string): void;
  /** The next line of its stdout; null at its end. */
  next(): Promise<string | null>;
  errors(): string;
}

function start(name: string, ...args: readonly string[]): Child {
  return follow(spawn(process.execPath, [script(name), dataDir, ...args], { stdio: 'pipe' }));
}

function follow(child: ReturnType<typeof spawn>): Child {
  children.push(child);
  let errors = '';
  child.stderr?.on('data', (data) => {
    errors += String(data);
  });
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  if (!child.stdout) throw new Error('the child has no stdout');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    exited,
    say: (line) => child.stdin?.write(`${line}\n`),
    next: async () => {
      const { value, done } = await lines.next();
      return done ? null : String(value);
    },
    errors: () => errors,
  };
}

/** Lets processes that are ready do the same thing at the same moment. */
async function together<T>(racers: readonly Child[], wish: string): Promise<readonly T[]> {
  for (const racer of racers) racer.say(wish);
  return Promise.all(racers.map(async (racer) => JSON.parse((await racer.next()) ?? 'null') as T));
}

describe('several processes on one store', () => {
  it('create one call for one idempotency key, and take each stranded call once', async () => {
    const racers = [start('racer'), start('racer')];
    expect(await Promise.all(racers.map((racer) => racer.next()))).toEqual(['"ready"', '"ready"']);
    for (let round = 0; round < 20; round += 1) {
      const answers = await together<{ status: string; callId: string }>(racers, `create key-${round}`);
      expect(answers.map((answer) => answer.status).sort()).toEqual(['created', 'existing']);
      expect(new Set(answers.map((answer) => answer.callId)).size).toBe(1);
    }

    const victim = start('racer');
    await victim.next();
    const lost: string[] = [];
    for (let n = 0; n < 10; n += 1) {
      const [created] = await together<{ callId: string }>([victim], `create lost-${n}`);
      lost.push(created?.callId ?? '');
    }
    expect((await together<unknown[]>(racers, 'strand')).flat()).toEqual([]);
    victim.process.kill('SIGKILL');
    await victim.exited;
    const taken = (await together<{ callId: string }[]>(racers, 'strand')).flat().map((call) => call.callId);
    expect(taken.sort()).toEqual(lost.sort());
    expect(await together(racers, 'close')).toEqual(['closed', 'closed']);
    expect(racers.map((racer) => racer.errors())).toEqual(['', '']);
  });

  it('find every acknowledged line of one that was killed in the middle of writing', async () => {
    const callId = randomUUID() as CallId;
    const writer = start('writer', callId);
    let acknowledged = -1;
    while (acknowledged < 60) acknowledged = Number((await writer.next()) ?? Number.NaN);
    writer.process.kill('SIGKILL');
    for (let line = await writer.next(); line !== null; line = await writer.next()) acknowledged = Number(line);
    await writer.exited;
    const store = await openSqliteStore({ dataDir });
    const lines = await store.lines(callId, { from: 0, limit: 100_000 });
    expect(lines.slice(0, acknowledged + 1)).toEqual(
      Array.from({ length: acknowledged + 1 }, (_, index) => newLine(index)),
    );
    expect((await store.claimStranded('test', 'Claimed.')).map((call) => call.callId)).toEqual([callId]);
    await store.close();
  });

  it('tell a process from a later one with the same pid', async () => {
    const store = await openSqliteStore({ dataDir });
    const { callId } = await store.createCall(newCall());
    const connection = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
    const other = await openSqliteStore({ dataDir });
    expect(await other.claimStranded('test', 'Claimed.')).toEqual([]);
    if (process.platform === 'linux') {
      connection.exec("UPDATE leases SET process_started = 'earlier'");
      expect((await other.claimStranded('test', 'Claimed.')).map((call) => call.callId)).toEqual([callId]);
    }
    connection.close();
    await Promise.all([store.close(), other.close()]);
  });
});

describe('a store in trouble', () => {
  it('leaves the event loop free while another connection holds the write lock, and writes as soon as it may', async () => {
    const store = await openSqliteStore({ dataDir });
    const call = newCall();
    await store.createCall(call);
    const other = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    let written = false;
    const writing = store.putLine(call.callId, newLine(0)).then(() => {
      written = true;
    });
    for (let ticks = 0; ticks < 100; ticks += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(written).toBe(false);
    other.exec('COMMIT');
    await writing;
    expect(await store.lines(call.callId, { from: 0, limit: 10 })).toEqual([newLine(0)]);
    other.close();
    await store.close();
  });

  it('rejects a write as busy and retryable when the lock is held too long, and works again afterwards', async () => {
    const store = await openSqliteStore({ dataDir, busyTimeoutMs: 20 });
    const call = newCall();
    await store.createCall(call);
    const other = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    const results = await Promise.allSettled([store.putLine(call.callId, newLine(0)), store.call(call.callId)]);
    expect(results).toMatchObject([
      {
        status: 'rejected',
        reason: { name: 'UpstreamError', retryable: true, message: expect.stringContaining('store is busy') },
      },
      { status: 'fulfilled', value: { callId: call.callId } },
    ]);
    other.exec('ROLLBACK');
    other.close();
    await store.putLine(call.callId, newLine(0));
    await store.close();
  });

  it.runIf(process.platform !== 'win32')(
    'tells that the disk is full in a sentence, keeps what it acknowledged, and does not die',
    async () => {
      // No file of this process may grow beyond 1,024 blocks; Node ignores the signal, so that the write fails as on a full disk.
      const command = `ulimit -f 1024; exec "${process.execPath}" "${script('filler')}" "${dataDir}"`;
      const filler = follow(spawn('bash', ['-c', command], { stdio: 'pipe' }));
      const told = JSON.parse((await filler.next()) ?? 'null');
      expect(told).toMatchObject({ name: 'UpstreamError', retryable: false, message: expect.stringMatching(/disk/) });
      expect(told.kept).toBeGreaterThan(10);
      expect(told.read).toBe(told.kept);
      expect(await filler.exited).toBe(0);
    },
  );

  it('does not keep a process alive that forgets to close it', async () => {
    const idler = start('idler');
    expect(await idler.next()).toBe('done');
    expect(await idler.exited).toBe(0);
    expect(idler.errors()).toBe('');
  });

  it('goes on after a request that the database refuses', async () => {
    const store = await openSqliteStore({ dataDir });
    const connection = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
    connection.exec('DROP TABLE usage');
    connection.close();
    await expect(store.usage('any' as CallId)).rejects.toBeInstanceOf(UpstreamError);
    await expect(store.createCall(newCall())).resolves.toMatchObject({ status: 'created' });
    await store.close();
  });

  it('rejects what cannot even be sent to its thread', async () => {
    const store = await openSqliteStore({ dataDir });
    const note = { atMs: 0, kind: 'odd', data: { value: (() => 0) as unknown as string } };
    await expect(store.addNote('any' as CallId, note)).rejects.toBeInstanceOf(UpstreamError);
    await expect(store.createCall(newCall())).resolves.toMatchObject({ status: 'created' });
    await store.close();
  });
});

describe('opening', () => {
  it('creates the folder and the files for this user alone', async () => {
    const nested = join(dataDir, 'deep', 'data');
    const store = await openSqliteStore({ dataDir: nested });
    await store.createCall(newCall());
    if (process.platform !== 'win32') {
      expect(statSync(nested).mode & 0o777).toBe(0o700);
      const modes = readdirSync(nested).map((file) => [file, (statSync(join(nested, file)).mode & 0o777).toString(8)]);
      expect(modes.sort()).toEqual([
        ['switchboard.sqlite', '600'],
        ['switchboard.sqlite-shm', '600'],
        ['switchboard.sqlite-wal', '600'],
      ]);
    }
    await store.close();
  });

  it('closes a file to others that was open to them', async () => {
    await (await openSqliteStore({ dataDir })).close();
    const file = join(dataDir, 'switchboard.sqlite');
    chmodSync(file, 0o644);
    await (await openSqliteStore({ dataDir })).close();
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('at the same moment in several places gives each a working store', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openSqliteStore({ dataDir })));
    await Promise.all(stores.map((store) => store.createCall(newCall())));
    expect(await stores[0]?.calls({ limit: 10 })).toHaveLength(4);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('refuses a file of a newer version and leaves it as it is', async () => {
    await (await openSqliteStore({ dataDir })).close();
    const connection = new DatabaseSync(join(dataDir, 'switchboard.sqlite'));
    connection.exec('PRAGMA user_version = 999');
    const opening = openSqliteStore({ dataDir });
    await expect(opening).rejects.toBeInstanceOf(ConfigError);
    await expect(opening).rejects.toMatchObject({
      message: expect.stringMatching(/newer Switchboard.*Update/),
      settings: ['DATA_DIR'],
    });
    expect(connection.prepare('PRAGMA user_version').get()).toEqual({ user_version: 999 });
    connection.close();
  });

  it('refuses a folder that cannot be one, and a file that is no database, in sentences', async () => {
    const file = join(dataDir, 'a-file');
    writeFileSync(file, 'x');
    await expect(openSqliteStore({ dataDir: join(file, 'below') })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('Set DATA_DIR'),
    });
    const folder = join(dataDir, 'folder');
    mkdirSync(folder);
    writeFileSync(join(folder, 'switchboard.sqlite'), 'this is no database '.repeat(100));
    await expect(openSqliteStore({ dataDir: folder })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('not a database'),
    });
  });
});
