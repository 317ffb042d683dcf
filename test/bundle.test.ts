import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOOLS } from '../src/mcp/catalogue.ts';
import { connectStdioClient } from '../src/mcp/client.ts';

const run = promisify(execFile);
const ROOT = new URL('..', import.meta.url).pathname;
const MCPB = join(ROOT, 'node_modules', '.bin', 'mcpb');

/** What is offered where no office is set up. */
const VOICE = TOOLS.filter(({ toolset }) => toolset === 'voice').map(({ name }) => name);

let workshop: string;
let unpacked: string;
let bundle: string;

interface Manifest {
  readonly server: {
    readonly mcp_config: { readonly command: string; readonly args: string[]; readonly env: Record<string, string> };
  };
  readonly user_config: Readonly<Record<string, { readonly sensitive: boolean; readonly default?: unknown }>>;
  readonly tools: readonly { readonly name: string }[];
}

/** Built from a copy, so that nobody else's `dist` is touched, and unpacked as a host would. */
beforeAll(async () => {
  workshop = mkdtempSync(join(tmpdir(), 'switchboard-bundle-'));
  const tree = join(workshop, 'tree');
  mkdirSync(tree);
  for (const name of readdirSync(ROOT)) {
    if (!/^(node_modules|dist|\.git)$|\.mcpb$/.test(name))
      cpSync(join(ROOT, name), join(tree, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  bundle = join(workshop, 'switchboard.mcpb');
  await run(join(tree, 'scripts', 'bundle'), [bundle], { cwd: tree, maxBuffer: 64 * 1024 * 1024 });
  unpacked = join(workshop, 'unpacked');
  await run(MCPB, ['unpack', bundle, unpacked]);
}, 240_000);

afterAll(() => rmSync(workshop, { recursive: true, force: true }));

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(unpacked, 'manifest.json'), 'utf8'));
}

describe('the bundle for hosts that install with a click', () => {
  it('passes the official check, and tells of itself', async () => {
    await run(MCPB, ['validate', join(unpacked, 'manifest.json')]);
    const { stdout } = await run(MCPB, ['info', bundle]);
    expect(stdout).toContain('.mcpb');
    expect(statSync(bundle).size).toBeLessThan(40 * 1024 * 1024);
    expect(manifest().tools.map(({ name }) => name)).toEqual(VOICE);
  });

  it('asks for secrets as secrets, and holds none', () => {
    const { user_config: asked } = manifest();
    expect(Object.keys(asked).filter((name) => asked[name]?.sensitive)).toEqual([
      'twilio_auth_token',
      'openai_api_key',
      'ami_secret',
    ]);
    for (const { sensitive, default: fallback } of Object.values(asked))
      if (sensitive) expect(fallback).toBeUndefined();
  });

  it('holds no tests, no sources and no settings of ours', () => {
    const files = readdirSync(join(unpacked, 'server'));
    for (const name of ['test', 'src', '.env', 'package-lock.json']) expect(files).not.toContain(name);
    expect(readdirSync(join(unpacked, 'server', 'node_modules'))).not.toContain('vitest');
  });

  it.each([
    ['empty', (): string => ''],
    ['as they stand', (reference: string): string => reference],
  ])(
    'starts as its manifest says where answers that nobody gave are %s, and says what is missing',
    async (_, unanswered) => {
      const home = mkdtempSync(join(workshop, 'home-'));
      const { args, env } = manifest().server.mcp_config;
      const answered = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, unanswered(value)]));
      const client = await connectStdioClient({
        command: process.execPath,
        args: args.map((word) => word.replace('${' + '__dirname}', unpacked)),
        env: { ...answered, HOME: home, PORT: '0' },
        cwd: home,
        version: '0',
      });
      expect(await client.listTools()).toEqual(VOICE);
      const call = client.callTool('trigger-call', { toNumber: '+14155550123', callContext: 'Book a table.' });
      await expect(call).rejects.toThrow(/PUBLIC_URL.*TWILIO_ACCOUNT_SID.*are not set/s);
      await client.close();
    },
  );
});
