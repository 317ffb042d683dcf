import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/cli/doctor.ts';
import { processes } from './process.ts';

const here = processes();
afterEach(() => here.cleanUp());

const ENTRY = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function doctor(home: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ENTRY, 'doctor', ...args], { cwd: home, env: { HOME: home, ...env } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe('switchboard doctor', { timeout: 60_000 }, () => {
  it('with --simulate looks at a simulated 3CX and VoIP.ms where their sets are named', async () => {
    const args = ['--simulate', '--toolsets', 'voice,3cx,voipms', '--mcp-port', '0'];
    const { stdout } = await doctor(here.folder(), args);
    expect(stdout).toContain('extensions and route points can be controlled');
    expect(stdout).toContain('The API of VoIP.ms answers');
  });

  it('without any settings says what is missing and where it comes from, and ends with 1', async () => {
    const { code, stdout, stderr } = await doctor(here.folder(), ['--port', '0', '--mcp-port', '0']);
    expect(code).toBe(1);
    expect(stderr).toBe('');
    for (const name of ['PUBLIC_URL', 'TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_NUMBER', 'OPENAI_API_KEY']) {
      expect(stdout).toMatch(new RegExp(`^fail +settings +${name} is not set\\.\\n +→ Set it in the environment`, 'm'));
    }
    expect(stdout).toMatch(/\n5 failed\.\n$/);
  });

  it('on the simulators finds nothing, ends with 0, and gives one object with --json', async () => {
    const home = here.folder();
    const [text, json] = await Promise.all([
      doctor(home, ['--simulate', '--mcp-port', '0']),
      doctor(home, ['--simulate', '--json', '--mcp-port', '0']),
    ]);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(/^ok +audio stream +A signed WebSocket opens/m);
    expect(text.stdout).toMatch(/Nothing failed.*accounts are simulated\.\n$/);
    expect(json).toMatchObject({ code: 0, stderr: '' });
    const report: DoctorReport = JSON.parse(json.stdout);
    expect(report).toMatchObject({ ok: true, simulated: true });
    expect(report.findings.every(({ verdict }) => verdict === 'ok' || verdict === 'skipped')).toBe(true);
  });

  it('names a file .env that others may read, and no secret in it', async () => {
    const home = here.folder();
    writeFileSync(join(home, '.env'), 'OPENAI_API_KEY=sk-canary-key\nPORT=seven\n', { mode: 0o644 });
    const { code, stdout } = await doctor(home, ['--offline', '--mcp-port', '0']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^warn +\.env .*0644/m);
    expect(stdout).toMatch(/^fail +settings +PORT must be a whole number/m);
    expect(stdout).not.toContain('canary');
  });

  it('does not take a word that it does not know', async () => {
    const { code, stderr } = await doctor(here.folder(), ['--everything']);
    expect(code).toBe(1);
    expect(stderr).toContain('--everything');
  });
});
