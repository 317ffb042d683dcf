import {
  type Context,
  DAY_MS,
  dateRange,
  fault,
  given,
  list,
  type Method,
  ok,
  type Params,
  type Reply,
  wireDuration,
  wireTime,
} from './reply.ts';
import { silentMp3, spacedBase64 } from './sound.ts';
import type { Recording, Transcription } from './state.ts';

const FLAGS = { answered: 'ANSWERED', noanswer: 'NO ANSWER', busy: 'BUSY', failed: 'FAILED' } as const;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
/** Where recordings and transcriptions are dated: the account's own zone, five hours behind UTC here. */
const ACCOUNT_ZONE_HOURS = -5;

export const CALL_METHODS: Readonly<Record<string, Method>> = {
  getCDR: {
    changes: false,
    params: 'date_from date_to timezone answered noanswer busy failed calltype callbilling account',
    answer: getCdr,
  },
  getCallAccounts: { changes: false, params: '', answer: getCallAccounts },
  getCallTypes: { changes: false, params: 'client', answer: getCallTypes },
  getCallBilling: { changes: false, params: '', answer: getCallBilling },
  getCallRecordings: {
    changes: false,
    params: 'account date_from date_to start length call_type',
    answer: getCallRecordings,
  },
  getCallRecording: { changes: false, params: 'account callrecording', answer: getCallRecording },
  sendCallRecordingEmail: { changes: true, params: 'account email callrecording', answer: sendCallRecordingEmail },
  delCallRecording: { changes: true, params: 'account callrecording', answer: delCallRecording },
  getCallTranscriptions: {
    changes: false,
    params: 'account date_from date_to call_type',
    answer: getCallTranscriptions,
  },
  getVoicemailTranscriptions: {
    changes: false,
    params: 'account mailbox date_from date_to folder',
    answer: getVoicemailTranscriptions,
  },
};

/** The zone is one offset for the whole range; without it the account's own is meant. */
function getCdr(params: Params, context: Context): Reply {
  const zone = given(params, 'timezone');
  const hours = zone === null ? ACCOUNT_ZONE_HOURS : Number(zone);
  if (zone === null) context.violate('getCDR was called without a timezone, so its dates have none');
  const range = dateRange(params, hours);
  if (typeof range === 'string') return fault(range);
  if (!(hours >= -12 && hours <= 13)) return fault('invalid_timezone');
  const wanted = Object.entries(FLAGS).flatMap(([flag, disposition]) => (params[flag] === '1' ? [disposition] : []));
  if (wanted.length === 0) return fault('no_callstatus');
  const account = given(params, 'account') ?? 'all';
  if (account !== 'all' && !isAccount(account, context)) return fault('invalid_account');
  const type = given(params, 'calltype') ?? 'all';
  const rows = context.state.calls
    .filter(({ atMs }) => atMs >= range.fromMs && atMs < range.toMs)
    .filter(({ disposition }) => wanted.includes(disposition))
    .filter((one) => account === 'all' || one.account === account)
    .filter((one) => type === 'all' || one.direction.toLowerCase() === type || one.destination === type)
    .toReversed()
    .map((one) => ({
      date: wireTime(one.atMs, hours),
      callerid: one.callerid,
      destination: one.destination,
      description: one.description,
      account: one.account,
      disposition: one.disposition,
      duration: wireDuration(one.seconds, 3),
      seconds: String(one.seconds),
      rate: one.rate,
      total: one.total,
      uniqueid: one.uniqueid,
      destination_type: one.direction === 'Incoming' ? 'IN:USA' : 'USA',
      ip: '192.0.2.10',
      useragent: 'Example Phone 1.0',
    }));
  return list('cdr', rows, 'no_cdr', context);
}

function getCallAccounts(_: Params, context: Context): Reply {
  const rows = [
    { value: 'all', description: 'All Accounts' },
    ...context.state.subAccounts.map(({ account, description }) => ({ value: account, description })),
  ];
  return list('accounts', rows, 'no_account', context);
}

function getCallTypes(_: Params, context: Context): Reply {
  const rows = [
    { value: 'all', description: 'All Calls' },
    { value: 'outgoing', description: 'Outgoing Calls' },
    { value: 'incoming', description: 'Incoming Calls' },
    ...context.state.dids.map(({ did, description }) => ({ value: did, description: `DID ${did} ${description}` })),
  ];
  return list('call_types', rows, 'no_account', context);
}

function getCallBilling(_: Params, context: Context): Reply {
  const rows = [
    { value: 'all', description: 'All Calls' },
    { value: 'free', description: 'Free Calls' },
    { value: 'billed', description: 'Billed Calls' },
  ];
  return list('call_billing', rows, 'no_account', context);
}

