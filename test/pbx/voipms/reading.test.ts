/** What is read of an account, against the simulated one. */
import { describe, expect, it } from 'vitest';
import { ConfigError, ProtocolError, UpstreamError, UserInputError } from '../../../src/errors.ts';
import { FRONT_DESK, OFFICE_DID, ROBOT, SURVEY, WORKSHOP } from '../../../src/simulator/voipms/seed.ts';
import { NOW_MS, office, refusal } from './office.ts';

const MONTH = { from: '2026-11-01', to: '2026-11-27' };
const MOST = 1024 * 1024;

describe('the account', () => {
  it('tells its balance', async () => {
    const { voipms } = await office();
    expect(await voipms.balance()).toMatchObject({ current: '42.175300', callsToday: expect.stringMatching(/^\d+$/) });
    expect(await voipms.look()).toEqual({ balance: '42.175300', trouble: null });
  });

  it('is looked at without an error for what is found', async () => {
    const { voipms, account } = await office();
    account.faults.refuse = 'api_not_enabled';
    const { balance, trouble } = await voipms.look();
    expect([balance, trouble]).toEqual([null, expect.stringMatching(/Enable it in the VoIP\.ms portal/)]);
    account.faults.refuse = null;
    account.faults.trouble = { getBalance: 'empty' };
    expect(await refusal(voipms.balance())).toBeInstanceOf(ProtocolError);
  });

  it('lists its sub-accounts without their passwords', async () => {
    const { voipms, account } = await office();
    const accounts = await voipms.accounts();
    expect(accounts[0]).toEqual({
      id: '9001',
      account: FRONT_DESK,
      description: 'Front desk',
      protocol: '1',
      deviceType: '2',
      callerIdNumber: OFFICE_DID,
      internalExtension: '001',
      recordsCalls: true,
      transcribes: true,
    });
    account.state.subAccounts.splice(1);
    account.faults.oneRowAsObject = true;
    expect(await voipms.accounts()).toHaveLength(1);
    account.state.subAccounts.splice(0);
    expect(await voipms.accounts()).toEqual([]);
  });

  it('lists the accounts of its calls', async () => {
    const { voipms } = await office();
    expect((await voipms.callAccounts()).map(({ account }) => account)).toEqual(['all', FRONT_DESK, WORKSHOP]);
  });
});

describe('the phonebook', () => {
  it('is listed, also of one group by its id or its name', async () => {
    const { voipms, account } = await office();
    expect(await voipms.phonebookEntries()).toHaveLength(6);
    for (const group of ['16389', 'Family'])
      expect((await voipms.phonebookEntries(group)).map(({ id }) => id)).toEqual(['32208', '32209']);
    expect(account.requests.slice(1).map(({ params }) => params)).toEqual([
      { group: '16389' },
      { group_name: 'Family' },
    ]);
    expect((await voipms.phonebookEntries('Spam'))[0]).toEqual({
      id: '32213',
      name: 'Old robot',
      number: '4155550197',
      speedDial: null,
      callerId: null,
      note: null,
      groupId: '16391',
      groupName: 'Spam',
    });
  });

  it('says of a group that there is not that there is none, and of an empty one that nobody is in it', async () => {
    const { voipms } = await office();
    expect(await voipms.phonebookEntries('Suppliers')).toEqual([]);
    for (const group of ['Nobody', '99999']) await expect(voipms.phonebookEntries(group)).rejects.toThrow(/group/);
  });

  it.each(['phonebooks', 'phonebook_groups'] as const)('has groups, under the key %s', async (groupsListKey) => {
    const { voipms, account } = await office();
    account.faults.groupsListKey = groupsListKey;
    expect((await voipms.phonebookGroups()).map(({ name, members }) => [name, members.length])).toEqual([
      ['Family', 2],
      ['Customers', 1],
      ['Spam', 1],
      ['Suppliers', 0],
    ]);
    account.faults.oneRowAsObject = true;
    expect(await voipms.phonebookGroups('Spam')).toEqual([{ id: '16391', name: 'Spam', members: ['32213'] }]);
    expect(await voipms.phonebookGroups('None')).toEqual([]);
  });

  it('is beside the filters of callers', async () => {
    const { voipms } = await office();
    expect((await voipms.callerIdFilters()).map(({ callerId }) => callerId)).toEqual(['4155550197', '0', '900*']);
    const written = `+1 (${OFFICE_DID.slice(0, 3)}) ${OFFICE_DID.slice(3, 6)}-${OFFICE_DID.slice(6)}`;
    expect(await voipms.callerIdFilters(written)).toEqual(await voipms.callerIdFilters(OFFICE_DID));
    expect((await voipms.callerIdFilters(' All ')).map(({ id }) => id)).toEqual(['18915', '18917']);
    expect(await refusal(voipms.callerIdFilters('office'))).toBeInstanceOf(UserInputError);
    expect(await voipms.callerIdFilters(OFFICE_DID)).toEqual([
      { id: '18916', callerId: '0', did: OFFICE_DID, routing: 'vm:101', note: 'Withheld numbers to the mailbox' },
    ]);
  });
});

