import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import type { Access } from '../../src/config/access.ts';
import { addressTokenOf, createPrivateServer, type PrivateServerOptions } from '../../src/http/private-server.ts';

const ADMIN = 'the-token-of-the-admin-0123456789';
const READER = 'the-token-of-a-reader-0123456789';
const CALLER = 'the-token-of-a-caller-0123456789';

const closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on('error', reject);
    request.end();
  });
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

interface Opened {
  readonly port: number;
  /** Who was let in, the addresses that the route saw, and everything that was logged. */
  readonly came: Access[];
  readonly urls: (string | undefined)[];
  readonly log: string[];
}

async function opened(
  door: Partial<PrivateServerOptions['door']> = {},
  addresses: Partial<PrivateServerOptions['addresses']> = {},
): Promise<Opened> {
  const came: Access[] = [];
  const urls: (string | undefined)[] = [];
  const log: string[] = [];
  const keep = (fields: object, message: string): void => void log.push(`${JSON.stringify(fields)} ${message}`);
  const server = createPrivateServer({
    host: '127.0.0.1',
    port: 0,
    door: {
      authToken: null,
      tokensFile: null,
      allowQueryToken: false,
      oauth: null,
      requestsPerMinute: 1_000,
      ...door,
    },
    addresses: { mcpUrl: null, allowedHosts: [], allowedOrigins: [], ...addresses },
    routes: [
      {
        methods: ['GET', 'POST'],
        path: '/any',
        scope: 'any',
        handle: (request, response, access) => {
          came.push(access);
          urls.push(request.url, addressTokenOf(request) === null ? 'no token' : 'a token');
          response.end('in');
        },
      },
      {
        methods: ['GET'],
        path: '/reads',
        scope: 'calls:read',
        handle: (_request, response) => void response.end('read'),
      },
      { methods: ['GET'], path: '/open', scope: 'open', handle: (_request, response) => void response.end('open') },
    ],
    logger: { warn: keep, error: keep },
  });
  const { port } = await server.start();
  closing.push(() => server.stop());
  return { port, came, urls, log };
}

function tokensFile(content: unknown): { readonly path: string; write(content: unknown): void } {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-tokens-'));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
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
    const { port, came } = await opened({ authToken: ADMIN, tokensFile: tokensFile(TOKENS).path });
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

  it('without the scope of a route are 403, with the scope that it needs', async () => {
    const only = { tokens: [{ name: 'pbx', token: READER, scopes: ['pbx:read'] }] };
    const { port } = await opened({ tokensFile: tokensFile(only).path });
    const answer = await ask(port, '/reads', bearer(READER));
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer realm="switchboard", error="insufficient_scope", scope="calls:read"',
    );
  });

  it('are taken back by taking them out of the file, without a restart', async () => {
    const file = tokensFile(TOKENS);
    const { port } = await opened({ tokensFile: file.path, requestsPerMinute: 1_000_000 });
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
    const { port, log } = await opened({ tokensFile: path });
    for (const headers of [{}, bearer(READER), bearer('short')])
      expect((await ask(port, '/any', headers)).status).toBe(401);
    expect(log.join('\n')).toMatch(why);
    expect(log.join('\n')).not.toContain(READER);
    expect(log).toHaveLength(1);
  });

  it.skipIf(process.platform === 'win32')('of a file that others can read count, with a warning', async () => {
    const { path } = tokensFile(TOKENS);
    chmodSync(path, 0o644);
    const { port, log } = await opened({ tokensFile: path });
    expect((await ask(port, '/any', bearer(READER))).status).toBe(200);
    expect(log.join('\n')).toContain('chmod 600');
  });
});

