import { accountResource } from './account-resources.ts';
import type { SimulatedCall } from './call.ts';
import type { CallSettings } from './call-world.ts';
import { refusal } from './errors.ts';
import type { TwilioKnobs } from './knobs.ts';
import type { FormFields } from './signature.ts';

/** What the REST interface needs of the account. */
export interface RestAccount {
  readonly accountSid: string;
  readonly number: string;
  readonly knobs: TwilioKnobs;
  readonly calls: readonly SimulatedCall[];
  /** User and password of Basic auth. */
  readonly credentials: readonly (readonly [user: string, password: string])[];
  create(settings: CallSettings, params: FormFields): SimulatedCall;
}

export interface RestRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
}

/** `created` is set when a call has been made, so that its answer can be held back or lost. */
export interface RestReply {
  readonly status: number;
  readonly body: object;
  readonly created?: SimulatedCall;
  /** Set when a call has been changed. */
  readonly updated?: true;
}

const API = '/2010-04-01';
const E164 = /^\+[1-9]\d{6,14}$/;
/** Twilio's test numbers: a From that is always valid, and one that never is. */
const VALID_FROM = '+15005550006';
const INVALID_NUMBER = '+15005550001';
const STATUS_EVENTS = ['initiated', 'ringing', 'answered', 'completed'];
const RECORDING_EVENTS = ['in-progress', 'completed', 'absent'];
const MAX_TWIML_CHARS = 4_000;

class Refused extends Error {
  readonly reply: RestReply;
  constructor(code: number, detail?: string) {
    super(detail);
    this.reply = refusal(code, detail);
  }
}

/** Answers one request to `/2010-04-01/Accounts/{AC}/Calls…` (Twilio, "Call resource"). */
export function answerRest(request: RestRequest, account: RestAccount): RestReply {
  try {
    return route(request, account);
  } catch (error) {
    if (error instanceof Refused) return error.reply;
    throw error;
  }
}

function route(request: RestRequest, account: RestAccount): RestReply {
  authenticate(request.authorization, account);
  const resource = request.method === 'GET' ? accountResource(request.url, account) : null;
  if (resource !== null) return { status: 200, body: resource };
  const path = new RegExp(`^${API}/Accounts/([^/]+)/Calls(?:/([^/]+?))?(/Recordings)?\\.json$`).exec(
    request.url.pathname,
  );
  if (path === null) throw new Refused(20404, request.url.pathname);
  const [, accountSid, callSid, recordings] = path;
  if (accountSid !== account.accountSid) throw new Refused(20003);
  const { knobs } = account;
  const queue =
    request.method === 'GET' ? knobs.refuseReads : callSid === undefined ? knobs.refuseCreates : knobs.refuseUpdates;
  const refused = queue.shift();
  if (refused !== undefined) throw new Refused(refused);
  if (callSid === undefined) {
    if (request.method === 'GET') return listCalls(request.url, account);
    if (request.method === 'POST') return createCall(request.form, account);
    throw new Refused(20004);
  }
  const call = account.calls.find((one) => one.sid === callSid);
  if (call === undefined) throw new Refused(20404, request.url.pathname);
  if (recordings !== undefined) return listRecordings(request, call, account);
  if (request.method === 'GET') return { status: 200, body: viewOf(call, account) };
  if (request.method !== 'POST') throw new Refused(20004);
  updateCall(call, request.form);
  return { status: 200, body: viewOf(call, account), updated: true };
}

function authenticate(authorization: string | undefined, account: RestAccount): void {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/.exec(authorization ?? '')?.[1] ?? '';
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  if (!account.credentials.some(([user, password]) => given === `${user}:${password}`)) throw new Refused(20003);
}

