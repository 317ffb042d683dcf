/** What the operations make of the answers of a real Asterisk, as they were recorded. */
import { afterEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { createOffice } from '../../../src/office.ts';
import { statusOf } from '../../../src/pbx/asterisk/extensions.ts';
import { judgeNumber, matches } from '../../../src/pbx/asterisk/numbers.ts';
import type { Asterisk } from '../../../src/pbx/asterisk/operations.ts';
import { softphoneRules } from '../../../src/pbx/asterisk/softphones.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { countryFacts, isEmergencyIn, suggestE164 } from '../../../src/switchboard/numbers.ts';
import { QUIET } from '../../system/office.ts';
import {
  answersOf,
  type Headers,
  headerOf,
  type RecordedManager,
  startRecordedManager,
  USER,
} from './recorded-manager.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** `answers`: names of transcripts, by action. */
async function office(
  answers: Readonly<Record<string, string | readonly string[]>>,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ readonly asterisk: Asterisk; readonly manager: RecordedManager }> {
  const answer = (action: Headers): readonly string[] => {
    const known = answers[headerOf(action, 'Action')];
    if (known === undefined) return answersOf('15-unknown-action');
    return typeof known === 'string' ? answersOf(known) : known;
  };
  const manager = await startRecordedManager({ answer });
  const env = {
    AMI_HOST: '127.0.0.1',
    AMI_PORT: String(manager.port),
    AMI_USERNAME: USER.username,
    AMI_SECRET: USER.secret,
    ...settings,
  };
  const asterisk = createOffice(readConfig({ env }).config, systemClock, QUIET);
  if (asterisk === null) throw new Error('incomplete');
  closing.push(() => asterisk.close(), manager.stop);
  return { asterisk, manager };
}

const sent = ({ actions }: RecordedManager): readonly string[] =>
  actions.map((action) =>
    action
      .filter(([key]) => key !== 'ActionID')
      .map((pair) => pair.join('='))
      .join(' '),
  );

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
    expect(await call('+14155550123')).toMatchObject({ dialled: '901114155550123' });
    const [first] = manager.actions.filter((action) => headerOf(action, 'Action') === 'Originate');
    expect(Object.fromEntries((first ?? []).filter(([key]) => !['ActionID', 'ChannelId'].includes(key)))).toEqual({
      Action: 'Originate',
      Channel: 'PJSIP/1001',
      Context: 'phones',
      Exten: '1002',
      Priority: '1',
      CallerID: '1002',
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

describe('a number', () => {
  const wisdom = {
    isEmergency: (dialled: string, country: string) => isEmergencyIn(country, dialled),
    refusalOf: () => null,
    e164: suggestE164,
    country: countryFacts,
  };
  const rule = (pattern: string, kind: 'extension' | 'international' | 'feature-code', ...applications: string[]) => ({
    pattern,
    kind,
    context: 'x',
    applications,
  });
  const judge = (number: string, country = 'US') =>
    judgeNumber(number, {
      country,
      plus: '00',
      numbers: wisdom,
      extensions: [{ extension: '110', context: 'x', status: 'idle', states: [], devices: [] }],
      rules: [
        rule('_1XXX', 'extension', 'Dial'),
        rule('_80XX', 'extension', 'ConfBridge'),
        rule('_00X.', 'international', 'Dial'),
        rule('*97', 'feature-code', 'VoiceMailMain'),
      ],
    });

  it('is recognised as what it is to this office', () => {
    expect(judge('1001')).toMatchObject({ kind: 'extension', dialled: '1001', matches: ['_1XXX'] });
    expect(judge('8012')).toMatchObject({ kind: 'conference' });
    expect(judge('*97')).toMatchObject({ kind: 'feature-code', valid: true });
    expect(judge('*99')).toMatchObject({ kind: 'feature-code', valid: false });
    expect(judge('(415) 555-2671')).toMatchObject({
      kind: 'national',
      normalised: '+14155552671',
      dialled: '0014155552671',
      matches: ['_00X.'],
    });
    expect(judge('+44 20 7946 0018')).toMatchObject({ kind: 'international', normalised: '+442079460018' });
    expect(judge('hello')).toMatchObject({ kind: 'invalid', valid: false, dialled: null });
  });

  it('that is an emergency number of the country is left as it is, with a warning; another country’s is an extension', () => {
    for (const [number, country] of [
      ['911', 'US'],
      ['999', 'GB'],
      ['112', 'DE'],
      ['110', 'DE'],
      ['000', 'AU'],
      ['119', 'JP'],
      ['10111', 'ZA'],
    ] as const)
      expect(judge(number, country)).toMatchObject({
        kind: 'emergency',
        normalised: number,
        dialled: number,
        warnings: [expect.stringContaining('emergency number'), expect.stringContaining('no rule for it')],
      });
    expect(judge('110', 'US')).toMatchObject({ kind: 'extension', warnings: [] });
    expect(judge('110', 'AQ')).toMatchObject({ kind: 'emergency' });
  });

  it('fits the patterns of a dial plan as Asterisk reads them', () => {
    for (const [pattern, yes, no] of [
      ['1001', ['1001'], ['1002', '10011']],
      ['_1XXX', ['1000', '1999'], ['2000', '100']],
      ['_NXXNXXXXXX', ['4155552671'], ['1155552671']],
      ['_[2-4]Z.', ['219', '4190'], ['21', '519', '209']],
      ['_+X.', ['+14155550123'], ['14155550123']],
      ['_0-1.', ['0123'], ['01']],
      ['_9!', ['9', '911'], ['8']],
      ['_*X', ['*9'], ['9']],
    ] as const) {
      for (const number of yes) expect(matches(pattern, number), `${pattern} ${number}`).toBe(true);
      for (const number of no) expect(matches(pattern, number), `${pattern} ${number}`).toBe(false);
    }
  });
});

describe('rules for softphones', () => {
  const options = {
    country: { iso: 'US', name: 'United States', code: '1' },
    plus: '011',
    featureCodes: ['*97'],
    extensions: ['_1XXX'],
  };
  /** What Groundwire makes of a number by its rules: the first whose conditions all hold. */
  const rewritten = (xml: string, number: string): string => {
    for (const [, conditions = '', action = '', param = ''] of xml.matchAll(
      /<conditions>([\s\S]*?)<\/conditions>\s*<actions>\s*<action type="(\w+)" param="([^"]*)"\/>/g,
    )) {
      const all = [...conditions.matchAll(/type="(\w+)" param="([^"]*)"/g)];
      const holds = all.every(([, type, value = '']) =>
        type === 'startsWith'
          ? number.startsWith(value)
          : type === 'lengthEquals'
            ? number.length === Number(value)
            : number.length > Number(value),
      );
      const start = all.find(([, type]) => type === 'startsWith')?.[2] ?? '';
      if (holds) return action === 'prepend' ? param + number : param + number.slice(start.length);
    }
    return number;
  };

  it('rewrite in Groundwire what is to be rewritten, and never an emergency number, an extension or a code', () => {
    const { artifact } = softphoneRules('groundwire', options);
    expect(rewritten(artifact, '+14155550123')).toBe('14155550123');
    expect(rewritten(artifact, '4155550123')).toBe('14155550123');
    expect(rewritten(artifact, '+442079460018')).toBe('011442079460018');
    for (const same of ['911', '112', '+112', '988', '1001', '*97', '14155550123'])
      expect(rewritten(artifact, same)).toBe(same);
    const german = softphoneRules('groundwire', {
      ...options,
      country: { iso: 'DE', name: 'Germany', code: '49' },
      plus: '00',
    }).artifact;
    expect(rewritten(german, '+4930123456')).toBe('004930123456');
    for (const same of ['110', '112', '030123456']) expect(rewritten(german, same)).toBe(same);
  });

  it.each(['groundwire', 'linphone', 'zoiper'] as const)(
    'say what %s cannot express, hold no password, and are well-formed',
    (phone) => {
      const made = softphoneRules(phone, options);
      expect(made.rulesNotExpressible.length).toBeGreaterThan(0);
      expect(made.rulesNotExpressible.every(({ why }) => why.length > 20)).toBe(true);
      expect(made.untestedSyntax.length).toBeGreaterThan(0);
      expect(made.artifact).not.toMatch(/password|secret/i);
      const tags = [...made.artifact.replace(/<\?.*?\?>/, '').matchAll(/<(\/?)([\w]+)[^>]*?(\/?)>/g)];
      const open: string[] = [];
      for (const [, closes, name = '', single] of tags) {
        if (closes) expect(open.pop()).toBe(name);
        else if (!single) open.push(name);
      }
      expect(open).toEqual([]);
    },
  );
});
