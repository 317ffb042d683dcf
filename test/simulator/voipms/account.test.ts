import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVoipMsSimulator, type VoipMsSimulator } from '../../../src/simulator/voipms/account.ts';
import { FRONT_DESK, OFFICE_DID, SEEDED_SECRETS, WORKSHOP } from '../../../src/simulator/voipms/seed.ts';

/** 2026-03-20 15:00 UTC. */
const NOW_MS = Date.UTC(2026, 2, 20, 15);
const EVERY = { answered: '1', noanswer: '1', busy: '1', failed: '1' };
const MARCH = { date_from: '2026-03-01', date_to: '2026-03-20' };

let sim: VoipMsSimulator;
beforeEach(async () => {
  sim = await startVoipMsSimulator({ wall: () => NOW_MS });
});
afterEach(() => sim.stop());

type Params = Readonly<Record<string, string>>;

function addressOf(method: string, params: Params = {}): string {
  const credentials = { api_username: sim.username, api_password: sim.password };
  return `${sim.url}?${new URLSearchParams({ ...credentials, content_type: 'json', method, ...params })}`;
}

async function textOf(method: string, params: Params = {}): Promise<string> {
  const response = await fetch(addressOf(method, params));
  expect(response.status).toBe(200);
  return await response.text();
}

async function call(method: string, params: Params = {}): Promise<Record<string, unknown>> {
  return JSON.parse(await textOf(method, params));
}

async function statusOf(method: string, params: Params = {}): Promise<unknown> {
  return (await call(method, params)).status;
}

function rowsOf(answer: Record<string, unknown>, key: string): readonly Record<string, string>[] {
  return answer[key] as Record<string, string>[];
}

describe('the simulated API of VoIP.ms', () => {
  it('answers with the status first, numbers as text, and slashes escaped', async () => {
    expect(await textOf('getBalance')).toBe('{"status":"success","balance":{"current_balance":"42.175300"}}');
    expect(await textOf('getCallRecording', { account: FRONT_DESK, callrecording: 'cmVjb3JkaW5nLTE9MQ==' })).toContain(
      '"\\/\\/M',
    );
  });

  it.each([
    ['no credentials', { api_username: '', api_password: '' }, 'missing_credentials'],
    ['a wrong password', { api_password: 'wrong' }, 'invalid_credentials'],
    ['no method', { method: '' }, 'missing_method'],
    ['a method that there is not', { method: 'getAccounts' }, 'invalid_method'],
  ])('refuses %s with HTTP 200 and a status', async (_, params, status) => {
    expect(await statusOf('getBalance', params)).toBe(status);
  });

  it('takes a multipart POST, and answers a form of the other kind with an XML fault', async () => {
    const fields = { api_username: sim.username, api_password: sim.password, method: 'getIP' };
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const taken = await fetch(sim.url, { method: 'POST', body: form });
    expect(await taken.json()).toEqual({ status: 'success', ip: '192.0.2.44' });
    const refused = await fetch(sim.url, { method: 'POST', body: new URLSearchParams(fields) });
    expect([refused.status, await refused.text()]).toEqual([200, expect.stringContaining('faultstring')]);
  });

  it('has secrets in its answers, so that a leak can be seen', async () => {
    const texts = [await textOf('getSubAccounts'), await textOf('getDIDsInfo')].join('');
    for (const secret of SEEDED_SECRETS) expect(texts).toContain(secret);
  });

  it('keeps what was asked without the credentials', async () => {
    await call('getPhonebook', { group: '16389' });
    expect(sim.requests).toEqual([{ method: 'getPhonebook', params: { group: '16389' } }]);
    expect(sim.violations).toEqual([]);
  });

  it('tells of mistakes that the vendor lets pass', async () => {
    await call('getBalance', { advanced: 'true' });
    await call('getSMS', { contact: 'undefined' });
    await fetch(addressOf('getIP'), { headers: { authorization: 'Basic b2ZmaWNl' } });
    await call('getCDR', { ...MARCH, ...EVERY });
    await call('setPhonebookGroup', { name: 'New', member: '32208' });
    await fetch(addressOf('getIP'), { method: 'POST', body: new FormData() }).catch(() => undefined);
    expect(sim.violations).toEqual([
      expect.stringContaining('advanced=true'),
      expect.stringContaining('contact=undefined'),
      expect.stringContaining('credentials in a header'),
      expect.stringContaining('without a timezone'),
      'setPhonebookGroup was given member, which it does not know',
      expect.stringContaining('credentials in the query of a POST'),
    ]);
  });
});

