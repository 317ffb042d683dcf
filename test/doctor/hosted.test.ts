/** What doctor says of a 3CX and of an account at VoIP.ms, looked at over loopback. */
import { afterEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { examineThreeCx } from '../../src/offices/threecx.ts';
import { examineVoipMs } from '../../src/offices/voipms.ts';
import { startThreeCxSimulator } from '../../src/simulator/threecx/pbx.ts';
import { startVoipMsSimulator } from '../../src/simulator/voipms/account.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import { QUIET } from '../system/office.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const configOf = (env: Readonly<Record<string, string>>) => readConfig({ env }).config;

describe('doctor, of a 3CX,', () => {
  async function pbx() {
    const simulated = await startThreeCxSimulator();
    stops.push(() => simulated.stop());
    const look = async (more: Readonly<Record<string, string>> = {}) => {
      const findings = await examineThreeCx(configOf({ ...simulated.env, ...more }), systemClock, QUIET);
      return findings.map(({ verdict, message }) => `${verdict}: ${message}`);
    };
    return { simulated, look };
  }

  it('says nothing where none is set up', async () => {
    expect(await examineThreeCx(configOf({}), systemClock, QUIET)).toEqual([]);
  });

  it('is content where all is as it should be, and has changed nothing', async () => {
    const { simulated, look } = await pbx();
    const said = await look();
    expect(said).toEqual([
      expect.stringMatching(/^ok: 3CX answers/),
      expect.stringMatching(/^ok: \d+ extensions and route points can be controlled/),
    ]);
    expect(simulated.requests.filter(({ method, path }) => method !== 'GET' && path !== '/connect/token')).toEqual([]);
    expect(simulated.violations).toEqual([]);
  });

  it('names what is not allowed, and what is set for nothing', async () => {
    const { simulated, look } = await pbx();
    simulated.faults.noReportRole = true;
    const said = await look({ PBX_DEFAULT_EXTENSION: '103', PBX_PASSWORD: 'a-password-of-somebody' });
    expect(said).toEqual([
      expect.stringMatching(/^ok: 3CX answers/),
      expect.stringMatching(/^warn: PBX_DEFAULT_EXTENSION is 103, which the API client may not control/),
      expect.stringMatching(/^warn: .*System Owner/),
      expect.stringMatching(/^warn: A person’s login \(PBX_USERNAME, PBX_PASSWORD\) is set and never used/),
    ]);
  });

  it('advises nothing on the call log where nothing of the configuration API can be read', async () => {
    const { simulated, look } = await pbx();
    simulated.faults.answers = [{ path: '/xapi', times: 99, how: { kind: 'status', status: 403 } }];
    const said = await look({});
    expect(said).toContainEqual(expect.stringMatching(/^fail: 3CX does not let this app do that/));
    expect(said.join()).not.toContain('call log');
  });

  it('names both, an extension and a route point that 3CX does not show', async () => {
    const { simulated, look } = await pbx();
    const body = [{ dn: '101', type: 'Wextension', devices: [], participants: [] }];
    simulated.faults.answers = [{ path: /\/callcontrol$/, how: { kind: 'status', status: 200, body } }];
    const said = await look({ INBOUND_CONTEXT: 'You answer the telephone of a bakery.' });
    expect(said).toContainEqual(expect.stringMatching(/^warn: PBX_DEFAULT_EXTENSION is 100/));
    expect(said).toContainEqual(expect.stringMatching(/^warn: The route point 8000 is not among/));
  });

  it('fails with what to set where the key is wrong, nobody is there, or only a login is given', async () => {
    const { look } = await pbx();
    expect((await look({ PBX_CLIENT_SECRET: 'wrong' })).join()).toMatch(/fail: .*PBX_CLIENT_SECRET/);
    expect((await look({ PBX_FQDN: 'http://127.0.0.1:9' })).join()).toMatch(/^fail: /);
    const login = configOf({ PBX_FQDN: 'pbx.example.com', PBX_USERNAME: '100', PBX_PASSWORD: 'a-password' });
    const [finding] = await examineThreeCx(login, systemClock, QUIET);
    expect(finding).toMatchObject({ verdict: 'fail', message: expect.stringContaining('Make an API client in 3CX') });
  });
});

describe('doctor, of an account at VoIP.ms,', () => {
  async function account() {
    const simulated = await startVoipMsSimulator();
    stops.push(() => simulated.stop());
    const look = async (more: Readonly<Record<string, string>> = {}) => {
      const findings = await examineVoipMs(configOf({ ...simulated.env, ...more }), systemClock, QUIET);
      return findings.map(({ verdict, message }) => `${verdict}: ${message}`).join('\n');
    };
    return { simulated, look };
  }

  it('says nothing where none is set up, and is content where it answers', async () => {
    expect(await examineVoipMs(configOf({}), systemClock, QUIET)).toEqual([]);
    const { look } = await account();
    expect(await look()).toBe('ok: The API of VoIP.ms answers.');
  });

  it('fails with what to do where the password is wrong, or the API is closed to this machine', async () => {
    const { simulated, look } = await account();
    expect(await look({ VOIPMS_API_PASSWORD: 'wrong-password' })).toMatch(/^fail: .*VOIPMS_API_PASSWORD/s);
    simulated.faults.refuse = 'ip_not_enabled';
    const said = await look();
    expect(said).toMatch(/^fail: .*(address|IP)/is);
    expect(said).not.toContain(simulated.password);
  });
});
