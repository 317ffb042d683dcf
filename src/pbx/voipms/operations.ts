/** FACE of VoIP.ms: everything that the tools can do with it. Carries no audio. */
import { createChangeLimit } from '../changes.ts';
import { readBalance, readSubAccounts } from './account.ts';
import { blockNumber, unblockNumber } from './blocking.ts';
import { readCdr } from './cdr.ts';
import { changeOf, createQueue, failureAfter, type Job } from './changing.ts';
import { createVoipMsClient } from './client.ts';
import { readFilters } from './filters.ts';
import { addMember, removeMember } from './groups.ts';
import { inspectNumber, SPAM_GROUP, suggestSpam } from './inspection.ts';
import { methodNamed } from './methods.ts';
import { readEntries, readGroups, requireGroup } from './phonebook.ts';
import { emailRecording, listRecordings, readCallAccounts, readRecording } from './recordings.ts';
import { sendSms } from './sms.ts';
import { createTranscripts } from './transcripts.ts';
import { checkNumber, checkWhole, wireParams } from './values.ts';

export type VoipMsParams = Readonly<Record<string, string | number | boolean>>;

/** A call of the API as it is, or would be, made; without credentials. */
export interface ApiCall {
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
}

/** What came of something that changes something. */
export interface Change {
  readonly dryRun: boolean;
  /** False also where it was as it should be already. */
  readonly changed: boolean;
  /** Those that change something: made, or (dry run) to be made. Empty where there is nothing to do. */
  readonly calls: readonly ApiCall[];
  /** It was read again afterwards, and is as it should be; null where nothing was done. */
  readonly verified: boolean | null;
  /** A sentence: exactly what was done, or would be. */
  readonly message: string;
  readonly warnings: readonly string[];
}

export interface Balance {
  readonly current: string;
  readonly spentTotal: string | null;
  readonly spentToday: string | null;
  readonly callsTotal: string | null;
  readonly callsToday: string | null;
  readonly timeTotal: string | null;
  readonly timeToday: string | null;
}

export interface PhonebookGroup {
  readonly id: string;
  readonly name: string;
  /** Ids of phonebook entries. */
  readonly members: readonly string[];
}

export interface PhonebookEntry {
  readonly id: string;
  readonly name: string;
  /** May be a `sip:` address. */
  readonly number: string;
  readonly speedDial: string | null;
  readonly callerId: string | null;
  readonly note: string | null;
  readonly groupId: string | null;
  readonly groupName: string | null;
}

export interface CallerIdFilter {
  readonly id: string;
  /** A number, a pattern, `i` (outside the USA and Canada) or `0` (anonymous). */
  readonly callerId: string;
  /** `all` or a number. */
  readonly did: string;
  /** Such as `sys:hangup`. */
  readonly routing: string;
  readonly note: string | null;
}

/** Without its password. */
export interface SubAccount {
  readonly id: string;
  readonly account: string;
  readonly description: string | null;
  readonly protocol: string | null;
  readonly deviceType: string | null;
  readonly callerIdNumber: string | null;
  readonly internalExtension: string | null;
  readonly recordsCalls: boolean | null;
  readonly transcribes: boolean | null;
}

export interface CallAccount {
  /** What `account` is in call records and recordings. */
  readonly account: string;
  readonly description: string;
}

export interface CallRecording {
  /** The vendor's id. */
  readonly recording: string;
  readonly account: string;
  /** As the vendor says it; the zone is the account's. */
  readonly startedAt: string;
  readonly destination: string;
  readonly direction: string | null;
  readonly durationSeconds: number | null;
}

export interface SoundOfCall extends CallRecording {
  readonly bytes: Uint8Array;
  readonly mimeType: string;
}

export interface CdrRow {
  readonly id: string;
  /** UTC. */
  readonly startedAt: string;
  /** Text of strangers. */
  readonly callerId: string;
  /** Digits of it, where there are any; ten digits abroad with their +. */
  readonly callerNumber: string | null;
  readonly destination: string;
  readonly description: string | null;
  readonly account: string | null;
  readonly disposition: string;
  readonly seconds: number;
  readonly totalUsd: string | null;
}

export interface TranscriptRequest {
  readonly account: string;
  readonly recording: string;
  readonly date?: string | undefined;
}

export interface Transcript {
  readonly account: string;
  readonly recording: string;
  /** `voipms`: the vendor's own, matched to the call; `openai`: made here out of the recording. */
  readonly source: 'voipms' | 'openai';
  /** How it was found to belong to this recording, or which model wrote it. */
  readonly how: string;
  /** It was not made or asked for anew. */
  readonly stored: boolean;
  readonly language: string | null;
  /** Text of strangers. */
  readonly lines: readonly {
    readonly speaker: string | null;
    readonly atSeconds: number | null;
    readonly text: string;
  }[];
  /** Other transcripts that could be this call's: then none is chosen. */
  readonly warnings: readonly string[];
}

