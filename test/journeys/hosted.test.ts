/** 3CX and VoIP.ms as a newcomer meets them: the program, no account, the shipped simulators. */
import { afterEach, describe, expect, it } from 'vitest';
import type { PbxDemoReport } from '../../src/cli/demo-pbx.ts';
import { TOOLS } from '../../src/mcp/catalogue.ts';
import { processes } from './process.ts';

const here = processes();
afterEach(() => here.cleanUp());

/** The one object that a demo prints. */
async function demo<Report>(...args: readonly string[]): Promise<Report> {
  const command = here.spawn({ args: ['demo', ...args, '--json'] });
  const { code } = await command.exit;
  expect({ code, lines: command.stdout.length }).toEqual({ code: 0, lines: 1 });
  expect(command.log).not.toMatch(/"level":(40|50|60)/);
  return JSON.parse(command.stdout[0] ?? '{}');
}

describe.each([
  ['3cx', 'threecx_'],
  ['voipms', 'voipms_'],
] as const)('the demo of %s', (pbx, prefix) => {
  it('tries every tool, and each does what it should', { timeout: 60_000 }, async () => {
    const report = await demo<PbxDemoReport>('--pbx', pbx);
    expect(report).toMatchObject({ simulated: true, pbx });
    const names = TOOLS.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => name);
    expect(new Set(report.steps.map(({ tool }) => tool))).toEqual(new Set(names));
    expect(report.steps.filter(({ ok }) => !ok)).toEqual([]);
    // Everything that is live was told to have changed.
    expect(Object.values(report.updates).filter((times) => times === 0)).toEqual([]);
  });
});

describe('--simulate with the sets of 3CX and VoIP.ms', { timeout: 60_000 }, () => {
  it('needs no account: the tools work, and a call goes over the simulated 3CX', async () => {
    const server = await here.start({ args: ['--simulate', '--toolsets', 'voice,3cx,voipms'] });
    await server.listeningPort();
    expect((await server.tool('threecx_get_extensions', {})).text).toContain('Ada Moreno');
    expect((await server.tool('voipms_get_balance', {})).text).toMatch(/^The balance is \$/);
    const callId = await server.place({ toNumber: '101', via: '3cx' });
    const { data } = await server.follow(callId, ({ lines }) => lines.length > 0);
    expect(data).toMatchObject({ state: 'answered' });
    const { data: call } = await server.tool('get-call', { callId });
    expect(call).toMatchObject({ via: '3cx', to: '101', simulated: true });
    await server.tool('end-call', { callId, mode: 'now' });
    expect((await server.follow(callId)).data).toMatchObject({ done: true });
  });

  it('leaves a real 3CX and a real VoIP.ms alone', async () => {
    const env = {
      PBX_FQDN: 'pbx.example.com',
      PBX_CLIENT_ID: '8000',
      PBX_CLIENT_SECRET: 'of-a-real-system',
      VOIPMS_API_USERNAME: 'owner@example.com',
      VOIPMS_API_PASSWORD: 'of-a-real-account',
      TOOLSETS: 'voice,3cx,voipms',
    };
    const server = await here.start({ env, args: ['--simulate'] });
    await server.listeningPort();
    expect((await server.tool('threecx_get_extensions', {})).text).toContain('Ada Moreno');
    expect((await server.tool('voipms_get_phonebook_groups', {})).text).toContain('Family');
  });
});

describe('a person’s own login for 3CX', () => {
  it('is refused with the reason, and with what to set instead', async () => {
    const env = { PBX_FQDN: 'pbx.example.com', PBX_USERNAME: '100', PBX_PASSWORD: 'a-password-of-somebody' };
    const server = await here.start({ env: { ...env, TOOLSETS: '3cx' } });
    const refused = await server.tool('threecx_get_extensions', {});
    expect(refused.isError).toBe(true);
    expect(refused.text).toMatch(/PBX_USERNAME and PBX_PASSWORD are not used.*PBX_CLIENT_ID and PBX_CLIENT_SECRET/);
    expect(`${refused.text}${server.log}`).not.toContain('a-password-of-somebody');
  });
});
