/**
 * Calls that an agent takes part in: rung, followed, ended, handed over. Knows nothing of their audio, which Asterisk connects by
 * itself from the extensions `outbound` and `inbound` of the agent's context (docs/asterisk.md).
 */
import { UserInputError } from '../../errors.ts';
import { type AmiClient, type AmiClock, type AmiLog, AmiRefusal } from './ami/client.ts';
import type { AmiMessage } from './ami/message.ts';
import { ORIGINATE_REASONS } from './calls.ts';
import { canBeDialled } from './dial-plan.ts';
import { endpointOf, listExtensions } from './extensions.ts';
import { type ChannelNews, Following } from './following.ts';
import { checkExtension, isChannelName, known } from './names.ts';
import { dialledFor } from './numbers.ts';

export type News =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  | { readonly kind: 'uncertain'; readonly reason: string }
  | ChannelNews;

type Told = (news: News) => void;

export interface OriginateAsk {
  /** Extension, or number with + and its country code; may be called, as was checked before. */
  readonly to: string;
  readonly uniqueId: string;
  readonly ref: string;
  readonly uuid: string;
  readonly ringMs: number;
  readonly maxMs: number;
}

export interface ExchangeOptions {
  readonly ami: AmiClient;
  readonly clock: AmiClock;
  readonly logger: AmiLog;
  /** Where numbers and extensions are dialled, and where the agent's extensions are. */
  readonly context: string;
  readonly agentContext: string;
  /** What is dialled in place of +. */
  readonly plus: string;
  /** ISO 3166 country of the office: what is dialled within North America depends on it. */
  readonly country: string;
}

/** Presses are told apart by the other side with this much between them. */
const KEY_MS = 120;
const BETWEEN_KEYS_MS = 250;
/** On a busy server it comes late; where none comes, that is not worth longer. */
const DIAL_END_MS = 1_500;
const MOST_LOOKS = 20;
const LOOK_MS = 25;
/** Whoever waits for a transfer gives it up after ten seconds; a person must not be taken away after that. */
const TRANSFER_LOOKS_MS = 4_000;
const REDIRECT_MS = 4_000;