function getCallRecordings(params: Params, context: Context): Reply {
  const account = given(params, 'account');
  if (account === null) return fault('missing_account');
  if (!isAccount(account, context)) return fault('invalid_account');
  const range = dateRange(params, ACCOUNT_ZONE_HOURS);
  if (typeof range === 'string') return fault(range);
  const type = given(params, 'call_type') ?? 'all';
  const start = Number(given(params, 'start') ?? 0);
  const length = given(params, 'length');
  const rows = context.state.recordings
    .filter((one) => one.account === account && one.atMs >= range.fromMs && one.atMs < range.toMs)
    .filter((one) => type === 'all' || one.type.toLowerCase() === type)
    .slice(start, length === null ? undefined : start + Number(length))
    .map(rowOf);
  return list('recordings', rows, 'no_recording', context);
}

function rowOf(one: Recording): Record<string, string> {
  return {
    callrecording: one.callrecording,
    datetime: wireTime(one.atMs, ACCOUNT_ZONE_HOURS),
    destination: one.destination,
    type: one.type,
    subaccount: one.account,
    duration: wireDuration(one.seconds, 2),
  };
}

function getCallRecording(params: Params, context: Context): Reply {
  const found = recordingOf(params, context);
  if (typeof found === 'string') return fault(found);
  const base64file = context.faults.noSound ? '' : spacedBase64(silentMp3(found.seconds));
  return ok({ ...rowOf(found), base64file });
}

/** Answers with a word in HTML, as the vendor's own sample does. */
function sendCallRecordingEmail(params: Params, context: Context): Reply {
  const found = recordingOf(params, context);
  if (typeof found === 'string') return fault(found);
  const email = given(params, 'email');
  if (email === null) return fault('missing_email');
  if (!EMAIL.test(email)) return fault('invalid_email');
  context.state.emails.push({ account: found.account, callrecording: found.callrecording, email });
  return ok({ msg: `<b>The recording has been sent to</b> ${email}<br/>` });
}

function delCallRecording(params: Params, context: Context): Reply {
  const found = recordingOf(params, context);
  if (typeof found === 'string') return fault(found);
  context.state.recordings = context.state.recordings.filter((one) => one !== found);
  return ok();
}

/** Or the status that says why there is none. */
function recordingOf(params: Params, context: Context): Recording | string {
  const [account, id] = [given(params, 'account'), given(params, 'callrecording')];
  if (account === null) return 'missing_account';
  if (!isAccount(account, context)) return 'invalid_account';
  if (id === null) return 'missing_callrecording';
  const found = context.state.recordings.find((one) => one.callrecording === id && one.account === account);
  return found ?? 'invalid_callrecording';
}

function getCallTranscriptions(params: Params, context: Context): Reply {
  const account = given(params, 'account');
  if (account === null) return fault('missing_account');
  if (!isAccount(account, context)) return fault('invalid_account');
  const range = dateRange(params, ACCOUNT_ZONE_HOURS);
  if (typeof range === 'string') return fault(range);
  const type = given(params, 'call_type') ?? 'all';
  if (!['all', 'incoming', 'outgoing'].includes(type)) return fault('invalid_call_type');
  const rows = context.state.transcriptions
    .filter((one) => one.account === account && one.atMs >= range.fromMs && one.atMs < range.toMs)
    .filter((one) => type === 'all' || one.type.toLowerCase() === type)
    .map(transcriptionRow);
  if (rows.length > 0) return list('transcriptions', rows, 'no_recording', context);
  switch (context.faults.noTranscriptions) {
    case 'empty-list':
      return ok({ transcriptions: [] });
    case 'no-field':
      return ok();
    case 'no_recording':
      return fault('no_recording');
    default: {
      const never: never = context.faults.noTranscriptions;
      return never;
    }
  }
}

function transcriptionRow(one: Transcription): Record<string, unknown> {
  return {
    date: wireTime(one.atMs, ACCOUNT_ZONE_HOURS),
    duration: wireDuration(one.seconds, 2),
    speakers: one.speakers,
    locale: 'en-US',
    confidence: '94.18%',
    recognized_phrases: one.phrases.map(({ afterSeconds, speaker, phrase }) => ({
      time: wireTime(one.atMs + afterSeconds * 1_000, ACCOUNT_ZONE_HOURS),
      duration: 2.84,
      speaker,
      phrase,
    })),
  };
}

function getVoicemailTranscriptions(params: Params, context: Context): Reply {
  const mailbox = given(params, 'mailbox');
  if (mailbox !== null && mailbox !== '101') return fault('invalid_mailbox');
  const messages = [
    {
      date: wireTime(context.nowMs - DAY_MS, ACCOUNT_ZONE_HOURS),
      callerid: '"Ada Example" <4155550123>',
      duration: '00:00:09',
      folder: 'INBOX',
      result: 'Hello, this is Ada. Please call me back.',
    },
  ];
  return list('messages', messages, 'no_messages', context);
}

function isAccount(account: string, { state }: Context): boolean {
  return state.subAccounts.some((one) => one.account === account);
}
