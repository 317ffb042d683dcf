/** What the configuration API has to show of the office: its people, its past calls, recordings and messages. All invented. */
import type { PhoneCall } from './call.ts';
import type { Row } from './odata.ts';
import type { Office, Peer, SimulatedExtension, Station } from './office.ts';

/** Must never leave the server. */
export const SECRET_FIELDS = ['AuthPassword', 'AccessPassword', 'VMPIN', 'DeskphonePassword', 'LicenseKey'] as const;

const HOUR_MS = 3_600_000;
const FIRST_USER_ID = 12;
const SEEDED_CALLS = 6;

export function userRow(extension: SimulatedExtension, index: number, office: Office): Row {
  const { number, firstName, lastName, mobile = '', profile = 'Available', queueStatus = 'LoggedOut' } = extension;
  return {
    Id: FIRST_USER_ID + index,
    Number: number,
    FirstName: firstName,
    LastName: lastName,
    DisplayName: `${firstName} ${lastName}`,
    EmailAddress: `${firstName.toLowerCase()}@example.com`,
    Mobile: mobile,
    OutboundCallerID: '+14155550100',
    Enabled: true,
    IsRegistered: office.devices(number).length > 0,
    CurrentProfileName: profile,
    QueueStatus: queueStatus,
    PrimaryGroupId: 1,
    RecordCalls: false,
    RecordExternalCallsOnly: false,
    AuthID: `auth-${number}`,
    AuthPassword: `sip-secret-${number}`,
    AccessPassword: `web-secret-${number}`,
    VMPIN: `77${number}`,
    DeskphonePassword: `desk-secret-${number}`,
  };
}

export function peerRow({ number, name, type }: Peer, index: number): Row {
  return { Id: 40 + index, Number: number, Name: name, Type: type, Hidden: false, MemberOf: [] };
}

/** The words for an active call's status are not documented: these are guesses. */
export function activeCallRow(call: PhoneCall, nowMs: number): Row {
  const { id, from, to, answeredAtMs, startedAtMs } = call;
  return {
    Id: id,
    Caller: shown(from),
    Callee: shown(to),
    Status: answeredAtMs === null ? 'Routing' : 'Talking',
    LastChangeStatus: iso(answeredAtMs ?? startedAtMs),
    EstablishedAt: answeredAtMs === null ? null : iso(answeredAtMs),
    ServerNow: iso(nowMs),
  };
}

/** A call that is over, as the log has it. */
export interface PastCall {
  readonly id: number;
  readonly from: Station;
  readonly to: Station;
  readonly startedAtMs: number;
  readonly ringingMs: number;
  readonly talkingMs: number;
  readonly isAnswered: boolean;
  readonly cause: string;
  readonly recordingIds: readonly number[];
}

export function pastCallOf(call: PhoneCall): PastCall {
  const { id, from, to, startedAtMs, answeredAtMs } = call;
  const endedAtMs = call.endedAtMs ?? startedAtMs;
  return {
    id,
    from,
    to,
    startedAtMs,
    ringingMs: (answeredAtMs ?? endedAtMs) - startedAtMs,
    talkingMs: answeredAtMs === null ? 0 : endedAtMs - answeredAtMs,
    isAnswered: answeredAtMs !== null,
    cause: call.cause ?? 'completed',
    recordingIds: [],
  };
}

/** Calls of the hours before the simulator was started, the newest first; the newest was recorded. */
export function seededCalls(office: Office, nowMs: number): readonly PastCall[] {
  return Array.from({ length: SEEDED_CALLS }, (_, i) => {
    const outside = office.station(`+1415555010${i + 1}`, 'Robin Example');
    const inside = office.station(office.extensions[i % office.extensions.length]?.number ?? office.routePoint);
    if (outside === null || inside === null) throw new Error('The seeded calls need an extension');
    const isInbound = i % 2 === 0;
    const isAnswered = i % 3 !== 2;
    return {
      id: 1_000 - i,
      from: isInbound ? outside : inside,
      to: isInbound ? inside : outside,
      startedAtMs: nowMs - (i + 1) * HOUR_MS,
      ringingMs: 4_000 + i * 1_000,
      talkingMs: isAnswered ? 65_000 + i * 10_000 : 0,
      isAnswered,
      cause: isAnswered ? 'completed' : 'no-answer',
      recordingIds: i === 0 ? [501] : [],
    };
  });
}

/** A row of `Pbx.GetCallLogData`, with 3CX's own spelling `actionDnDn`. */
export function logRow(call: PastCall): Row {
  const { id, from, to, startedAtMs, isAnswered } = call;
  return {
    CdrId: `cdr-${id}`,
    CallId: id,
    CallHistoryId: `history-${id}`,
    MainCallHistoryId: `history-${id}`,
    SegmentId: id * 10,
    StartTime: iso(startedAtMs),
    SourceDn: from.dn,
    SourceCallerId: from.number,
    SourceDisplayName: from.name,
    SourceType: typeOf(from),
    DestinationDn: to.dn,
    DestinationCallerId: to.number,
    DestinationDisplayName: to.name,
    DestinationType: typeOf(to),
    ActionType: 1,
    actionDnDn: to.dn,
    ActionDnCallerId: to.number,
    ActionDnDisplayName: to.name,
    Answered: isAnswered,
    Direction: directionOf(call),
    CallType: directionOf(call),
    Status: isAnswered ? 'Answered' : 'Unanswered',
    Reason: call.cause,
    RingingDuration: isoDuration(call.ringingMs),
    TalkingDuration: isoDuration(call.talkingMs),
    CallCost: 0,
    Recordings: call.recordingIds.map((Id) => ({ Id, Transcription: null, Summary: null, SentimentScore: null })),
    RecordingUrl: null,
    Summary: null,
    Transcription: null,
    SentimentScore: null,
  };
}