export class AgentExchange {
  readonly #options: ExchangeOptions;
  readonly #following: Following;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { ami, logger } = options;
    this.#following = new Following(ami, logger);
    // A call that comes in asks the manager nothing, and yet its end is told there.
    ami.ready().catch((err: unknown) => logger.warn({ err }, 'Asterisk’s manager cannot be reached yet'));
  }

  ready(): Promise<void> {
    return this.#options.ami.ready();
  }

  async originate(asked: OriginateAsk, told: Told): Promise<void> {
    const { ami } = this.#options;
    const { uniqueId } = asked;
    let channel: string;
    try {
      channel = await this.#channelFor(asked.to);
    } catch (error) {
      // Nothing has been asked of a telephone yet.
      return told(notRung(error));
    }
    this.#following.follow(uniqueId, told, false);
    try {
      const end = await ami.outcome('Originate', this.#originateFields(asked, channel), {
        event: 'OriginateResponse',
        timeoutMs: asked.ringMs + 10_000,
        onAccepted: () => told({ kind: 'accepted' }),
      });
      await this.#ended(uniqueId, end, told);
    } catch (error) {
      this.#failed(uniqueId, error, told);
    }
  }

  /** How the ringing ended. */
  async #ended(uniqueId: string, end: AmiMessage, told: Told): Promise<void> {
    const result = ORIGINATE_REASONS[end.get('Reason')] ?? 'failed';
    if (result === 'answered') {
      told({ kind: 'status', status: 'answered' });
      return this.#following.answered(uniqueId);
    }
    // What the dial plan says of the last leg that it dialled is more exact, and may come a moment later.
    const dialEnd =
      result === 'failed'
        ? await this.#following.dialEnd(uniqueId, () => pause(this.#options.clock, DIAL_END_MS))
        : null;
    this.#following.forget(uniqueId);
    told({ kind: 'status', ...(dialEnd ?? { status: result, code: end.get('Reason') }) });
  }

  async hangUp(uniqueId: string): Promise<'done' | 'gone' | 'failed'> {
    const { ami } = this.#options;
    try {
      const name = await this.#nameInTime(uniqueId);
      if (name === null) return 'gone';
      await ami.send('Hangup', { Channel: name, Cause: 16 });
      return (await this.#isGoneInTime(uniqueId)) ? 'done' : 'failed';
    } catch (error) {
      if (error instanceof AmiRefusal && /no such channel/i.test(error.said)) return 'gone';
      this.#options.logger.warn({ err: error, call: callIn(uniqueId) }, 'Asterisk did not hang up');
      return 'failed';
    }
  }

  /** Asterisk only takes note of a hang-up; the call is down when none of its legs is listed any more. */
  async #isGoneInTime(uniqueId: string): Promise<boolean> {
    const { ami, clock } = this.#options;
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const channels = await ami.list('CoreShowChannels');
      if (!channels.some((item) => [item.get('Uniqueid'), item.get('Linkedid')].includes(uniqueId))) return true;
      await pause(clock, LOOK_MS);
    }
    return false;
  }

  /** Between taking an Originate on and making its channel Asterisk has none that could be hung up, and the telephone would ring after all. */
  async #nameInTime(uniqueId: string): Promise<string | null> {
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const name = await this.#following.nameOf(uniqueId);
      if (name !== null || !this.#following.isPending(uniqueId)) return name;
      await pause(this.#options.clock, LOOK_MS);
    }
    return null;
  }

  async isUp(uniqueId: string): Promise<boolean | null> {
    const channels = await this.channels();
    return channels?.includes(uniqueId) ?? null;
  }

  async channels(): Promise<readonly string[] | null> {
    try {
      return (await this.#options.ami.list('CoreShowChannels')).map((item) => item.get('Uniqueid'));
    } catch {
      return null;
    }
  }

  /** Only to an extension that is listed now, and that the dial plan has where it is dialled: another name could lead anywhere, or nowhere. */
  async transfer(uniqueId: string, extension: string): Promise<'done' | 'failed'> {
    const { ami, clock, context, logger } = this.#options;
    const sinceMs = clock.now();
    try {
      const [listed, isDialled] = await Promise.all([
        listExtensions(ami),
        canBeDialled(ami, context, checkExtension(extension)),
      ]);
      if (!listed.some((one) => one.extension === extension) || !isDialled) {
        logger.warn({ call: callIn(uniqueId), context }, 'the dial plan has no such extension to transfer a call to');
        return 'failed';
      }
      if (clock.now() - sinceMs > TRANSFER_LOOKS_MS) return 'failed';
      return await this.#redirect(uniqueId, context, extension);
    } catch (error) {
      logger.warn({ err: error, call: callIn(uniqueId) }, 'Asterisk did not transfer a call');
      return 'failed';
    }
  }

  /** The dial plan says that there is a problem, and hangs up. */
  async apologise(uniqueId: string): Promise<'done' | 'failed'> {
    try {
      return await this.#redirect(uniqueId, this.#options.agentContext, 'sorry');
    } catch (error) {
      this.#options.logger.warn({ err: error, call: callIn(uniqueId) }, 'Asterisk did not take a call over');
      return 'failed';
    }
  }

  async sendDigits(uniqueId: string, digits: string): Promise<'done' | 'failed'> {
    const { ami, clock, logger } = this.#options;
    try {
      for (const digit of digits) {
        const name = await this.#phoneOf(uniqueId);
        if (name === null) return 'failed';
        await ami.send('PlayDTMF', { Channel: name, Digit: digit, Duration: KEY_MS });
        await pause(clock, BETWEEN_KEYS_MS);
      }
      return 'done';
    } catch (error) {
      logger.warn({ err: error, call: callIn(uniqueId) }, 'Asterisk did not press a key');
      return 'failed';
    }
  }

  /**
   * The telephone's own leg. Keys on a Local channel would be the office's, and could work its features, such as a transfer to any number;
   * on the telephone's leg they are heard there and nowhere else.
   */
  async #phoneOf(uniqueId: string): Promise<string | null> {
    const name = await this.#following.nameOf(uniqueId);
    if (name === null || !name.startsWith('Local/')) return name;
    const channels = await this.#options.ami.list('CoreShowChannels');
    const legs = channels.filter((item) => item.get('Linkedid') === uniqueId && item.get('ChannelStateDesc') === 'Up');
    const names = legs.map((item) => item.get('Channel')).filter((channel) => !/^(Local|WebSocket)\//.test(channel));
    // A channel that changes at this moment may be listed twice.
    const [phone, ...others] = new Set(names);
    return phone !== undefined && others.length === 0 && isChannelName(phone) ? phone : null;
  }

  /** The application's data begins with the id; the channel that runs it is the caller's. */
  async whoseAudioSocket(uuid: string): Promise<{ uniqueId: string; from: string; to: string } | null> {
    try {
      const channels = await this.#options.ami.list('CoreShowChannels');
      const item = channels.find(
        (one) => one.get('Application') === 'AudioSocket' && one.get('ApplicationData').startsWith(`${uuid},`),
      );
      // One that we placed and have given up meanwhile is nobody's any more.
      if (!item || item.get('Exten') === 'outbound') return null;
      return { uniqueId: item.get('Uniqueid'), from: known(item.get('CallerIDNum')) ?? '', to: item.get('Exten') };
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'Asterisk did not say whose AudioSocket it is');
      return null;
    }
  }

  follow(uniqueId: string, told: Told): void {
    this.#following.follow(uniqueId, told, true);
  }

  forget(uniqueId: string): void {
    this.#following.forget(uniqueId);
  }

  close(): void {
    this.#following.close();
  }

  async #redirect(uniqueId: string, context: string, extension: string): Promise<'done' | 'failed'> {
    const { ami, logger } = this.#options;
    const name = await this.#following.nameOf(uniqueId);
    if (name === null) return 'failed';
    await ami.send('Redirect', { Channel: name, Context: context, Exten: extension, Priority: 1 }, REDIRECT_MS);
    // The time limit was the agent's: two people may talk as long as they like. AbsoluteTimeout refuses a zero.
    ami
      .send('Setvar', { Channel: name, Variable: 'TIMEOUT(absolute)', Value: 0 })
      .catch((err: unknown) =>
        logger.warn({ err, call: callIn(uniqueId) }, 'a call that was handed on keeps its time limit'),
      );
    return 'done';
  }

  /** An extension's own phone; a number goes through the dial plan, on a leg that stays when it is answered. */
  async #channelFor(to: string): Promise<string> {
    const { ami, context, plus, country } = this.#options;
    await ami.ready();
    if (to.startsWith('+')) return `Local/${dialledFor(to, country, plus)}@${context}/n`;
    const extension = (await listExtensions(ami)).find((one) => one.extension === to);
    if (!extension) throw new UserInputError(`${to} is no extension that Asterisk lists.`);
    const endpoint = endpointOf(extension);
    return endpoint === null ? `Local/${checkExtension(to)}@${context}/n` : `PJSIP/${endpoint}`;
  }

  #originateFields(
    { uniqueId, ref, uuid, ringMs, maxMs }: OriginateAsk,
    channel: string,
  ): Record<string, string | number | string[]> {
    return {
      Channel: channel,
      Context: this.#options.agentContext,
      Exten: 'outbound',
      Priority: 1,
      Timeout: ringMs,
      ChannelId: uniqueId,
      Async: 'true',
      // Nothing is decoded on the way.
      Codecs: 'ulaw',
      // Two underscores: for the legs that it makes as well. The limit is Asterisk's own, and outlives us.
      Variable: [
        `__SWITCHBOARD_REF=${ref}`,
        `__SWITCHBOARD_UUID=${uuid}`,
        `TIMEOUT(absolute)=${Math.ceil(maxMs / 1_000)}`,
      ],
    };
  }

  #failed(uniqueId: string, error: unknown, told: Told): void {
    if (error instanceof AmiRefusal) {
      this.#following.forget(uniqueId);
      return told({ kind: 'refused', code: 'asterisk', reason: refusalOf(error, this.#options) });
    }
    // It may be up, so what becomes of it is still listened for.
    told({ kind: 'uncertain', reason: error instanceof Error ? error.message : 'Asterisk did not answer.' });
    this.#following.answered(uniqueId);
  }
}

function notRung(error: unknown): News {
  if (error instanceof UserInputError) return { kind: 'refused', code: 'extension', reason: error.message };
  if (error instanceof AmiRefusal) {
    const reason =
      'Asterisk did not list its extensions, so nothing was rung: the account of AMI_USERNAME needs write = reporting in manager.conf.';
    return { kind: 'refused', code: 'asterisk', reason };
  }
  const reason = error instanceof Error ? error.message : 'Asterisk did not answer.';
  return { kind: 'refused', code: 'unreachable', reason };
}

/** Which of our calls a channel is, for the log: the number in its id stays out of there. */
function callIn(uniqueId: string): string {
  return uniqueId.split('-').slice(3).join('-') || uniqueId;
}

function pause(clock: AmiClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, ms));
}

function refusalOf({ said }: AmiRefusal, { agentContext }: ExchangeOptions): string {
  if (/extension does not exist/i.test(said))
    return `Asterisk's dial plan has no extension outbound in the context ${agentContext}: docs/asterisk.md has the lines to add.`;
  if (/permission denied/i.test(said))
    return 'The account of AMI_USERNAME may not place calls: manager.conf must give it write = originate.';
  return 'Asterisk refused the call.';
}
