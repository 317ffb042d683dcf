/** Calls that were, by whichever report the PBX has. Each row is a segment of a call: one that was transferred has several. */
import { UpstreamError, UserInputError } from '../../errors.ts';
import { flagOf, numberOf, type Row, rowsOf, secondsOf, textOf } from './json.ts';
import type { CallLog, LogQuery, Page } from './operations.ts';
import { sift } from './paging.ts';
import { isRefusal, nullOn } from './refusals.ts';
import type { Xapi } from './xapi.ts';

type Logs = Page<CallLog> & { readonly source: string };

const WHAT = 'to read the call log';
const REPORT = 'the call log (GetCallLogData, of v20 Update 6 and later)';
const OLDER = 'the older call history (CallHistoryView), which on a server that was updated holds older calls only';

/** @throws UpstreamError when the app's role is too low */
export async function callLogs(xapi: Xapi, query: LogQuery): Promise<Logs> {
  const range = { fromMs: momentOf(query.from), toMs: momentOf(query.to) };
  try {
    const page = await report(xapi, query, range).catch(nullOn(404));
    if (page !== null) return { ...page, source: REPORT };
    return { ...(await olderView(xapi, query, range)), source: OLDER };
  } catch (error) {
    throw isRefusal(error, 403) ? needsOwner(error) : error;
  }
}

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

const REPORT_FIELDS = [
  'CdrId',
  'SegmentId',
  'StartTime',
  'SourceDn',
  'SourceCallerId',
  'SourceDisplayName',
  'DestinationDn',
  'DestinationCallerId',
  'DestinationDisplayName',
  'actionDnDn',
  'Answered',
  'Direction',
  'Status',
  'RingingDuration',
  'TalkingDuration',
  'Recordings',
];

/**
 * Newest first by itself; a `$orderby` leaves rows out on some builds. All eleven arguments must be there, and none of them filters by an
 * extension wherever it stands, so that is done here.
 */
async function report(xapi: Xapi, query: LogQuery, { fromMs, toMs }: Range): Promise<Page<CallLog>> {
  const args = [
    `periodFrom=${encodeURIComponent(isoOf(fromMs))}`,
    `periodTo=${encodeURIComponent(isoOf(toMs + 999))}`,
    'sourceType=0',
    "sourceFilter=''",
    'destinationType=0',
    "destinationFilter=''",
    'callsType=0',
    'callTimeFilterType=0',
    "callTimeFilterFrom='0:00:0'",
    "callTimeFilterTo='0:00:0'",
    'hidePcalls=true',
  ];
  const path = `/ReportCallLogData/Pbx.GetCallLogData(${args.join(',')})`;
  const read = (offset: number, limit: number) => xapi.list(path, { select: REPORT_FIELDS, offset, limit }, WHAT);
  const { extension, answered, offset, limit } = query;
  if (extension === undefined && answered === undefined) {
    const { rows, total, isMore } = await read(offset, limit);
    return { items: rows.map(reported), total, isMore };
  }
  const take = (row: Row): CallLog | null => {
    const log = reported(row);
    const dns = [row.SourceDn, row.SourceCallerId, row.DestinationDn, row.DestinationCallerId, row.actionDnDn];
    return isMeant(query, dns, log) ? log : null;
  };
  return await sift({ read, take, offset, limit });
}

function reported(row: Row): CallLog {
  return {
    id: textOf(row.CdrId) ?? textOf(row.SegmentId) ?? '',
    startedAt: textOf(row.StartTime) ?? '',
    source: textOf(row.SourceCallerId) ?? textOf(row.SourceDn),
    sourceName: textOf(row.SourceDisplayName),
    destination: textOf(row.DestinationCallerId) ?? textOf(row.DestinationDn),
    destinationName: textOf(row.DestinationDisplayName),
    direction: textOf(row.Direction),
    answered: flagOf(row.Answered),
    status: textOf(row.Status),
    ringingSeconds: secondsOf(row.RingingDuration),
    talkingSeconds: secondsOf(row.TalkingDuration),
    recordingIds: rowsOf(row.Recordings)
      .map((one) => numberOf(one.Id))
      .filter((id) => id !== null),
  };
}

const VIEW_FIELDS = [
  'SegmentId',
  'SegmentStartTime',
  'CallTime',
  'CallAnswered',
  'SrcDn',
  'SrcCallerNumber',
  'SrcDisplayName',
  'SrcExternal',
  'SrcRecId',
  'DstDn',
  'DstCallerNumber',
  'DstDisplayName',
  'DstExternal',
  'DstRecId',
];

async function olderView(xapi: Xapi, query: LogQuery, { fromMs, toMs }: Range): Promise<Page<CallLog>> {
  const { offset, limit } = query;
  const how = { select: VIEW_FIELDS, orderby: 'SegmentStartTime desc' };
  return await sift({
    read: (skip, most) => xapi.list('/CallHistoryView', { ...how, offset: skip, limit: most }, WHAT),
    take(row) {
      const startMs = Date.parse(textOf(row.SegmentStartTime) ?? '');
      if (startMs < fromMs) return 'stop';
      const dns = [row.SrcDn, row.SrcCallerNumber, row.DstDn, row.DstCallerNumber];
      const log = viewed(row);
      return !(startMs >= toMs) && isMeant(query, dns, log) ? log : null;
    },
    offset,
    limit,
  });
}

function viewed(row: Row): CallLog {
  const [isFromOutside, isToOutside] = [flagOf(row.SrcExternal), flagOf(row.DstExternal)];
  const direction = isFromOutside === true ? 'Inbound' : isToOutside === true ? 'Outbound' : 'Internal';
  return {
    id: textOf(row.SegmentId) ?? '',
    startedAt: textOf(row.SegmentStartTime) ?? '',
    source: textOf(row.SrcCallerNumber) ?? textOf(row.SrcDn),
    sourceName: textOf(row.SrcDisplayName),
    destination: textOf(row.DstCallerNumber) ?? textOf(row.DstDn),
    destinationName: textOf(row.DstDisplayName),
    direction: isFromOutside === null && isToOutside === null ? null : direction,
    answered: flagOf(row.CallAnswered),
    status: null,
    ringingSeconds: null,
    talkingSeconds: secondsOf(row.CallTime),
    recordingIds: [numberOf(row.SrcRecId), numberOf(row.DstRecId)].filter((id) => id !== null && id > 0) as number[],
  };
}

function isMeant({ extension, answered }: LogQuery, dns: readonly unknown[], log: CallLog): boolean {
  const isAt = extension === undefined || dns.map(textOf).includes(extension.trim());
  return isAt && (answered === undefined || log.answered === answered);
}

function momentOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new UserInputError(
      `${JSON.stringify(text.slice(0, 40))} is no time of ISO 8601, such as 2026-03-01T09:00:00Z.`,
    );
  return ms;
}

/** The records are in UTC; whole seconds are what every build takes, and the last one is in. */
function isoOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function needsOwner(cause: Error): UpstreamError {
  return new UpstreamError(
    '3CX does not let this app read the call log: it needs the role System Owner (Admin Console, Integrations, API).',
    { retryable: false, code: 'forbidden', cause },
  );
}
