/** FACE of the Asterisk telephone system: everything that the tools can do with it. Carries no audio. */
import { randomUUID } from 'node:crypto';
import { ConfigError, UserInputError } from '../../errors.ts';
import { createChangeLimit } from '../changes.ts';
import { type AmiClient, type AmiClock, type AmiLog, createAmiClient } from './ami/client.ts';
import type { AmiAddress } from './ami/transport.ts';
import {
  type Channel,
  hangUpChannel,
  listChannels,
  type Origination,
  originateCall,
  type SystemStatus,
  systemStatus,
} from './calls.ts';
import { type CdrOptions, type CdrStore, openCdr } from './cdr/database.ts';
import {
  type CdrFilter,
  type CdrPage,
  type CdrRange,
  type CdrStatistics,
  callStatistics,
  type ExtensionSummary,
  extensionSummary,
  queryCalls,
} from './cdr/queries.ts';
import {
  actOnParticipant,
  type Conference,
  listConferences,
  listParticipants,
  type Participant,
  type ParticipantAction,
  setLock,
} from './conferences.ts';
import { type DialRule, type FeatureCode, readDialRules, readFeatureCodes } from './dial-plan.ts';
import {
  type Extension,
  type ExtensionDetail,
  extensionDetail,
  listExtensions,
  listedExtension,
  type Registration,
  registrationOf,
} from './extensions.ts';
import { createLiveLists, type LiveList } from './live.ts';
import { type AsteriskLook, lookAtAsterisk } from './look.ts';
import { checkExtension } from './names.ts';
import { dialledFor, judgeNumber, type NumberJudgement, type NumberWisdom } from './numbers.ts';
import { listRecordings, type RecordedSound, type RecordingsPage, readRecording } from './recordings.ts';
import { listMailboxes, listParkedCalls, listQueues, type Mailbox, type ParkedCall, type Queue } from './services.ts';
import { type Softphone, type SoftphoneRules, softphoneRules } from './softphones.ts';

export type { ParticipantAction } from './conferences.ts';
export type { LiveList } from './live.ts';
export type { NumberJudgement } from './numbers.ts';
export type { Queue } from './services.ts';

/** Methods reject with one of the four errors. What the server does not offer is null. */
export interface AsteriskOperations {
  conferences(): Promise<readonly Conference[]>;
  participants(conference: string): Promise<readonly Participant[]>;
  actOn(action: ParticipantAction, conference: string, participant: string): Promise<Participant>;
  lock(conference: string, locked: boolean): Promise<void>;
  extensions(): Promise<readonly Extension[]>;
  extension(extension: string): Promise<ExtensionDetail>;
  registration(extension: string): Promise<Registration>;
  dialRules(): Promise<readonly DialRule[]>;
  softphone(phone: Softphone): Promise<SoftphoneRules>;
  featureCodes(): Promise<readonly FeatureCode[]>;
  validate(number: string, country?: string): Promise<NumberJudgement>;
  status(): Promise<SystemStatus>;
  channels(): Promise<readonly Channel[]>;
  originate(request: {
    readonly from: string;
    readonly to: string;
    readonly ringSeconds: number;
  }): Promise<Origination & { readonly dialled: string }>;
  hangUp(channel: string): Promise<Channel>;
  queues(): Promise<readonly Queue[] | null>;
  mailboxes(mailbox?: string): Promise<readonly Mailbox[] | null>;
  parkedCalls(): Promise<readonly ParkedCall[] | null>;
  records(filter: CdrFilter, page: { readonly limit: number; readonly offset: number }): Promise<CdrPage>;
  statistics(filter: CdrFilter): Promise<CdrStatistics>;
  summary(extension: string, range: CdrRange): Promise<ExtensionSummary>;
  /** Those that Asterisk itself made; null where its folder is not set. */
  recordings(query: {
    readonly about?: string | undefined;
    readonly limit: number;
    readonly offset: number;
  }): Promise<RecordingsPage | null>;
  recording(name: string, mostBytes: number): Promise<RecordedSound>;
  /** For whoever looks whether all is set up: nothing is changed. `agentContext` is where the agent's extensions are. */
  look(agentContext: string): Promise<AsteriskLook>;
  /** What is wrong with how the call records are reached, as sentences; null where none are configured. */
  lookAtRecords(): Promise<readonly string[] | null>;
  /** Tells which list has changed; connects in order to hear of it. */
  watch(changed: (list: LiveList) => void): () => void;
}