describe('its calls', () => {
  it.each([
    ['no status', MARCH, 'no_callstatus'],
    ['a status that is not 1', { ...MARCH, answered: '0' }, 'no_callstatus'],
    ['a day that there is not', { date_from: '2026-02-30', date_to: '2026-03-20', ...EVERY }, 'invalid_date'],
    ['no first day', { date_to: '2026-03-20', ...EVERY }, 'missing_from_date'],
    ['93 days', { date_from: '2026-01-01', date_to: '2026-04-04', ...EVERY }, 'invalid_daterange'],
    ['a zone in words', { ...MARCH, ...EVERY, timezone: 'UTC' }, 'invalid_timezone'],
    ['a zone that there is not', { ...MARCH, ...EVERY, timezone: '14' }, 'invalid_timezone'],
    ['an account that there is not', { ...MARCH, ...EVERY, account: '100000_nobody' }, 'invalid_account'],
    ['days without calls', { date_from: '2025-03-01', date_to: '2025-03-20', ...EVERY }, 'no_cdr'],
  ])('are refused for %s', async (_, params, status) => {
    expect(await statusOf('getCDR', { timezone: '0', ...params })).toBe(status);
  });

  it('are told for 92 days at once, newest first, each dated in the zone that was asked for', async () => {
    const range = { date_from: '2026-01-01', date_to: '2026-04-03' };
    const utc = rowsOf(await call('getCDR', { ...range, ...EVERY, timezone: '0' }), 'cdr');
    const west = rowsOf(await call('getCDR', { ...range, ...EVERY, timezone: '-5' }), 'cdr');
    expect(utc).toHaveLength(sim.state.calls.length);
    expect(utc.map(({ date }) => date)).toEqual(
      utc
        .map(({ date }) => date)
        .toSorted()
        .reverse(),
    );
    expect([utc[0]?.date, west[0]?.date]).toEqual(['2026-03-20 13:59:00', '2026-03-20 08:59:00']);
  });

  it('can be narrowed to a status and an account', async () => {
    const rows = rowsOf(await call('getCDR', { ...MARCH, timezone: '0', noanswer: '1', account: FRONT_DESK }), 'cdr');
    expect(rows.length).toBeGreaterThan(3);
    expect(new Set(rows.map((row) => `${row.disposition} ${row.account}`))).toEqual(
      new Set([`NO ANSWER ${FRONT_DESK}`]),
    );
  });

  it('have recordings as MP3, whose frames are as long as the call', async () => {
    const [row] = rowsOf(await call('getCallRecordings', { account: FRONT_DESK, ...MARCH }), 'recordings');
    expect(row).toMatchObject({ duration: '00:26', type: 'Outgoing', subaccount: FRONT_DESK });
    const { base64file } = await call('getCallRecording', {
      account: FRONT_DESK,
      callrecording: row?.callrecording ?? '',
    });
    expect(base64file).toContain(' ');
    const bytes = Buffer.from(String(base64file).replace(/\s/g, ''), 'base64');
    const starts = Array.from({ length: bytes.length / 36 }, (_, index) => bytes.readUInt16BE(index * 36));
    expect(new Set(starts)).toEqual(new Set([0xfff3]));
    expect((starts.length * 576) / 16_000).toBeCloseTo(26, 1);
  });

  it('have recordings of one account only, a page at a time', async () => {
    expect(await statusOf('getCallRecordings', MARCH)).toBe('missing_account');
    expect(await statusOf('getCallRecordings', { account: 'all', ...MARCH })).toBe('invalid_account');
    expect(
      await statusOf('getCallRecordings', { account: FRONT_DESK, date_from: '2026-01-01', date_to: '2026-01-02' }),
    ).toBe('no_recording');
    const page = await call('getCallRecordings', { account: FRONT_DESK, ...MARCH, start: '1', length: '1' });
    expect(rowsOf(page, 'recordings')).toHaveLength(1);
    expect(await statusOf('getCallRecording', { account: WORKSHOP, callrecording: 'cmVjb3JkaW5nLTE9MQ==' })).toBe(
      'invalid_callrecording',
    );
  });

  it('have transcriptions that name no recording, dated a moment later, and none for some', async () => {
    const rows = rowsOf(await call('getCallTranscriptions', { account: FRONT_DESK, ...MARCH }), 'transcriptions');
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ speakers: ['4155550123'], duration: '00:26' });
    expect(JSON.stringify(rows)).not.toContain('cmVjb3JkaW5n');
    const none = { account: FRONT_DESK, date_from: '2026-01-01', date_to: '2026-01-02' };
    expect(await call('getCallTranscriptions', none)).toEqual({ status: 'success', transcriptions: [] });
    sim.faults.noTranscriptions = 'no-field';
    expect(await call('getCallTranscriptions', none)).toEqual({ status: 'success' });
    sim.faults.noTranscriptions = 'no_recording';
    expect(await call('getCallTranscriptions', none)).toEqual({ status: 'no_recording' });
  });

  it('can be sent by e-mail, which is told in HTML', async () => {
    const recording = { account: FRONT_DESK, callrecording: 'cmVjb3JkaW5nLTE9MQ==' };
    expect(await statusOf('sendCallRecordingEmail', recording)).toBe('missing_email');
    expect(await statusOf('sendCallRecordingEmail', { ...recording, email: 'nobody' })).toBe('invalid_email');
    const sent = await call('sendCallRecordingEmail', { ...recording, email: 'ada@example.com' });
    expect(sent.msg).toContain('<b>');
    expect(sim.state.emails).toEqual([{ ...recording, email: 'ada@example.com' }]);
  });
});

