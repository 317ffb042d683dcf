import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectStdioClient } from '../../src/mcp/client.ts';

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const SECRET = 'sk-a-very-secret-key-0123456789';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'switchboard-install-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function install(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const options = { cwd: home, env: { HOME: home, ...env } };
  const { stdout, stderr, code } = await promisify(execFile)(process.execPath, [CLI, 'install', ...args], options)
    .then((result) => ({ ...result, code: 0 }))
    .catch((error: { stdout: string; stderr: string; code: number }) => error);
  return { stdout, stderr, code };
}

function read(path: string): {
  readonly mcpServers: Record<string, { command: string; args: string[]; env?: Record<string, string> }>;
} {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** As clients refer to one in their files. */
function variable(name: string): string {
  return `\${${name}}`;
}

const FILES = {
  'claude-desktop': '.config/Claude/claude_desktop_config.json',
  'claude-code': '.claude.json',
  cursor: '.cursor/mcp.json',
  vscode: '.config/Code/User/mcp.json',
  'rovo-dev': '.rovodev/mcp.json',
  gemini: '.gemini/settings.json',
} as const;

describe.skipIf(process.platform !== 'linux')('switchboard install', () => {
  it.each(Object.entries(FILES))(
    'puts itself into the file of %s, for its owner alone, and takes itself out again',
    async (client, file) => {
      const path = join(home, file);
      const done = await install([client, '--simulate']);
      expect(done).toMatchObject({ code: 0, stderr: '' });
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(readFileSync(path, 'utf8')).toContain(CLI);
      expect(readFileSync(path, 'utf8')).toContain('--simulate');
      const again = await install([client, '--simulate']);
      expect(again.stdout).toContain('nothing was changed');
      expect(readdirSync(join(path, '..')).filter((name) => name.includes('backup'))).toEqual([]);
      await install([client, '--remove']);
      expect(readFileSync(path, 'utf8')).not.toContain(CLI);
    },
  );

  it.each(['claude-desktop', 'cursor'] as const)(
    'writes an entry for %s that starts and shakes hands, in any folder',
    async (client) => {
      await install([client, '--simulate', '--read-only']);
      const { command, args } = read(join(home, FILES[client])).mcpServers.switchboard ?? expect.fail('no entry');
      const server = await connectStdioClient({ command, args, env: { HOME: home }, cwd: tmpdir(), version: '0' });
      expect(await server.listTools()).toEqual(expect.arrayContaining(['get-call']));
      expect(await server.listTools()).not.toContain('trigger-call');
      await server.close();
    },
  );

  it('leaves the secrets in the file with the settings, and names that', async () => {
    writeFileSync(join(home, '.env'), `OPENAI_API_KEY=${SECRET}\n`);
    const { stdout } = await install(['claude-desktop']);
    const text = readFileSync(join(home, FILES['claude-desktop']), 'utf8');
    expect(read(join(home, FILES['claude-desktop'])).mcpServers.switchboard?.args.slice(-2)).toEqual([
      '--settings',
      join(home, '.env'),
    ]);
    expect(`${stdout}${text}`).not.toContain(SECRET);
  });

  it('refers to the environment where a client can, and copies a secret only when told to, and never shows it', async () => {
    const env = { OPENAI_API_KEY: SECRET, OPENAI_VOICE: 'sage' };
    await install(['claude-code'], env);
    expect(read(join(home, '.claude.json')).mcpServers.switchboard?.env).toEqual({
      OPENAI_API_KEY: variable('OPENAI_API_KEY'),
      OPENAI_VOICE: variable('OPENAI_VOICE'),
    });
    const desktop = await install(['claude-desktop'], env);
    expect(read(join(home, FILES['claude-desktop'])).mcpServers.switchboard?.env).toEqual({ OPENAI_VOICE: 'sage' });
    expect(desktop.stdout).toMatch(/OPENAI_API_KEY of your environment is a secret.*--copy-secrets/);
    const copied = await install(['claude-desktop', '--copy-secrets'], env);
    expect(read(join(home, FILES['claude-desktop'])).mcpServers.switchboard?.env).toMatchObject({
      OPENAI_API_KEY: SECRET,
    });
    for (const json of [[], ['--json']]) {
      const shown = await install(['rovo-dev', '--copy-secrets', '--dry-run', ...json], env);
      expect(shown.stdout).toContain('OPENAI_API_KEY');
      expect(shown.stdout).not.toContain(SECRET);
    }
    expect(copied.stdout).not.toContain(SECRET);
  });

  it('shows with --dry-run what it would do, and does nothing', async () => {
    const path = join(home, '.cursor', 'mcp.json');
    const { stdout } = await install(['cursor', '--dry-run', '--simulate']);
    expect(stdout).toMatch(/^Would change /);
    expect(stdout).toContain('+     "switchboard": {');
    expect(() => statSync(path)).toThrow(/ENOENT/);
    const { stdout: json } = await install(['cursor', '--dry-run', '--json']);
    expect(JSON.parse(json)).toMatchObject({ client: 'cursor', file: path, backup: null, changed: true, dryRun: true });
  });

  it('keeps a copy of what was there, follows a link, and leaves a file that it does not understand', async () => {
    const real = join(home, 'dotfiles.json');
    const before = '{\n  // mine\n  "mcpServers": { "other": { "command": "x" } }\n}\n';
    writeFileSync(real, before, { mode: 0o644 });
    mkdirSync(join(home, '.cursor'));
    symlinkSync(real, join(home, '.cursor', 'mcp.json'));
    const { stdout } = await install(['cursor', '--json']);
    const { backup } = JSON.parse(stdout);
    expect(readFileSync(backup, 'utf8')).toBe(before);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(readFileSync(real, 'utf8')).toContain('// mine');
    expect(readFileSync(real, 'utf8')).toContain(CLI);
    writeFileSync(real, '{"mcpServers": ');
    const refused = await install(['cursor']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/dotfiles\.json is not valid JSON.*nothing was changed/);
    expect(readFileSync(real, 'utf8')).toBe('{"mcpServers": ');
  });

  it('puts a server that runs elsewhere in by its address, with a token by reference', async () => {
    const url = 'https://switchboard.example.com/mcp';
    await install(['vscode', '--url', url, '--scope', 'project']);
    expect(JSON.parse(readFileSync(join(home, '.vscode', 'mcp.json'), 'utf8'))).toEqual({
      servers: {
        switchboard: { type: 'http', url, headers: { Authorization: `Bearer ${variable('input:switchboard-token')}` } },
      },
      inputs: [
        {
          type: 'promptString',
          id: 'switchboard-token',
          description: 'Switchboard: token of the server',
          password: true,
        },
      ],
    });
    const refused = await install(['claude-desktop', '--url', url]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('connectors')]);
  });

  it('says what there is when it is asked for nothing, or for what is not there', async () => {
    const { stdout } = await install([]);
    for (const client of Object.keys(FILES)) expect(stdout).toContain(client);
    const unknown = await install(['emacs']);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/no client "emacs".*claude-desktop/)]);
    const missing = await install(['cursor', '--settings', 'nothing.env']);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('no file nothing.env')]);
  });
});
