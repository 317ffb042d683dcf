import { afterEach, describe, expect, it } from 'vitest';
import { Bench } from './app.ts';

const bench = new Bench();
afterEach(() => bench.close());

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('signing in', () => {
  it('gives a JWT for the client’s credentials, with its life in minutes or in seconds', async () => {
    for (const [expiresIn, wall] of [
      [60, () => 1_000_000],
      [3_600, () => 1_000_000],
    ] as const) {
      const app = await bench.stranger({ expiresIn, wall });
      const { status, body } = await app.signIn();
      expect(status).toBe(200);
      expect(body).toMatchObject({ token_type: 'Bearer', expires_in: expiresIn, refresh_token: null });
      expect(claimsOf(app.token)).toMatchObject({ iat: 1_000, exp: 1_000 + 3_600 });
      expect((await app.get('/callcontrol')).status).toBe(200);
    }
  });

  it('takes a multipart form as well, and nothing that is no form', async () => {
    const { pbx } = await bench.stranger();
    const body = new FormData();
    body.set('client_id', pbx.clientId);
    body.set('client_secret', pbx.clientSecret);
    body.set('grant_type', 'client_credentials');
    const token = `${pbx.baseUrl}/connect/token`;
    expect((await fetch(token, { method: 'POST', body })).status).toBe(200);
    expect((await fetch(token, { method: 'POST', body: '{}' })).status).toBe(400);
    expect(pbx.violations).toEqual(['The sign-in was not sent as a form.']);
  });

  it('refuses a wrong secret, and a person’s own password', async () => {
    const app = await bench.stranger();
    expect(await app.signIn({ client_secret: 'wrong' })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect(app.pbx.violations).toEqual([]);
    expect((await app.signIn({ grant_type: 'password', username: 'ada', password: 'x' })).status).toBe(400);
    expect(app.pbx.violations).toEqual(['A person’s own password was used to sign in.']);
  });

  it('lets nobody in without a good token', async () => {
    const app = await bench.stranger();
    expect((await app.get('/callcontrol')).status).toBe(401);
    expect((await app.get('/xapi/v1/Users?$select=Id')).status).toBe(401);
    await expect(app.listen()).rejects.toThrow('401');
  });

  it('takes the older token away when a newer one is given, unless told not to', async () => {
    const app = await bench.stranger();
    await app.signIn();
    await app.get('/callcontrol');
    const older = app.headers;
    await app.signIn();
    const withOlder = () => fetch(`${app.pbx.baseUrl}/callcontrol`, { headers: older });
    expect((await withOlder()).status).toBe(401);
    expect((await app.get('/callcontrol')).status).toBe(200);

    const lenient = await bench.stranger();
    lenient.pbx.faults.olderTokensStayGood = true;
    await lenient.signIn();
    const first = lenient.headers;
    await lenient.get('/callcontrol');
    await lenient.signIn();
    expect((await fetch(`${lenient.pbx.baseUrl}/callcontrol`, { headers: first })).status).toBe(200);
  });

  it('ends a token by the clock, and at once when it is revoked', async () => {
    let nowMs = 5_000_000;
    const app = await bench.stranger({ wall: () => nowMs, tokenMinutes: 10 });
    await app.signIn();
    nowMs += 599_000;
    expect((await app.get('/callcontrol')).status).toBe(200);
    nowMs += 1_000;
    expect((await app.get('/callcontrol')).status).toBe(401);
    await app.signIn();
    expect((await app.get('/callcontrol')).status).toBe(200);
    app.pbx.revokeToken();
    expect((await app.get('/callcontrol')).status).toBe(401);
    expect(app.pbx.violations).toEqual([]);
  });

  it('minds a second token while the first is unused or listens, but not after a 401', async () => {
    const app = await bench.stranger();
    await app.signIn();
    await app.signIn();
    expect(app.pbx.violations).toEqual(['A second token was asked for while one was good.']);
    const other = await bench.app();
    await other.signIn();
    expect(other.pbx.violations).toHaveLength(1);
    const third = await bench.app();
    third.pbx.faults.answers = [{ how: { kind: 'status', status: 401 } }];
    expect((await third.get('/callcontrol')).status).toBe(401);
    await third.signIn();
    expect(third.pbx.violations).toEqual([]);
  });

  it('keeps secrets out of what it remembers of requests', async () => {
    const app = await bench.app();
    await app.place('101');
    const kept = JSON.stringify(app.pbx.requests);
    expect(kept).toContain('"destination":"101"');
    expect(kept).not.toContain(app.pbx.clientSecret);
    expect(kept).not.toContain(app.token);
  });
});