function createCall(form: URLSearchParams, account: RestAccount): RestReply {
  const to = form.get('To') ?? '';
  if (to === '') throw new Refused(21201);
  const from = form.get('From') ?? '';
  if (from === '') throw new Refused(21213);
  if (from === INVALID_NUMBER || !E164.test(from)) throw new Refused(21212, from);
  if (to === INVALID_NUMBER || !E164.test(to)) throw new Refused(21211, to);
  if (from !== account.number && from !== VALID_FROM) throw new Refused(21210, from);
  const url = form.get('Url');
  const twiml = form.get('Twiml');
  if (url === null && twiml === null) throw new Refused(21205);
  if (url !== null && !isWebUrl(url)) throw new Refused(21205, url);
  if (twiml !== null && twiml.length > MAX_TWIML_CHARS)
    throw new Refused(20001, 'Twiml is longer than 4000 characters');
  const statusCallback = form.get('StatusCallback');
  if (statusCallback !== null && (!isWebUrl(statusCallback) || new URL(statusCallback).hostname.includes('_'))) {
    throw new Refused(21609, statusCallback);
  }
  const events = form.getAll('StatusCallbackEvent');
  const unknown = events.find((event) => !STATUS_EVENTS.includes(event));
  if (unknown !== undefined) throw new Refused(21626, unknown);
  const settings: CallSettings = {
    to,
    from,
    url,
    method: methodOf(form.get('Method')),
    // When both are given, Twilio ignores the TwiML.
    twiml: url === null ? twiml : null,
    statusCallback,
    statusCallbackMethod: methodOf(form.get('StatusCallbackMethod')),
    statusCallbackEvents: events.length > 0 ? events : ['completed'],
    timeoutMs: secondsOf(form, 'Timeout', 60, 600) * 1_000,
    timeLimitMs: secondsOf(form, 'TimeLimit', 14_400, 86_400) * 1_000,
    recording: recordingSettings(form),
  };
  const byNumber = account.knobs.refuseNumbers[to];
  if (byNumber !== undefined) throw new Refused(byNumber);
  const call = account.create(settings, fieldsOf(form));
  return { status: 201, body: viewOf(call, account), created: call };
}

function recordingSettings(form: URLSearchParams): CallSettings['recording'] {
  const record = form.get('Record') ?? 'false';
  if (record !== 'true' && record !== 'false') throw new Refused(20001, `Record ${record}`);
  const channels = wordOf(form, 'RecordingChannels', ['mono', 'dual']);
  const trim = wordOf(form, 'Trim', ['trim-silence', 'do-not-trim']);
  const callback = form.get('RecordingStatusCallback');
  if (callback !== null && !isWebUrl(callback)) throw new Refused(21609, callback);
  const events = form.getAll('RecordingStatusCallbackEvent');
  const unknown = events.find((event) => !RECORDING_EVENTS.includes(event));
  if (unknown !== undefined) throw new Refused(21626, unknown);
  if (record === 'false') return null;
  const callbackMethod = methodOf(form.get('RecordingStatusCallbackMethod'));
  return { channels, trim, callback, callbackMethod, callbackEvents: events.length > 0 ? events : ['completed'] };
}

/** One of these words, the first when none is given. */
function wordOf<const Word extends string>(
  form: URLSearchParams,
  name: string,
  words: readonly [Word, ...Word[]],
): Word {
  const given = form.get(name);
  const word = given === null ? words[0] : words.find((one) => one === given);
  if (word === undefined) throw new Refused(20001, `${name} ${given}`);
  return word;
}

function updateCall(call: SimulatedCall, form: URLSearchParams): void {
  const status = form.get('Status');
  const url = form.get('Url');
  const twiml = form.get('Twiml');
  if (status !== null && status !== 'completed' && status !== 'canceled') throw new Refused(20001, `Status ${status}`);
  if (call.isOver) throw new Refused(21220);
  if (form.has('TimeLimit')) call.setTimeLimit(secondsOf(form, 'TimeLimit', 0, 86_400) * 1_000);
  if (status !== null) {
    call.endByRest(status);
    return;
  }
  if (url === null && twiml === null) return;
  if (call.status !== 'in-progress') throw new Refused(21220);
  if (url !== null && !isWebUrl(url)) throw new Refused(21205, url);
  if (url !== null) call.redirect({ url, method: methodOf(form.get('Method')) });
  else call.redirect({ twiml: twiml ?? '' });
}

function listCalls(url: URL, account: RestAccount): RestReply {
  const query = url.searchParams;
  const pageSize = Math.min(Math.max(Number(query.get('PageSize') ?? 50) || 50, 1), 1_000);
  const page = Math.max(Number(query.get('Page') ?? 0) || 0, 0);
  const found = account.calls.filter((call) => matches(call, query)).toReversed();
  const rows = found.slice(page * pageSize, (page + 1) * pageSize);
  const uriOf = (number: number) => {
    const to = new URLSearchParams(query);
    to.set('PageSize', String(pageSize));
    to.set('Page', String(number));
    return `${url.pathname}?${to}`;
  };
  const body = {
    calls: rows.map((call) => viewOf(call, account)),
    page,
    page_size: pageSize,
    start: page * pageSize,
    end: page * pageSize + Math.max(rows.length - 1, 0),
    uri: uriOf(page),
    first_page_uri: uriOf(0),
    next_page_uri: found.length > (page + 1) * pageSize ? uriOf(page + 1) : null,
    previous_page_uri: page > 0 ? uriOf(page - 1) : null,
  };
  return { status: 200, body };
}

