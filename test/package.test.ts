import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = new URL('..', import.meta.url).pathname;
const PACKED = ['src', 'assets', 'docs', 'nginx', 'systemd', 'package.json', 'tsup.config.ts', 'tsconfig.json'];
const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'LICENSE', 'THIRD-PARTY-LICENSES.txt', '.env.example'];

let workshop: string;
let home: string;
let packedFiles: readonly string[];
let cli: string;
let tarball: string;

/** Nothing of ours is set, whatever the machine that runs the tests has in its environment. */
function bareEnvironment(): Record<string, string> {
  return { HOME: home, PATH: process.env.PATH ?? '' };
}

/** The tree is packed from a copy, so that its `dist` is built afresh and nobody else's is touched. */
beforeAll(async () => {
  workshop = mkdtempSync(join(tmpdir(), 'switchboard-package-'));
  home = join(workshop, 'home');
  const tree = join(workshop, 'tree');
  const user = join(workshop, 'user');
  for (const folder of [home, tree, user]) mkdirSync(folder);
  for (const name of [...PACKED, ...DOCUMENTS]) cpSync(join(ROOT, name), join(tree, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  const packed = await run('npm', ['pack', '--silent', '--json', '--pack-destination', workshop], { cwd: tree });
  const [entry] = JSON.parse(packed.stdout) as { filename: string; files: { path: string }[] }[];
  if (entry === undefined) throw new Error('npm pack says nothing of what it packed');
  packedFiles = entry.files.map((file) => file.path);
  const quick = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  tarball = join(workshop, entry.filename);
  await run('npm', ['init', '-y'], { cwd: user });
  await run('npm', ['install', ...quick, tarball], { cwd: user });
  cli = join(user, 'node_modules', 'switchboard-mcp', 'dist', 'cli.js');
}, 120_000);

afterAll(() => rmSync(workshop, { recursive: true, force: true }));

interface Locked {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
}

it('package-lock.json names the optional packages of every platform, without which npm ci refuses it', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Locked;
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
    ),
  );
  expect(missing).toEqual([]);
});

it('the licence of what is bundled comes with the package, word for word', () => {
  const licence = readFileSync(join(ROOT, 'node_modules', 'express-ws', 'LICENSE'), 'utf8');
  expect(readFileSync(join(ROOT, 'THIRD-PARTY-LICENSES.txt'), 'utf8')).toContain(licence);
});

describe('the package', () => {
  it('holds what runs, what it speaks and what one reads first, and no more', () => {
    for (const name of [
      ...DOCUMENTS,
      'dist/cli.js',
      'dist/store-worker.js',
      'dist/cdr-worker.js',
      'assets/speech/phrases.json',
    ])
      expect(packedFiles).toContain(name);
    for (const name of ['nginx/switchboard.conf', 'systemd/switchboard.service', 'docs/operations.md'])
      expect(packedFiles).toContain(name);
    const others = /^(dist|assets|docs|nginx|systemd)\/|^package\.json$/;
    expect(packedFiles.filter((name) => !others.test(name)).sort()).toEqual([...DOCUMENTS].sort());
    expect(packedFiles.filter((name) => /\.(map|ts)$|test/.test(name))).toEqual([]);
  });

  it('brings one ws, of version 8, and no express-ws of its own', () => {
    const user = join(workshop, 'user', 'node_modules');
    const installed = readdirSync(user, { recursive: true, encoding: 'utf8' });
    expect(installed.filter((path) => /(^|node_modules\/)express-ws$/.test(path))).toEqual([]);
    const versions = installed
      .filter((path) => /(^|node_modules\/)ws\/package\.json$/.test(path))
      .map((path) => String(JSON.parse(readFileSync(join(user, path), 'utf8')).version));
    expect(versions).toEqual([expect.stringMatching(/^8\./)]);
  });

  it('has a command called switchboard', async () => {
    const cwd = join(workshop, 'user');
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const { stdout } = await run('npx', ['--no-install', 'switchboard', '--version'], { cwd, env: bareEnvironment() });
    expect(stdout).toBe(`${version}\n`);
  });

  it('runs with npx from the packed file alone', async () => {
    const cwd = join(workshop, 'home');
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const quick = ['--yes', '--prefer-offline', '--loglevel=error'];
    const named = await run('npx', [...quick, `--package=${tarball}`, 'switchboard', '--version'], { cwd });
    expect(named.stdout).toBe(`${version}\n`);
    // One command only, so `npx switchboard-mcp` means this one.
    expect(Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).bin)).toEqual(['switchboard']);
  }, 120_000);

  it('says which Node it needs under an older one, and loads nothing', async () => {
    const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})`;
    const failure = await run(process.execPath, ['--import', old, cli], { env: bareEnvironment() }).catch(
      (error) => error,
    );
    expect(failure).toMatchObject({ code: 1, stdout: '' });
    expect(failure.stderr).toMatch(/^switchboard: Node\.js 22\.18 or later is needed, this is 20\.20\.2\..*\n$/);
  });

  it('answers an MCP client without any settings, with nothing but JSON-RPC on stdout', async () => {
    const { answers, others } = await shakeHands();
    expect(others).toEqual([]);
    expect(answers.get(1)).toMatchObject({ serverInfo: { name: 'switchboard' } });
    const { tools } = answers.get(2) as { tools: { name: string }[] };
    expect(tools.map((tool) => tool.name)).toEqual([
      'trigger-call',
      'wait-for-call',
      'get-call',
      'list-calls',
      'end-call',
      'search-transcripts',
      'get-recording',
    ]);
    const { structuredContent } = answers.get(3) as { structuredContent: { status: string; message: string } };
    expect(structuredContent).toMatchObject({
      status: 'error',
      message: expect.stringMatching(
        /PUBLIC_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_NUMBER, OPENAI_API_KEY.*--simulate/s,
      ),
    });
  });

  it('holds a simulated call, from the ring to the goodbye', async () => {
    const args = [
      'call',
      '--simulate',
      '+14155550123',
      'Book a table for four on Friday at seven in the evening.',
      '--json',
    ];
    const { stdout } = await run(process.execPath, [cli, ...args], { env: bareEnvironment() });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ simulated: true, outcome: 'completed' });
    expect(report.lines.map((line: { speaker: string }) => line.speaker)).toEqual(
      expect.arrayContaining(['agent', 'callee']),
    );
  }, 90_000);
});

/** Answers by id, and whatever else came from stdout. */
async function shakeHands(): Promise<{ answers: Map<number, unknown>; others: string[] }> {
  const child = spawn(process.execPath, [cli, '--port', '0'], {
    env: bareEnvironment(),
    cwd: home,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const answers = new Map<number, unknown>();
  const others: string[] = [];
  const complete = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = parsed(line);
    if (message === null) others.push(line);
    else if (message.id !== undefined) answers.set(message.id, message.result);
    if (answers.size === 3) complete.resolve();
  });
  const say = (message: object): void => void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const clientInfo = { name: 'package-test', version: '1' };
  say({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } });
  say({ method: 'notifications/initialized' });
  say({ id: 2, method: 'tools/list' });
  const call = { toNumber: '+14155550123', callContext: 'Book a table.' };
  say({ id: 3, method: 'tools/call', params: { name: 'trigger-call', arguments: call } });
  await Promise.race([complete.promise, exited]);
  child.stdin.end();
  await exited;
  return { answers, others };
}

function parsed(line: string): { id?: number; result?: unknown } | null {
  try {
    const message = JSON.parse(line);
    return message?.jsonrpc === '2.0' ? message : null;
  } catch {
    return null;
  }
}
