import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, bearer, openDoor } from './private-rig.ts';

const ADMIN = 'the-token-of-the-admin-0123456789';
const READER = 'the-token-of-a-reader-0123456789';
const CALLER = 'the-token-of-a-caller-0123456789';

function tokensFile(content: unknown): { readonly path: string; write(content: unknown): void } {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'tokens.json');
  let writes = 0;
  const write = (value: unknown): void => {
    writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value), { mode: 0o600 });
    writes += 1;
    // Two writes within one tick of the file system's clock must differ all the same.
    utimesSync(path, writes, writes);
  };
  write(content);
  return { path, write };
}

const TOKENS = {
  tokens: [
    { name: 'reader', token: READER, scopes: ['calls:read'] },
    {
      name: 'caller',
      sha256: createHash('sha256').update(CALLER).digest('hex'),
      scopes: ['calls:place', 'calls:read'],
    },
  ],
};

describe('named tokens', () => {
  it('let their holders in with their scopes, given as they are or as digests, beside the one of the admin', async () => {
    const { port, came } = await openDoor({ authToken: ADMIN, tokensFile: tokensFile(TOKENS).path });
    for (const token of [READER, CALLER, ADMIN]) expect((await ask(port, '/any', bearer(token))).status).toBe(200);
    expect(came.map(({ name, scopes }) => [name, ...scopes])).toEqual([
      ['reader', 'calls:read'],
      ['caller', 'calls:place', 'calls:read'],
      ['MCP_AUTH_TOKEN', 'admin'],
    ]);
    const digest = createHash('sha256').update(CALLER).digest('hex');
    for (const wrong of [digest, `${READER}x`, READER.slice(1), 'x'.repeat(5_000)])
      expect((await ask(port, '/any', bearer(wrong))).status).toBe(401);
  });

  it('cannot narrow the one of the admin by naming it again, nor spend what it may', async () => {
    const again = { tokens: [{ name: 'again', token: ADMIN, scopes: ['calls:read'] }] };
    const { port, came } = await openDoor({ authToken: ADMIN, tokensFile: tokensFile(again).path });
    expect((await ask(port, '/any', bearer(ADMIN))).status).toBe(200);
    expect(came.map(({ name, scopes }) => [name, ...scopes])).toEqual([['MCP_AUTH_TOKEN', 'admin']]);
  });

  it('without the scope of a route are 403, with the scope that it needs', async () => {
    const only = { tokens: [{ name: 'pbx', token: READER, scopes: ['pbx:read'] }] };
    const { port } = await openDoor({ tokensFile: tokensFile(only).path });
    const answer = await ask(port, '/reads', bearer(READER));
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer realm="switchboard", error="insufficient_scope", scope="calls:read"',
    );
  });

  it('are taken back by taking them out of the file, without a restart', async () => {
    const file = tokensFile(TOKENS);
    const { port } = await openDoor({ tokensFile: file.path, requestsPerMinute: 1_000_000 });
    expect((await ask(port, '/any', bearer(READER))).status).toBe(200);
    file.write({ tokens: TOKENS.tokens.slice(1) });
    let status = 200;
    const deadline = Date.now() + 10_000;
    while (status === 200 && Date.now() < deadline) ({ status } = await ask(port, '/any', bearer(READER)));
    expect(status).toBe(401);
    expect((await ask(port, '/any', bearer(CALLER))).status).toBe(200);
  });

  it.each([
    ['is not there', null, /cannot be read \(ENOENT\)/],
    ['is not JSON', '{', /is not JSON/],
    ['holds a token that is too short', { tokens: [{ name: 'a', token: 'short', scopes: ['admin'] }] }, /at least 16/],
    ['names an unknown scope', { tokens: [{ name: 'a', token: READER, scopes: ['root'] }] }, /out of calls:read/],
    [
      'names a key that is unknown',
      { tokens: [{ name: 'a', token: READER, scope: 'admin', scopes: ['admin'] }] },
      /unknown/,
    ],
    [
      'has a token and a digest',
      { tokens: [{ name: 'a', token: READER, sha256: '0'.repeat(64), scopes: ['admin'] }] },
      /either/,
    ],
    [
      'has one name twice',
      { tokens: [TOKENS.tokens[0], { ...TOKENS.tokens[1], name: 'reader' }] },
      /two tokens of one name/,
    ],
    [
      'has one token twice',
      { tokens: [TOKENS.tokens[0], { ...TOKENS.tokens[0], name: 'b' }] },
      /one token under two names/,
    ],
  ])('of a file that %s open nothing, and the log says why without a token', async (_, content, why) => {
    const path = content === null ? join(tmpdir(), 'switchboard-no-such-tokens.json') : tokensFile(content).path;
    const { port, log } = await openDoor({ tokensFile: path });
    // Before anybody has come.
    expect(log.join('\n')).toMatch(why);
    for (const headers of [{}, bearer(READER), bearer('short')])
      expect((await ask(port, '/any', headers)).status).toBe(401);
    expect(log.join('\n')).toMatch(why);
    expect(log.join('\n')).not.toContain(READER);
    expect(log).toHaveLength(1);
  });

  it.skipIf(process.platform === 'win32')('of a file that others can read count, with a warning', async () => {
    const { path } = tokensFile(TOKENS);
    chmodSync(path, 0o644);
    const { port, log } = await openDoor({ tokensFile: path });
    expect((await ask(port, '/any', bearer(READER))).status).toBe(200);
    expect(log.join('\n')).toContain('chmod 600');
  });
});