function listRecordings(request: RestRequest, call: SimulatedCall, account: RestAccount): RestReply {
  if (request.method !== 'GET') throw new Refused(20004);
  const recordings = call.recordings.map(({ sid, status, channels, durationSeconds }) => ({
    sid,
    account_sid: account.accountSid,
    call_sid: call.sid,
    status,
    channels,
    source: 'OutboundAPI',
    duration: durationSeconds === null ? null : String(durationSeconds),
    uri: `${API}/Accounts/${account.accountSid}/Recordings/${sid}.json`,
  }));
  return { status: 200, body: { recordings, page: 0, page_size: 50 } };
}

function matches(call: SimulatedCall, query: URLSearchParams): boolean {
  const startMs = (call.startedAt ?? call.createdAt).getTime();
  for (const [name, value] of query) {
    if (name === 'To' && call.to !== value) return false;
    if (name === 'From' && call.from !== value) return false;
    if (name === 'Status' && call.status !== value) return false;
    if (!name.startsWith('StartTime')) continue;
    const limitMs = Date.parse(value);
    if (Number.isNaN(limitMs)) throw new Refused(20001, `${name} ${value}`);
    // The parameter names are `StartTime<` and `StartTime>`; both mean "at or" before or after. Times have whole seconds.
    if (name === 'StartTime<' && Math.floor(startMs / 1_000) * 1_000 > limitMs) return false;
    if (name === 'StartTime>' && startMs < Math.floor(limitMs / 1_000) * 1_000) return false;
    if (name === 'StartTime' && new Date(startMs).toISOString().slice(0, 10) !== value.slice(0, 10)) return false;
  }
  return true;
}

function viewOf(call: SimulatedCall, account: RestAccount): object {
  const uri = `${API}/Accounts/${account.accountSid}/Calls/${call.sid}`;
  const seconds = call.durationSeconds;
  return {
    sid: call.sid,
    account_sid: account.accountSid,
    api_version: '2010-04-01',
    status: call.status,
    direction: 'outbound-api',
    to: call.to,
    to_formatted: call.to,
    from: call.from,
    from_formatted: call.from,
    phone_number_sid: null,
    parent_call_sid: null,
    date_created: rfc2822(call.createdAt),
    date_updated: rfc2822(call.endedAt ?? call.answeredAt ?? call.createdAt),
    start_time: rfc2822(call.startedAt),
    end_time: rfc2822(call.endedAt),
    duration: seconds === null ? null : String(seconds),
    price: null,
    price_unit: 'USD',
    answered_by: null,
    annotation: null,
    caller_name: null,
    forwarded_from: null,
    group_sid: null,
    queue_time: '0',
    trunk_sid: null,
    uri: `${uri}.json`,
    subresource_uris: { recordings: `${uri}/Recordings.json`, streams: `${uri}/Streams.json` },
  };
}

function rfc2822(date: Date | null): string | null {
  return date === null ? null : date.toUTCString().replace('GMT', '+0000');
}

function secondsOf(form: URLSearchParams, name: string, fallback: number, most: number): number {
  const given = form.get(name);
  if (given === null) return fallback;
  if (!/^\d+$/.test(given) || Number(given) < 1 || Number(given) > most) throw new Refused(20001, `${name} ${given}`);
  return Number(given);
}

function methodOf(given: string | null): 'GET' | 'POST' {
  if (given === null) return 'POST';
  if (given !== 'GET' && given !== 'POST') throw new Refused(20001, `Method ${given}`);
  return given;
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function fieldsOf(form: URLSearchParams): FormFields {
  const fields: Record<string, string | string[]> = {};
  for (const name of new Set(form.keys())) {
    const values = form.getAll(name);
    fields[name] = values.length === 1 ? (values[0] ?? '') : values;
  }
  return fields;
}
