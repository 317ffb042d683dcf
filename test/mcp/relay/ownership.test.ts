import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { type Doorway, openDoorway } from '../../../src/mcp/relay/doorway.ts';
import { type OwnerFile, readOwnerFile, removeOwnerFile, writeOwnerFile } from '../../../src/mcp/relay/owner-file.ts';
import { Ownership, type OwnershipOptions } from '../../../src/mcp/relay/ownership.ts';
import { thisProcess } from '../../../src/process-identity.ts';
import { until } from '../../fixtures/mcp-pair.ts';

const closers: (() => unknown)[] = [];
let dataDir: string;
beforeEach(() => {
  // A path as people have them.
  dataDir = join(mkdtempSync(join(tmpdir(), 'switchboard-owner-')), "Käthe's data 100%");
  mkdirSync(dataDir);
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  rmSync(join(dataDir, '..'), { recursive: true, force: true });
});

const HERE: Omit<OwnerFile, 'port' | 'token'> = {
  protocol: 1,
  version: '1.0.0',
  kind: 'stdio',
  process: thisProcess(),
};
const TOKEN = 'x'.repeat(43);

async function door(kind: OwnerFile['kind'] = 'stdio'): Promise<Doorway> {
  const doorway = await openDoorway({
    welcome: { kind, version: '1.0.0' },
    serve: async () => ({ close: async () => undefined }),
    logger: { debug: () => {} },
  });
  closers.push(() => doorway.close());
  writeOwnerFile(dataDir, { ...HERE, kind, port: doorway.port, token: doorway.token });
  return doorway;
}

function ownership(options: Partial<OwnershipOptions<string>> = {}): Ownership<string> {
  return new Ownership<string>({
    dataDir,
    version: '1.0.0',
    offer: { toolsets: [], tools: [], excludeTools: [], readOnly: false, confirmCalls: 'never' },
    digests: () => ({}),
    tryLock: () => null,
    own: async () => ({ readable: new PassThrough(), writable: new PassThrough() }),
    logger: { info: () => {}, warn: () => {} },
    ...options,
  });
}

