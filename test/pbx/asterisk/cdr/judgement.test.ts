/** What became of a call, who made it, and how long it was: from rows as Asterisk writes them, in each kind of database. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryCdr } from '../../../../src/mcp/tools/asterisk/query-cdr.ts';
import type { CdrStore } from '../../../../src/pbx/asterisk/cdr/database.ts';
import { callStatistics, extensionSummary, queryCalls } from '../../../../src/pbx/asterisk/cdr/queries.ts';
import { offices, row, SCHEMA } from './offices.ts';

const DAY = { from: '2026-11-20', to: '2026-11-21' };
const RESULTS = ['answered', 'voicemail', 'no-answer', 'busy', 'failed'] as const;
const OFFICES = offices();

async function allOf(store: CdrStore, filter: Partial<Parameters<typeof queryCalls>[1]> = {}, limit = 100) {
  return (await queryCalls(store, { ...DAY, ...filter }, { limit, offset: 0 })).calls;
}

/** Their results, by the id of the call. */
async function resultsOf(store: CdrStore, filter: Partial<Parameters<typeof queryCalls>[1]> = {}) {
  return Object.fromEntries((await allOf(store, filter)).map(({ call, result }) => [call, result]));
}

const rang = { disposition: 'NO ANSWER', billsec: 0 };
const alone = { dstchannel: '', start: '2026-11-20 10:00:10', sequence: 2 };

