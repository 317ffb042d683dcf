/** What the operations make of the answers of a real Asterisk, as they were recorded. */
import { describe, expect, it } from 'vitest';
import { statusOf } from '../../../src/pbx/asterisk/extensions.ts';
import { headerOf } from './recorded-manager.ts';
import { office, sent } from './recorded-office.ts';

describe('conferences', () => {
  it('are listed, and are none where Asterisk says so in an error', async () => {
    const some = await office({ ConfbridgeListRooms: '61-confbridgelistrooms' });
    expect(await some.asterisk.conferences()).toEqual([
      { conference: '8001', participants: 3, marked: 1, locked: false, muted: false },
    ]);
    const locked = await office({ ConfbridgeListRooms: '69-confbridgelistrooms-locked' });
    expect((await locked.asterisk.conferences())[0]).toMatchObject({ locked: true });
    const none = await office({
      ConfbridgeListRooms: '09-confbridgelistrooms-empty',
      ConfbridgeList: '12-confbridgelist-no-such',
    });
    expect(await none.asterisk.conferences()).toEqual([]);
    expect(await none.asterisk.participants('8001')).toEqual([]);
  });

  it('have participants, of whom one alone is acted on, by a name that a fresh list shows', async () => {
    const ok = ['Response: Success\r\nActionID: %ID%'];
    const { asterisk, manager } = await office({
      ConfbridgeList: '62-confbridgelist',
      ConfbridgeMute: ok,
      ConfbridgeKick: ok,
    });
    expect(
      (await asterisk.participants('8001')).map(({ channel, talking, admin }) => [channel, talking, admin]),
    ).toEqual([
      ['PJSIP/1002-00000006', false, false],
      ['PJSIP/1001-00000008', true, false],
      ['PJSIP/1003-00000009', false, true],
    ]);
    await asterisk.actOn('mute', '8001', '1001');
    expect(sent(manager).at(-1)).toBe('Action=ConfbridgeMute Conference=8001 Channel=PJSIP/1001-00000008');
    for (const who of ['all', 'participants', '/.*/', 'PJSIP/100', '1001\r\nAction: Logoff', ''])
      await expect(asterisk.actOn('kick', '8001', who)).rejects.toThrow(/is not in it/);
    await expect(asterisk.actOn('kick', '8001\r\nX: y', '1001')).rejects.toThrow(/is no conference/);
    expect(sent(manager).filter((action) => action.startsWith('Action=ConfbridgeKick'))).toEqual([]);
  });
});

describe('extensions', () => {
  it('are listed by their hints, also where device states are not to be had', async () => {
    const { asterisk } = await office({ ExtensionStateList: '32-extensionstatelist' });
    const all = await asterisk.extensions();
    expect(all.map(({ extension, status }) => [extension, status])).toEqual([
      ['1001', 'idle'],
      ['1002', 'idle'],
      ['1003', 'idle'],
      ['1004', 'unavailable'],
      ['1005', 'unavailable'],
    ]);
    expect(all[0]?.devices).toEqual([{ device: 'PJSIP/1001', state: null }]);
  });

  it('have several states at once', () => {
    expect(statusOf(0)).toEqual({ status: 'idle', states: ['idle'] });
    expect(statusOf(9)).toEqual({ status: 'ringing', states: ['ringing', 'in-use'] });
    expect(statusOf(-1).status).toBe('unknown');
    expect(statusOf(Number.NaN).status).toBe('unknown');
  });

  it('are asked about by names that are built here: nothing else is ever read', async () => {
    const { asterisk, manager } = await office({
      ExtensionStateList: '32-extensionstatelist',
      Getvar: ['Response: Success\r\nActionID: %ID%\r\nVariable: x\r\nValue: '],
    });
    for (const given of [
      '1001,password)',
      'AST_SORCERY(res_pjsip,auth,1001,password)',
      `\${SHELL(id)}`,
      '1001\r\nX: y',
      '../etc',
    ])
      await expect(asterisk.registration(given)).rejects.toThrow(/is no extension/);
    expect(sent(manager)).toEqual([]);
    expect(await asterisk.registration('1001')).toMatchObject({ registered: false, contacts: [] });
    const names = sent(manager).filter((action) => action.startsWith('Action=Getvar'));
    expect(names.length).toBeGreaterThan(3);
    expect(names.every((name) => /Variable=PJSIP_(ENDPOINT|AOR|CONTACT)\([\w;@-]+,[a-z_]+\)$/.test(name))).toBe(true);
    expect(names.join()).not.toMatch(/auth|password/);
  });
});