describe('call records', () => {
  it('are in UTC, of every outcome, newest first', async () => {
    const { voipms, account } = await office();
    const rows = await voipms.recentCdr(MONTH);
    expect(rows).toHaveLength(account.state.calls.length);
    expect(account.requests[0]?.params).toEqual({
      date_from: '2026-11-01',
      date_to: '2026-11-27',
      timezone: '0',
      answered: '1',
      noanswer: '1',
      busy: '1',
      failed: '1',
    });
    const times = rows.map(({ startedAt }) => startedAt);
    expect(times).toEqual(times.toSorted().toReversed());
    const last = account.state.calls.at(-1);
    expect(rows[0]).toMatchObject({
      id: last?.uniqueid,
      startedAt: new Date(last?.atMs ?? 0).toISOString().replace('.000Z', 'Z'),
      seconds: last?.seconds,
      callerNumber: ROBOT,
    });
    expect(rows.some(({ callerId, callerNumber }) => callerId.includes('anonymous') && callerNumber === null)).toBe(
      true,
    );
  });

  it('of an account and of some outcomes are those alone', async () => {
    const { voipms, account } = await office();
    const rows = await voipms.recentCdr({ ...MONTH, account: FRONT_DESK, dispositions: ['busy', 'noanswer'] });
    expect(new Set(rows.map(({ disposition }) => disposition))).toEqual(new Set(['BUSY', 'NO ANSWER']));
    expect(rows.every((row) => row.account === FRONT_DESK)).toBe(true);
    expect(account.requests[0]?.params).toMatchObject({ answered: '1', account: FRONT_DESK });
    expect(await refusal(voipms.recentCdr({ ...MONTH, account: 'x' }))).toBeInstanceOf(UserInputError);
  });

  it('of a long range are asked for piece by piece, and none is there twice', async () => {
    const { voipms, account } = await office();
    const rows = await voipms.recentCdr({ from: '2026-01-01', to: '2026-11-27' });
    expect(account.requests.map(({ params }) => [params.date_from, params.date_to])).toEqual([
      ['2026-01-01', '2026-03-31'],
      ['2026-04-01', '2026-06-29'],
      ['2026-06-30', '2026-09-27'],
      ['2026-09-28', '2026-11-27'],
    ]);
    expect(rows).toHaveLength(account.state.calls.length);
    const [call] = account.state.calls;
    if (call) account.state.calls.push(call);
    expect(await voipms.recentCdr(MONTH)).toHaveLength(rows.length);
  });

  it('are none where there are none, one where there is one', async () => {
    const { voipms, account } = await office();
    account.faults.oneRowAsObject = true;
    account.state.calls.splice(1);
    expect(await voipms.recentCdr(MONTH)).toHaveLength(1);
    account.state.calls.splice(0);
    expect(await voipms.recentCdr(MONTH)).toEqual([]);
  });
});