describe('a token in the address', () => {
  it('is not taken unless that is allowed, and the answer says so without repeating it', async () => {
    const { port, log, came } = await opened({ authToken: ADMIN });
    const answer = await ask(port, `/any?token=${ADMIN}`);
    expect(answer.status).toBe(401);
    expect(answer.body).toContain('A token in the address is not taken here.');
    expect(`${answer.body}${log.join()}`).not.toContain(ADMIN);
    expect(came).toEqual([]);
  });

  it('is taken where it is allowed, and stands in no address and no log from then on', async () => {
    const { port, log, urls } = await opened({ authToken: ADMIN, allowQueryToken: true });
    expect((await ask(port, `/any?a=1&token=${ADMIN}&b=2`)).status).toBe(200);
    expect((await ask(port, `/any?token=${ADMIN}`)).status).toBe(200);
    expect(urls).toEqual(['/any?a=1&b=2', 'a token', '/any', 'a token']);
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
    const { port } = await opened({ authToken: ADMIN }, addresses);
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
    const { port } = await opened({ authToken: ADMIN }, addresses);
    const origin = 'https://app.example.com';
    const preflight = await ask(port, '/any', { origin, 'access-control-request-method': 'POST' }, 'OPTIONS');
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
    const local = await ask(port, '/any', { origin: 'http://localhost:6274' }, 'OPTIONS');
    expect([local.status, local.headers['access-control-allow-origin']]).toEqual([204, undefined]);
    expect((await ask(port, '/any', { origin: 'https://attacker.example.com' }, 'OPTIONS')).status).toBe(403);
    for (const name of ['access-control-allow-credentials']) expect(preflight.headers[name]).toBeUndefined();
  });
});

describe('limits', () => {
  it('bound the requests of each token by itself, and say when to come again', async () => {
    const { port } = await opened({ authToken: ADMIN, tokensFile: tokensFile(TOKENS).path, requestsPerMinute: 3 });
    for (let n = 0; n < 3; n += 1) expect((await ask(port, '/any', bearer(READER))).status).toBe(200);
    const over = await ask(port, '/any', bearer(READER));
    expect(over.status).toBe(429);
    expect(Number(over.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(port, '/any', bearer(ADMIN))).status).toBe(200);
  });

  it('bound the tries of who has no token, and never who has one', async () => {
    const { port } = await opened({ authToken: ADMIN });
    for (let n = 0; n < 60; n += 1) expect((await ask(port, '/any', bearer(`guess-${n}`))).status).toBe(401);
    expect((await ask(port, '/any', bearer('one-guess-more'))).status).toBe(429);
    expect((await ask(port, '/any', bearer(ADMIN))).status).toBe(200);
  });
});

// ---- OAuth ---------------------------------------------------------------------------------------------------------------------

interface Issuer {
  readonly url: string;
  readonly asked: string[];
  sign(claims?: Record<string, unknown>, key?: string): Promise<string>;
  metadata: Record<string, unknown> | null;
  down: boolean;
}

const AUDIENCE = 'https://mcp.example.com/mcp';

