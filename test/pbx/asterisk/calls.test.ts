/** Calls between telephones, conferences and mailboxes, where what Asterisk says leaves something open. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { AgentExchange } from '../../../src/pbx/asterisk/exchange.ts';
import { isChannelName } from '../../../src/pbx/asterisk/names.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { QUIET } from '../../system/office.ts';
import { type Headers, headerOf } from './recorded-manager.ts';
import { type Answer, listOf, office, sent } from './recorded-office.ts';

const LISTED = { ExtensionStateList: '32-extensionstatelist' };
const QUEUED = ['Response: Success\r\nActionID: %ID%\r\nMessage: Originate successfully queued'];
const TEN_TIMES_FASTER = {
  ...systemClock,
  setTimer: (fire: () => void, delayMs: number) => systemClock.setTimer(fire, delayMs / 10),
};
const OK = ['Response: Success\r\nActionID: %ID%'];
/** Getvar, by the name of the variable. */
const variables =
  (values: Readonly<Record<string, string>>): Answer =>
  (action: Headers) => [`Response: Success\r\nActionID: %ID%\r\nValue: ${values[headerOf(action, 'Variable')] ?? ''}`];

describe('a call whose outcome is not known', () => {
  const uncertain = {
    name: 'UpstreamError',
    retryable: false,
    message: expect.stringMatching(/1001 may have been rung: look with asterisk_list_channels/),
  };

  it('is not said to be worth another try when the connection is lost while the telephone rings', async () => {
    const { asterisk, manager } = await office({ ...LISTED, Originate: QUEUED });
    const call = asterisk.originate({ from: '1001', to: '1002', ringSeconds: 5 });
    call.catch(() => undefined);
    await until(() => sent(manager).some((action) => action.startsWith('Action=Originate')));
    manager.drop();
    await expect(call).rejects.toMatchObject(uncertain);
  });

  it('is not said to be worth another try when Asterisk never tells, as without read = call', async () => {
    const { asterisk } = await office({ ...LISTED, Originate: QUEUED }, {}, TEN_TIMES_FASTER);
    const call = asterisk.originate({ from: '1001', to: '1002', ringSeconds: 1 });
    await expect(call).rejects.toMatchObject(uncertain);
    await expect(call).rejects.toThrow(/read = call/);
  });

  it('is told from one that was never asked for, which may be tried again', async () => {
    const { asterisk, manager } = await office({ ExtensionStateList: () => null });
    const call = asterisk.originate({ from: '1001', to: '1002', ringSeconds: 5 });
    call.catch(() => undefined);
    await until(() => manager.actions.length > 0);
    manager.drop();
    await expect(call).rejects.toMatchObject({ retryable: true });
  });
});

describe('a call', () => {
  const originates = { ...LISTED, Originate: '53-originate-fail-unregistered' };

  it('comes from the extension that is rung first, whoever is called', async () => {
    const { asterisk, manager } = await office(originates);
    await asterisk.originate({ from: '1001', to: '+14155550123', ringSeconds: 5 });
    expect(sent(manager).at(-1)).toMatch(/Exten=\+14155550123 .*CallerID=1001 /);
  });

  it('goes to the number that was judged, not to another reading of what was written', async () => {
    const { asterisk, manager } = await office(originates, { ASTERISK_PLUS: '00', ASTERISK_COUNTRY: 'DE' });
    const { dialled } = await asterisk.originate({ from: '1001', to: '+44 (0)20 7946 0018', ringSeconds: 5 });
    expect(dialled).toBe('00442079460018');
    expect(sent(manager).at(-1)).toContain('Exten=00442079460018 ');
  });

  it('of the agent to a number within North America is dialled as such, too', async () => {
    const { asterisk, manager } = await office(originates);
    const options = { ami: asterisk.ami, clock: systemClock, logger: QUIET, context: 'phones', agentContext: 'agent' };
    const exchange = new AgentExchange({ ...options, plus: '9011', country: 'US' });
    onTestFinished(() => exchange.close());
    const asked = { uniqueId: 'u-1', ref: 'r', uuid: 'u', ringMs: 1_000, maxMs: 1_000 };
    await exchange.originate({ ...asked, to: '+14155550123' }, () => undefined);
    expect(sent(manager).at(-1)).toContain('Channel=Local/914155550123@phones/n ');
    await exchange.originate({ ...asked, to: '+442079460018' }, () => undefined);
    expect(sent(manager).at(-1)).toContain('Channel=Local/9011442079460018@phones/n ');
  });

  it('begins at an extension that is listed, never at a trunk that has an endpoint too', async () => {
    const { asterisk, manager } = await office({
      ...originates,
      Getvar: variables({
        'PJSIP_ENDPOINT(sip-trunk,aors)': 'sip-trunk',
        'DEVICE_STATE(PJSIP/sip-trunk)': 'NOT_INUSE',
      }),
    });
    expect(await asterisk.extension('sip-trunk')).toMatchObject({ status: 'idle' });
    await expect(asterisk.originate({ from: 'sip-trunk', to: '1002', ringSeconds: 5 })).rejects.toThrow(
      /sip-trunk is no extension that Asterisk lists/,
    );
    expect(sent(manager).join()).not.toContain('Action=Originate');
  });

  it('over an ISDN line can be hung up: its channel has a slash within its name, and a pattern begins with one', async () => {
    const { asterisk, manager } = await office({
      CoreShowChannels: listOf('CoreShowChannel', [{ Channel: 'DAHDI/i1/5551234-1' }, { Channel: '/^DAHDI/' }]),
      Hangup: OK,
    });
    await asterisk.hangUp('DAHDI/i1/5551234-1');
    expect(sent(manager).at(-1)).toBe('Action=Hangup Channel=DAHDI/i1/5551234-1 Cause=16');
    await expect(asterisk.hangUp('/^DAHDI/')).rejects.toThrow(/No channel of the name/);
    for (const no of ['/.*/', '/DAHDI/i1/', 'all', 'DAHDI//i1/', 'PJSIP/', 'PJSIP/a b', 'PJSIP/a,b'])
      expect(isChannelName(no), no).toBe(false);
  });
});