export interface AsteriskOptions {
  readonly address: AmiAddress;
  readonly username: string;
  readonly secret: string;
  /** The one context in which calls are placed, and whose dial rules are told. */
  readonly context: string;
  /** ISO 3166 country of the office. */
  readonly country: string;
  /** What is dialled in place of + for a number with its country code. */
  readonly plus: string;
  readonly changesPerMinute: number;
  /** Where the call records are; null where nobody said. */
  readonly cdr: CdrOptions | null;
  /** Folder on this machine in which Asterisk keeps recordings; null where nobody said. */
  readonly recordingsFolder: string | null;
  readonly numbers: NumberWisdom;
  readonly clock: AmiClock;
  readonly logger: AmiLog;
}

export interface Asterisk extends AsteriskOperations {
  /** For who carries calls over the same server. */
  readonly ami: AmiClient;
  close(): void;
}

export function createAsterisk(options: AsteriskOptions): Asterisk {
  const { clock, logger, context } = options;
  const ami = createAmiClient(options);
  const records = lateCdr(options.cdr);
  const lists = createLiveLists(ami, clock);
  return {
    ami,
    close: () => {
      ami.close();
      records.close();
    },
    ...stateOf(ami),
    ...dialPlanOf(ami, options),
    ...changesOf(ami, options, lists.note),
    ...recordsIn(records),
    ...recordingsIn(options.recordingsFolder),
    look: (agentContext) => lookAtAsterisk(ami, { context, agentContext }),
    lookAtRecords: async () => (options.cdr === null ? null : (await records.open()).warnings),
    watch(changed) {
      const stop = lists.watch(changed);
      ami.ready().catch((err: unknown) => logger.debug({ err }, 'Asterisk is not there to be watched yet'));
      return stop;
    },
  };
}

type StateOperations = Pick<
  AsteriskOperations,
  | 'conferences'
  | 'participants'
  | 'extensions'
  | 'extension'
  | 'registration'
  | 'status'
  | 'channels'
  | 'queues'
  | 'mailboxes'
  | 'parkedCalls'
>;

/** What is going on at this moment. */
function stateOf(ami: AmiClient): StateOperations {
  return {
    conferences: () => listConferences(ami),
    participants: (conference) => listParticipants(ami, conference),
    extensions: () => listExtensions(ami),
    extension: (extension) => extensionDetail(ami, extension),
    registration: (extension) => registrationOf(ami, extension),
    status: () => systemStatus(ami),
    channels: () => listChannels(ami),
    queues: () => listQueues(ami),
    mailboxes: (mailbox) => listMailboxes(ami, mailbox),
    parkedCalls: () => listParkedCalls(ami),
  };
}

/** What can be dialled, and what becomes of a number. */
function dialPlanOf(
  ami: AmiClient,
  { context, numbers, plus, country }: AsteriskOptions,
): Pick<AsteriskOperations, 'dialRules' | 'softphone' | 'featureCodes' | 'validate'> {
  const dialRules = () => readDialRules(ami, context, (dialled) => numbers.isEmergency(dialled, country));
  return {
    dialRules,
    async softphone(phone) {
      const facts = numbers.country(country);
      if (facts === null)
        throw new ConfigError(`ASTERISK_COUNTRY is ${country}, which is no country.`, {
          settings: ['ASTERISK_COUNTRY'],
        });
      const rules = await dialRules();
      const patterns = (kind: DialRule['kind']) =>
        rules.filter((rule) => rule.kind === kind).map((rule) => rule.pattern);
      return softphoneRules(phone, {
        country: facts,
        plus,
        featureCodes: patterns('feature-code'),
        extensions: patterns('extension'),
      });
    },
    featureCodes: () => readFeatureCodes(ami, context),
    async validate(number, asDialledIn = country) {
      const [extensions, rules] = await Promise.all([listExtensions(ami), dialRules()]);
      return judgeNumber(number, { country: asDialledIn, plus, numbers, extensions, rules });
    },
  };
}