async function issuer(path = ''): Promise<Issuer> {
  const keys = await generateKeyPair('ES256');
  const kid = 'one';
  const asked: string[] = [];
  const server: Server = createServer(async (request, response) => {
    asked.push(request.url ?? '');
    if (it.down) return void response.writeHead(503).end();
    if (request.url === '/keys')
      return void response.end(JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid, alg: 'ES256' }] }));
    if (request.url === `/.well-known/oauth-authorization-server${path}` && it.metadata !== null)
      return void response.end(JSON.stringify(it.metadata));
    return void response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${base}${path}`;
  const it: Issuer = {
    url,
    asked,
    metadata: { issuer: url, jwks_uri: `${base}/keys` },
    down: false,
    sign: async (claims = {}, key) => {
      const signer = new SignJWT({ scope: 'calls:read openid', client_id: 'an app', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: key ?? kid })
        .setIssuer('iss' in claims ? String(claims.iss) : url)
        .setAudience('aud' in claims ? String(claims.aud) : AUDIENCE);
      return ('exp' in claims ? signer : signer.setExpirationTime('5m')).sign(keys.privateKey);
    },
  };
  return it;
}

describe('OAuth', () => {
  it('lets in who has a token of the issuer for us, with the scopes that we know, and names the client', async () => {
    const them = await issuer('/tenant');
    const { port, came } = await opened({ oauth: { issuer: them.url, audience: AUDIENCE, jwksUrl: null } });
    expect((await ask(port, '/any', bearer(await them.sign()))).status).toBe(200);
    expect(
      (
        await ask(
          port,
          '/any',
          bearer(await them.sign({ scope: undefined, scp: ['admin'], client_id: undefined, sub: 'u1' })),
        )
      ).status,
    ).toBe(200);
    expect(came.map(({ name, scopes }) => [name, ...scopes])).toEqual([
      ['oauth:an_app', 'calls:read'],
      ['oauth:u1', 'admin'],
    ]);
  });

  it('keeps out every other token, and says where to get one', async () => {
    const them = await issuer();
    const { port, came } = await opened({
      oauth: { issuer: them.url, audience: AUDIENCE, jwksUrl: `${them.url}/keys` },
    });
    const past = Math.floor(Date.now() / 1000) - 120;
    const good = await them.sign();
    const [header, , signature] = good.split('.');
    const changed = Buffer.from(
      JSON.stringify({ iss: them.url, aud: AUDIENCE, scope: 'admin', exp: past + 999 }),
    ).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const shared = await new SignJWT({ scope: 'admin' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(them.url)
      .setAudience(AUDIENCE)
      .setExpirationTime('5m')
      .sign(new TextEncoder().encode('a shared secret of thirty-two bytes'));
    const wrong = {
      'of another issuer': await them.sign({ iss: 'https://other.example.com' }),
      'for somebody else': await them.sign({ aud: 'https://other.example.com/mcp' }),
      expired: await them.sign({ exp: past }),
      'without an end': await them.sign({ exp: undefined }),
      changed: `${header}.${changed}.${signature}`,
      unsigned: `${none}.${changed}.`,
      'unsigned, with a signature': `${none}.${changed}.${signature}`,
      'signed with a shared secret': shared,
      'of an unknown key': await them.sign({}, 'nobody'),
      'no JWT': 'not-a-jwt-0123456789',
    };
    for (const [what, token] of Object.entries(wrong)) {
      const answer = await ask(port, '/any', bearer(token));
      expect(answer.status, what).toBe(401);
      expect(answer.headers['www-authenticate']).toBe(
        'Bearer realm="switchboard", error="invalid_token", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource"',
      );
    }
    expect(came).toEqual([]);
    for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']) {
      const metadata = await ask(port, path);
      expect([metadata.status, JSON.parse(metadata.body)]).toEqual([
        200,
        {
          resource: AUDIENCE,
          authorization_servers: [them.url],
          scopes_supported: ['calls:read', 'calls:place', 'pbx:read', 'pbx:write', 'admin'],
          bearer_methods_supported: ['header'],
          resource_name: 'Switchboard',
        },
      ]);
    }
  });

  it('says that it cannot check a token while the issuer is away, and lets static tokens in meanwhile', async () => {
    const them = await issuer();
    them.down = true;
    const { port, came } = await opened({
      authToken: ADMIN,
      oauth: { issuer: them.url, audience: AUDIENCE, jwksUrl: null },
    });
    const token = await them.sign();
    for (let n = 0; n < 5; n += 1) expect((await ask(port, '/any', bearer(token))).status).toBe(502);
    // It is not asked again for each of them.
    expect(them.asked.length).toBeLessThanOrEqual(2);
    expect((await ask(port, '/any', bearer(ADMIN))).status).toBe(200);
    expect(came.map(({ name }) => name)).toEqual(['MCP_AUTH_TOKEN']);
  });

  it('trusts no metadata that is of another issuer, or whose keys stand in the open', async () => {
    for (const metadata of [
      { issuer: 'https://other.example.com', jwks_uri: 'https://other.example.com/keys' },
      { jwks_uri: 'http://keys.example.com/keys' },
    ]) {
      const them = await issuer();
      them.metadata = { issuer: them.url, ...metadata };
      const { port, came } = await opened({ oauth: { issuer: them.url, audience: AUDIENCE, jwksUrl: null } });
      expect((await ask(port, '/any', bearer(await them.sign()))).status).toBe(502);
      expect(came).toEqual([]);
    }
  });
});