describe('a conference with a name of its own', () => {
  const rooms = listOf('ConfbridgeListRooms', [{ Conference: 'sales.room', Parties: 1, Locked: 'No', Muted: 'No' }]);
  const people = listOf('ConfbridgeList', [{ Conference: 'sales.room', Channel: 'PJSIP/1001-00000001' }]);

  it('is read and acted on as any other while it is under way', async () => {
    const { asterisk, manager } = await office({
      ConfbridgeListRooms: rooms,
      ConfbridgeList: people,
      ConfbridgeKick: OK,
      ConfbridgeLock: OK,
    });
    expect(await asterisk.participants('sales.room')).toHaveLength(1);
    await asterisk.actOn('kick', 'sales.room', 'PJSIP/1001-00000001');
    await asterisk.lock('sales.room', true);
    expect(sent(manager).at(-1)).toBe('Action=ConfbridgeLock Conference=sales.room');
    await expect(asterisk.lock('other.room', true)).rejects.toThrow(/other.room" is no conference/);
    await expect(asterisk.lock('sales.room\r\nX: y', true)).rejects.toThrow(/is no conference/);
  });

  it('that was locked here is news to whoever watches, as Asterisk tells nobody', async () => {
    const { asterisk, manager } = await office({ ConfbridgeLock: OK });
    await asterisk.ami.ready();
    const changed: string[] = [];
    const stop = asterisk.watch((list) => changed.push(list));
    await asterisk.lock('8001', true);
    await until(() => changed.length > 0);
    expect(changed).toEqual(['conferences']);
    stop();
    await asterisk.lock('8001', true);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(changed).toHaveLength(1);
    expect(manager.actions).toHaveLength(2);
  });
});

describe('a mailbox', () => {
  const counts = ['Response: Success\r\nActionID: %ID%\r\nUrgMessages: 1\r\nNewMessages: 2\r\nOldMessages: 3'];
  const users = listOf('VoicemailUserEntry', [{ VMContext: 'default', VoiceMailbox: '1001', Fullname: 'Ada' }]);

  it('is counted when the server has it, and refused when it has not', async () => {
    const { asterisk, manager } = await office({ VoicemailUsersList: users, MailboxCount: counts });
    expect(await asterisk.mailboxes('1001')).toEqual([
      { mailbox: '1001@default', name: 'Ada', newMessages: 2, oldMessages: 3, urgentMessages: 1 },
    ]);
    await expect(asterisk.mailboxes('1009')).rejects.toThrow(/There is no mailbox 1009@default/);
    await expect(asterisk.mailboxes('1001@other')).rejects.toThrow(/There is no mailbox 1001@other/);
    expect(sent(manager).filter((action) => action.startsWith('Action=MailboxCount'))).toHaveLength(1);
  });

  it('is none where there is no voicemail, although Asterisk itself would count it', async () => {
    const { asterisk } = await office({ MailboxCount: counts });
    expect(await asterisk.mailboxes('1001')).toBeNull();
  });
});

describe('a phone with a fixed address', () => {
  it('is there, as its status says too', async () => {
    const contact = '1001@@d594b0bbd4881d509ef213a58449f8f1';
    const { asterisk } = await office({
      ...LISTED,
      Getvar: variables({
        'PJSIP_ENDPOINT(1001,aors)': '1001',
        'PJSIP_AOR(1001,contact)': contact,
        [`PJSIP_CONTACT(${contact},uri)`]: 'sip:1001@127.0.0.1:5999',
      }),
    });
    expect(await asterisk.extension('1001')).toMatchObject({ registered: true });
    expect(await asterisk.registration('1001')).toMatchObject({
      registered: true,
      contacts: [{ uri: 'sip:1001@127.0.0.1:5999' }],
    });
  });
});

describe('a dial plan with a line that makes no sense', () => {
  it('still tells of every number', async () => {
    const { asterisk } = await office({
      ...LISTED,
      ShowDialPlan: listOf('ListDialplan', [
        { Context: 'from-internal', Extension: '_[a-Z].', Priority: 1, Application: 'Dial' },
        { Context: 'from-internal', Extension: '_1XXX', Priority: 1, Application: 'Dial' },
      ]),
    });
    expect(await asterisk.validate('1001')).toMatchObject({ kind: 'extension', matches: ['_1XXX'] });
  });
});

describe('a list of channels', () => {
  it('has each once, as it is now: Asterisk lists one twice that changes at that moment', async () => {
    const phone = { Channel: 'PJSIP/1002-00000001', Uniqueid: '1.1', Linkedid: '1.0' };
    const { asterisk } = await office({
      CoreShowChannels: listOf('CoreShowChannel', [
        { ...phone, ChannelStateDesc: 'Ringing' },
        { ...phone, Channel: 'PJSIP/1001-00000000', Uniqueid: '1.0', ChannelStateDesc: 'Up' },
        { ...phone, ChannelStateDesc: 'Up' },
      ]),
    });
    expect((await asterisk.channels()).map(({ channel, state }) => `${channel} ${state}`)).toEqual([
      'PJSIP/1002-00000001 up',
      'PJSIP/1001-00000000 up',
    ]);
  });
});
