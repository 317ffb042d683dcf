/** FACE of the 3CX telephone system (v20): everything that the tools can do with it. Carries no audio. */
import { createChangeLimit } from '../changes.ts';
import { activeCalls } from './active-calls.ts';
import type { CallControl, CallControlClock } from './call-control.ts';
import { callsOf } from './calls.ts';
import { createCallControl } from './client.ts';
import { createHttp } from './http.ts';
import { callLogs } from './logs.ts';
import { lookAtThreeCx } from './look.ts';
import { downloadRecording, listMessages, listRecordings } from './recordings.ts';
import { createRest } from './rest.ts';
import { targetOf } from './targets.ts';
import { createTokens } from './token.ts';
import { listExtensions, presenceOf, setRecording } from './users.ts';
import { watchLists } from './watch.ts';
import { createXapi } from './xapi.ts';

/** A call at an extension, as Call Control shows it. Names and numbers of the other side are text of strangers. */
export interface LiveCall {
  readonly extension: string;
  readonly participantId: number;
  readonly callId: number | null;
  readonly status: string;
  readonly party: string | null;
  readonly partyName: string | null;
  /** 3CX can make its telephone answer. */
  readonly canAnswer: boolean;
}

/** What was done, in words: also where it is less than what was asked for. `untested` names what rests on a guess about 3CX. */
export interface Done {
  readonly call: LiveCall | null;
  /** A sentence: exactly what was done. */
  readonly message: string;
  readonly untested: readonly string[];
}

/** Which call is meant: one of an extension by its id, or the only one that it has. */
export interface CallChoice {
  /** The default extension where it is absent. */
  readonly extension?: string | undefined;
  readonly participantId?: number | undefined;
}

export type TransferRequest = CallChoice &
  (
    | { readonly mode: 'blind'; readonly to: string }
    /** Calls the target first; the caller waits as the telephone holds it. */
    | { readonly mode: 'consult'; readonly to: string }
    /** After a consultation: hands the caller over, or goes back to them. */
    | { readonly mode: 'complete'; readonly to: string; readonly consultId: number }
    | { readonly mode: 'cancel'; readonly consultId: number }
  );

export interface CallLog {
  readonly id: string;
  readonly startedAt: string;
  readonly source: string | null;
  readonly sourceName: string | null;
  readonly destination: string | null;
  readonly destinationName: string | null;
  readonly direction: string | null;
  readonly answered: boolean | null;
  readonly status: string | null;
  readonly ringingSeconds: number | null;
  readonly talkingSeconds: number | null;
  readonly recordingIds: readonly number[];
}

export interface LogQuery {
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly extension?: string | undefined;
  readonly answered?: boolean | undefined;
  readonly limit: number;
  readonly offset: number;
}

export type RecordingMode = 'off' | 'all' | 'external';

export interface Extension {
  readonly extension: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly mobile: string | null;
  readonly enabled: boolean | null;
  readonly registered: boolean | null;
  readonly profile: string | null;
  readonly queueStatus: string | null;
  /** What its calls are recorded by; null where 3CX does not say. */
  readonly recording: RecordingMode | null;
}

export interface Presence {
  readonly extension: string;
  readonly name: string | null;
  readonly profile: string | null;
  readonly registered: boolean | null;
  readonly queueStatus: string | null;
  /** Null: the app may not look at this extension's calls. */
  readonly onCall: boolean | null;
  readonly calls: readonly LiveCall[];
}

export interface Recording {
  readonly id: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly kind: string | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Text of strangers. */
  readonly transcription: string | null;
  readonly summary: string | null;
}

export interface ActiveCall {
  readonly id: number;
  readonly caller: string;
  readonly callee: string;
  readonly status: string;
  readonly establishedAt: string | null;
}

export interface ChatMessage {
  readonly conversationId: string | null;
  readonly from: string | null;
  readonly fromName: string | null;
  /** Text of strangers. */
  readonly message: string;
  readonly provider: string | null;
  readonly sentAt: string | null;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Null where 3CX does not count. */
  readonly total: number | null;
  readonly isMore: boolean;
}

export const THREECX_LISTS = ['active-calls', 'call-history', 'extensions', 'messages'] as const;
export type ThreeCxList = (typeof THREECX_LISTS)[number];

/** Whose words a message of ours goes out by, since 3CX has no way to send one. */
export interface SmsSent {
  readonly from: string;
  readonly to: string;
  readonly carrier: string;
  readonly id: string | null;
}

