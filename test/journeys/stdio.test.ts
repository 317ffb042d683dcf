import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.ts';
import { readConfig } from '../../src/config/config.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { processes } from './process.ts';
import { ringingForEver } from './short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

/** As an assistant asks for a call; the number exists in films only. */
const ASKED = { toNumber: '+14155550123', callContext: 'Book a table for two tonight, under the name Carter.' };

async function occupiedPort(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  here.later({ close: async () => void server.close() });
  return { server, port: (server.address() as AddressInfo).port };
}

describe('the process, as an MCP client starts it', { timeout: 60_000 }, () => {
  it('shakes hands with no settings at all, at once, and lists its tools', async () => {
    // A process that only says its version shows what a start takes on this machine at this moment.
    const beganAtMs = performance.now();
    await here.spawn({ args: ['--version'] }).exit;
    const startMs = performance.now() - beganAtMs;
    const server = here.spawn();
    const startedAtMs = performance.now();
    const result = await server.initialize();
    expect(performance.now() - startedAtMs).toBeLessThan(1_000 + 5 * startMs);
    expect(result).toMatchObject({ serverInfo: { name: 'switchboard' }, instructions: expect.any(String) });
    const { tools } = await server.request('tools/list', {});
    expect((tools as { name: string }[]).map(({ name }) => name).sort()).toEqual(
      [
        'end-call',
        'get-call',
        'get-recording',
        'list-calls',
        'search-transcripts',
        'trigger-call',
        'wait-for-call',
      ].sort(),
    );
    const asked = await server.tool('trigger-call', ASKED);
    expect(asked.isError).toBe(true);
    expect(asked.data).toMatchObject({ status: 'error', callId: null, simulated: false });
    const message = String(asked.data.message);
    for (const name of ['PUBLIC_URL', 'TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_NUMBER', 'OPENAI_API_KEY'])
      expect(message).toContain(name);
    expect(message).toMatch(/\.env|environment/);
    expect(message).toContain('--simulate');
    const listed = await server.tool('list-calls', {});
    expect(listed).toMatchObject({ isError: false, data: { calls: [], simulated: false } });
    expect(server.foreign).toEqual([]);
    server.endInput();
    expect(await server.exit).toEqual({ code: 0, signal: null });
  });

  it('speaks each version of the protocol with who asks for it, and its newest with who asks for one that it does not know', async () => {
    const versions = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'];
    const spoken = versions.map(async (protocolVersion) => {
      const server = here.spawn();
      const clientInfo = { name: 'by-hand', version: '1' };
      const hello = await server.request('initialize', { protocolVersion, capabilities: {}, clientInfo });
      server.raw('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
      const { tools } = await server.request('tools/list', {});
      return [hello.protocolVersion, (tools as object[]).length];
    });
    const answered = [...versions.slice(0, 4), '2025-11-25'].map((version) => [version, 7]);
    expect(await Promise.all(spoken)).toEqual(answered);
  });

  it('tells of every bad setting in the tools, and lives', async () => {
    const world = here.later(await ringingForEver());
    const env = {
      ...world.env,
      DATA_DIR: here.folder(),
      TWILIO_NUMBER: 'not a number',
      PUBLIC_URL: 'http://calls.example.com',
      TWILIO_AUTH_TOKEN: 'has spaces and-a-secret',
      MAX_CALLS_PER_HOUR: '-3',
    };
    const server = await here.start({ env });
    const { isError, text } = await server.tool('trigger-call', ASKED);
    expect(isError).toBe(true);
    for (const name of ['TWILIO_NUMBER', 'PUBLIC_URL', 'TWILIO_AUTH_TOKEN', 'MAX_CALLS_PER_HOUR'])
      expect(text).toContain(name);
    expect(text).toContain('https://');
    expect(text).not.toContain('and-a-secret');
    expect(await server.tool('list-calls', {})).toMatchObject({ isError: false });
    expect(world.twilio.calls).toHaveLength(0);
    expect(server.log).not.toContain('and-a-secret');
  });

  it('says in the tools which port is taken, and dials nobody meanwhile', async () => {
    const { port } = await occupiedPort();
    const world = here.later(await ringingForEver());
    const env = {
      ...world.env,
      DATA_DIR: here.folder(),
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
    };
    const server = await here.start({ env });
    const asked = await server.tool('trigger-call', ASKED);
    expect(asked.isError).toBe(true);
    expect(asked.text).toContain(String(port));
    expect(asked.text).toMatch(/in use|taken|another program/i);
    // Not found out by asking a stranger's server.
    expect(asked.text).not.toContain('PUBLIC_URL');
    const listed = await server.tool('list-calls', {});
    expect(listed.isError).toBe(false);
    expect(listed.text).toContain(String(port));
    expect(world.twilio.calls).toHaveLength(0);
  });

  it('takes the port as soon as it is free', async () => {
    const { server: occupant, port } = await occupiedPort();
    const world = here.later(await ringingForEver());
    const dataDir = here.folder();
    const reading = readConfig({
      env: { ...world.env, DATA_DIR: dataDir, PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` },
    });
    const app = compose({ reading, logger: pino({ level: 'silent' }), retryMs: 50 });
    here.later({ close: () => app.stop(0) });
    await app.started;
    expect(app.status().join()).toContain(String(port));
    await expect(app.switchboard.place({ to: ASKED.toNumber, context: ASKED.callContext })).rejects.toThrow(
      String(port),
    );
    occupant.close();
    await until(() => app.status().length === 0, 10_000);
    const { callId } = await app.switchboard.place({ to: ASKED.toNumber, context: ASKED.callContext });
    expect(world.twilio.calls).toHaveLength(1);
    await app.switchboard.end(callId, 'now');
  });

  it('says in a sentence that its data folder cannot be used', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'switchboard-journey-'));
    here.later({ close: async () => rmSync(folder, { recursive: true, force: true }) });
    // A file where a folder should be fails for every user; a folder without the right to write does not for root.
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    const world = here.later(await ringingForEver());
    const folders = process.getuid?.() === 0 ? [join(file, 'data')] : [join(file, 'data'), join(locked, 'data')];
    for (const dataDir of folders) {
      const server = await here.start({ env: { ...world.env, DATA_DIR: dataDir }, args: ['--simulate'] });
      const asked = await server.tool('trigger-call', ASKED);
      expect(asked.isError).toBe(true);
      expect(asked.text).toContain('DATA_DIR');
      expect(asked.text).toMatch(/Set DATA_DIR to a folder that this user may write/);
      const listed = await server.tool('list-calls', {});
      expect(listed.isError).toBe(true);
      expect(listed.text).toContain('DATA_DIR');
    }
    expect(world.twilio.calls).toHaveLength(0);
  });
});

it('a call from the command line goes the way that is said, and no other', { timeout: 60_000 }, async () => {
  const words = ['call', '101', 'Ask for Ben.', '--json'];
  const unknown = here.spawn({ args: [...words, '--via', 'pigeon', '--simulate'] });
  expect(await unknown.exit).toEqual({ code: 1, signal: null });
  expect(JSON.parse(unknown.stdout[0] ?? '')).toEqual({ error: expect.stringMatching(/no way "pigeon".*3cx/) });
  const lacking = here.spawn({ args: [...words, '--via', '3cx'] });
  expect(await lacking.exit).toEqual({ code: 1, signal: null });
  expect(JSON.parse(lacking.stdout[0] ?? '')).toEqual({ error: expect.stringContaining('PBX_FQDN') });
});

it('a command that fails prints one JSON object to whoever asked for JSON', { timeout: 60_000 }, async () => {
  const command = here.spawn({ args: ['call', '911', 'A fire.', '--simulate', '--json'] });
  expect(await command.exit).toEqual({ code: 1, signal: null });
  expect(command.stdout.map((line) => JSON.parse(line))).toEqual([{ error: expect.stringContaining('emergency') }]);
});

it('the demo does not mind the settings of real calls in the folder it is run in', { timeout: 60_000 }, async () => {
  const cwd = here.folder();
  writeFileSync(join(cwd, '.env'), 'PUBLIC_URL=https://calls.example.com\nALLOWED_NUMBERS=+44\n');
  const entry = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [entry, 'demo', '--json', '--scenario', 'hangs-up'], {
    cwd,
  });
  expect(JSON.parse(stdout)).toMatchObject({ simulated: true, outcome: 'callee-hung-up' });
});

describe('--simulate on a machine with real accounts', { timeout: 60_000 }, () => {
  it('leaves the accounts alone: the call is held by the simulators, and kept apart', async () => {
    const dataDir = here.folder();
    const env = {
      DATA_DIR: dataDir,
      PUBLIC_URL: 'https://calls.example.com',
      TWILIO_ACCOUNT_SID: `AC${'1'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'of-a-real-account',
      TWILIO_API_KEY: `SK${'1'.repeat(32)}`,
      TWILIO_API_SECRET: 'of-a-real-account',
      TWILIO_NUMBER: '+14155550101',
      TWILIO_API_BASE_URL: 'https://proxy.example.com',
      OPENAI_API_KEY: 'of-a-real-account',
      OPENAI_REALTIME_DIALECT: 'beta',
    };
    // By the name of the command: some clients insist on one.
    const server = await here.start({ env, args: ['stdio', '--simulate'] });
    const placed = await server.tool('trigger-call', ASKED);
    expect(placed.data).toMatchObject({ status: 'success', simulated: true });
    const callId = String(placed.data.callId);
    await server.follow(callId, ({ lines }) => lines.length > 0);
    await server.tool('end-call', { callId, mode: 'now' });
    expect(existsSync(join(dataDir, 'simulated', 'switchboard.sqlite'))).toBe(true);
    expect(existsSync(join(dataDir, 'switchboard.sqlite'))).toBe(false);
  });
});

describe('what the process refuses', { timeout: 60_000 }, () => {
  it('says why, and what to do, and never dials', async () => {
    const world = here.later(await ringingForEver());
    const env = {
      ...world.env,
      DATA_DIR: here.folder(),
      BLOCKED_NUMBERS: '+1415555016',
      ALLOWED_NUMBERS: '+1415,+1900,+44',
      MAX_CALL_SECONDS: '120',
    };
    const server = await here.start({ env, args: ['--simulate'] });
    const refusals: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
      [{ toNumber: '+1911' }, /emergency.*person has to call/],
      [{ toNumber: '911' }, /emergency/],
      [{ toNumber: '+19005550123' }, /premium-rate.*ordinary number/],
      [{ toNumber: '+14155550166' }, /BLOCKED_NUMBERS holds \+1415555016.*operator can change/],
      [{ toNumber: '+12125550123' }, /ALLOWED_NUMBERS permits only.*\+1415/],
      [{ toNumber: '4155550123' }, /country code/],
      [{ maxDurationSeconds: 600 }, /120 seconds.*MAX_CALL_SECONDS/],
      [{ callContext: '   ' }, /callContext is empty/],
    ];
    for (const [args, sentence] of refusals) {
      const reply = await server.tool('trigger-call', { ...ASKED, ...args });
      expect(reply.isError, JSON.stringify(args)).toBe(true);
      expect(reply.data).toMatchObject({ status: 'error', callId: null, simulated: true });
      expect(String(reply.data.message)).toMatch(sentence);
      expect(String(reply.data.next)).not.toBe('');
    }
    expect(world.twilio.calls).toHaveLength(0);
    expect((await server.tool('list-calls', {})).data.calls).toEqual([]);
  });

  it('keeps to its number of calls at once and an hour, and dials once for an idempotency key', async () => {
    const world = here.later(await ringingForEver());
    const limits = { MAX_CONCURRENT_CALLS: '2', MAX_CALLS_PER_HOUR: '3' };
    const env = { ...world.env, ...limits, DATA_DIR: here.folder() };
    const server = await here.start({ env, args: ['--simulate'] });
    const keyed = { ...ASKED, idempotencyKey: 'table-for-two' };
    const first = await server.place(keyed);
    const again = await server.tool('trigger-call', keyed);
    expect(again).toMatchObject({ isError: false, data: { status: 'success', callId: first, simulated: true } });
    expect(again.text).toContain('nothing was dialled');
    const other = await server.tool('trigger-call', { ...keyed, callContext: 'Book a table for nine.' });
    expect(other.isError).toBe(true);
    expect(other.text).toMatch(/other arguments.*new key/);
    expect(world.twilio.calls).toHaveLength(1);

    const second = await server.place();
    const full = await server.tool('trigger-call', ASKED);
    expect(full.isError).toBe(true);
    expect(full.text).toMatch(/already 2 calls.*MAX_CONCURRENT_CALLS/);
    expect(world.twilio.calls).toHaveLength(2);

    for (const callId of [first, second]) {
      await server.tool('end-call', { callId, mode: 'now' });
      await server.follow(callId);
    }
    const third = await server.place();
    await server.tool('end-call', { callId: third, mode: 'now' });
    await server.follow(third);
    const spent = await server.tool('trigger-call', ASKED);
    expect(spent.isError).toBe(true);
    expect(spent.text).toMatch(/3 calls.*last hour.*MAX_CALLS_PER_HOUR/);
    expect(world.twilio.calls).toHaveLength(3);
    // A repeated key is no new call, however full the hour is.
    expect(await server.tool('trigger-call', keyed)).toMatchObject({ isError: false, data: { callId: first } });
  });
});
