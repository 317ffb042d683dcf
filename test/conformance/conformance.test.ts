import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
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

let results: string;
beforeAll(() => {
  results = mkdtempSync(join(tmpdir(), 'switchboard-conformance-'));
});
afterAll(async () => {
  rmSync(results, { recursive: true, force: true });
  await here.cleanUp();
});

async function conformance(port: string, ...choice: readonly string[]) {
  const args = ['server', '--url', `http://127.0.0.1:${port}/mcp`, '-o', results, ...choice];
  const run = promisify(execFile)(RUNNER, args, { cwd: results, maxBuffer: 64 * 1024 * 1024 });
  const { stdout, code } = await run.then((done) => ({ ...done, code: 0 })).catch((error) => error);
  const [, passed, failed] = /^Total: (\d+) passed, (\d+) failed$/m.exec(stdout) ?? [];
  return { code, passed: Number(passed), failed: Number(failed), stdout: stdout as string };
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
    const { code, passed, failed, stdout } = await conformance(port, '--suite', 'active');
    expect([code, passed, failed], stdout.slice(-3_000)).toEqual([0, 40, 0]);
  }, 60_000);

  it('is content with those that are not required yet', async () => {
    const { code, passed, failed, stdout } = await conformance(port, '--suite', 'pending');
    expect([code, passed, failed], stdout.slice(-3_000)).toEqual([0, 7, 0]);
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
      const { code, stdout } = await conformance(port(), '--scenario', scenario);
      expect([scenario, code], stdout.slice(-3_000)).toEqual([scenario, 0]);
    }
  }, 60_000);
});
