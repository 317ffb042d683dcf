/** FACE of the Asterisk telephone system: everything that the tools can do with it. Carries no audio. */
import { randomUUID } from 'node:crypto';
import { ConfigError, UserInputError } from '../../errors.ts';
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
import { createChangeLimit } from './changes.ts';
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
  type Registration,
  registrationOf,
} from './extensions.ts';
import { type LiveList, watchLists } from './live.ts';
import { type AsteriskLook, lookAtAsterisk } from './look.ts';
import { checkExtension } from './names.ts';
import { judgeNumber, type NumberJudgement, type NumberWisdom } from './numbers.ts';
import { listMailboxes, listParkedCalls, listQueues, type Mailbox, type ParkedCall, type Queue } from './services.ts';
import { type Softphone, type SoftphoneRules, softphoneRules } from './softphones.ts';

export type { ParticipantAction } from './conferences.ts';
export type { LiveList } from './live.ts';

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
  const { context, numbers, clock } = options;
  const ami = createAmiClient(options);
  const mayChange = createChangeLimit(options.changesPerMinute, () => clock.now());
  const records = lateCdr(options.cdr);
  const isEmergency = (dialled: string): boolean => numbers.isEmergency(dialled, options.country);
  return {
    ami,
    close: () => {
      ami.close();
      records.close();
    },
    conferences: () => listConferences(ami),
    participants: (conference) => listParticipants(ami, conference),
    async actOn(action, conference, participant) {
      mayChange();
      return await actOnParticipant(ami, action, conference, participant);
    },
    async lock(conference, locked) {
      mayChange();
      await setLock(ami, conference, locked);
    },
    extensions: () => listExtensions(ami),
    extension: (extension) => extensionDetail(ami, extension),
    registration: (extension) => registrationOf(ami, extension),
    dialRules: () => readDialRules(ami, context, isEmergency),
    async softphone(phone) {
      const country = numbers.country(options.country);
      if (country === null)
        throw new ConfigError(`ASTERISK_COUNTRY is ${options.country}, which is no country.`, {
          settings: ['ASTERISK_COUNTRY'],
        });
      const rules = await readDialRules(ami, context, isEmergency);
      const patterns = (kind: DialRule['kind']) =>
        rules.filter((rule) => rule.kind === kind).map((rule) => rule.pattern);
      const { plus } = options;
      return softphoneRules(phone, {
        country,
        plus,
        featureCodes: patterns('feature-code'),
        extensions: patterns('extension'),
      });
    },
    featureCodes: () => readFeatureCodes(ami, context),
    async validate(number, country = options.country) {
      const extensions = await listExtensions(ami);
      const rules = await readDialRules(ami, context, isEmergency);
      return judgeNumber(number, { country, plus: options.plus, numbers, extensions, rules });
    },
    status: () => systemStatus(ami),
    channels: () => listChannels(ami),
    async originate({ from, to, ringSeconds }) {
      const dialled = await whatToDial(ami, to, options);
      mayChange();
      const request = {
        from: checkExtension(from),
        to: dialled,
        context,
        callerId: dialled,
        ringMs: ringSeconds * 1_000,
        uniqueId: `switchboard-${randomUUID()}`,
      };
      return { ...(await originateCall(ami, request)), dialled };
    },
    async hangUp(channel) {
      mayChange();
      return await hangUpChannel(ami, channel);
    },
    queues: () => listQueues(ami),
    mailboxes: (mailbox) => listMailboxes(ami, mailbox),
    parkedCalls: () => listParkedCalls(ami),
    look: (agentContext) => lookAtAsterisk(ami, { context, agentContext }),
    lookAtRecords: async () => (options.cdr === null ? null : (await records.open()).warnings),
    records: async (filter, page) => await queryCalls(await records.open(), filter, page),
    statistics: async (filter) => await callStatistics(await records.open(), filter),
    summary: async (extension, range) => await extensionSummary(await records.open(), extension, range),
    watch(changed) {
      const stop = watchLists(ami, clock, changed);
      ami.ready().catch((err: unknown) => options.logger.debug({ err }, 'Asterisk is not there to be watched yet'));
      return stop;
    },
  };
}

/** Opened when it is first asked for, and again when that did not work. */
function lateCdr(options: CdrOptions | null): { open(): Promise<CdrStore>; close(): void } {
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
  if (!written.startsWith('+')) {
    const name = checkExtension(written);
    if ((await listExtensions(ami)).some(({ extension }) => extension === name)) return name;
    throw new UserInputError(
      `${name} is no extension that Asterisk lists. Give one that asterisk_list_extensions shows, or a number with + and its country code.`,
    );
  }
  const refusal = numbers.refusalOf(written);
  if (refusal !== null) throw new UserInputError(refusal);
  return `${plus}${written.replace(/\D/g, '')}`;
}
