import { execFile, spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../fixtures/mcp-pair.ts';
import { processes } from '../journeys/process.ts';

/** The official runner, `@modelcontextprotocol/conformance`, as a program; without a file of expected failures. */
const RUNNER = new URL('../../node_modules/.bin/conformance', import.meta.url).pathname;
const here = processes();
/** How many checks a scenario has, where it has several. */
const CHECKS: Readonly<Record<string, number>> = { 'server-sse-multiple-streams': 2, 'dns-rebinding-protection': 2 };

let results: string;
beforeAll(() => {
  results = mkdtempSync(join(tmpdir(), 'switchboard-conformance-'));
});
afterAll(async () => {
  rmSync(results, { recursive: true, force: true });
  await here.cleanUp();
});

interface Check {
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED';
}

async function conformance(port: string, ...choice: readonly string[]) {
  const output = mkdtempSync(join(results, 'run-'));
  const args = ['server', '--url', `http://127.0.0.1:${port}/mcp`, '-o', output, ...choice];
  const run = promisify(execFile)(RUNNER, args, { cwd: results, maxBuffer: 64 * 1024 * 1024 });
  const { stdout, code } = await run.then((done) => ({ ...done, code: 0 })).catch((error) => error);
  // The sum on stdout leaves warnings out.
  const files = globSync('*/checks.json', { cwd: output });
  const checks = files.flatMap((file) => JSON.parse(readFileSync(join(output, file), 'utf8')) as Check[]);
  const count = (wanted: string) => checks.filter(({ status }) => status === wanted).length;
  const sum = { code, passed: count('SUCCESS'), failed: count('FAILURE'), warnings: count('WARNING') };
  return { sum, scenarios: files.length, stdout: stdout as string };
}

describe('the runner of the protocol, against fixtures on the wiring of the product', () => {
  let port: string;
  let stop: () => void;
  beforeAll(async () => {
    const entry = new URL('./server.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [entry], { stdio: ['ignore', 'pipe', 'inherit'] });
    stop = () => child.kill('SIGKILL');
    port = await new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  });
  afterAll(() => stop());

  it('is content with every scenario, in all of its checks', async () => {
    const { sum, scenarios, stdout } = await conformance(port, '--suite', 'active');
    expect(sum, stdout.slice(-3_000)).toEqual({ code: 0, passed: 40, failed: 0, warnings: 0 });
    expect(scenarios).toBe(30);
  }, 60_000);

  it('is content with those that are not required yet', async () => {
    const { sum, scenarios, stdout } = await conformance(port, '--suite', 'pending');
    expect(sum, stdout.slice(-3_000)).toEqual({ code: 0, passed: 7, failed: 0, warnings: 0 });
    expect(scenarios).toBe(2);
  }, 60_000);
});

describe('the runner of the protocol, against the product itself', () => {
  it('is content with every scenario that needs no fixture', async () => {
    const server = here.spawn({ args: ['serve', '--simulate', '--mcp-port', '0'] });
    const port = () => /"port":(\d+),"msg":"private listener is listening"/.exec(server.log)?.[1] ?? '';
    await until(() => port() !== '', 30_000);
    const scenarios = [
      'server-initialize',
      'ping',
      'tools-list',
      'resources-list',
      'prompts-list',
      'server-sse-multiple-streams',
      'dns-rebinding-protection',
    ];
    for (const scenario of scenarios) {
      const { sum, stdout } = await conformance(port(), '--scenario', scenario);
      expect([scenario, sum], stdout.slice(-3_000)).toEqual([
        scenario,
        { code: 0, passed: CHECKS[scenario] ?? 1, failed: 0, warnings: 0 },
      ]);
    }
  }, 60_000);
});
