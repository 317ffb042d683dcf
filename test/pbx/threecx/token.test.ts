/** The app's token, of which only the newest may be good, and what is said when 3CX says no. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ThreeCxOptions } from '../../../src/pbx/threecx/operations.ts';
import { lifeOf } from '../../../src/pbx/threecx/token.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { certificateIn } from '../../fixtures/certificate.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { asked, clientOf, office } from './office.ts';

const MINUTE_MS = 60_000;
const jwt = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

describe('how long a token is good', () => {
  it('is what the token itself says, whatever this machine thinks the time is', () => {
    expect(lifeOf(jwt({ iat: 1_000, exp: 4_600 }), 60, 0)).toBe(60 * MINUTE_MS);
    expect(lifeOf(jwt({ exp: 4_600 }), 60, 1_000_000)).toBe(60 * MINUTE_MS);
  });
  it('is in minutes where expires_in is a small number, and in seconds where it is not', () => {
    expect(lifeOf('opaque', 60, 0)).toBe(60 * MINUTE_MS);
    expect(lifeOf('opaque', 3_600, 0)).toBe(60 * MINUTE_MS);
    expect(lifeOf(jwt({ exp: 'soon' }), null, 0)).toBe(5 * MINUTE_MS);
  });
});

/** A clock that only goes on when it is told to. */
function handClock(): ThreeCxOptions['clock'] & { forward(ms: number): void; wall(): number } {
  let ms = 1_800_000_000_000;
  return {
    now: () => ms,
    wall: () => ms,
    setTimer: systemClock.setTimer,
    forward: (by) => {
      ms += by;
    },
  };
}

describe('the token', () => {
  it('is asked for once, however many want it at the same time', async () => {
    const { pbx, threecx } = await office();
    await Promise.all([
      threecx.callControl.ready(),
      ...['100', '101', '102'].map((dn) => threecx.callControl.devices(dn)),
    ]);
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(1);
  });

  it.each([60, 3_600])('is renewed five minutes before its end (expires_in %i)', async (expiresIn) => {
    const clock = handClock();
    const { pbx, threecx } = await office({ simulated: { expiresIn, wall: clock.wall }, settings: { clock } });
    const tokensAfter = async (minutes: number): Promise<number> => {
      clock.forward(minutes * MINUTE_MS);
      await threecx.activeCalls();
      return asked(pbx, 'POST', '/connect/token').length;
    };
    expect(await tokensAfter(0)).toBe(1);
    expect(await tokensAfter(54)).toBe(1);
    expect(await tokensAfter(2)).toBe(2);
  });

  it('of short life is renewed when half of that is over', async () => {
    const clock = handClock();
    const { pbx, threecx } = await office({ simulated: { tokenMinutes: 2, wall: clock.wall }, settings: { clock } });
    await threecx.activeCalls();
    clock.forward(0.9 * MINUTE_MS);
    await threecx.activeCalls();
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(1);
    clock.forward(0.2 * MINUTE_MS);
    await threecx.activeCalls();
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(2);
  });

  it('that was revoked is replaced, once for all who were refused by it', async () => {
    const { pbx, threecx } = await office();
    await threecx.activeCalls();
    pbx.revokeToken();
    await Promise.all(['100', '101', '102', '104'].map((dn) => threecx.callControl.devices(dn)));
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(2);
  });

  it('is shared with nobody: two programs with the same client take it from each other, and both go on', async () => {
    const { pbx, threecx } = await office();
    const other = clientOf(pbx);
    for (const one of [threecx, other, threecx, other]) await one.activeCalls();
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(4);
    other.close();
  });

  it('is asked for in vain with a wrong secret, and the secret is told to nobody', async () => {
    const { threecx } = await office({ settings: { clientSecret: 'wrong-secret-value' } });
    for (const asking of [() => threecx.activeCalls(), () => threecx.callControl.ready(), () => threecx.look()]) {
      const error = await asking().catch((failure: unknown) => failure);
      expect(error).toMatchObject({ name: 'ConfigError', settings: ['PBX_CLIENT_ID', 'PBX_CLIENT_SECRET'] });
      expect(wholeOf(error)).not.toContain('wrong-secret-value');
    }
  });

  it('that is refused is not asked for by each of many requests, as that may lock this machine out', async () => {
    const { pbx } = await office();
    let nowMs = 0;
    const clock = { ...systemClock, now: () => nowMs };
    const threecx = clientOf(pbx, { clientSecret: 'not-the-secret', clock });
    onTestFinished(() => threecx.close());
    const refused = { name: 'ConfigError', settings: ['PBX_CLIENT_ID', 'PBX_CLIENT_SECRET'] };
    await expect(threecx.presence(['100', '101', '102', '103', '104'])).rejects.toMatchObject(refused);
    await expect(threecx.activeCalls()).rejects.toMatchObject(refused);
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(1);
    nowMs += 10_000;
    await expect(threecx.activeCalls()).rejects.toMatchObject(refused);
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(2);
  });

  it('is no use against a 403, which is not asked again', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.answers = [{ path: '/ActiveCalls', times: 9, how: { kind: 'status', status: 403 } }];
    await expect(threecx.activeCalls()).rejects.toMatchObject({ code: 'forbidden', retryable: false });
    expect(asked(pbx, 'GET', '/ActiveCalls')).toHaveLength(1);
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(1);
  });
});

