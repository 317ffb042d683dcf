import type { Leg } from './call.ts';
import type { CallControlWorld } from './call-control.ts';
import { BadQuery, type CollectionOptions, collection, literal, type Row, selected } from './odata.ts';
import type { Station } from './office.ts';
import {
  activeCallRow,
  historyRow,
  logRow,
  messageRows,
  type PastCall,
  pastCallOf,
  peerRow,
  recordingRows,
  SECRET_FIELDS,
  seededCalls,
  systemStatusRow,
  userRow,
} from './records.ts';
import { type Reply, recordOf, type ThreeCxRequest } from './reply.ts';
import { beepWav } from './wav.ts';

export const XAPI_BASE = '/xapi/v1';
/** Which of a person's settings can be changed here. */
const CHANGEABLE = [
  'FirstName',
  'LastName',
  'EmailAddress',
  'Mobile',
  'Enabled',
  'RecordCalls',
  'RecordExternalCallsOnly',
];
/** All of them are required (3CX, XAPI swagger, `Pbx.GetCallLogData`). */
const REPORT_ARGUMENTS = [
  'periodFrom',
  'periodTo',
  'sourceType',
  'sourceFilter',
  'destinationType',
  'destinationFilter',
  'callsType',
  'callTimeFilterType',
  'callTimeFilterFrom',
  'callTimeFilterTo',
  'hidePcalls',
];
const ISO_WITH_ZONE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** Lists with nothing in them, and the fields of lists that may be empty. */
const EMPTY_LISTS = ['BlackListNumbers', 'Contacts', 'EventLogs', 'ChatHistoryView'];
const ACTIVE_CALL_FIELDS = ['Id', 'Caller', 'Callee', 'Status', 'LastChangeStatus', 'EstablishedAt', 'ServerNow'];

class NotFound extends Error {}

export interface XapiWorld extends CallControlWorld {
  readonly wall: () => number;
}

/** What the configuration API knows: made when the simulator starts, and changed by what is asked of it. */
export class Xapi {
  readonly world: XapiWorld;
  readonly users: Record<string, unknown>[];
  /** Some past call: its rows show which fields a list has, also where that list is empty. */
  readonly sample: PastCall;
  readonly #old: readonly PastCall[];
  readonly recordings: readonly Row[];
  readonly messages: readonly Row[];

  constructor(world: XapiWorld) {
    const { office, wall } = world;
    this.world = world;
    this.users = office.extensions.map((one, i) => ({ ...userRow(one, i, office) }));
    this.#old = seededCalls(office, wall());
    const [sample] = this.#old;
    if (sample === undefined) throw new Error('The office has no past calls');
    this.sample = sample;
    this.recordings = recordingRows(office, wall());
    this.messages = messageRows(office, wall());
  }

