import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.ts';
import { readConfig } from '../../src/config/config.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { certificateIn } from '../fixtures/certificate.ts';
import { freePort } from '../fixtures/free-port.ts';
import { startScriptedServer } from '../models/openai/scripted-server.ts';
import { openSurgery, type Surgery } from './surgery.ts';

let surgery: Surgery;
beforeEach(async () => {
  surgery = await openSurgery();
});
afterEach(() => surgery.close());

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A server on loopback that ends with the test. */
async function serve(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  surgery.later(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('an examination', () => {
  it('of what is right finds nothing to do, places no call and says nothing to the model', async () => {
    const { world } = surgery;
    const { findings } = await surgery.examine();
    expect(findings.filter(({ verdict }) => verdict !== 'ok').map(({ check }) => check)).toEqual(['certificate']);
    expect(findings.map(({ check }) => check)).toEqual([
      ...['settings', 'data folder', 'disk', 'store', 'public port', 'certificate', 'public URL', 'audio stream'],
      ...['private port', 'clock', 'Twilio account', 'Twilio number', 'speech model'],
    ]);
    expect(world.twilio.calls).toHaveLength(0);
    expect(world.realtime.sessions).toHaveLength(1);
    expect(
      findings.every(({ verdict, advice }) => (verdict === 'ok') === (advice === null) || verdict === 'skipped'),
    ).toBe(true);
  });

  it('asks nobody outside when it is offline', async () => {
    const { findings } = await surgery.examine({}, { offline: true });
    expect(findings.filter(({ verdict }) => verdict === 'skipped').map(({ check }) => check)).toEqual([
      ...['certificate', 'public URL', 'audio stream', 'clock', 'Twilio account', 'Twilio number', 'speech model'],
    ]);
    expect(surgery.world.realtime.sessions).toHaveLength(0);
  });

  it('tells no secret, whatever is wrong', async () => {
    const secrets = { TWILIO_AUTH_TOKEN: 'canary-twilio-token', OPENAI_API_KEY: 'sk-canary-openai-key' };
    const { findings } = await surgery.examine(secrets);
    expect(findings.filter(({ verdict }) => verdict === 'fail')).toHaveLength(2);
    expect(JSON.stringify(findings)).not.toContain('canary');
  });
});

interface Ailment {
  readonly name: string;
  readonly env?: Readonly<Record<string, string | null>>;
  readonly ail?: (surgery: Surgery) => void;
  readonly check: string;
  readonly verdict: Finding['verdict'];
  readonly says: RegExp;
}

const SOME_KEY = { TWILIO_API_KEY: `SK${'0'.repeat(32)}`, TWILIO_API_SECRET: 'no-such-secret' };
const AILMENTS: readonly Ailment[] = [
  {
    name: 'a number that is none',
    env: { TWILIO_NUMBER: 'pizza' },
    check: 'settings',
    verdict: 'fail',
    says: /TWILIO_NUMBER must be/,
  },
  {
    name: 'a wrong auth token',
    env: { TWILIO_AUTH_TOKEN: 'wrong' },
    check: 'Twilio account',
    verdict: 'fail',
    says: /did not accept TWILIO_ACCOUNT_SID.*Copy/,
  },
  {
    name: 'a wrong API key',
    env: SOME_KEY,
    check: 'Twilio API key',
    verdict: 'fail',
    says: /did not accept TWILIO_API_KEY/,
  },
  {
    name: 'Twilio out of reach',
    env: { TWILIO_API_BASE_URL: 'http://127.0.0.1:1' },
    check: 'Twilio account',
    verdict: 'fail',
    says: /connection was refused/,
  },
  {
    name: 'a suspended account',
    ail: ({ world }) => Object.assign(world.twilio.knobs, { accountStatus: 'suspended' }),
    check: 'Twilio account',
    verdict: 'fail',
    says: /not active/,
  },
  {
    name: 'a trial account',
    ail: ({ world }) => Object.assign(world.twilio.knobs, { accountType: 'Trial' }),
    check: 'Twilio account',
    verdict: 'warn',
    says: /verified numbers only/,
  },
  {
    name: 'a number without voice',
    ail: ({ world }) => Object.assign(world.twilio.knobs, { numberVoice: false }),
    check: 'Twilio number',
    verdict: 'fail',
    says: /cannot make voice calls/,
  },
  {
    name: 'a foreign number',
    env: { TWILIO_NUMBER: '+14155550199' },
    check: 'Twilio number',
    verdict: 'fail',
    says: /neither a number nor a verified/,
  },
  {
    name: 'a verified number',
    env: { TWILIO_NUMBER: '+14155550199' },
    ail: ({ world }) => Object.assign(world.twilio.knobs, { verifiedCallerIds: ['+14155550199'] }),
    check: 'Twilio number',
    verdict: 'ok',
    says: /verified caller id/,
  },
  {
    name: 'a clock that is ten seconds slow',
    ail: ({ world }) => Object.assign(world.twilio.knobs, { clockMs: 10_000 }),
    check: 'clock',
    verdict: 'warn',
    says: /(9|10|11) seconds behind/,
  },
  {
    name: 'a clock that is a minute fast',
    ail: ({ world }) => Object.assign(world.twilio.knobs, { clockMs: -60_000 }),
    check: 'clock',
    verdict: 'fail',
    says: /(59|60|61) seconds ahead.*timedatectl/,
  },
  {
    name: 'a wrong key',
    env: { OPENAI_API_KEY: 'sk-wrong' },
    check: 'speech model',
    verdict: 'fail',
    says: /did not accept OPENAI_API_KEY/,
  },
  {
    name: 'a model that nobody knows',
    env: { OPENAI_REALTIME_MODEL: 'no-such-model' },
    check: 'speech model',
    verdict: 'fail',
    says: /does not know OPENAI_REALTIME_MODEL/,
  },
  {
    name: 'a model out of reach',
    env: { OPENAI_WEBSOCKET_URL: 'ws://127.0.0.1:1/v1/realtime' },
    check: 'speech model',
    verdict: 'fail',
    says: /could not be reached.*firewall/,
  },
];

describe('what is wrong is told, with what to do:', () => {
  it.each(AILMENTS)('$name', async ({ env = {}, ail, check, verdict, says }) => {
    ail?.(surgery);
    const finding = (await surgery.examine(env)).of(check);
    expect(`${finding.message} ${finding.advice ?? ''}`).toMatch(says);
    expect(finding.verdict).toBe(verdict);
    expect(surgery.world.twilio.calls).toHaveLength(0);
  });

  it('a public URL that leads nowhere', async () => {
    const report = await surgery.examine({ PUBLIC_URL: `http://127.0.0.1:${await freePort()}` });
    expect(report.of('public URL')).toMatchObject({
      verdict: 'fail',
      message: expect.stringContaining('connection was refused'),
      advice: expect.stringMatching(/^Start the proxy or tunnel/),
    });
    expect(report.of('audio stream').verdict).toBe('skipped');
  });

  it('a price table that cannot be used', async () => {
    const PRICES_FILE = join(surgery.folder(), 'prices.json');
    writeFileSync(PRICES_FILE, 'free of charge');
    const report = await surgery.examine({ PRICES_FILE }, { offline: true });
    expect(report.of('prices')).toMatchObject({ verdict: 'warn', advice: expect.stringContaining('PRICES_FILE') });
  });

  it('an account without credit, as the service says it at the door', async () => {
    const model = await startScriptedServer();
    surgery.later(() => model.close());
    const looked = surgery.examine({ OPENAI_WEBSOCKET_URL: model.url });
    const client = await model.client();
    client.send({ type: 'error', error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'x' } });
    expect((await looked).of('speech model')).toMatchObject({
      verdict: 'fail',
      message: 'The account has no credit left (insufficient_quota).',
      advice: expect.stringContaining('Top it up'),
    });
  });
});

describe('the ports', () => {
  it('taken by another program: the public one fails, the private one deserves a look', async () => {
    const port = String(await surgery.stranger());
    const report = await surgery.examine({ PORT: port, MCP_PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}` });
    expect(report.of('public port')).toMatchObject({
      verdict: 'fail',
      message: expect.stringContaining('another program'),
    });
    expect(report.of('private port')).toMatchObject({ verdict: 'warn', advice: expect.stringContaining('MCP_PORT') });
    expect(report.of('public URL').verdict).toBe('skipped');
  });

  it('taken by a running Switchboard are in good hands, and the public URL is looked at through it', async () => {
    const place = { ...surgery.world.env, DATA_DIR: surgery.folder() };
    const reading = readConfig({ env: { ...place, MCP_PORT: '0' }, argv: ['--simulate'] });
    const app = compose({ reading, logger: SILENT, privateListener: true });
    surgery.later(() => app.stop(0));
    await app.started;
    const { public: outer, private: inner } = app.listening();
    const [PORT, MCP_PORT] = [String(outer?.port), String(inner?.port)];
    const env = { ...place, PORT, MCP_PORT, PUBLIC_URL: `http://127.0.0.1:${PORT}` };
    const good = await surgery.examine(env);
    for (const check of ['public port', 'public URL', 'audio stream', 'store', 'private port']) {
      expect(good.of(check), check).toMatchObject({ verdict: 'ok' });
    }
    expect(good.of('private port').message).toContain('A Switchboard listens');
    // A proxy that forwards requests, and makes an ordinary request of an upgrade.
    const front = await serve(createServer(forwardTo(Number(PORT))));
    const half = await surgery.examine({ ...env, PUBLIC_URL: `http://127.0.0.1:${front}` });
    expect(half.of('public URL').verdict).toBe('ok');
    expect(half.of('audio stream')).toMatchObject({ verdict: 'fail', advice: expect.stringContaining('Upgrade') });
    // The address of something else.
    const elsewhere = await surgery.examine({ ...env, PUBLIC_URL: `http://127.0.0.1:${await surgery.stranger()}` });
    expect(elsewhere.of('public URL')).toMatchObject({
      verdict: 'fail',
      message: expect.stringContaining('another program'),
    });
  });
});

function forwardTo(port: number): RequestListener {
  return (request, response) => {
    fetch(`http://127.0.0.1:${port}${request.url}`).then(
      async (reply) => response.writeHead(reply.status).end(await reply.text()),
      () => response.writeHead(502).end(),
    );
  };
}

describe('the data folder', () => {
  it('that others may look into is told with the command that mends it; on the way through a file it fails', async () => {
    const open = surgery.folder();
    chmodSync(open, 0o755);
    expect((await surgery.examine({ DATA_DIR: open }, { offline: true })).of('data folder')).toMatchObject({
      verdict: 'warn',
      advice: `chmod 700 '${open}'`,
    });
    const shut = surgery.folder();
    chmodSync(shut, 0o700);
    const file = join(shut, 'notes');
    writeFileSync(file, '', { mode: 0o644 });
    expect((await surgery.examine({ DATA_DIR: shut }, { offline: true })).of('data folder')).toMatchObject({
      verdict: 'warn',
      advice: `chmod 600 '${file}'`,
    });
    const through = await surgery.examine({ DATA_DIR: join(file, 'deeper') }, { offline: true });
    expect(through.of('data folder')).toMatchObject({ verdict: 'fail', advice: expect.stringContaining('DATA_DIR') });
  });

  it('that is not there yet is not made by looking', async () => {
    const path = join(surgery.folder(), 'not', 'yet');
    expect((await surgery.examine({ DATA_DIR: path }, { offline: true })).of('data folder').verdict).toBe('ok');
    expect(() => statSync(path)).toThrow();
  });

  it('with a .env beside it that others may read', async () => {
    const dotenvFile = join(surgery.folder(), '.env');
    writeFileSync(dotenvFile, 'OPENAI_API_KEY=sk-canary', { mode: 0o644 });
    const finding = (await surgery.examine({}, { offline: true, dotenvFile })).of('.env');
    expect(finding).toMatchObject({ verdict: 'warn', advice: 'chmod 600 .env' });
    chmodSync(dotenvFile, 0o600);
    expect((await surgery.examine({}, { offline: true, dotenvFile })).of('.env').verdict).toBe('ok');
  });
});

describe('the store', () => {
  /** A store of its own with enough pages to break one. */
  async function madeStore(): Promise<string> {
    const dataDir = surgery.folder();
    const store = await openSqliteStore({ dataDir });
    await store.close();
    return dataDir;
  }

  it('that is sound is sound, also while a server has it open, and a look changes nothing', async () => {
    const dataDir = surgery.folder();
    const store = await openSqliteStore({ dataDir });
    surgery.later(() => store.close());
    const look = () => surgery.examine({ DATA_DIR: dataDir }, { offline: true });
    expect((await look()).of('store')).toMatchObject({ verdict: 'ok', message: 'It is sound, and holds 0 calls.' });
    await store.heartbeat();
    expect((await look()).of('store').verdict).toBe('ok');
  });

  it('that is damaged, is no database, or was written by a newer version fails with what to do', async () => {
    const damaged = await madeStore();
    const path = join(damaged, 'switchboard.sqlite');
    const bytes = readFileSync(path);
    // One page in the middle, which nothing but a look at every page comes by.
    const middle = Math.floor(bytes.length / 4096 / 2) * 4096;
    bytes.fill(0xa5, middle, middle + 4096);
    writeFileSync(path, bytes);
    const look = (dataDir: string) => surgery.examine({ DATA_DIR: dataDir }, { offline: true });
    expect((await look(damaged)).of('store')).toMatchObject({
      verdict: 'fail',
      advice: expect.stringContaining('restore a backup'),
    });
    const foreign = surgery.folder();
    writeFileSync(join(foreign, 'switchboard.sqlite'), 'this is a letter to my aunt '.repeat(100));
    expect((await look(foreign)).of('store')).toMatchObject({ verdict: 'fail', message: 'Its file is damaged.' });
    const newer = await madeStore();
    const later = readFileSync(join(newer, 'switchboard.sqlite'));
    // The header's user version, sqlite.org/fileformat.html, 1.3.
    later.writeUInt32BE(999, 60);
    writeFileSync(join(newer, 'switchboard.sqlite'), later);
    expect((await look(newer)).of('store')).toMatchObject({
      verdict: 'fail',
      message: expect.stringContaining('newer Switchboard (schema 999'),
    });
  });
});

describe('the certificate of the public URL', () => {
  const DAY_MS = 86_400_000;

  async function look(name: string, laterMs = 0): Promise<Finding> {
    const { key, cert } = certificateIn(surgery.folder(), { name });
    const port = await serve(createHttpsServer({ key, cert }));
    const PUBLIC_URL = `https://127.0.0.1:${port}`;
    const report = await surgery.examine({ PUBLIC_URL }, { now: () => Date.now() + laterMs });
    expect(report.of('public URL').verdict).toBe('fail');
    return report.of('certificate');
  }

  it('is told when it is self-signed, for another name, over, or not yet valid', async () => {
    expect(await look('IP:127.0.0.1')).toMatchObject({
      verdict: 'fail',
      message: expect.stringContaining('self-signed'),
    });
    expect(await look('DNS:other.example.com')).toMatchObject({
      verdict: 'fail',
      message: 'It is not for the name 127.0.0.1.',
    });
    const over = await look('IP:127.0.0.1', 61 * DAY_MS);
    expect(over).toMatchObject({ verdict: 'fail', advice: expect.stringContaining('certbot renew') });
    expect(over.message).toMatch(/^It ended on \d{4}-\d\d-\d\d\.$/);
    expect(await look('IP:127.0.0.1', -DAY_MS)).toMatchObject({
      verdict: 'fail',
      advice: expect.stringContaining('clock'),
    });
  });

  it('is left out with the rest of the public side, and told of, where this machine cannot reach its own address', async () => {
    const settings = { PUBLIC_URL: 'https://calls.example.com', PREFLIGHT: 'false' };
    const report = await surgery.examine(settings);
    for (const check of ['certificate', 'public URL', 'audio stream'])
      expect(report.of(check), check).toMatchObject({
        verdict: 'skipped',
        message: expect.stringContaining('PREFLIGHT'),
      });
  });

  it('is not waited for for ever', async () => {
    const silent = await serve(createServer());
    // A server that takes the connection and never speaks TLS.
    const probe = connect(silent, '127.0.0.1');
    surgery.later(() => void probe.destroy());
    const report = await surgery.examine({ PUBLIC_URL: `https://127.0.0.1:${silent}` }, { timeoutMs: 300 });
    expect(report.of('certificate').verdict).toBe('skipped');
    expect(report.of('public URL').verdict).toBe('fail');
  });
});