describe('a 401', () => {
  it('costs one more try with a fresh token', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.answers = [{ path: '/ActiveCalls', how: { kind: 'status', status: 401 } }];
    expect(await threecx.activeCalls()).toEqual([]);
    expect(asked(pbx, 'POST', '/connect/token')).toHaveLength(2);
  });

  it('of a call to be placed was before it was placed, so it is placed once', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.answers = [{ path: '/makecall', how: { kind: 'status', status: 401 } }];
    await threecx.makeCall({ to: '101', ringSeconds: 20 });
    expect(asked(pbx, 'POST', '/makecall')).toHaveLength(2);
    expect(pbx.liveCalls).toBe(1);
  });

  it('for ever is an answer after the second', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.answers = [{ path: '/ActiveCalls', times: 9, how: { kind: 'status', status: 401 } }];
    await expect(threecx.activeCalls()).rejects.toMatchObject({
      name: 'UpstreamError',
      code: 'unauthorized',
      message: expect.stringContaining('Another program may be using the same client id'),
    });
    expect(asked(pbx, 'GET', '/ActiveCalls')).toHaveLength(2);
  });
});

describe('reading', () => {
  it('is tried again when 3CX stumbles, and given up when it goes on stumbling', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.answers = [{ path: '/ActiveCalls', times: 2, how: { kind: 'status', status: 503 } }];
    expect(await threecx.activeCalls()).toEqual([]);
    pbx.faults.answers = [{ path: '/ActiveCalls', times: 9, how: { kind: 'status', status: 500 } }];
    await expect(threecx.activeCalls()).rejects.toMatchObject({ code: 'http-500', retryable: true });
    expect(asked(pbx, 'GET', '/ActiveCalls')).toHaveLength(6);
  });

  it('waits as 3CX says when it is asked too much', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.answers = [{ path: '/ActiveCalls', how: { kind: 'status', status: 429, retryAfterSeconds: 1 } }];
    const sinceMs = performance.now();
    await threecx.activeCalls();
    expect(performance.now() - sinceMs).toBeGreaterThan(950);
  });

  it('is tried again over a connection that broke', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.answers = [{ path: '/ActiveCalls', how: { kind: 'broken', applied: false } }];
    expect(await threecx.activeCalls()).toEqual([]);
  });

  it('of a server that is away says so in our words', async () => {
    const { pbx, threecx } = await office();
    await pbx.stop();
    const error = await threecx.activeCalls().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ name: 'UpstreamError', retryable: true });
    expect(wholeOf(error)).not.toContain(pbx.clientSecret);
  });

  it('from a server whose certificate is not trusted is a matter of the settings, and nothing was sent', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'threecx-'));
    let requests = 0;
    const server = createServer(certificateIn(folder), (_, response) => {
      requests += 1;
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    const { port } = server.address() as AddressInfo;
    const { threecx } = await office({ settings: { baseUrl: `https://127.0.0.1:${port}` } });
    const untrusted = { name: 'ConfigError', settings: ['PBX_FQDN'] };
    await expect(threecx.activeCalls()).rejects.toMatchObject(untrusted);
    await expect(threecx.callControl.ready()).rejects.toMatchObject(untrusted);
    expect(requests).toBe(0);
  });

  it('never has more than four requests under way, and lets a change go first', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.slowMs = 150;
    const reads = Array.from({ length: 12 }, () => threecx.callControl.participants('101'));
    const change = threecx.callControl.makeCall({ dn: '100', destination: '101', timeoutSeconds: 20 });
    const order: string[] = [];
    await Promise.all([
      ...reads.map((read) => read.then(() => order.push('read'))),
      change.then(() => order.push('change')),
    ]);
    expect(order.indexOf('change')).toBeLessThan(8);
    expect(order.indexOf('change')).toBeGreaterThanOrEqual(4);
  });
});

describe('recordings that take long', () => {
  it('do not keep a change waiting', async () => {
    const { pbx, threecx } = await office();
    pbx.faults.answers = [{ path: 'DownloadRecording', times: 8, how: { kind: 'silence', applied: false } }];
    const reading = Promise.allSettled([501, 502, 503, 504, 505].map((id) => threecx.recording(id, 1_000_000)));
    await until(() => pbx.requests.some(({ path }) => path.includes('DownloadRecording')));
    await threecx.callControl.makeCall({ dn: '100', destination: '101', timeoutSeconds: 20 });
    expect(pbx.requests.filter(({ path }) => path.includes('DownloadRecording'))).toHaveLength(2);
    pbx.faults.answers = [];
    threecx.close();
    await reading;
  });
});

/** With its causes, as a log would have it. */
function wholeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause === undefined ? '' : wholeOf(error.cause)}`;
}