/** Each counts towards the most that may be changed in a minute. */
function changesOf(
  ami: AmiClient,
  options: AsteriskOptions,
  note: (list: LiveList) => void,
): Pick<AsteriskOperations, 'actOn' | 'lock' | 'originate' | 'hangUp'> {
  const mayChange = createChangeLimit(
    options.changesPerMinute,
    () => options.clock.now(),
    'ASTERISK_CHANGES_PER_MINUTE',
  );
  return {
    async actOn(action, conference, participant) {
      mayChange();
      return await actOnParticipant(ami, action, conference, participant);
    },
    async lock(conference, locked) {
      mayChange();
      await setLock(ami, conference, locked);
      // Asterisk tells nobody of it.
      note('conferences');
    },
    async originate({ from, to, ringSeconds }) {
      const caller = checkExtension(from);
      const dialled = await whatToDial(ami, to, options);
      mayChange();
      const request = {
        from: caller,
        to: dialled,
        context: options.context,
        // Of the first leg, and so what the second one sees: the number called would be a false caller to it, and in the records.
        callerId: caller,
        ringMs: ringSeconds * 1_000,
        uniqueId: `switchboard-${randomUUID()}`,
      };
      return { ...(await originateCall(ami, request)), dialled };
    },
    async hangUp(channel) {
      mayChange();
      return await hangUpChannel(ami, channel);
    },
  };
}

function recordsIn(records: LateCdr): Pick<AsteriskOperations, 'records' | 'statistics' | 'summary'> {
  return {
    records: async (filter, page) => await queryCalls(await records.open(), filter, page),
    statistics: async (filter) => await callStatistics(await records.open(), filter),
    summary: async (extension, range) => await extensionSummary(await records.open(), extension, range),
  };
}

function recordingsIn(folder: string | null): Pick<AsteriskOperations, 'recordings' | 'recording'> {
  return {
    recordings: async (query) => (folder === null ? null : await listRecordings(folder, query)),
    async recording(name, mostBytes) {
      if (folder === null)
        throw new ConfigError('Where Asterisk keeps its recordings is not set.', {
          settings: ['ASTERISK_RECORDINGS_DIR'],
        });
      return await readRecording(folder, name, mostBytes);
    },
  };
}

interface LateCdr {
  open(): Promise<CdrStore>;
  close(): void;
}

/** Opened when it is first asked for, and again when that did not work. */
function lateCdr(options: CdrOptions | null): LateCdr {
  let opening: Promise<CdrStore> | null = null;
  return {
    open() {
      if (options === null)
        throw new ConfigError('No call records are configured.', { settings: ['CDR_DATABASE_URL'] });
      opening ??= openCdr(options).catch((error: unknown) => {
        opening = null;
        throw error;
      });
      return opening;
    },
    close() {
      void opening?.then((store) => store.close()).catch(() => undefined);
    },
  };
}

/**
 * What the dial plan is given for an extension that the server lists, or for a number that may be called; nothing else is dialled.
 * @throws UserInputError
 */
export async function whatToDial(
  ami: AmiClient,
  to: string,
  { numbers, plus, country }: Pick<AsteriskOptions, 'numbers' | 'plus' | 'country'>,
): Promise<string> {
  const written = to.trim();
  if (numbers.isEmergency(written.replace(/[\s().-]/g, ''), country))
    throw new UserInputError(
      `${written} is an emergency number. Switchboard never calls those: in an emergency a person has to call.`,
    );
  if (!written.startsWith('+')) return (await listedExtension(ami, written)).extension;
  const verdict = numbers.verdictOf(written);
  if (!verdict.ok) throw new UserInputError(verdict.reason);
  return dialledFor(verdict.e164, country, plus);
}