describe('a call between telephones', () => {
  const answers = { ExtensionStateList: '32-extensionstatelist' };

  it('is placed in the fixed context, to listed extensions and allowed numbers, and to nothing else', async () => {
    const { asterisk, manager } = await office(
      { ...answers, Originate: '53-originate-fail-unregistered' },
      { ASTERISK_CONTEXT: 'phones', ASTERISK_PLUS: '9011' },
    );
    const call = (to: string, from = '1001') => asterisk.originate({ from, to, ringSeconds: 5 });
    expect(await call('1002')).toMatchObject({ result: 'failed', dialled: '1002' });
    expect(await call('+14155550123')).toMatchObject({ dialled: '914155550123' });
    const [first] = manager.actions.filter((action) => headerOf(action, 'Action') === 'Originate');
    expect(Object.fromEntries((first ?? []).filter(([key]) => !['ActionID', 'ChannelId'].includes(key)))).toEqual({
      Action: 'Originate',
      Channel: 'PJSIP/1001',
      Context: 'phones',
      Exten: '1002',
      Priority: '1',
      CallerID: '1001',
      Timeout: '5000',
      Async: 'true',
    });
    const count = manager.actions.length;
    for (const [to, why] of [
      ['911', /emergency/],
      ['112', /emergency/],
      ['+19005550123', /premium/],
      ['1009', /no extension that Asterisk lists/],
      ['Local/1002@any', /is no extension/],
      [`\${EXTEN}`, /is no extension/],
      ['1002,1,Hangup', /is no extension/],
    ] as const)
      await expect(call(to)).rejects.toThrow(why);
    await expect(call('1002', 'Local/x@y')).rejects.toThrow(/is no extension/);
    expect(manager.actions.slice(count).map((action) => headerOf(action, 'Action'))).not.toContain('Originate');
  });

  it('tells an extension that nobody took from one that could not be rung', async () => {
    const { asterisk } = await office({ ...answers, Originate: '54-originate-timeout' });
    expect((await asterisk.originate({ from: '1004', to: '1001', ringSeconds: 5 })).result).toBe('no-answer');
  });

  it('is hung up by the exact name of one channel that is up', async () => {
    const { asterisk, manager } = await office({
      CoreShowChannels: '40-coreshowchannels-call',
      Hangup: ['Response: Success\r\nActionID: %ID%\r\nMessage: Channel Hungup'],
    });
    await asterisk.hangUp('PJSIP/1002-00000004');
    expect(sent(manager).at(-1)).toBe('Action=Hangup Channel=PJSIP/1002-00000004 Cause=16');
    for (const name of ['/.*/', '/^PJSIP/', 'PJSIP/1002', 'all', 'PJSIP/1002-00000004\r\nX: y'])
      await expect(asterisk.hangUp(name)).rejects.toThrow(/No channel of the name/);
    expect(sent(manager).filter((action) => action.startsWith('Action=Hangup'))).toHaveLength(1);
  });

  it('counts, and so does all that changes something: more than the limit in a minute is refused', async () => {
    const { asterisk } = await office(
      { ConfbridgeLock: ['Response: Success\r\nActionID: %ID%'] },
      { ASTERISK_CHANGES_PER_MINUTE: '3' },
    );
    for (let i = 0; i < 3; i += 1) await asterisk.lock('8001', true);
    await expect(asterisk.lock('8001', true)).rejects.toThrow(/3 changes .* ASTERISK_CHANGES_PER_MINUTE/);
  });
});

describe('what the server does not offer', () => {
  it('is null, and not an error', async () => {
    const { asterisk } = await office({});
    expect(await asterisk.queues()).toBeNull();
    expect(await asterisk.mailboxes()).toBeNull();
    expect(await asterisk.mailboxes('1001@default')).toBeNull();
    expect(await asterisk.parkedCalls()).toBeNull();
  });
});
