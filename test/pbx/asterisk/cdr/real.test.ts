/** Calls in a real Asterisk, through its own CSV: what it writes of voicemail, a queue that nobody stayed in, and the rest. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CdrStore, openCdr } from '../../../../src/pbx/asterisk/cdr/database.ts';
import { queryCalls } from '../../../../src/pbx/asterisk/cdr/queries.ts';
import type { SipPhone } from '../../../../src/simulator/sip/phone.ts';
import { ASTERISK, startTestOffice, type TestOffice } from '../../../system/office.ts';

const EVER = { from: '2000-01-01', to: '2100-01-01' };
const DIAL_PLAN = `[phones]
exten => 601,1,Dial(PJSIP/1003,1)
 same => n,VoiceMail(1001@default,s)
exten => 602,1,Answer()
 same => n,Queue(sales)
exten => 603,1,Answer()
 same => n,Wait(1)
 same => n,Hangup()
exten => 604,1,Dial(PJSIP/1003,1)
 same => n,Hangup()
exten => 605,1,Answer()
 same => n,Dial(PJSIP/1003,1)
 same => n,Hangup()
exten => 606,1,Answer()
 same => n,Echo()
exten => 607,1,Dial(PJSIP/1004,5)
exten => 608,1,Dial(PJSIP/1099,5)
 same => n,VoiceMail(1001@default,s)
`;

const BECAME = {
  601: 'voicemail',
  602: 'no-answer',
  603: 'no-answer',
  604: 'no-answer',
  605: 'no-answer',
  606: 'answered',
  607: 'answered',
  // The telephone is switched off. Voicemail takes the call, but Asterisk leaves Dial in the record.
  608: 'no-answer',
};

describe.skipIf(ASTERISK === null)('a call in a real Asterisk', () => {
  let office: TestOffice;
  let phone: SipPhone;
  let store: CdrStore;
  const quiet = () => ({ tick: () => ({ spoken: null }) });

  beforeAll(async () => {
    office = await startTestOffice({ more: { 'extensions.conf': DIAL_PLAN } });
    phone = await office.phone('1001');
    for (const user of ['1002', '1003']) await office.phone(user, () => ({ kind: 'never' }));
    await office.phone('1004', () => ({ kind: 'answers', ringMs: 30, callee: quiet }));
  }, 30_000);
  afterAll(async () => {
    await store?.close();
    await office?.stop();
  });

  it('is what it was to a person, whatever the server calls answered', async () => {
    const calls = Object.keys(BECAME).map(async (target) => {
      const call = await phone.call(target, quiet).catch(() => null);
      await delay(2_500);
      call?.hangUp();
      await call?.ended;
    });
    await Promise.all(calls);
    store = await openCdr({ url: `csv:${join(office.pbx.folder, 'log/cdr-csv/Master.csv')}`, table: 'cdr' });
    const found = async () => (await queryCalls(store, EVER, { limit: 100, offset: 0 })).calls;
    await expect.poll(async () => (await found()).length, { timeout: 5_000 }).toBe(calls.length);
    expect(Object.fromEntries((await found()).map(({ to, result }) => [to, result]))).toEqual(BECAME);
    expect(store.warnings).toEqual([]);
  }, 20_000);
});