  /** The newest first. */
  pastCalls(): readonly PastCall[] {
    return [...this.world.exchange.past.map(pastCallOf).toReversed(), ...this.#old];
  }
}

/** Answers `/xapi/v1/…` (3CX, XAPI swagger). */
export function answerXapi(request: ThreeCxRequest, xapi: Xapi): Reply {
  try {
    const { method } = request;
    const path = decodeURIComponent(request.path.slice(XAPI_BASE.length + 1));
    if (method === 'GET') return read(path, request, xapi);
    if (method === 'POST') return invoke(path, request.body, xapi);
    if (method === 'PATCH') return patch(path, request.body, xapi);
    return failure(405, 'MethodNotAllowed', 'The method is not allowed.');
  } catch (error) {
    if (error instanceof BadQuery) return failure(400, 'BadRequest', error.message);
    if (error instanceof NotFound) return failure(404, 'NotFound', error.message);
    throw error;
  }
}

function read(path: string, request: ThreeCxRequest, xapi: Xapi): Reply {
  const { world } = xapi;
  const { query } = request;
  const { office, exchange } = world;
  checkSelect(path, query, world);
  const [, name = '', key] = /^(\w+)\((.*)\)$/.exec(path) ?? [];
  if (name === 'Users') return one(byKey(xapi.users, key ?? ''), query);
  if (name === 'Peers') return one(byKey(office.peers.map(peerRow), key ?? ''), query);
  if (path.startsWith('ReportCallLogData/')) return report(path, request, xapi);
  const download = /^Recordings\/Pbx\.DownloadRecording\(recId=(\d+)\)$/.exec(path);
  if (download !== null) return recordingOf(Number(download[1]), xapi);
  if (path === 'SystemStatus') return one(systemStatusRow(office, exchange.calls.size), query);
  if (path === 'LicenseStatus')
    return one(
      { LicenseActive: true, ProductCode: '3CXENT', MaxSimCalls: 8, LicenseKey: 'AAAA-BBBB-CCCC-DDDD' },
      query,
    );
  if (path === 'SystemStatus/Pbx.SystemHealthStatus()') return one({ FirewallHealth: 'OK', TrunksHealth: 'OK' }, query);
  const rows = listOf(path, xapi);
  if (rows === null) throw new NotFound(`No HTTP resource was found that matches ${path}.`);
  return collection(rows, query, listOptions(request, fieldsOf(path, rows, xapi), world));
}

/** Also of a list that is empty now. */
function fieldsOf(path: string, rows: readonly Row[], xapi: Xapi): readonly string[] {
  if (path === 'ActiveCalls') return ACTIVE_CALL_FIELDS;
  return Object.keys(path === 'CallHistoryView' ? historyRow(xapi.sample) : (rows[0] ?? {}));
}

/** Null: there is no such list. `Extensions`, which one might look for, is none. */
function listOf(path: string, xapi: Xapi): readonly Row[] | null {
  const { office, exchange, wall, faults } = xapi.world;
  const ofType = (type: string) => office.peers.filter((one) => one.type === type);
  switch (path) {
    case 'Users':
      return xapi.users;
    case 'Peers':
      return office.peers.map(peerRow);
    case 'Queues':
      return ofType('Queue').map(({ number, name }, i) => ({ Id: i + 1, Number: number, Name: name }));
    case 'RingGroups':
      return ofType('RingGroup').map(({ number, name }, i) => ({ Id: i + 1, Number: number, Name: name }));
    case 'Parkings':
      return ofType('Parking').map(({ number }, i) => ({ Id: i + 1, Number: number, Groups: [] }));
    case 'ActiveCalls':
      return [...exchange.calls.values()].map((call) => activeCallRow(call, wall()));
    case 'CallHistoryView':
      // An upgraded server has only its old calls there.
      return (faults.olderBuild ? xapi.pastCalls() : []).map(historyRow);
    case 'Recordings':
      return xapi.recordings;
    case 'ChatMessagesHistoryView':
      return xapi.messages;
    case 'SystemStatus/Pbx.SystemExtensions()':
      return xapi.users.map((user) => ({
        Number: user.Number,
        Name: user.DisplayName,
        Type: 'Extension',
        IsRegistered: user.IsRegistered,
      }));
    default:
      return EMPTY_LISTS.includes(path) ? [] : null;
  }
}

/** `Pbx.GetCallLogData(…)`, which came with update 6, and needs a role of its own. */
function report(path: string, request: ThreeCxRequest, xapi: Xapi): Reply {
  const { faults } = xapi.world;
  const [, name, text = ''] = /^ReportCallLogData\/Pbx\.(GetCallLogData|GetOldCallLogData)\((.*)\)$/.exec(path) ?? [];
  if (name === undefined || faults.olderBuild) throw new NotFound('No HTTP resource was found.');
  if (faults.noReportRole) return failure(403, 'Forbidden', 'The role is too low for this report.');
  const args = argumentsOf(text);
  for (const needed of REPORT_ARGUMENTS)
    if (!args.has(needed)) throw new BadQuery(`The argument ${needed} is missing.`);
  for (const kind of ['sourceType', 'destinationType', 'callsType', 'callTimeFilterType'])
    if (args.get(kind) !== '0')
      throw new BadQuery(`${kind} is simulated as 0 alone: its other numbers are not documented.`);
  const [from, to] = ['periodFrom', 'periodTo'].map((one) => args.get(one) ?? '');
  if (!ISO_WITH_ZONE.test(from ?? '') || !ISO_WITH_ZONE.test(to ?? ''))
    throw new BadQuery('The period is not given as times with their zone.');
  const [source, destination] = ['sourceFilter', 'destinationFilter'].map((one) => literal(args.get(one) ?? "''"));
  const isAt = ({ dn, number }: Station, wanted: unknown): boolean =>
    wanted === '' || wanted === dn || wanted === number;
  const isWanted = (call: PastCall): boolean =>
    call.startedAtMs >= Date.parse(from ?? '') &&
    call.startedAtMs <= Date.parse(to ?? '') &&
    isAt(call.from, source) &&
    isAt(call.to, destination);
  const rows = name === 'GetOldCallLogData' ? [] : xapi.pastCalls().filter(isWanted).map(logRow);
  return collection(rows, request.query, listOptions(request, Object.keys(logRow(xapi.sample)), xapi.world));
}

function argumentsOf(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/(\w+)=('(?:[^']|'')*'|[^,]*)(?:,|$)/g);
  return new Map([...found].map(([, name = '', value = '']) => [name, value]));
}