describe('its phonebook', () => {
  it('takes the same number twice, and makes a new entry each time', async () => {
    const ada = { name: 'Ada again', number: '4155550123' };
    const [first, second] = [await call('setPhonebook', ada), await call('setPhonebook', ada)];
    expect(second.phonebook).not.toBe(first.phonebook);
    expect(sim.state.entries.filter(({ number }) => number === '4155550123')).toHaveLength(3);
  });

  it('empties what an update leaves out, the group too', async () => {
    await call('setPhonebook', { phonebook: '32208', name: 'Ada', number: '4155550123' });
    expect(sim.state.entries[0]).toMatchObject({ name: 'Ada', speed_dial: '', group: '' });
    expect(sim.state.groups[0]?.members).toEqual(['32209']);
  });

  it.each([
    ['no name', { name: '' }, 'missing_name'],
    ['a name with signs', { name: 'Spam!' }, 'invalid_name'],
    ['no number', { number: '' }, 'missing_number'],
    ['a number of letters', { number: 'hello' }, 'invalid_number'],
    ['a long note', { note: 'x'.repeat(50) }, 'invalid_note'],
    ['another short number', { speed_dial: '123' }, 'invalid_speed_dial'],
    ['a short number that is taken', { speed_dial: '*7501' }, 'used_speed_dial'],
    ['an entry that is not there', { phonebook: '1' }, 'invalid_phonebook'],
    ['a group that is not there', { group: '1' }, 'invalid_phonebook'],
  ])('refuses %s', async (_, params, status) => {
    expect(await statusOf('setPhonebook', { name: 'Eve', number: '4155550150', ...params })).toBe(status);
    expect(sim.state.entries).toHaveLength(6);
  });

  it('finds entries by the id or the name of their group', async () => {
    const byId = rowsOf(await call('getPhonebook', { group: '16391' }), 'phonebooks');
    const byName = rowsOf(await call('getPhonebook', { group_name: 'Spam' }), 'phonebooks');
    expect(byId).toEqual(byName);
    expect(byId).toMatchObject([{ phonebook: '32213', group_name: 'Spam' }]);
    expect(await statusOf('getPhonebook', { group: '1' })).toBe('no_phonebook');
  });

  it('replaces the whole list of members, and empties it where it is left out', async () => {
    await call('setPhonebookGroup', { group: '16389', name: 'Family', members: '32209;32212' });
    expect(sim.state.groups[0]?.members).toEqual(['32209', '32212']);
    expect(sim.state.entries.map(({ group }) => group)).toEqual(['', '16389', '16390', '', '16389', '16391']);
    await call('setPhonebookGroup', { group: '16389', name: 'Family' });
    expect(rowsOf(await call('getPhonebookGroups', { name: 'family' }), 'phonebooks')[0]?.members).toBe('');
  });

  it.each([
    ['no name', { name: '' }, 'missing_name'],
    ['the name of another', { name: 'Spam' }, 'used_name'],
    ['a member that is no entry', { members: '32208;1' }, 'invalid_member'],
    ['a group that is not there', { group: '1' }, 'invalid_phonebook'],
  ])('refuses a group of %s', async (_, params, status) => {
    expect(await statusOf('setPhonebookGroup', { group: '16389', name: 'Family', ...params })).toBe(status);
    expect(sim.state.groups[0]?.members).toEqual(['32208', '32209']);
  });

  it('takes a deleted entry out of its groups, and keeps the entries of a deleted group', async () => {
    await call('delPhonebook', { phonebook: '32208' });
    expect(sim.state.groups[0]?.members).toEqual(['32209']);
    await call('delPhonebookGroup', { group: '16389' });
    expect(sim.state.entries.find(({ phonebook }) => phonebook === '32209')).toMatchObject({ group: '' });
  });
});