describe.each(Object.entries(OFFICES))('a call in %s', (_name, office) => {
  beforeAll(() => (office.isMissing ? undefined : office.start()), 30_000);
  afterAll(() => (office.isMissing ? undefined : office.stop()));
  const test = it.skipIf(office.isMissing);

  test('that voicemail took was not answered', async () => {
    const store = await office.keep([
      row({ linkedid: 'rang', ...rang }),
      row({ linkedid: 'rang', ...alone, lastapp: 'VoiceMail', billsec: 20, duration: 20 }),
      row({ linkedid: 'unplugged', ...alone, lastapp: 'VoiceMail' }),
    ]);
    expect(await resultsOf(store)).toEqual({ rang: 'voicemail', unplugged: 'voicemail' });
    const figures = { calls: 2, answered: 0, voicemail: 2, missed: 0, talkSeconds: 0 };
    expect(await callStatistics(store, DAY)).toMatchObject(figures);
    expect((await extensionSummary(store, '1002', DAY)).incoming).toMatchObject(figures);
  });

  test('that only a queue, an announcement or the hang-up took was missed', async () => {
    const store = await office.keep([
      row({ linkedid: 'queue', lastapp: 'Queue', ...rang }),
      row({ linkedid: 'queue', ...alone, lastapp: 'Queue' }),
      ...['Playback', 'BackGround', 'WaitExten', 'Hangup', 'Dial', ''].map((lastapp) =>
        row({ linkedid: `by ${lastapp}`, ...alone, lastapp }),
      ),
      row({ linkedid: 'taken', lastapp: 'Queue' }),
    ]);
    const { taken, ...missed } = await resultsOf(store);
    expect(taken).toBe('answered');
    expect(new Set(Object.values(missed))).toEqual(new Set(['no-answer']));
    expect(await callStatistics(store, DAY)).toMatchObject({ calls: 8, answered: 1, missed: 7 });
  });

  test('whose application is the conversation was answered, and one that rang a phone by the manager', async () => {
    const store = await office.keep([
      ...['AudioSocket', 'Stasis', 'ConfBridge', 'Echo', 'VoiceMailMain'].map((lastapp) =>
        row({ linkedid: lastapp, ...alone, lastapp }),
      ),
      row({ ...alone, linkedid: 'switchboard-1795216267000-1002-abc', lastapp: 'Hangup' }),
    ]);
    expect(await callStatistics(store, DAY)).toMatchObject({ calls: 6, answered: 6 });
  });

  test('has one result, whether it is shown, looked for or counted', async () => {
    const store = await office.keep([
      row({ linkedid: 'busy then nobody', disposition: 'BUSY' }),
      row({ linkedid: 'busy then nobody', ...rang, sequence: 2 }),
      row({ linkedid: 'congestion', disposition: 'CONGESTION' }),
      row({ linkedid: 'failed', disposition: 'FAILED' }),
      row({ linkedid: 'other word', disposition: ' no answer ' }),
      row({ linkedid: 'recorded', ...alone, lastapp: 'VoiceMail' }),
      row({ linkedid: 'taken' }),
    ]);
    expect(await resultsOf(store)).toEqual({
      'busy then nobody': 'busy',
      congestion: 'failed',
      failed: 'failed',
      'other word': 'no-answer',
      recorded: 'voicemail',
      taken: 'answered',
    });
    const shown = await resultsOf(store);
    for (const result of RESULTS)
      expect(await resultsOf(store, { result })).toEqual(
        Object.fromEntries(Object.entries(shown).filter(([, one]) => one === result)),
      );
    const counted = { answered: 1, voicemail: 1, missed: 1, busy: 1, failed: 2 };
    expect(await callStatistics(store, DAY)).toMatchObject(counted);
  });

  test('is judged by all its legs, also for somebody who had a part in one of them', async () => {
    const store = await office.keep([
      row({ ...rang }),
      row({ dst: '1003', dstchannel: 'PJSIP/1003-00000003', start: '2026-11-20 10:00:10', sequence: 2 }),
    ]);
    expect(await allOf(store, { party: '1002', result: 'no-answer' })).toEqual([]);
    expect(await allOf(store, { party: '1002', result: 'answered' })).toMatchObject([{ talkSeconds: 8 }]);
    expect(await callStatistics(store, { ...DAY, party: '1002' })).toMatchObject({ answered: 1, missed: 0 });
    expect(await allOf(store, { destination: '1003' })).toMatchObject([{ to: '1002', moreLegs: 0 }]);
  });

  test('may lack any of its values', async () => {
    const nothing = Object.fromEntries(Object.keys(SCHEMA).map((name) => [name, null]));
    const store = await office.keep([
      { ...nothing, start: '2026-11-20 10:00:00', uniqueid: '1795216267.1' },
      { ...nothing, start: '2026-11-20 11:00:00', channel: 'PJSIP/1001-00000001' },
      nothing,
    ]);
    const calls = await allOf(store);
    expect(queryCdr.output.shape.calls.parse(calls)).toEqual(calls);
    expect(calls).toMatchObject([
      { call: 'row 2026-11-20 11:00:00 PJSIP/1001-00000001', result: 'failed' },
      { call: '1795216267.1', legs: [{ dialledChannel: '', application: '' }] },
    ]);
    expect(await extensionSummary(store, '1001', DAY)).toMatchObject({ outgoing: { calls: 1, failed: 1 } });
  });

  test('was made by whoever is in its first leg, not in the alphabet', async () => {
    const later = { start: '2026-11-20 10:00:05', src: '1001', dst: '100', channel: 'PJSIP/1001-00000001' };
    const store = await office.keep([
      row({ linkedid: 'a', ...later, sequence: 1 }),
      row({ linkedid: 'a', src: '1002', dst: '500', channel: 'PJSIP/1002-00000002', dstchannel: '', sequence: 2 }),
      // In one second: what counts is in which order the server began them.
      row({ linkedid: 'b', src: '1001', dst: '100', sequence: 10, start: '2026-11-20 09:00:00' }),
      row({
        linkedid: 'b',
        src: '1002',
        dst: '500',
        channel: 'PJSIP/1002-00000003',
        sequence: 9,
        start: '2026-11-20 09:00:00',
      }),
    ]);
    expect(await allOf(store)).toMatchObject([
      { call: 'a', from: '1002', to: '500' },
      { call: 'b', from: '1002', to: '500' },
    ]);
    expect(await extensionSummary(store, '1002', DAY)).toMatchObject({
      outgoing: { calls: 2 },
      incoming: { calls: 0 },
      partners: [{ number: '500', calls: 2 }],
    });
    expect(await extensionSummary(store, '1001', DAY)).toMatchObject({
      outgoing: { calls: 0 },
      incoming: { calls: 2 },
    });
  });

  test('that the manager rang came in; one that it placed for somebody went out', async () => {
    const phone = { src: '7001', channel: 'PJSIP/1002-00000001' };
    const store = await office.keep([
      row({
        ...phone,
        dst: 'outbound',
        dstchannel: 'WebSocket/switchboard/0x1',
        linkedid: 'switchboard-1795216267000-1002-abc',
      }),
      row({ ...phone, dst: '1004', linkedid: 'switchboard-1795216268000-1002-abd' }),
      row({ ...phone, ...rang, dst: 's', dstchannel: '', lastapp: 'AppDial2', linkedid: 'other-1' }),
      row({ ...phone, src: '1003', dst: '1003', linkedid: 'switchboard-0e3a5c5e-8d7e-4c07-8f3d-0c2b8d8f1a11' }),
    ]);
    expect(await extensionSummary(store, '1002', DAY)).toMatchObject({
      incoming: { calls: 3, answered: 2, missed: 1 },
      outgoing: { calls: 1, answered: 1 },
      partners: [
        { number: '7001', calls: 3 },
        { number: '1003', calls: 1 },
      ],
    });
  });

  test('lasts from its first leg to its last; legs that run side by side are talk once', async () => {
    const store = await office.keep([
      row({ linkedid: 'handed over' }),
      row({ linkedid: 'handed over', start: '2026-11-20 10:00:10', duration: 20, billsec: 20, sequence: 2 }),
      row({ linkedid: 'conference', start: '2026-11-20 09:00:00', duration: 30, billsec: 30 }),
      row({ linkedid: 'conference', start: '2026-11-20 09:00:05', duration: 22, billsec: 22, sequence: 2 }),
      row({ linkedid: 'conference', start: '2026-11-20 09:00:05', duration: 22, billsec: 22, sequence: 3 }),
    ]);
    expect(await allOf(store)).toMatchObject([
      { call: 'handed over', durationSeconds: 30, talkSeconds: 28 },
      { call: 'conference', durationSeconds: 30, talkSeconds: 30 },
    ]);
    expect(await callStatistics(store, DAY)).toMatchObject({
      talkSeconds: 58,
      averageTalkSeconds: 29,
      longestTalkSeconds: 30,
    });
    expect(await allOf(store, { minTalkSeconds: 29 })).toMatchObject([{ call: 'conference' }]);
  });

  test('belongs to the day on which it began', async () => {
    const store = await office.keep([
      row({ start: '2026-11-20 23:59:58' }),
      row({ start: '2026-11-21 00:00:08', sequence: 2 }),
    ]);
    expect(await allOf(store)).toMatchObject([{ durationSeconds: 20, legs: [{}, {}] }]);
    expect(await allOf(store, { from: '2026-11-21', to: '2026-11-22' })).toEqual([]);
  });

  test('is another one than that which had its id a year ago', async () => {
    const store = await office.keep([
      row({ linkedid: 'lab-call-1', start: '2025-11-20 10:00:00' }),
      row({ linkedid: 'lab-call-1' }),
    ]);
    expect(await allOf(store)).toMatchObject([{ durationSeconds: 10, legs: [{}], moreLegs: 0 }]);
  });

  test('is on one page, however many began in the same second', async () => {
    const ids = Array.from({ length: 23 }, (_, index) => `1795216267.${index}`);
    const store = await office.keep(
      ids.map((linkedid, index) => row({ linkedid, src: String(2_000 + ((index * 7) % 23)) })),
    );
    const seen: string[] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const page = await queryCalls(store, DAY, { limit: 5, offset });
      seen.push(...page.calls.map(({ call }) => call));
      offset = page.offset;
    }
    expect(seen).toEqual(ids.toSorted().toReversed());
  });

  test('of hundreds of legs shows the first ones, and no call is lost behind it', async () => {
    const conference = (linkedid: string) =>
      Array.from({ length: 435 }, (_, index) => row({ linkedid, lastapp: 'ConfBridge', sequence: index }));
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const store = await office.keep(ids.flatMap(conference));
    const first = await queryCalls(store, DAY, { limit: 10, offset: 0 });
    expect(first.calls.map(({ call }) => call)).toEqual(['f', 'e', 'd', 'c']);
    for (const { legs, moreLegs } of first.calls) expect([legs.length, moreLegs]).toEqual([20, 415]);
    const second = await queryCalls(store, DAY, { limit: 10, offset: first.offset ?? 0 });
    expect(second).toMatchObject({ calls: [{ call: 'b' }, { call: 'a' }], offset: null });
  });
});