describe('the file of the owner', () => {
  it('is for this user alone, is replaced as a whole, and leaves nothing beside it', () => {
    writeOwnerFile(dataDir, { ...HERE, port: 1, token: TOKEN });
    writeOwnerFile(dataDir, { ...HERE, port: 2, token: TOKEN });
    expect(readdirSync(dataDir)).toEqual(['owner.json']);
    expect(statSync(join(dataDir, 'owner.json')).mode & 0o777).toBe(0o600);
    expect(readOwnerFile(dataDir)).toMatchObject({ port: 2, token: TOKEN });
  });

  it('that a successor wrote is left alone by the one before', () => {
    writeOwnerFile(dataDir, { ...HERE, port: 1, token: TOKEN });
    removeOwnerFile(dataDir, 'y'.repeat(43));
    expect(readOwnerFile(dataDir)).not.toBeNull();
    removeOwnerFile(dataDir, TOKEN);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it.each([
    ['is missing', null],
    ['is empty', ''],
    ['was cut off', '{"protocol":1,"version":"1.0.0","kind":"stdio","pro'],
    ['has another form', '{"pid":1}'],
    [
      'is of a process that is gone',
      JSON.stringify({ ...HERE, process: { ...thisProcess(), pid: 2 ** 22 + 1 }, port: 1, token: TOKEN }),
    ],
    [
      'is of a process whose pid another one has now',
      JSON.stringify({ ...HERE, process: { ...thisProcess(), processStarted: '1' }, port: 1, token: TOKEN }),
    ],
  ])('is as good as none when it %s', (_, content) => {
    if (content !== null) writeFileSync(join(dataDir, 'owner.json'), content);
    expect(readOwnerFile(dataDir)).toBeNull();
  });

  it('is as good as none when it cannot be read; one that cannot be written leaves nothing beside it', () => {
    mkdirSync(join(dataDir, 'owner.json'));
    expect(readOwnerFile(dataDir)).toBeNull();
    expect(() => writeOwnerFile(dataDir, { ...HERE, port: 1, token: TOKEN })).toThrow();
    expect(readdirSync(dataDir)).toEqual(['owner.json']);
  });
});

describe('a process that looks for its server', () => {
  it('becomes it when it gets the lock, whatever an owner before left behind', async () => {
    writeOwnerFile(dataDir, { ...HERE, port: 1, token: TOKEN });
    const locks: (string | null)[] = [];
    const upstream = { readable: new PassThrough(), writable: new PassThrough() };
    const own = async (lock: string | null) => {
      locks.push(lock);
      return upstream;
    };
    const signal = new AbortController().signal;
    expect(await ownership({ tryLock: () => 'the lock', own }).connect(signal)).toBe(upstream);
    expect(locks).toEqual(['the lock']);
  });

  it('serves its client by itself where there can be no lock', async () => {
    const locks: (string | null)[] = [];
    const tryLock = () => {
      throw new ConfigError('DATA_DIR cannot be used.');
    };
    const own = async (lock: string | null) => {
      locks.push(lock);
      return { readable: new PassThrough(), writable: new PassThrough() };
    };
    await ownership({ tryLock, own }).connect(new AbortController().signal);
    expect(locks).toEqual([null]);
  });

  it('waits for an owner that has the lock and cannot be found yet', async () => {
    const looking = ownership();
    let looks = 0;
    const tryLock = () => {
      looks += 1;
      return null;
    };
    const connected = ownership({ tryLock }).connect(new AbortController().signal);
    await until(() => looks > 2);
    expect(looking.trouble()).toMatch(/Try again in a moment/);
    const doorway = await door();
    const { writable } = await connected;
    await until(() => doorway.clients() === 1);
    writable.destroy();
    await doorway.empty();
  });

  it('does not take another program at the port for the owner, and says whose port it was', async () => {
    const callers: Socket[] = [];
    const impostor = createServer((socket) => {
      callers.push(socket);
      socket.on('error', () => {}).end('Hello?\n');
    }).listen(0, '127.0.0.1');
    closers.push(() => impostor.close());
    await until(() => impostor.listening);
    writeOwnerFile(dataDir, { ...HERE, port: (impostor.address() as AddressInfo).port, token: TOKEN });
    const leaving = new AbortController();
    const looking = ownership();
    const connected = looking.connect(leaving.signal);
    await until(() => callers.length > 1);
    expect(looking.trouble()).toContain(`pid ${process.pid}`);
    leaving.abort();
    await expect(connected).rejects.toThrow();
  });

  it('says why an owner refuses it, and goes on trying', async () => {
    const doorway = await door();
    const leaving = new AbortController();
    const looking = ownership({ version: 'x'.repeat(100), offer: { toolsets: ['holograms'] } as never });
    const connected = looking.connect(leaving.signal);
    await until(() => looking.trouble().includes('do not understand each other'));
    leaving.abort();
    await expect(connected).rejects.toThrow();
    expect(doorway.clients()).toBe(0);
  });

  it.each([
    ['says nothing', () => undefined],
    ['is half through', (socket: Socket) => void socket.write(`${JSON.stringify({ nonce: 'n'.repeat(32) })}\n`)],
  ])('leaves at once with its client, also an owner that %s', async (_, talk) => {
    const sockets: Socket[] = [];
    const stopped = createServer((socket) => {
      sockets.push(socket.on('error', () => {}).resume());
      talk(socket);
    }).listen(0, '127.0.0.1');
    closers.push(() => stopped.close());
    await until(() => stopped.listening);
    writeOwnerFile(dataDir, { ...HERE, port: (stopped.address() as AddressInfo).port, token: TOKEN });
    const leaving = new AbortController();
    const connected = ownership().connect(leaving.signal);
    await until(() => sockets.length === 1 && (sockets[0]?.bytesRead ?? 0) >= 0);
    leaving.abort();
    await expect(connected).rejects.toThrow();
    await until(() => sockets[0]?.destroyed === true);
  });

  it('leaves a service that went the time to come back before it takes the telephone itself', async () => {
    const doorway = await door('serve');
    let isHeld = true;
    let tries = 0;
    const looking = ownership({
      tryLock: () => {
        tries += 1;
        return isHeld ? null : 'the lock';
      },
    });
    const signal = new AbortController().signal;
    const first = await looking.connect(signal);
    const before = tries;
    isHeld = false;
    await doorway.close();
    first.writable.destroy();
    const again = looking.connect(signal);
    const successor = await door('serve');
    await again;
    expect(tries).toBe(before);
    await until(() => successor.clients() === 1);
  });
});
