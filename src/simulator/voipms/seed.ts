import { DAY_MS } from './reply.ts';
import type { AccountState, Call, Recording, Transcription } from './state.ts';

/** The account, and the two sub-accounts that telephones of the office register with. */
export const MAIN_ACCOUNT = '100000';
export const FRONT_DESK = '100000_front';
export const WORKSHOP = '100000_workshop';
export const OFFICE_DID = '4155550100';
const WORKSHOP_DID = '4155550101';
const SALES_DID = '4155550102';
/** Rings all three numbers day after day, and hardly ever speaks. */
export const ROBOT = '4155550199';
/** Rings twice an evening, and is hung up on. */
export const SURVEY = '4155550198';
/** What no answer or error of ours may ever show. */
export const SEEDED_SECRETS: readonly string[] = ['sip-Secret-front-1', 'sip-Secret-shop-2', '907531', 'smpp-Secret-3'];

const MINUTE_MS = 60_000;

/** A small office with three weeks of calls that end a moment before `nowMs`, Unix time. */
export function seededState(nowMs: number): AccountState {
  const recordings = recordingsOf(nowMs);
  return {
    balance: '42.175300',
    dids: [
      did(OFFICE_DID, 'Office', `account:${FRONT_DESK}`),
      did(WORKSHOP_DID, 'Workshop', `account:${WORKSHOP}`),
      did(SALES_DID, 'Sales', 'fwd:16001'),
    ],
    subAccounts: [
      subAccount('9001', 'front', 'Front desk', 'sip-Secret-front-1', '1'),
      subAccount('9002', 'workshop', 'Workshop', 'sip-Secret-shop-2', '0'),
    ],
    entries: [
      entry('32208', '*7501', 'Ada Example', '4155550123', '16389'),
      entry('32209', '', 'Bruno Example', '4155550124', '16389'),
      // The same number twice: by hand, and by an import.
      entry('32210', '*7502', 'Clara Sample', '14155550125', '16390'),
      entry('32211', '', 'Clara S', '4155550125', ''),
      entry('32212', '', 'Door bell', 'sip:2563', ''),
      entry('32213', '', 'Old robot', '4155550197', '16391'),
    ],
    groups: [
      { phonebook_group: '16389', name: 'Family', members: ['32208', '32209'] },
      { phonebook_group: '16390', name: 'Customers', members: ['32210'] },
      { phonebook_group: '16391', name: 'Spam', members: ['32213'] },
      { phonebook_group: '16392', name: 'Suppliers', members: [] },
    ],
    filters: [
      filter('18915', '4155550197', 'all', 'sys:hangup', 'Robot of last year'),
      filter('18916', '0', OFFICE_DID, 'vm:101', 'Withheld numbers to the mailbox'),
      filter('18917', '900*', 'all', 'sys:noservice', ''),
    ],
    calls: callsOf(nowMs, recordings),
    recordings,
    transcriptions: transcriptionsOf(recordings),
    messages: [
      {
        id: '7001',
        atMs: nowMs - 2 * DAY_MS,
        type: '1',
        did: OFFICE_DID,
        contact: '4155550123',
        message: 'running+late,+see+you+at+10',
      },
      {
        id: '7002',
        atMs: nowMs - 2 * DAY_MS + 5 * MINUTE_MS,
        type: '0',
        did: OFFICE_DID,
        contact: '4155550123',
        message: 'No problem',
      },
      { id: '7003', atMs: nowMs - DAY_MS, type: '1', did: SALES_DID, contact: ROBOT, message: 'You+have+won!' },
    ],
    emails: [],
    nextId: 50_000,
  };
}

function did(number: string, description: string, routing: string): Record<string, string> {
  return {
    did: number,
    description,
    routing,
    failover_busy: 'none:',
    failover_unreachable: 'none:',
    failover_noanswer: 'none:',
    voicemail: '101',
    pop: '5',
    dialtime: '60',
    cnam: '1',
    e911: '0',
    callerid_prefix: '',
    note: '',
    port_out_pin: '907531',
    billing_type: '1',
    next_billing: '0000-00-00',
    order_date: '2025-03-04 09:12:00',
    sms_available: '1',
    sms_enabled: '1',
    smpp_enabled: '1',
    smpp_url: 'smpp.example.com',
    smpp_user: 'office',
    smpp_pass: 'smpp-Secret-3',
    transcribe: number === OFFICE_DID ? '1' : '0',
    transcription_locale: 'en-US',
    transcription_redaction: 'no',
    transcription_summary: 'no',
    transcription_sentiment: 'no',
    transcription_email: '',
  };
}

function subAccount(
  id: string,
  username: string,
  description: string,
  password: string,
  transcribe: string,
): Record<string, string> {
  return {
    id,
    account: `${MAIN_ACCOUNT}_${username}`,
    username,
    description,
    protocol: '1',
    auth_type: '1',
    password,
    ip: '',
    device_type: '2',
    callerid_number: OFFICE_DID,
    canada_routing: '1',
    lock_international: '1',
    nat: 'yes',
    internal_extension: id.slice(-3),
    internal_voicemail: '101',
    record_calls: '1',
    transcribe,
    transcription_locale: 'en-US',
  };
}

function entry(phonebook: string, speedDial: string, name: string, number: string, group: string) {
  return { phonebook, speed_dial: speedDial, name, number, callerid: '', note: '', group };
}