describe('its filters', () => {
  const filter = { callerid: '4155550199', did: 'all', routing: 'sys:hangup' };

  it('are changed under "filter", and doubled under the wrong name', async () => {
    const { filtering } = await call('setCallerIDFiltering', filter);
    const id = String(filtering);
    await call('setCallerIDFiltering', { ...filter, filter: id, note: 'changed' });
    expect(sim.state.filters).toHaveLength(4);
    expect(sim.violations).toEqual([]);
    await call('setCallerIDFiltering', { ...filter, filtering: id });
    expect(sim.state.filters).toHaveLength(5);
    expect(sim.violations).toEqual(['setCallerIDFiltering was given filtering, which it does not know']);
  });

  it.each([
    ['no caller', { callerid: '' }, 'missing_callerid'],
    ['a caller in words', { callerid: 'robot' }, 'invalid_callerid'],
    ['no number', { did: '' }, 'missing_did'],
    ['a number of somebody else', { did: '4155550177' }, 'invalid_did'],
    ['no routing', { routing: '' }, 'missing_routing'],
    ['a routing that there is not', { routing: 'hangup' }, 'invalid_routing_header'],
    ['a filter that is not there', { filter: '1' }, 'invalid_filter'],
  ])('are refused for %s', async (_, params, status) => {
    expect(await statusOf('setCallerIDFiltering', { ...filter, ...params })).toBe(status);
    expect(sim.state.filters).toHaveLength(3);
  });

  it('are found by number and deleted by "filtering"', async () => {
    expect(rowsOf(await call('getCallerIDFiltering', { did: OFFICE_DID }), 'filtering')).toHaveLength(1);
    expect(await statusOf('delCallerIDFiltering', { filter: '18915' })).toBe('missing_filter');
    expect(await statusOf('delCallerIDFiltering', { filtering: '18915' })).toBe('success');
    expect(sim.state.filters.map(({ filtering }) => filtering)).toEqual(['18916', '18917']);
  });
});

describe('its messages', () => {
  it('are sent, listed with + for spaces, and deleted', async () => {
    const sent = await call('sendSMS', { did: OFFICE_DID, dst: '4155550123', message: 'Hello' });
    const mine = rowsOf(
      await call('getSMS', { from: '2026-03-18', to: '2026-03-20', contact: '4155550123', timezone: '0' }),
      'sms',
    );
    expect(mine.map(({ type, message }) => [type, message])).toEqual([
      ['0', 'Hello'],
      ['0', 'No problem'],
      ['1', 'running+late,+see+you+at+10'],
    ]);
    expect(await statusOf('deleteSMS', { id: String(sent.sms) })).toBe('success');
    expect(await statusOf('getSMS', {})).toBe('no_sms');
  });

  it.each([
    ['another number', { did: '4155550177' }, 'invalid_did'],
    ['no receiver', { dst: '' }, 'missing_number'],
    ['a receiver in words', { dst: 'Ada' }, 'invalid_dst'],
    ['no text', { message: '' }, 'message_empty'],
    ['161 characters', { message: 'x'.repeat(161) }, 'sms_toolong'],
  ])('are refused for %s', async (_, params, status) => {
    expect(await statusOf('sendSMS', { did: OFFICE_DID, dst: '4155550123', message: 'Hello', ...params })).toBe(status);
  });

  it('are limited by the day', async () => {
    sim.faults.messagesPerDay = 1;
    expect(await statusOf('sendSMS', { did: OFFICE_DID, dst: '4155550123', message: 'Hello' })).toBe('success');
    expect(await statusOf('sendSMS', { did: OFFICE_DID, dst: '4155550123', message: 'Hello' })).toBe('limit_reached');
  });
});