function recordingOf(id: number, { recordings }: Xapi): Reply {
  if (!recordings.some((row) => row.Id === id)) throw new NotFound('There is no such recording.');
  return { status: 200, body: beepWav(), contentType: 'audio/wav' };
}

function invoke(path: string, body: unknown, xapi: Xapi): Reply {
  const { exchange } = xapi.world;
  if (path === 'Users/Pbx.MakeCall') return makeCall(recordOf(body), xapi);
  if (path === 'Recordings/Pbx.TranscribeRecordings') return { status: 200 };
  const drop = /^ActiveCalls\((\d+)\)\/Pbx\.DropCall$/.exec(path);
  const call = exchange.calls.get(Number(drop?.[1]));
  if (call === undefined) throw new NotFound('There is no such call.');
  call.end(call.answeredAtMs === null ? 'rejected' : 'completed');
  return { status: 204 };
}

function makeCall({ dn, destination }: Row, { world }: Xapi): Reply {
  if (typeof dn !== 'string' || typeof destination !== 'string') throw new BadQuery('dn and destination are needed.');
  const { exchange, faults } = world;
  const placed = exchange.place(dn, destination);
  if (faults.emptyBodies) return { status: 200 };
  if ('leg' in placed)
    return {
      status: 200,
      body: { FinalStatus: 'Success', Reason: 'None', ReasonText: '', Result: resultOf(placed.leg) },
    };
  return { status: 200, body: { FinalStatus: 'Failed', Reason: placed.reason, ReasonText: placed.reasonText } };
}

function resultOf(leg: Leg): object {
  const { station, party, call } = leg;
  return {
    CallId: call.id,
    DeviceId: station.deviceId,
    DirectControl: station.directControl,
    DN: station.dn,
    Id: leg.id,
    LegId: leg.legId,
    PartyCallerId: party.number,
    PartyCallerName: party.name,
    PartyDn: party.dn,
    PartyDnType: party.dnType,
    Status: leg.status,
  };
}

function patch(path: string, body: unknown, xapi: Xapi): Reply {
  const key = /^Users\((\d+)\)$/.exec(path)?.[1];
  if (key === undefined) throw new NotFound('There is no such resource.');
  const user = byKey(xapi.users, key);
  const changes = recordOf(body);
  for (const name of Object.keys(changes))
    if (!CHANGEABLE.includes(name)) throw new BadQuery(`The property '${name}' cannot be changed.`);
  Object.assign(user, changes);
  return { status: 204 };
}

/** By `12`, or by an alternate key such as `Number='100'`. */
function byKey(rows: readonly Row[], key: string): Row {
  const [, field = 'Id', value = key] = /^(\w+)=(.*)$/.exec(key) ?? [];
  const wanted = literal(value);
  const row = rows.find((candidate) => candidate[field] === wanted);
  if (row === undefined) throw new NotFound('There is no such resource.');
  return row;
}

function one(row: Row, query: URLSearchParams): Reply {
  return { status: 200, body: selected(row, query.get('$select'), Object.keys(row)) };
}

function listOptions(request: ThreeCxRequest, fields: readonly string[], { faults }: XapiWorld): CollectionOptions {
  return {
    url: `${request.origin}${request.path}`,
    context: `${request.origin}${XAPI_BASE}/$metadata`,
    pageCap: faults.pageCap,
    oneRowAsObject: faults.oneRowAsObject ?? false,
    fields,
  };
}

function checkSelect(path: string, query: URLSearchParams, { violated }: XapiWorld): void {
  const select = query.get('$select');
  const isSecretive = /^(Users|SystemStatus|LicenseStatus)(\(.*\))?$/.test(path);
  if (select === null && isSecretive) violated(`${path} was read without $select.`);
  for (const field of SECRET_FIELDS)
    if (select?.split(',').includes(field)) violated(`The secret ${field} was asked for.`);
}

function failure(status: number, code: string, message: string): Reply {
  return { status, body: { error: { code, message, target: '', details: [] } } };
}