describe('recordings', () => {
  it('of all accounts are asked for account by account', async () => {
    const { voipms, account, asked } = await office();
    const recordings = await voipms.recordings(MONTH);
    expect(recordings.map((one) => [one.account, one.durationSeconds])).toEqual([
      [FRONT_DESK, 26],
      [FRONT_DESK, 12],
      [FRONT_DESK, 41],
      [WORKSHOP, 19],
      [WORKSHOP, 19],
    ]);
    expect(asked()).toEqual(['getCallAccounts', 'getCallRecordings', 'getCallRecordings']);
    expect(account.requests.slice(1).map(({ params }) => params.account)).toEqual([FRONT_DESK, WORKSHOP]);
    expect(await voipms.recordings({ ...MONTH, account: WORKSHOP })).toHaveLength(2);
    expect(await voipms.recordings({ ...MONTH, account: 'all' })).toHaveLength(5);
    account.state.recordings = [];
    expect(await voipms.recordings(MONTH)).toEqual([]);
  });

  it('are MP3', async () => {
    const { voipms } = await office();
    const [first] = await voipms.recordings(MONTH);
    const sound = await voipms.recording(FRONT_DESK, first?.recording ?? '', MOST);
    expect(sound).toMatchObject({ ...first, mimeType: 'audio/mpeg' });
    expect([sound.bytes[0], (sound.bytes[1] ?? 0) & 0xe0]).toEqual([0xff, 0xe0]);
    expect(sound.bytes.byteLength).toBeGreaterThan(1_000);
  });

  it('that are not there, have no sound, or are too large are told', async () => {
    const { voipms, account } = await office();
    const id = account.state.recordings[0]?.callrecording ?? '';
    expect((await refusal(voipms.recording(FRONT_DESK, 'bm9uZQ==', MOST))).message).toMatch(/no such recording/);
    expect(await refusal(voipms.recording('', id, MOST))).toBeInstanceOf(UserInputError);
    for (const most of [10, 1_000]) {
      const error = await refusal(voipms.recording(FRONT_DESK, id, most));
      expect(error).toBeInstanceOf(UserInputError);
      expect(error.message).toMatch(/larger than 0\.0 MB/);
    }
    account.faults.noSound = true;
    expect((await refusal(voipms.recording(FRONT_DESK, id, MOST))).message).toMatch(/no sound of this recording/);
    account.faults.trouble = { getCallRecording: { status: 'no_base64file' } };
    expect((await refusal(voipms.recording(FRONT_DESK, id, MOST))).message).toMatch(/no sound of this recording/);
    account.faults.trouble = { getCallRecording: 'empty' };
    expect(await refusal(voipms.recording(FRONT_DESK, id, MOST))).toBeInstanceOf(ProtocolError);
  });
});

describe('a recording sent by e-mail', () => {
  const request = { account: FRONT_DESK, recording: 'cmVjb3JkaW5nLTE9MQ==', email: 'ada@example.com' };

  it('goes only to addresses that are allowed', async () => {
    const { voipms, account } = await office({ emailRecipients: ['@Example.com', 'bob@example.net'] });
    for (const email of ['ada@example.com', 'Bob@example.net'])
      expect(await voipms.emailRecording({ ...request, email, dryRun: false })).toMatchObject({ changed: true });
    expect(account.state.emails.map(({ email }) => email)).toEqual(['ada@example.com', 'Bob@example.net']);
    for (const email of ['eve@example.net', 'ada@sub.example.com', 'ada@notexample.com', 'bob@example.net.evil.org'])
      for (const dryRun of [true, false]) {
        const error = await refusal(voipms.emailRecording({ ...request, email, dryRun }));
        expect(error).toMatchObject({ name: 'ConfigError', settings: ['VOIPMS_EMAIL_RECIPIENTS'] });
      }
    for (const email of ['ada', 'eve@evil.org,ada@example.com', 'eve@evil.org ada@example.com', ''])
      expect(await refusal(voipms.emailRecording({ ...request, email, dryRun: false }))).toBeInstanceOf(UserInputError);
    expect(account.state.emails).toHaveLength(2);
    const nobody = await office();
    expect(await refusal(nobody.voipms.emailRecording({ ...request, dryRun: true }))).toBeInstanceOf(ConfigError);
  });

  it('is shown first, and sent once whatever comes of it', async () => {
    const { voipms, account } = await office({ emailRecipients: ['@example.com'], patienceMs: 300 });
    const planned = await voipms.emailRecording({ ...request, dryRun: true });
    expect(planned).toMatchObject({ dryRun: true, changed: false });
    expect(planned.calls).toEqual([
      {
        method: 'sendCallRecordingEmail',
        params: { account: FRONT_DESK, callrecording: request.recording, email: 'ada@example.com' },
      },
    ]);
    expect(account.state.emails).toEqual([]);
    account.faults.trouble = { sendCallRecordingEmail: 'hang-after' };
    expect(await refusal(voipms.emailRecording({ ...request, dryRun: false }))).toMatchObject({ code: 'uncertain' });
    expect(account.state.emails).toHaveLength(1);
    account.faults.trouble = {};
    const unknown = { ...request, recording: 'bm9uZQ==', dryRun: false };
    expect(await refusal(voipms.emailRecording(unknown))).toBeInstanceOf(UserInputError);
  });
});

