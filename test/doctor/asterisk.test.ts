import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { checkAsterisk, speaksJson } from '../../src/doctor/asterisk.ts';
import { checkSettings } from '../../src/doctor/settings.ts';

const facts = {
  version: '22.10.1+dfsg',
  actions: ['CoreStatus', 'Hangup', 'Originate', 'Ping'],
  hasContext: true,
  agentExtensions: ['inbound', 'outbound', 'sorry'],
  extensions: 12,
};
const wishes = {
  context: 'phones',
  agentContext: 'switchboard',
  readOnly: false,
  carriesCalls: true,
  hasAudioSocket: false,
  takesCalls: true,
};
const verdicts = (found: Partial<typeof facts> | { agentExtensions: null }, wanted: Partial<typeof wishes> = {}) =>
  checkAsterisk({ ...facts, ...found }, { ...wishes, ...wanted }).map(
    ({ verdict, message }) => `${verdict}: ${message}`,
  );

describe('what doctor says of the settings', () => {
  it('does not ask for what calls need where there shall be none', () => {
    const said = (env: Record<string, string>) => checkSettings(readConfig({ env })).map(({ verdict }) => verdict);
    const office = { AMI_HOST: 'pbx.example.com', AMI_USERNAME: 'switchboard', AMI_SECRET: 'a-secret-of-ami' };
    expect(said({ ...office, TOOLSETS: 'asterisk' })).toEqual(['skipped']);
    expect(said({ ...office, TOOLSETS: 'asterisk', INBOUND_CONTEXT: 'You answer.' })).toContain('fail');
    expect(said({ ...office, TOOLSETS: 'asterisk', AMI_PORT: 'x' })).toContain('fail');
    expect(said(office)).toContain('fail');
  });
});

describe('what doctor says of Asterisk', () => {
  it('is that all is well where it is', () => {
    expect(verdicts({})).toEqual([
      'ok: Asterisk 22.10.1+dfsg answers, and shows 12 extensions.',
      'ok: The account has the write rights that are needed, and no more. Whether it has read = call,reporting,cdr cannot be seen from here.',
      'ok: The agent has its extensions in switchboard.',
    ]);
  });

  it('names what an account lacks, and warns of one that may too much', () => {
    expect(verdicts({ actions: ['CoreStatus', 'Hangup'] })[1]).toMatch(/^fail: .* lacks write = originate/);
    for (const action of ['ModuleLoad', 'Command', 'UpdateConfig'])
      expect(verdicts({ actions: [...facts.actions, action] })[1]).toMatch(/^warn: .* has the right /);
  });

  it('asks for no more rights than reading needs where nothing shall be changed and no call goes over it', () => {
    const reads = { actions: ['CoreStatus', 'Ping'] };
    expect(verdicts(reads, { readOnly: true, carriesCalls: false })[1]).toMatch(/^ok/);
    expect(verdicts(reads, { readOnly: true })[1]).toMatch(/^fail: .* lacks write = call, originate/);
    expect(verdicts({ actions: ['Ping'] }, { readOnly: true, carriesCalls: false })[1]).toMatch(
      /lacks write = reporting\./,
    );
  });

  it('names what the dial plan lacks, for what is wanted of it', () => {
    expect(verdicts({ agentExtensions: ['outbound'] })[2]).toMatch(
      /^fail: The context switchboard lacks sorry, inbound/,
    );
    expect(verdicts({ agentExtensions: ['outbound', 'sorry'] }, { takesCalls: false })[2]).toMatch(/^ok/);
    expect(verdicts({ agentExtensions: null })[2]).toMatch(/^fail: .* lacks outbound, sorry, inbound/);
    expect(verdicts({ agentExtensions: null }, { carriesCalls: false })[2]).toBe('ok: The context phones is there.');
    expect(verdicts({ hasContext: false })[2]).toMatch(/^fail: There is no context phones/);
  });

  it('is that the server is too old for the agent, or shows no extension', () => {
    for (const version of ['22.8.0', '20.18.1', '23.2.0', '24.0.0']) expect(speaksJson(version), version).toBe(true);
    for (const version of ['22.7.9', '20.17.0', '21.12.0', '18.26.4', '23.1.0', ''])
      expect(speaksJson(version), version).toBe(false);
    expect(verdicts({ version: '18.1.0' })[0]).toMatch(/^fail: Asterisk 18.1.0 is too old/);
    expect(verdicts({ version: '18.1.0' }, { carriesCalls: false })[0]).toMatch(/^ok/);
    expect(verdicts({ version: '18.1.0' }, { hasAudioSocket: true })[0]).toMatch(/^ok/);
    expect(verdicts({ extensions: 0 })[0]).toMatch(/^warn/);
  });
});