describe('a token in the address', () => {
  it('is not taken unless that is allowed, and the answer says so without repeating it', async () => {
    const { port, log, came } = await openDoor({ authToken: ADMIN });
    const answer = await ask(port, `/any?token=${ADMIN}`);
    expect(answer.status).toBe(401);
    expect(answer.body).toContain('A token in the address is not taken here.');
    expect(`${answer.body}${log.join()}`).not.toContain(ADMIN);
    expect(came).toEqual([]);
  });

  it('is taken where it is allowed, and stands in no address and no log from then on', async () => {
    const { port, log, urls } = await openDoor({ authToken: ADMIN, allowQueryToken: true });
    expect((await ask(port, `/any?a=1&token=${ADMIN}&b=2`)).status).toBe(200);
    expect((await ask(port, `/any?token=${ADMIN}`)).status).toBe(200);
    expect(urls).toEqual(['/any?a=1&b=2', 'a token', '/any', 'a token']);
    expect((await ask(port, `/any?x=a?b&token=${ADMIN}`)).status).toBe(200);
    expect(urls.slice(4)).toEqual(['/any?x=a%3Fb', 'a token']);
    expect((await ask(port, `/open?token=${ADMIN}`)).body).toBe('open at /open');
    expect((await ask(port, `/any?token=wrong-${ADMIN}`)).status).toBe(401);
    expect((await ask(port, `/any?token=${ADMIN}`, bearer('something-else-0123456789'))).status).toBe(401);
    expect(log.join()).not.toContain(ADMIN);
  });
});

describe('names and origins', () => {
  const addresses = {
    mcpUrl: 'https://mcp.example.com/pbx',
    allowedHosts: ['switchboard.internal'],
    allowedOrigins: ['https://app.example.com'],
  };

  it('are refused before any token is looked at, unless somebody has said that they are ours', async () => {
    const { port } = await openDoor({ authToken: ADMIN }, addresses);
    const token = bearer(ADMIN);
    for (const host of [
      'localhost',
      '127.0.0.1:1',
      '[::1]',
      '192.0.2.7:8787',
      'mcp.example.com',
      'Switchboard.Internal:8787',
    ])
      expect((await ask(port, '/any', { ...token, host })).status, host).toBe(200);
    for (const host of ['attacker.example.com', 'mcp.example.com.attacker.example', 'app.example.com', 'a b'])
      expect([400, 403], host).toContain((await ask(port, '/any', { ...token, host })).status);
    for (const origin of ['https://app.example.com', 'https://mcp.example.com', 'http://localhost:6274'])
      expect((await ask(port, '/any', { ...token, origin })).status, origin).toBe(200);
    for (const origin of [
      'null',
      'https://attacker.example.com',
      'http://app.example.com',
      'https://app.example.com:444',
      '',
    ])
      expect((await ask(port, '/any', { ...token, origin })).status, origin).toBe(403);
    expect((await ask(port, '/open', { host: 'attacker.example.com' })).status).toBe(403);
  });

  it('get leave to read the answers only where they are listed, and are asked before any token is shown', async () => {
    const { port } = await openDoor({ authToken: ADMIN }, addresses);
    const origin = 'https://app.example.com';
    const preflight = await ask(
      port,
      '/any',
      { origin, 'access-control-request-method': 'POST' },
      { method: 'OPTIONS' },
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
      vary: 'Origin',
    });
    const allowed = String(preflight.headers['access-control-allow-headers']).toLowerCase();
    for (const name of ['authorization', 'content-type', 'mcp-session-id', 'mcp-protocol-version', 'last-event-id'])
      expect(allowed).toContain(name);
    expect((await ask(port, '/any', { origin })).headers['access-control-allow-origin']).toBe(origin);
    const local = await ask(port, '/any', { origin: 'http://localhost:6274' }, { method: 'OPTIONS' });
    expect([local.status, local.headers['access-control-allow-origin']]).toEqual([204, undefined]);
    expect((await ask(port, '/any', { origin: 'https://attacker.example.com' }, { method: 'OPTIONS' })).status).toBe(
      403,
    );
    for (const name of ['access-control-allow-credentials']) expect(preflight.headers[name]).toBeUndefined();
  });
});

describe('limits', () => {
  it('bound the requests of each token by itself, and say when to come again', async () => {
    const { port } = await openDoor({ authToken: ADMIN, tokensFile: tokensFile(TOKENS).path, requestsPerMinute: 3 });
    for (let n = 0; n < 3; n += 1) expect((await ask(port, '/any', bearer(READER))).status).toBe(200);
    const over = await ask(port, '/any', bearer(READER));
    expect(over.status).toBe(429);
    expect(Number(over.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(port, '/any', bearer(ADMIN))).status).toBe(200);
  });

  it('bound the tries of who has no token, and never who has one', async () => {
    const { port } = await openDoor({ authToken: ADMIN });
    for (let n = 0; n < 60; n += 1) expect((await ask(port, '/any', bearer(`guess-${n}`))).status).toBe(401);
    expect((await ask(port, '/any', bearer('one-guess-more'))).status).toBe(429);
    expect((await ask(port, '/any', bearer(ADMIN))).status).toBe(200);
  });
});