function filter(filtering: string, callerid: string, to: string, routing: string, note: string) {
  const none = { failover_unreachable: 'none:', failover_busy: 'none:', failover_noanswer: 'none:' };
  return { filtering, callerid, did: to, routing, ...none, note };
}

/** Five recordings. The first and the third have a transcription of the vendor; the fourth and fifth began within a second of each other. */
function recordingsOf(nowMs: number): Recording[] {
  const at = (days: number, minutes: number): number => wholeSecond(nowMs - days * DAY_MS - minutes * MINUTE_MS);
  return [
    recording('cmVjb3JkaW5nLTE9MQ==', at(1, 30), '4155550123', 'Outgoing', FRONT_DESK, 26),
    recording('cmVjb3JkaW5nLTI9Mg==', at(2, 95), OFFICE_DID, 'Incoming', FRONT_DESK, 12),
    recording('cmVjb3JkaW5nLTM9Mw==', at(4, 10), '4155550124', 'Outgoing', FRONT_DESK, 41),
    recording('cmVjb3JkaW5nLTQ9NA==', at(6, 200), '4155550125', 'Outgoing', WORKSHOP, 19),
    recording('cmVjb3JkaW5nLTU9NQ==', at(6, 200) + 1_000, '4155550125', 'Outgoing', WORKSHOP, 19),
  ];
}

function recording(
  callrecording: string,
  atMs: number,
  destination: string,
  type: Recording['type'],
  account: string,
  seconds: number,
): Recording {
  return { callrecording, atMs, destination, type, account, seconds };
}

function transcriptionsOf(recordings: readonly Recording[]): Transcription[] {
  return recordings.flatMap((one, index) => {
    if (index === 1) return [];
    const other = one.type === 'Outgoing' ? one.destination : '4155550123';
    return [
      {
        account: one.account,
        // It is dated when the speech begins, a moment after the recording does.
        atMs: one.atMs + 1_000,
        seconds: one.seconds,
        type: one.type,
        speakers: [other],
        phrases: [
          { afterSeconds: 1, speaker: 1, phrase: 'Good morning, this is the office.' },
          { afterSeconds: 4, speaker: 2, phrase: `Hello, I am calling about order ${index + 1}.` },
          { afterSeconds: 9, speaker: 1, phrase: 'It is ready. Thank you, goodbye.' },
        ],
      },
    ];
  });
}

/** Newest last. The times depend on nothing but `nowMs`. */
function callsOf(nowMs: number, recordings: readonly Recording[]): Call[] {
  const calls: Call[] = [];
  const add = (days: number, minutes: number, call: Omit<Call, 'atMs' | 'uniqueid' | 'rate' | 'total'>): void => {
    const rate = call.direction === 'Incoming' ? '0.00900000' : '0.01000000';
    const total = ((call.seconds / 60) * Number(rate)).toFixed(8);
    const atMs = wholeSecond(nowMs - days * DAY_MS - minutes * MINUTE_MS);
    calls.push({ ...call, atMs, rate, total, uniqueid: `${1_700_000_000 + calls.length}a${calls.length}` });
  };
  for (let days = 20; days >= 0; days -= 1) {
    if (days % 2 === 0)
      for (const [index, to] of [OFFICE_DID, WORKSHOP_DID, SALES_DID].entries())
        add(days, 61 + index, incoming(`"" <${ROBOT}>`, to, 'ANSWERED', 2 + (days % 3)));
    if (days % 3 === 0) {
      add(days, 190, incoming(`"SURVEY CENTER" <${SURVEY}>`, OFFICE_DID, 'ANSWERED', 5));
      add(days, 160, incoming(`"SURVEY CENTER" <${SURVEY}>`, OFFICE_DID, 'NO ANSWER', 0));
    }
    if (days % 4 === 1) add(days, 240, incoming('"Ada Example" <4155550123>', OFFICE_DID, 'ANSWERED', 184 + days));
    if (days % 5 === 2) add(days, 300, outgoing('14155550125', 'ANSWERED', 95));
    if (days % 7 === 3) add(days, 320, outgoing('4155550126', days % 2 === 0 ? 'BUSY' : 'FAILED', 0));
    if (days % 6 === 4) add(days, 350, incoming('"anonymous" <anonymous>', OFFICE_DID, 'NO ANSWER', 0));
  }
  for (const one of recordings)
    calls.push({
      ...(one.type === 'Outgoing'
        ? outgoing(one.destination, 'ANSWERED', one.seconds)
        : incoming('"Ada Example" <4155550123>', one.destination, 'ANSWERED', one.seconds)),
      account: one.account,
      atMs: one.atMs,
      rate: '0.01000000',
      total: '0.00400000',
      uniqueid: `${1_700_000_000 + calls.length}r${calls.length}`,
    });
  return calls.sort((a, b) => a.atMs - b.atMs);
}

function incoming(callerid: string, destination: string, disposition: Call['disposition'], seconds: number) {
  const account = destination === WORKSHOP_DID ? WORKSHOP : FRONT_DESK;
  return {
    callerid,
    destination,
    description: 'Inbound DID',
    account,
    disposition,
    seconds,
    direction: 'Incoming' as const,
  };
}

function outgoing(destination: string, disposition: Call['disposition'], seconds: number) {
  const callerid = `"Office" <${OFFICE_DID}>`;
  return {
    callerid,
    destination,
    description: 'Outbound - USA',
    account: FRONT_DESK,
    disposition,
    seconds,
    direction: 'Outgoing' as const,
  };
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}