describe('a number', () => {
  it('is told everything of', async () => {
    const { voipms } = await office();
    const report = await voipms.inspect('+1 415 555 0123', 30);
    expect(report).toMatchObject({
      number: '4155550123',
      entries: [{ id: '32208' }],
      groups: [{ name: 'Family' }],
      filters: [],
      isInSpamGroup: false,
    });
    expect(report.messages).toEqual([
      { at: expect.stringMatching(/^2026-11-25T.*Z$/), direction: 'sent', text: 'No problem' },
      { at: expect.stringMatching(/^2026-11-25T.*Z$/), direction: 'received', text: 'running late, see you at 10' },
    ]);
    expect(report.calls.rows.some(({ destination }) => destination === '4155550123')).toBe(true);
    expect(report.calls.rows.some(({ callerNumber }) => callerNumber === '4155550123')).toBe(true);
    expect(report.warnings).toEqual([expect.stringMatching(/^2 filters are of patterns/)]);
    expect((await voipms.inspect('4155550125', 30)).entries.map(({ id }) => id)).toEqual(['32210', '32211']);
  });

  it('that is spam is told to be', async () => {
    const { voipms } = await office();
    expect(await voipms.inspect('4155550197', 7)).toMatchObject({ isInSpamGroup: true, filters: [{ id: '18915' }] });
  });

  it('is told of over a long time, of which text messages are asked for once', async () => {
    const { voipms, account } = await office();
    const report = await voipms.inspect('4155550123', 200);
    expect(account.requests.filter(({ method }) => method === 'getCDR')).toHaveLength(3);
    expect(account.requests.find(({ method }) => method === 'getSMS')?.params).toMatchObject({
      from: '2026-08-30',
      to: '2026-11-27',
    });
    expect(report.messages).toHaveLength(2);
    expect(report.warnings).toContain('Text messages were looked for from 2026-08-30 on only.');
  });

  it('is told of also without its text messages', async () => {
    const { voipms, account } = await office();
    account.faults.trouble = { getSMS: { status: 'sms_failed' } };
    const report = await voipms.inspect('4155550123', 7);
    expect(report.messages).toBeNull();
    expect(report.warnings).toContainEqual(expect.stringMatching(/text messages could not be read/));
    account.faults.trouble = { getCDR: 'html' };
    expect(await refusal(voipms.inspect('4155550123', 7))).toBeInstanceOf(ProtocolError);
    for (const days of [0, 1.5, 10_000, Number.NaN])
      expect(await refusal(voipms.inspect('4155550123', days))).toBeInstanceOf(UserInputError);
    expect(await refusal(voipms.inspect('nobody', 7))).toBeInstanceOf(UserInputError);
  });

  it('that behaves as spam does is suggested, and no longer when it is known', async () => {
    const { voipms } = await office();
    const suggestions = await voipms.suggestSpam({ days: 21, limit: 10 });
    expect(suggestions.map(({ number }) => number)).toEqual([ROBOT, SURVEY]);
    expect(suggestions[0]?.reasons).toContain('it called 3 of your numbers');
    await voipms.markAsSpam({ number: ROBOT, createGroup: false, block: false, dryRun: false });
    expect((await voipms.suggestSpam({ days: 21, limit: 10 })).map(({ number }) => number)).toEqual([SURVEY]);
  });
});