describe('its faults', () => {
  it('bring a list of one row as the bare row', async () => {
    sim.faults.oneRowAsObject = true;
    expect(await call('getPhonebook', { phonebook: '32208' })).toMatchObject({ phonebooks: { name: 'Ada Example' } });
    expect((await call('getPhonebook')).phonebooks).toHaveLength(6);
  });

  it('list groups under the other name, with members in another order', async () => {
    Object.assign(sim.faults, { groupsListKey: 'phonebook_groups', membersOrder: 'reversed' });
    expect(rowsOf(await call('getPhonebookGroups'), 'phonebook_groups')[0]?.members).toBe('32209;32208');
  });

  it('answer a change that was made with nothing, or without its id', async () => {
    sim.faults.withoutId = true;
    expect(await call('setPhonebook', { name: 'Eve', number: '4155550150' })).toEqual({ status: 'success' });
    sim.faults.emptySuccess = true;
    expect(await textOf('setPhonebook', { name: 'Eve', number: '4155550150' })).toBe('');
    expect(await textOf('getIP')).not.toBe('');
    expect(sim.state.entries).toHaveLength(8);
  });

  it.each(['html', 'xml'] as const)('answer with %s in place of JSON, and change nothing', async (trouble) => {
    sim.faults.trouble.setPhonebook = [trouble];
    expect(await textOf('setPhonebook', { name: 'Eve', number: '4155550150' })).toMatch(/^</);
    expect(sim.state.entries).toHaveLength(6);
    expect(await statusOf('setPhonebook', { name: 'Eve', number: '4155550150' })).toBe('success');
  });

  it('leave a request without an answer, before or after the change was made', async () => {
    sim.faults.trouble.setPhonebook = ['hang-before', 'hang-after', 'drop-before', 'drop-after'];
    const counts: number[] = [];
    for (let left = 4; left > 0; left -= 1) {
      const address = addressOf('setPhonebook', { name: 'Eve', number: '4155550150' });
      await expect(fetch(address, { signal: AbortSignal.timeout(150) })).rejects.toThrow();
      counts.push(sim.state.entries.length);
    }
    expect(counts).toEqual([6, 7, 7, 8]);
  });

  it('refuse every call but the one that tells the address', async () => {
    sim.faults.refuse = 'ip_not_enabled';
    expect([await statusOf('getBalance'), await statusOf('getIP')]).toEqual(['ip_not_enabled', 'success']);
    sim.faults.refuse = 'api_not_enabled';
    expect(await statusOf('getIP')).toBe('api_not_enabled');
    sim.faults.refuse = null;
    sim.faults.trouble['*'] = { status: 'unavailable_info' };
    expect(await statusOf('getIP')).toBe('unavailable_info');
  });

  it('let somebody else change a group before it is written', async () => {
    sim.faults.beforeWrite = (method, _, state) => {
      if (method === 'setPhonebookGroup') state.groups[0]?.members.push('32211');
    };
    await call('setPhonebookGroup', { group: '16391', name: 'Spam', members: '32213' });
    expect(sim.state.groups[0]?.members).toEqual(['32208', '32209', '32211']);
  });

  it('may refuse the last member, twins of filters, and keep entries from telling', async () => {
    Object.assign(sim.faults, { emptyMembers: 'missing_member', refuseTwins: true, entriesLag: true });
    expect(await statusOf('setPhonebookGroup', { group: '16391', name: 'Spam', members: '' })).toBe('missing_member');
    expect(await statusOf('setCallerIDFiltering', { callerid: '4155550197', did: 'all', routing: 'sys:busy' })).toBe(
      'used_filter',
    );
    await call('setPhonebookGroup', { group: '16391', name: 'Spam', members: '32213;32212' });
    expect(sim.state.entries.find(({ phonebook }) => phonebook === '32212')?.group).toBe('');
  });
});

it('limits the requests of a minute, and takes more in the next', async () => {
  let nowMs = NOW_MS;
  const limited = await startVoipMsSimulator({ wall: () => nowMs, faults: { requestsPerMinute: 2 } });
  try {
    const ask = async (): Promise<unknown> => {
      const query = { api_username: limited.username, api_password: limited.password, method: 'getIP' };
      return ((await (await fetch(`${limited.url}?${new URLSearchParams(query)}`)).json()) as { status: unknown })
        .status;
    };
    expect([await ask(), await ask(), await ask()]).toEqual(['success', 'success', 'api_limit_exceeded']);
    nowMs += 60_000;
    expect(await ask()).toBe('success');
  } finally {
    await limited.stop();
  }
});