export interface NumberReport {
  readonly number: string;
  readonly entries: readonly PhonebookEntry[];
  readonly groups: readonly PhonebookGroup[];
  readonly filters: readonly CallerIdFilter[];
  readonly calls: { readonly days: number; readonly rows: readonly CdrRow[] };
  readonly messages:
    | readonly { readonly at: string; readonly direction: 'received' | 'sent'; readonly text: string }[]
    | null;
  readonly isInSpamGroup: boolean;
  readonly warnings: readonly string[];
}

export interface SpamSuggestion {
  readonly number: string;
  /** 0 to 100. */
  readonly score: number;
  readonly reasons: readonly string[];
  readonly calls: number;
  readonly lastCallAt: string;
}

export interface DateRange {
  /** `YYYY-MM-DD`, UTC. */
  readonly from: string;
  readonly to: string;
}

/** Methods reject with one of the four errors. Everything that changes something is a dry run unless `dryRun` is false. */
export interface VoipMsOperations {
  balance(): Promise<Balance>;
  phonebookGroups(name?: string): Promise<readonly PhonebookGroup[]>;
  /** `group`: digits are an id, text is a name. */
  phonebookEntries(group?: string): Promise<readonly PhonebookEntry[]>;
  callerIdFilters(did?: string): Promise<readonly CallerIdFilter[]>;
  accounts(): Promise<readonly SubAccount[]>;
  callAccounts(): Promise<readonly CallAccount[]>;
  /** Of one account, or of all. */
  recordings(query: DateRange & { readonly account?: string | undefined }): Promise<readonly CallRecording[]>;
  recording(account: string, recording: string, mostBytes: number): Promise<SoundOfCall>;
  emailRecording(request: {
    readonly account: string;
    readonly recording: string;
    readonly email: string;
    readonly dryRun: boolean;
  }): Promise<Change>;
  transcript(request: TranscriptRequest): Promise<Transcript>;
  /** Every disposition where none is named; newest first. */
  recentCdr(query: CdrQuery): Promise<readonly CdrRow[]>;
  addToGroup(request: GroupChange & { /** Of a new entry. */ readonly name?: string | undefined }): Promise<Change>;
  removeFromGroup(request: GroupChange): Promise<Change>;
  inspect(number: string, days: number): Promise<NumberReport>;
  suggestSpam(query: { readonly days: number; readonly limit: number }): Promise<readonly SpamSuggestion[]>;
  markAsSpam(request: {
    readonly number: string;
    /** `Spam` where absent. */
    readonly group?: string | undefined;
    readonly createGroup: boolean;
    /** Also hang up on calls of this number (a caller ID filter). */
    readonly block: boolean;
    readonly dryRun: boolean;
  }): Promise<Change>;
  unmarkAsSpam(request: {
    readonly number: string;
    readonly group?: string | undefined;
    /** Also delete the filter of exactly this number. */
    readonly unblock: boolean;
    readonly dryRun: boolean;
  }): Promise<Change>;
  /** Never repeated. */
  sendSms(message: Sms): Promise<{ readonly id: string | null }>;
  /** One method of the API as it is. What changes something is never tried again. */
  raw(method: string, params: VoipMsParams): Promise<unknown>;
  /** For whoever looks whether all is set up: nothing is changed. */
  look(): Promise<{ readonly balance: string | null; readonly trouble: string | null }>;
}

export const DISPOSITIONS = ['answered', 'noanswer', 'busy', 'failed'] as const;
export type Disposition = (typeof DISPOSITIONS)[number];

export interface CdrQuery extends DateRange {
  readonly account?: string | undefined;
  readonly dispositions?: readonly Disposition[] | undefined;
}

