import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, bearer, openDoor } from './private-rig.ts';

const ADMIN = 'the-token-of-the-admin-0123456789';

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
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
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
    const { port, came } = await openDoor({
      oauth: { issuer: them.url, audience: AUDIENCE, resource: AUDIENCE, jwksUrl: null },
    });
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
    const { port, came } = await openDoor({
      oauth: { issuer: them.url, audience: AUDIENCE, resource: AUDIENCE, jwksUrl: `${them.url}/keys` },
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
    const { port, came } = await openDoor({
      authToken: ADMIN,
      oauth: { issuer: them.url, audience: AUDIENCE, resource: AUDIENCE, jwksUrl: null },
    });
    const token = await them.sign();
    for (let n = 0; n < 5; n += 1) expect((await ask(port, '/any', bearer(token))).status).toBe(502);
    // It is not asked again for each of them.
    expect(them.asked.length).toBeLessThanOrEqual(2);
    expect((await ask(port, '/any', bearer(ADMIN))).status).toBe(200);
    expect(came.map(({ name }) => name)).toEqual(['MCP_AUTH_TOKEN']);
  });

  it('asks an issuer whose keys fail no more for a while, however many tokens come', async () => {
    const them = await issuer();
    them.down = true;
    const { port } = await openDoor({
      oauth: { issuer: them.url, audience: AUDIENCE, resource: AUDIENCE, jwksUrl: `${them.url}/keys` },
    });
    const token = await them.sign();
    for (let n = 0; n < 20; n += 1) expect((await ask(port, '/any', bearer(token))).status).toBe(502);
    expect(them.asked).toEqual(['/keys']);
  });

  it('goes on with the keys that it has while the issuer is away, also among forged tokens', async () => {
    const them = await issuer();
    const { port } = await openDoor({
      oauth: { issuer: them.url, audience: AUDIENCE, resource: AUDIENCE, jwksUrl: null },
    });
    expect((await ask(port, '/any', bearer(await them.sign()))).status).toBe(200);
    them.down = true;
    const before = them.asked.length;
    for (let n = 0; n < 10; n += 1)
      expect((await ask(port, '/any', bearer(await them.sign({}, `forged-${n}`)))).status).toBe(401);
    expect((await ask(port, '/any', bearer(await them.sign()))).status).toBe(200);
    expect(them.asked).toHaveLength(before);
  });

  it('sends clients to our own address, whatever its tokens have to name, and nowhere when nobody has told it', async () => {
    const them = await issuer();
    const audience = 'api://switchboard';
    const oauth = { issuer: them.url, audience, jwksUrl: null };
    const told = await openDoor({ oauth: { ...oauth, resource: AUDIENCE } });
    expect((await ask(told.port, '/any', bearer(await them.sign({ aud: audience })))).status).toBe(200);
    expect((await ask(told.port, '/any', bearer(await them.sign()))).headers['www-authenticate']).toContain(
      'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource"',
    );
    const metadata = await ask(told.port, '/.well-known/oauth-protected-resource');
    expect(JSON.parse(metadata.body).resource).toBe(AUDIENCE);
    const untold = await openDoor({ oauth: { ...oauth, resource: null } });
    expect((await ask(untold.port, '/any')).headers['www-authenticate']).toBe('Bearer realm="switchboard"');
    expect((await ask(untold.port, '/.well-known/oauth-protected-resource')).status).toBe(401);
  });

  it('trusts no metadata that is of another issuer, or whose keys stand in the open', async () => {
    for (const metadata of [
      { issuer: 'https://other.example.com', jwks_uri: 'https://other.example.com/keys' },
      { jwks_uri: 'http://keys.example.com/keys' },
    ]) {
      const them = await issuer();
      them.metadata = { issuer: them.url, ...metadata };
      const { port, came } = await openDoor({
        oauth: { issuer: them.url, audience: AUDIENCE, resource: AUDIENCE, jwksUrl: null },
      });
      expect((await ask(port, '/any', bearer(await them.sign()))).status).toBe(502);
      expect(came).toEqual([]);
    }
  });
});