/** Methods reject with one of the four errors. */
export interface ThreeCxOperations {
  makeCall(request: {
    readonly from?: string | undefined;
    readonly to: string;
    readonly ringSeconds: number;
  }): Promise<Done>;
  answer(choice: CallChoice): Promise<Done>;
  /** The consultation of `consult` is the answer's call. */
  transfer(request: TransferRequest): Promise<Done>;
  /** Holds by parking: `slot` is a parking place of 3CX's, the first free-looking one where absent. `resume` calls that place from the extension. */
  hold(request: CallChoice & { readonly slot?: string | undefined }): Promise<Done & { readonly slot: string }>;
  resume(request: { readonly extension?: string | undefined; readonly slot: string }): Promise<Done>;
  drop(choice: CallChoice & { readonly activeCallId?: number | undefined }): Promise<Done>;
  sendMessage(request: { readonly to: string; readonly text: string }): Promise<SmsSent>;
  callLogs(
    query: LogQuery,
  ): Promise<Page<CallLog> & { /** Which of 3CX's reports it came from. */ readonly source: string }>;
  extensions(query: {
    readonly search?: string | undefined;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Extension>>;
  presence(extensions: readonly string[]): Promise<readonly Presence[]>;
  /** Of future calls: a call that is up cannot be started or stopped to be recorded. */
  setRecording(
    extension: string,
    mode: RecordingMode,
  ): Promise<{ readonly before: Extension; readonly after: Extension }>;
  recordings(query: {
    readonly extension?: string | undefined;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Recording>>;
  recording(id: number, mostBytes: number): Promise<{ readonly bytes: Uint8Array; readonly mimeType: string }>;
  activeCalls(): Promise<readonly ActiveCall[]>;
  messages(query: { readonly limit: number; readonly offset: number }): Promise<Page<ChatMessage>>;
  /** For whoever looks whether all is set up: nothing is changed. */
  look(): Promise<ThreeCxLook>;
  /** Tells which list has changed; connects in order to hear of it. */
  watch(changed: (list: ThreeCxList) => void): () => void;
}

export interface ThreeCxLook {
  readonly version: string | null;
  readonly licence: string | null;
  /** Extensions and route points that the app may control; null where Call Control is not allowed it, and `callControlTrouble` says why. */
  readonly controls: readonly { readonly dn: string; readonly type: string }[] | null;
  readonly callControlTrouble: string | null;
  /** Why the configuration API cannot be used; null when it can. */
  readonly xapiTrouble: string | null;
  /** Why the call log cannot be read; null when it can. */
  readonly callLogTrouble: string | null;
}

export interface ThreeCx extends ThreeCxOperations {
  /** For who carries calls over the same server. */
  readonly callControl: CallControl;
  /** Rejects unless 3CX lists something to be called under this number without +, and it is no emergency number. */
  checkTarget(extension: string): Promise<void>;
  close(): void;
}

export interface ThreeCxLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface ThreeCxOptions {
  /** Such as `https://pbx.example.com:5001`, without a slash at its end. */
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Whose telephone is meant where nobody says. */
  readonly defaultExtension: string | null;
  readonly changesPerMinute: number;
  /** ISO 3166 country of the office. */
  readonly country: string;
  readonly numbers: {
    /** As dialled on a telephone of that country. */
    isEmergency(dialled: string, country: string): boolean;
    /** Whether a number with + may be called; `e164` alone may be dialled then. */
    verdictOf(
      number: string,
    ): { readonly ok: true; readonly e164: string } | { readonly ok: false; readonly reason: string };
  };
  /** Null: no carrier of text messages is set up. */
  readonly sendSms: ((request: { readonly to: string; readonly text: string }) => Promise<SmsSent>) | null;
  readonly clock: CallControlClock;
  readonly logger: ThreeCxLog;
  /** 0 to below 1, for the jitter of reconnecting. */
  readonly random?: () => number;
}

/** Connects when it is first used: a read or a change by a request of its own, the live state (`callControl.ready`, `watch`) by the events socket. */
export function createThreeCx(options: ThreeCxOptions): ThreeCx {
  const { clock, logger, clientId } = options;
  const http = createHttp(clock);
  const tokens = createTokens({ ...options, http });
  const rest = createRest({ ...options, tokens, http });
  const xapi = createXapi(rest);
  const callControl = createCallControl({ ...options, tokens, rest });
  const mayChange = createChangeLimit(options.changesPerMinute, () => clock.now(), 'PBX_CHANGES_PER_MINUTE');
  return {
    callControl,
    checkTarget: async (extension) => void (await targetOf(xapi, extension, options)),
    close() {
      callControl.close();
      http.close();
    },
    ...callsOf({ callControl, xapi, options, mayChange }),
    callLogs: (query) => callLogs(xapi, query),
    extensions: (query) => listExtensions(xapi, query),
    presence: (extensions) => presenceOf({ xapi, callControl, routePoint: clientId }, extensions),
    setRecording: (extension, mode) => setRecording(xapi, extension, mode, mayChange),
    recordings: (query) => listRecordings(xapi, query),
    recording: (id, mostBytes) => downloadRecording(xapi, id, mostBytes),
    activeCalls: () => activeCalls(xapi),
    messages: (query) => listMessages(xapi, query),
    look: () => lookAtThreeCx({ tokens, rest, xapi, clock }),
    watch(changed) {
      const stop = watchLists(callControl, clock, changed);
      callControl.ready().catch((err: unknown) => logger.debug({ err }, '3CX is not there to be watched yet'));
      return stop;
    },
  };
}