export interface Sms {
  /** One of the account's numbers. */
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

export interface GroupChange {
  readonly number: string;
  /** Id or name of a group that exists. */
  readonly group: string;
  readonly dryRun: boolean;
}

export interface VoipMs extends VoipMsOperations {
  close(): void;
}

export interface VoipMsLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface VoipMsClock {
  now(): number;
  wall(): number;
  setTimer(fire: () => void, delayMs: number): () => void;
}

export interface VoipMsOptions {
  /** The vendor's address of the API, or one to try it with. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly changesPerMinute: number;
  /** Addresses, or `@example.com` for all of a domain, to which recordings may be sent; empty: to none. */
  readonly emailRecipients: readonly string[];
  /** Writes down a recording; null where no model is set up. Rejects with one of the four errors. */
  readonly transcribe:
    | ((sound: {
        readonly bytes: Uint8Array;
        readonly mimeType: string;
      }) => Promise<{ readonly text: string; readonly model: string; readonly language: string | null }>)
    | null;
  /** Where transcripts are kept, so that each is made once. `load` resolves with null where there is none. */
  readonly transcripts: {
    load(key: string): Promise<string | null>;
    save(key: string, text: string): Promise<void>;
  };
  readonly clock: VoipMsClock;
  readonly logger: VoipMsLog;
}

const NO_BLOCK =
  'A phonebook group alone blocks nothing: calls are turned away only if a caller ID filter in the VoIP.ms portal uses the group.';

/** Opens no connection before something is asked. @throws ConfigError when `url` is no address */
export function createVoipMs(options: VoipMsOptions): VoipMs {
  const { clock, logger } = options;
  const client = createVoipMsClient(options);
  const allow = createChangeLimit(options.changesPerMinute, () => clock.now(), 'VOIPMS_CHANGES_PER_MINUTE');
  const queue = createQueue();
  const changing: Changing = (dryRun, work) => {
    const job: Job = { client, dryRun, allow, calls: [], done: [], warnings: [], checks: [] };
    const run = async (): Promise<Change> => {
      try {
        return changeOf(job, await work(job));
      } catch (error) {
        throw failureAfter(job, error);
      }
    };
    return dryRun ? run() : queue(run);
  };
  return {
    balance: () => readBalance(client),
    phonebookGroups: (name) => readGroups(client, name),
    phonebookEntries: (group) => readEntries(client, group),
    callerIdFilters: (did) => readFilters(client, did),
    accounts: () => readSubAccounts(client),
    callAccounts: () => readCallAccounts(client),
    recordings: (query) => listRecordings(client, query),
    recording: (account, recording, mostBytes) => readRecording(client, { account, recording }, mostBytes),
    emailRecording: (request) =>
      changing(request.dryRun, (job) => emailRecording(job, request, options.emailRecipients)),
    transcript: createTranscripts(client, options),
    recentCdr: (query) => readCdr(client, query),
    inspect: (number, days) => inspectNumber(client, number, days, clock.wall()),
    suggestSpam: (query) => suggestSpam(client, query, clock.wall()),
    sendSms: (message) => sendSms(client, message, allow),
    ...groupOperations(changing),
    raw: async (method, params) => {
      const changes = methodNamed(method)?.changes ?? true;
      if (changes) allow();
      return (await client.call(method, wireParams(params), { changes })).body;
    },
    look: async () => {
      try {
        return { balance: (await readBalance(client)).current, trouble: null };
      } catch (error) {
        logger.debug({ err: error }, 'VoIP.ms could not be looked at');
        return { balance: null, trouble: error instanceof Error ? error.message : 'VoIP.ms could not be looked at.' };
      }
    },
    close: () => client.close(),
  };
}

type Changing = (dryRun: boolean, work: (job: Job) => Promise<string>) => Promise<Change>;

function groupOperations(
  changing: Changing,
): Pick<VoipMsOperations, 'addToGroup' | 'removeFromGroup' | 'markAsSpam' | 'unmarkAsSpam'> {
  return {
    addToGroup: ({ number: given, group, name = '', dryRun }) =>
      changing(dryRun, async (job) => {
        const number = checkNumber(given);
        return addMember(job, { number, group, name, createGroup: false });
      }),
    removeFromGroup: ({ number, group, dryRun }) =>
      changing(dryRun, async (job) => removeMember(job, checkNumber(number), group)),
    markAsSpam: ({ number: given, group = SPAM_GROUP, createGroup, block, dryRun }) =>
      changing(dryRun, async (job) => {
        const number = block ? checkWhole(given) : checkNumber(given);
        const marked = await addMember(job, { number, group, name: `Spam ${number}`, createGroup });
        if (!block) job.warnings.push(NO_BLOCK);
        return block ? `${marked} ${await blockNumber(job, number)}` : marked;
      }),
    unmarkAsSpam: ({ number: given, group, unblock, dryRun }) =>
      changing(dryRun, async (job) => {
        const number = checkNumber(given);
        const leave = () => removeMember(job, number, group ?? SPAM_GROUP, group === undefined);
        if (!unblock) return leave();
        if (group !== undefined) requireGroup(await readGroups(job.client), group);
        // First: VoIP.ms may not let the last one out of a group, and the calls are to come through all the same.
        const unblocked = await unblockNumber(job, number);
        return `${await leave()} ${unblocked}`;
      }),
  };
}