/** A row of `CallHistoryView`. */
export function historyRow(call: PastCall): Row {
  const { id, startedAtMs, ringingMs, talkingMs, isAnswered } = call;
  return {
    SegmentId: id * 10,
    SegmentType: 2,
    SegmentActionId: isAnswered ? 1 : 6,
    SegmentStartTime: iso(startedAtMs),
    SegmentEndTime: iso(startedAtMs + ringingMs + talkingMs),
    CallTime: isoDuration(talkingMs),
    CallAnswered: isAnswered,
    ...side('Src', call.from, id * 2),
    ...side('Dst', call.to, id * 2 + 1),
  };
}

/** One call that was recorded, and one within the office. */
export function recordingRows(office: Office, nowMs: number): readonly Row[] {
  const [first, second] = [office.extensions[0]?.number ?? '', office.extensions[1]?.number ?? ''];
  const row = (id: number, hoursAgo: number, callType: string, from: string, text: string | null): Row => ({
    Id: id,
    CallType: callType,
    StartTime: iso(nowMs - hoursAgo * HOUR_MS),
    EndTime: iso(nowMs - hoursAgo * HOUR_MS + 65_000),
    FromDn: from.startsWith('+') ? '10000' : from,
    FromCallerNumber: from,
    FromDisplayName: office.station(from, 'Robin Example')?.name ?? '',
    ToDn: first,
    ToCallerNumber: first,
    ToDisplayName: office.peer(first)?.name ?? '',
    RecordingUrl: `${first}/recording-${id}.wav`,
    IsTranscribed: text !== null,
    CanBeTranscribed: true,
    Transcription: text,
    Summary: text === null ? null : 'A table for four was asked for.',
    SentimentScore: null,
    IsArchived: false,
    ArchivedUrl: null,
  });
  return [
    row(501, 1, 'InboundExternal', '+14155550101', 'Hello, is there a table for four tonight?'),
    row(502, 30, 'Local', second, null),
  ];
}

export function messageRows(office: Office, nowMs: number): readonly Row[] {
  const row = (id: number, no: string, name: string, text: string, provider: string, hoursAgo: number): Row => ({
    MessageId: id,
    ConversationId: 70 + (id % 2),
    FromNo: no,
    FromName: name,
    Message: text,
    ProviderType: provider,
    TimeSent: iso(nowMs - hoursAgo * HOUR_MS),
    IsExternal: provider !== 'Internal',
  });
  const first = office.extensions[0]?.number ?? '';
  return [
    row(1, '+14155550101', 'Robin Example', 'Are you open on Sunday?', 'SMS', 1),
    row(2, first, office.peer(first)?.name ?? '', 'Lunch at one?', 'Internal', 2),
    row(3, first, office.peer(first)?.name ?? '', 'Yes, from ten on.', 'SMS', 3),
  ];
}

export function systemStatusRow(office: Office, callsActive: number): Row {
  return {
    Version: '20.0.6.724',
    FQDN: 'pbx.example.com',
    CallsActive: callsActive,
    ExtensionsRegistered: office.extensions.filter((one) => office.devices(one.number).length > 0).length,
    ExtensionsTotal: office.extensions.length,
    TrunksRegistered: 1,
    TrunksTotal: 1,
    MaxSimCalls: 8,
    LicenseActive: true,
    LicenseKey: 'AAAA-BBBB-CCCC-DDDD',
    ProductCode: '3CXENT',
    DiskUsage: 21,
  };
}

function side(prefix: 'Src' | 'Dst', station: Station, id: number): Row {
  const { dn, dnType, number, name } = station;
  const isOutside = dnType === 'Wexternalline';
  return {
    [`${prefix}Dn`]: dn,
    [`${prefix}DnType`]: typeOf(station),
    [`${prefix}CallerNumber`]: number,
    [`${prefix}DisplayName`]: name,
    [`${prefix}External`]: isOutside,
    [`${prefix}Internal`]: !isOutside,
    [`${prefix}Id`]: id,
    [`${prefix}ParticipantId`]: id,
    [`${prefix}RecId`]: null,
  };
}

/** Numbers of the kinds of DN in reports are not documented: guesses. */
function typeOf({ dnType }: Station): number {
  return dnType === 'Wextension' ? 0 : dnType === 'Wexternalline' ? 1 : 5;
}

function directionOf({ from, to }: PastCall): string {
  if (from.dnType === 'Wexternalline') return 'Inbound';
  return to.dnType === 'Wexternalline' ? 'Outbound' : 'Internal';
}

function shown({ number, name }: Station): string {
  return name === '' ? number : `${number} ${name}`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Such as `PT1M5S`. */
function isoDuration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1_000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const parts = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${rest > 0 ? `${rest}S` : ''}`;
  return `PT${parts === '' ? '0S' : parts}`;
}
