/** Every tool on a real Asterisk, with exactly the account that the documentation tells administrators to make. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOCAL_ACCESS } from '../../src/config/access.ts';
import { readConfig } from '../../src/config/config.ts';
import { ASTERISK_TOOLS } from '../../src/mcp/tools/asterisk/catalogue.ts';
import { examineAsterisk } from '../../src/offices/asterisk.ts';
import type { Asterisk } from '../../src/pbx/asterisk/operations.ts';
import { ACCOUNTS } from '../../src/simulator/asterisk/configuration.ts';
import type { SipPhone } from '../../src/simulator/sip/phone.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import { certificateIn } from '../fixtures/certificate.ts';
import { freePort } from '../fixtures/free-port.ts';
import { callTool, linkedPair, until } from '../fixtures/mcp-pair.ts';
import { SmallSwitchboard } from '../fixtures/small-switchboard.ts';
import { ASTERISK, QUIET, startTestOffice, type TestOffice } from './office.ts';

interface Recording {
  readonly name: string;
  readonly path: string;
  readonly uri: string;
  readonly sizeBytes: number;
}

const quiet = () => ({ tick: () => ({ spoken: null }) });
const OFFER = { toolsets: ['asterisk'], tools: [], excludeTools: [], readOnly: false, confirmCalls: 'never' } as const;
const SESSION = { access: LOCAL_ACCESS, transport: 'stdio', offer: OFFER } as const;
const EVER = { from: '2020-01-01', to: '2100-01-01' };

describe.skipIf(ASTERISK === null)('the office tools on a real Asterisk', { timeout: 30_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'office-tls-'));
  const asked = new Set<string>();
  /** Who has called 1002, as its display shows. */
  const callers: string[] = [];
  let office: TestOffice;
  let tlsPort: number;
  let phone: SipPhone;
  let client: Awaited<ReturnType<typeof linkedPair>>['client'];
  const pair = async (asterisk: Asterisk) =>
    (await linkedPair(new SmallSwitchboard(), { asterisk: () => asterisk, session: SESSION })).client;
  const tool = async (name: string, args: Record<string, unknown> = {}) => {
    asked.add(`asterisk_${name}`);
    const answer = await callTool(client, `asterisk_${name}`, args);
    if (answer.isError) throw new Error(answer.text);
    expect(answer.text).toContain(String(answer.structured.next));
    return answer.structured as Record<string, never>;
  };

  /** Answered is not yet in it. */
  const joined = (conference: string) =>
    expect.poll(() => tool('list_conferences')).toMatchObject({ conferences: [{ conference, participants: 1 }] });

  beforeAll(async () => {
    tlsPort = await freePort();
    const { file, keyFile } = certificateIn(folder);
    office = await startTestOffice({ certificate: { file, keyFile, amiTlsPort: tlsPort } });
    const cdr = `csv:${join(office.pbx.folder, 'log/cdr-csv/Master.csv')}`;
    const recordings = join(office.pbx.folder, 'spool/monitor');
    client = await pair(
      office.operations(ACCOUNTS.switchboard, { CDR_DATABASE_URL: cdr, ASTERISK_RECORDINGS_DIR: recordings }),
    );
    phone = await office.phone('1001');
    await office.phone('1002', (from) => {
      callers.push(from);
      return { kind: 'answers', ringMs: 30, callee: quiet };
    });
  });
  afterAll(async () => {
    await office?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('run a conference: who is in it, mute, lock, and out', async () => {
    expect(await tool('list_conferences')).toMatchObject({ conferences: [], total: 0 });
    const call = await phone.call('8001', quiet);
    await joined('8001');
    const who = { conference: '8001', participant: '1001' };
    const muted = async () =>
      JSON.stringify(await tool('list_participants', { conference: '8001' })).includes('"muted":true');
    await tool('mute_participant', who);
    expect(await muted()).toBe(true);
    await tool('unmute_participant', who);
    expect(await muted()).toBe(false);
    await tool('lock_conference', { conference: '8001' });
    expect(await tool('list_conferences')).toMatchObject({ conferences: [{ locked: true }] });
    await tool('unlock_conference', { conference: '8001' });
    await tool('kick_participant', who);
    expect(await call.ended).toBe(200);
    await expect(tool('unlock_conference', { conference: '8001' })).rejects.toThrow(/Nobody is in conference 8001/);
  });

  it('tell of extensions, their phones, and never a password', async () => {
    const { extensions } = await tool('list_extensions');
    expect(extensions).toMatchObject([
      { extension: '1001' },
      { extension: '1002' },
      { extension: '1003', status: 'unavailable' },
      {},
    ]);
    expect(await tool('get_extension_status', { extension: '1001' })).toMatchObject({
      registered: true,
      callerId: '"Phone 1001" <1001>',
    });
    const registration = await tool('get_registration', { extension: '1001' });
    expect(registration).toMatchObject({
      registered: true,
      qualifySeconds: 0,
      contacts: [{ address: expect.stringMatching(/^127\.0\.0\.1:\d+$/), roundTripMs: null }],
    });
    expect(JSON.stringify(registration)).not.toContain('phone-1001');
    expect(await tool('get_registration', { extension: '1003' })).toMatchObject({ registered: false, contacts: [] });
  });

  it('tell what can be dialled, and what becomes of a number', async () => {
    expect((await tool('get_dial_rules')).rules).toContainEqual({
      pattern: '_80XX',
      kind: 'extension',
      context: 'phones',
      applications: ['Answer', 'ConfBridge'],
    });
    for (const format of ['groundwire', 'linphone', 'zoiper'])
      expect((await tool('get_dial_rules', { format })).artifact).toMatch(/^<[\s\S]+>\n$/);
    expect(await tool('list_feature_codes')).toMatchObject({
      codes: [
        { code: '*43', meaning: 'Echo test' },
        { code: '*97', meaning: 'Check voicemail' },
      ],
    });
    expect(await tool('validate_number', { number: '911' })).toMatchObject({ kind: 'emergency', normalised: '911' });
    expect(await tool('validate_number', { number: '1001' })).toMatchObject({ kind: 'extension' });
  });

  it('connect two telephones, show the channels, hang one up, and find the call in the records', async () => {
    expect(await tool('originate_call', { from: '1003', to: '1001' })).toMatchObject({ result: 'failed' });
    const { uniqueId } = await tool('originate_call', { from: '1002', to: '1002' });
    const { channels } = await tool('list_channels');
    const mine = (channels as unknown as readonly { channel: string; linkedId: string }[]).filter(
      ({ linkedId }) => linkedId === uniqueId,
    );
    expect(mine.length).toBeGreaterThan(0);
    await tool('hangup_channel', { channel: mine[0]?.channel });
    await expect(tool('hangup_channel', { channel: '/.*/' })).rejects.toThrow(/No channel of the name/);
    await expect.poll(async () => (await tool('list_channels')).total).toBe(0);
    await expect.poll(async () => JSON.stringify((await tool('query_cdr', EVER)).calls)).toContain(uniqueId);
    expect((await tool('get_call_statistics', EVER)).calls).toBeGreaterThan(1);
    expect(await tool('get_extension_summary', { extension: '1002', ...EVER })).toMatchObject({ extension: '1002' });
    expect(await tool('get_system_status')).toMatchObject({
      version: expect.stringMatching(/^2\d\./),
      cdrEnabled: true,
    });
  });

  it('list the recordings that Asterisk made, and give their sound', async () => {
    expect(await tool('list_recordings')).toMatchObject({ offered: true, total: 0 });
    const call = await phone.call('91002', quiet);
    const found = async () => {
      const { recordings } = await tool('list_recordings', { about: 'in-1002' });
      return (recordings as unknown as readonly Recording[])[0];
    };
    // So much is said; Asterisk writes it when there is more, or when the call is over.
    await new Promise((resolve) => setTimeout(resolve, 500));
    call.hangUp();
    await expect.poll(async () => (await found())?.sizeBytes ?? 0).toBeGreaterThan(2_000);
    const recording = await found();
    expect(recording?.name).toMatch(/^2026\/in-1002-[\d.]+\.wav$/);
    const sound = async () =>
      (await client.readResource({ uri: recording?.uri ?? '' })).contents[0] as { blob: string; mimeType: string };
    expect((await sound()).mimeType).toBe('audio/wav');
    // Asterisk closes the file a moment after the call.
    const isWhole = async () => Buffer.from((await sound()).blob, 'base64').equals(readFileSync(recording?.path ?? ''));
    await expect.poll(isWhole).toBe(true);
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain(recording?.uri);
  });

  it('present the extension that is rung first to whoever is called, and in the records', async () => {
    await office.phone('1004', () => ({ kind: 'answers', ringMs: 30, callee: quiet }));
    callers.length = 0;
    // Its last digit leads to 1002.
    const { uniqueId } = await tool('originate_call', { from: '1004', to: '+14155550122' });
    await expect.poll(() => callers).toEqual(['1004']);
    for (const { channel } of (await tool('list_channels')).channels as unknown as readonly { channel: string }[])
      await tool('hangup_channel', { channel }).catch(() => undefined);
    await expect.poll(async () => (await tool('list_channels')).total).toBe(0);
    const records = () => readFileSync(join(office.pbx.folder, 'log/cdr-csv/Master.csv'), 'utf8').split('\n');
    const mine = () => records().filter((row) => row.includes(String(uniqueId)));
    await expect.poll(() => mine().length).toBeGreaterThan(0);
    // accountcode, src, dst
    for (const row of mine()) expect(row).toMatch(/^"","1004",/);
  });

  it('know a conference by any name that an administrator has given it, and tell who watches that it was locked', async () => {
    const admin = office.operations(ACCOUNTS.tooMuch).ami;
    const data = { Application: 'ConfBridge', Data: 'sales.room,office_bridge,office_user' };
    await admin.send('Originate', { Channel: 'PJSIP/1002', ...data, Async: 'true' });
    await joined('sales.room');
    const read = async () => JSON.parse(textOf(await client.readResource({ uri: 'asterisk://conferences' })));
    expect(await read()).toMatchObject({ conferences: [{ conference: 'sales.room', locked: false, people: [{}] }] });
    const updated: string[] = [];
    await client.subscribeResource({ uri: 'asterisk://conferences' });
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.push(params.uri));
    // What joining still has to say.
    await new Promise((resolve) => setTimeout(resolve, 600));
    updated.length = 0;
    await tool('lock_conference', { conference: 'sales.room' });
    await until(() => updated.length > 0);
    expect(await read()).toMatchObject({ conferences: [{ locked: true }] });
    const { participants } = await tool('list_participants', { conference: 'sales.room' });
    const [{ channel } = { channel: '' }] = participants as unknown as readonly { channel: string }[];
    await tool('kick_participant', { conference: 'sales.room', participant: channel });
    await expect.poll(async () => (await tool('list_conferences')).total).toBe(0);
    await client.unsubscribeResource({ uri: 'asterisk://conferences' });
  });

  it('show queues, mailboxes and parked calls', async () => {
    expect(await tool('list_queues')).toMatchObject({
      offered: true,
      queues: [{ queue: 'sales', members: [{ device: 'PJSIP/1002' }] }],
    });
    expect(await tool('list_mailboxes')).toMatchObject({ mailboxes: [{ mailbox: '1001@default', newMessages: 0 }] });
    expect(await tool('list_mailboxes', { mailbox: '1001' })).toMatchObject({
      mailboxes: [{ name: 'Phone 1001', urgentMessages: 0 }],
    });
    await expect(tool('list_mailboxes', { mailbox: '1009' })).rejects.toThrow(/There is no mailbox 1009@default/);
    expect(await tool('list_parked_calls')).toMatchObject({ offered: true, parked: [] });
  });

  it('are all that there are', () => {
    expect([...asked].toSorted()).toEqual(ASTERISK_TOOLS.map(({ name }) => name).toSorted());
  });

  it('have resources that change while one watches', async () => {
    const updated = new Set<string>();
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.add(params.uri));
    const read = async (uri: string) => JSON.parse(textOf(await client.readResource({ uri })));
    for (const name of ['channels', 'conferences', 'extensions'])
      await client.subscribeResource({ uri: `asterisk://${name}` });
    expect(await read('asterisk://conferences')).toEqual({ conferences: [] });
    const call = await phone.call('8002', quiet);
    await until(() => updated.size === 3);
    expect(await read('asterisk://conferences')).toMatchObject({
      conferences: [{ conference: '8002', people: [{ callerNumber: '1001' }] }],
    });
    expect(await read('asterisk://channels')).toMatchObject({ channels: [{ callerName: 'Phone 1001' }] });
    call.hangUp();
    await expect.poll(() => read('asterisk://channels')).toEqual({ channels: [] });
  });

  it('work over TLS, with a certificate that is checked', async () => {
    const { file } = certificateAt(folder);
    const over = (more: Record<string, string>) =>
      office.operations(ACCOUNTS.switchboard, { AMI_PORT: String(tlsPort), AMI_TLS: 'true', ...more });
    expect((await over({ AMI_TLS_CA: file }).status()).cdrEnabled).toBe(true);
    await expect(over({}).status()).rejects.toThrow(/certificate .* could not be verified/);
    const plain = office.operations(ACCOUNTS.switchboard, { AMI_TLS: 'true' });
    await expect(plain.status()).rejects.toThrow(/there is no TLS on this port/);
  });

  it('pass what doctor looks at, with that account; one with the right system is warned of', async () => {
    const look = async (account: (typeof ACCOUNTS)[keyof typeof ACCOUNTS], more: Record<string, string> = {}) => {
      const env = { ...office.env(account), INBOUND_CONTEXT: 'x', ...more };
      return (await examineAsterisk(readConfig({ env }).config, systemClock, QUIET)).map(({ verdict }) => verdict);
    };
    expect(await look(ACCOUNTS.switchboard)).toEqual(['ok', 'ok', 'ok']);
    expect(await look(ACCOUNTS.tooMuch)).toEqual(['ok', 'warn', 'ok']);
    expect(await look(ACCOUNTS.reader)).toEqual(['ok', 'fail', 'ok']);
    expect(await look({ username: 'switchboard', secret: 'wrong' } as never)).toEqual(['fail']);
    const cdr = `csv:${join(office.pbx.folder, 'log/cdr-csv/Master.csv')}`;
    expect(await look(ACCOUNTS.switchboard, { CDR_DATABASE_URL: cdr })).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(await look(ACCOUNTS.switchboard, { CDR_DATABASE_URL: 'csv:/nowhere.csv' })).toEqual([
      'ok',
      'ok',
      'ok',
      'fail',
    ]);
  });

  it('say so when the account may only read, and change nothing', async () => {
    const reader = await pair(office.operations(ACCOUNTS.reader));
    const call = await phone.call('8001', quiet);
    await joined('8001');
    const lock = await callTool(reader, 'asterisk_lock_conference', { conference: '8001' });
    expect(lock).toMatchObject({ isError: true, text: expect.stringContaining('Asterisk refused ConfbridgeLock') });
    expect(await tool('list_conferences')).toMatchObject({ conferences: [{ locked: false }] });
    const originate = await callTool(reader, 'asterisk_originate_call', { from: '1002', to: '1001' });
    expect(originate.text).toContain('write = originate');
    call.hangUp();
  });
});

function textOf({ contents: [content] }: { readonly contents: readonly object[] }): string {
  return content !== undefined && 'text' in content ? String(content.text) : '';
}

function certificateAt(folder: string): { readonly file: string } {
  return { file: join(folder, 'cert.pem') };
}
