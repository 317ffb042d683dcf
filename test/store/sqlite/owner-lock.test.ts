import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { tryOwnerLock } from '../../../src/store/sqlite/owner-lock.ts';

const SCRIPT = fileURLToPath(new URL('./processes/owner.ts', import.meta.url));

let folder: string;
let dataDir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchboard-lock-'));
  dataDir = join(folder, "Käthe's data 100%?x#y");
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Contender {
  readonly child: ChildProcess;
  /** What it answers to a wish. */
  ask(wish: string): Promise<unknown>;
}

async function contender(): Promise<Contender> {
  const child = spawn(process.execPath, ['--expose-gc', SCRIPT, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  expect(await next()).toBe('ready');
  return {
    child,
    ask: (wish) => {
      child.stdin.write(`${wish}\n`);
      return next();
    },
  };
}

describe('the lock of the owner', { timeout: 60_000 }, () => {
  it('is had by exactly one of eight processes that want it at the same moment, and by another when that one is killed', async () => {
    let contenders = await Promise.all(Array.from({ length: 8 }, contender));
    while (contenders.length > 1) {
      const got = await Promise.all(contenders.map(({ ask }) => ask('take')));
      expect(got.filter((one) => one === true)).toHaveLength(1);
      const winner = contenders[got.indexOf(true)];
      winner?.child.kill('SIGKILL');
      if (winner) await once(winner.child, 'exit');
      contenders = contenders.filter((one) => one !== winner);
    }
    expect(await contenders[0]?.ask('take')).toBe(true);
  });

  it('is kept when its process tries for it again, and when nothing refers to it any more', async () => {
    const [owner, other] = [await contender(), await contender()];
    expect(await owner.ask('take')).toBe(true);
    expect(await owner.ask('again')).toBe(false);
    expect(await other.ask('take')).toBe(false);
    expect(await owner.ask('collect')).toBe(true);
    expect(await other.ask('take')).toBe(false);
  });

  it('is given back once, and can be had again by the same process', async () => {
    const [owner, other] = [await contender(), await contender()];
    expect(await owner.ask('take')).toBe(true);
    expect(await owner.ask('release')).toBe('released');
    expect(await other.ask('take')).toBe(true);
    expect(await owner.ask('take')).toBe(false);
    expect(await other.ask('release')).toBe('released');
    expect(await owner.ask('take')).toBe(true);
  });

  it('is kept by a process that stands still', async () => {
    const [owner, other] = [await contender(), await contender()];
    expect(await owner.ask('take')).toBe(true);
    owner.child.kill('SIGSTOP');
    expect(await other.ask('take')).toBe(false);
  });

  it('lies in a folder and a file for this user alone', () => {
    const lock = tryOwnerLock(dataDir);
    expect([dataDir, join(dataDir, 'owner.lock')].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600]);
    lock?.release();
  });

  it('cannot be had where there can be no folder, and says so', () => {
    writeFileSync(dataDir, '');
    const attempt = () => tryOwnerLock(join(dataDir, 'data'));
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(/DATA_DIR .* cannot be used.*set another one/);
  });
});