describe('a text message', () => {
  const sms = { from: OFFICE_DID, to: '+14155550123', text: 'See you at 10' };

  it('is sent once', async () => {
    const { voipms, account } = await office({ patienceMs: 300 });
    expect(await voipms.sendSms(sms)).toEqual({ id: expect.stringMatching(/^\d+$/) });
    expect(account.requests).toEqual([
      { method: 'sendSMS', params: { did: OFFICE_DID, dst: '4155550123', message: 'See you at 10' } },
    ]);
    account.faults.trouble = { sendSMS: 'hang-after' };
    const before = account.state.messages.length;
    expect(await refusal(voipms.sendSms(sms))).toMatchObject({ code: 'uncertain', retryable: false });
    expect(account.state.messages).toHaveLength(before + 1);
    account.faults.trouble = {};
    account.faults.withoutId = true;
    expect(await voipms.sendSms(sms)).toEqual({ id: null });
  });

  it('that cannot be sent is refused before it is', async () => {
    const { voipms, account } = await office({ changesPerMinute: 1 });
    for (const fields of [
      { text: ' ' },
      { text: 'x'.repeat(161) },
      { to: '+442079460123' },
      // Ten digits, and those of somebody else in North America without the +.
      { to: '+65 9123 4567' },
      { to: 'Ada' },
      { from: '' },
    ])
      expect(await refusal(voipms.sendSms({ ...sms, ...fields })), JSON.stringify(fields)).toBeInstanceOf(
        UserInputError,
      );
    expect(account.requests).toEqual([]);
    account.faults.messagesPerDay = 0;
    expect(await refusal(voipms.sendSms(sms))).toMatchObject({ code: 'limit_reached' });
    expect((await refusal(voipms.sendSms(sms))).message).toMatch(/VOIPMS_CHANGES_PER_MINUTE/);
  });
});

describe('a method as it is', () => {
  it('is asked with 1 and 0 for yes and no', async () => {
    const { voipms, account } = await office();
    expect(await voipms.raw('getBalance', { advanced: true })).toMatchObject({ status: 'success' });
    expect(account.requests).toEqual([{ method: 'getBalance', params: { advanced: '1' } }]);
    expect(
      await voipms.raw('getCDR', { date_from: '2020-01-01', date_to: '2020-01-02', timezone: 0, busy: true }),
    ).toEqual({
      status: 'no_cdr',
    });
  });

  it('that changes something, or is not known, is never asked again, and counts as a change', async () => {
    const { voipms, account, asked } = await office({ changesPerMinute: 2 });
    account.faults.trouble = { '*': 'bad-gateway' };
    for (const method of ['setPhonebook', 'setSomethingNew'])
      expect(await refusal(voipms.raw(method, {}))).toMatchObject({ code: 'uncertain' });
    expect(asked()).toEqual(['setPhonebook', 'setSomethingNew']);
    expect(await refusal(voipms.raw('setPhonebook', {}))).toBeInstanceOf(UserInputError);
    expect(await refusal(voipms.raw('getBalance', {}))).toBeInstanceOf(UpstreamError);
    expect(asked().length).toBeGreaterThan(1);
  });
});

it('time is the clock’s', async () => {
  const { voipms, account } = await office();
  await voipms.suggestSpam({ days: 1, limit: 1 });
  const day = new Date(NOW_MS).toISOString().slice(0, 10);
  expect(account.requests.find(({ method }) => method === 'getCDR')?.params).toMatchObject({
    date_from: day,
    date_to: day,
  });
});
