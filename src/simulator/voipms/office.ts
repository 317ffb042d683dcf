/** The account itself: money, numbers, sub-accounts, text messages. */
import {
  type Context,
  DAY_MS,
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
import { type Message, newId } from './state.ts';

const NUMBER = /^1?\d{10}$/;
const LONGEST_MESSAGE = 160;
const DEFAULT_LIMIT = 50;

export const OFFICE_METHODS: Readonly<Record<string, Method>> = {
  getBalance: { changes: false, params: 'advanced', answer: getBalance },
  getIP: { changes: false, params: '', answer: () => ok({ ip: '192.0.2.44' }) },
  getDIDsInfo: { changes: false, params: 'client did', answer: getDidsInfo },
  getSubAccounts: { changes: false, params: 'account', answer: getSubAccounts },
  getRegistrationStatus: { changes: false, params: 'account', answer: getRegistrationStatus },
  sendSMS: { changes: true, params: 'did dst message', answer: sendSms },
  getSMS: { changes: false, params: 'sms from to type did contact limit timezone all_messages', answer: getSms },
  deleteSMS: { changes: true, params: 'id', answer: deleteSms },
};

function getBalance(params: Params, { state, nowMs }: Context): Reply {
  if (params.advanced !== '1') return ok({ balance: { current_balance: state.balance } });
  const today = state.calls.filter(({ atMs }) => wireTime(atMs).slice(0, 10) === wireTime(nowMs).slice(0, 10));
  const totals = (calls: typeof state.calls) => ({
    spent: calls.reduce((sum, one) => sum + Number(one.total), 0).toFixed(5),
    time: wireDuration(
      calls.reduce((sum, one) => sum + one.seconds, 0),
      3,
    ),
  });
  const [ever, day] = [totals(state.calls), totals(today)];
  return ok({
    balance: {
      current_balance: state.balance,
      spent_total: ever.spent,
      calls_total: String(state.calls.length),
      time_total: ever.time,
      spent_today: day.spent,
      calls_today: String(today.length),
      time_today: day.time,
    },
  });
}

function getDidsInfo(params: Params, context: Context): Reply {
  const did = given(params, 'did');
  const rows = context.state.dids.filter((one) => did === null || one.did === did);
  return rows.length === 0 && did !== null ? fault('invalid_did') : list('dids', rows, 'no_did', context);
}

/** `account` is the name that a telephone registers with; an id finds nothing, as has been seen on the wire. */
function getSubAccounts(params: Params, context: Context): Reply {
  const account = given(params, 'account');
  const rows = context.state.subAccounts.filter((one) => account === null || one.account === account);
  return list('accounts', rows, account === null ? 'no_account' : 'no_subaccount', context);
}

function getRegistrationStatus(params: Params, { state, faults, nowMs }: Context): Reply {
  const account = given(params, 'account');
  if (account === null) return fault('missing_account');
  const index = state.subAccounts.findIndex((one) => one.account === account);
  if (index < 0) return fault('invalid_account');
  if (index > 0) return ok({ registered: 'no', rerouted: '', from_server_pop: '', registrations: [] });
  const row = {
    server_name: 'Example City 1',
    server_shortname: 'example1',
    server_hostname: 'example1.example.com',
    server_ip: '192.0.2.60',
    server_country: 'USA',
    server_pop: '5',
    register_ip: '192.0.2.10',
    register_port: '5060',
    register_next: wireTime(nowMs + 60_000),
    register_protocol: 'sip',
    register_transport: 'tls',
  };
  const registrations = faults.oneRowAsObject ? row : [row];
  return ok({ registered: 'yes', rerouted: '0', from_server_pop: '5', registrations });
}

function sendSms(params: Params, { state, faults, nowMs }: Context): Reply {
  const [did, dst, message] = [given(params, 'did'), given(params, 'dst'), given(params, 'message')];
  if (did === null) return fault('missing_did');
  if (!state.dids.some((one) => one.did === did)) return fault('invalid_did');
  if (dst === null) return fault('missing_number');
  if (!NUMBER.test(dst)) return fault('invalid_dst');
  if (message === null) return fault('message_empty');
  if (message.length > LONGEST_MESSAGE) return fault('sms_toolong');
  const isOfToday = (one: Message): boolean => one.type === '0' && nowMs - one.atMs < DAY_MS;
  if (state.messages.filter(isOfToday).length >= faults.messagesPerDay) return fault('limit_reached');
  const id = newId(state);
  state.messages.push({ id, atMs: nowMs, type: '0', did, contact: dst.slice(-10), message });
  return ok(faults.withoutId ? {} : { sms: id });
}

/** Text may come with `+` for spaces, as in the vendor's own sample. */
function getSms(params: Params, context: Context): Reply {
  const { state, nowMs } = context;
  const [id, type, did, contact] = ['sms', 'type', 'did', 'contact'].map((name) => given(params, name));
  if (type !== null && type !== '0' && type !== '1') return fault('invalid_type');
  const hours = Number(given(params, 'timezone') ?? 0);
  if (Number.isNaN(hours)) return fault('invalid_timezone');
  const day = (name: string, otherwise: string): string | null => {
    const text = given(params, name) ?? otherwise;
    return /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : null;
  };
  // Without a range the vendor's page promises today's only.
  const today = wireTime(nowMs, hours).slice(0, 10);
  const [from, to] = [day('from', today), day('to', today)];
  if (from === null || to === null) return fault('invalid_date');
  const rows = state.messages
    .map((one) => ({ ...one, date: wireTime(one.atMs, hours) }))
    .filter((one) => id === null || one.id === id)
    .filter((one) => id !== null || (one.date.slice(0, 10) >= from && one.date.slice(0, 10) <= to))
    .filter((one) => type === null || one.type === type)
    .filter((one) => did === null || one.did === did)
    .filter((one) => contact === null || one.contact === contact)
    .toReversed()
    .slice(0, Number(given(params, 'limit') ?? DEFAULT_LIMIT))
    .map(({ atMs: _, ...row }) => ({ ...row, carrier_status: '' }));
  return list('sms', rows, 'no_sms', context);
}

function deleteSms(params: Params, { state }: Context): Reply {
  const id = given(params, 'id');
  if (id === null) return fault('missing_id');
  if (!state.messages.some((one) => one.id === id)) return fault('invalid_id');
  state.messages = state.messages.filter((one) => one.id !== id);
  return ok();
}
