/**
 * Calls that an agent takes part in: rung, followed, ended, handed over. Knows nothing of their audio, which Asterisk connects by
 * itself from the extensions `outbound` and `inbound` of the agent's context (docs/asterisk.md).
 */
import { UpstreamError, UserInputError } from '../../errors.ts';
import { type AmiClient, type AmiClock, type AmiEvent, type AmiLog, AmiRefusal } from './ami/client.ts';
import type { AmiMessage } from './ami/message.ts';
import { ORIGINATE_REASONS } from './calls.ts';
import { endpointOf, listExtensions } from './extensions.ts';
import { checkExtension, isChannelName, known } from './names.ts';

type Status = 'dialling' | 'ringing' | 'answered' | 'completed' | 'busy' | 'no-answer' | 'failed' | 'canceled';

export type News =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  | { readonly kind: 'uncertain'; readonly reason: string }
  | { readonly kind: 'status'; readonly status: Status; readonly code?: string };

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
}

interface Followed {
  readonly told: Told;
  /** Before that, how it ended is in the answer to Originate. */
  isAnswered: boolean;
  /** Cause of a hang-up that was told before the answer to Originate: they come from different threads. */
  goneBy: string | null;
  /** The dial plan has said how the leg that it dialled ended. */
  dialEnded: () => void;
}

/** Presses are told apart by the other side with this much between them. */
const KEY_MS = 120;
const BETWEEN_KEYS_MS = 250;
const DIAL_END_MS = 300;
const MOST_LOOKS = 20;
const LOOK_MS = 25;

export class AgentExchange {
  readonly #options: ExchangeOptions;
  /** Who is told of a channel and of what is dialled for it; by its id, which is the `Linkedid` of all legs of a call. */
  readonly #followed = new Map<string, Followed>();
  /** Names of channels by their ids. */
  readonly #names = new Map<string, string>();

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { ami, logger } = options;
    ami.onEvent((event) => this.#hear(event));
    // A call that comes in asks the manager nothing, and yet its end is told there.
    ami.ready().catch((err: unknown) => logger.warn({ err }, 'Asterisk’s manager cannot be reached yet'));
  }

  ready(): Promise<void> {
    return this.#options.ami.ready();
  }

  async originate(asked: OriginateAsk, told: Told): Promise<void> {
    const { ami } = this.#options;
    const { uniqueId } = asked;
    try {
      const channel = await this.#channelFor(asked.to);
      const followed: Followed = { told, isAnswered: false, goneBy: null, dialEnded: () => undefined };
      const dialEnded = new Promise<void>((resolve) => {
        followed.dialEnded = resolve;
      });
      this.#followed.set(uniqueId, followed);
      const end = await ami.outcome('Originate', this.#originateFields(asked, channel), {
        event: 'OriginateResponse',
        timeoutMs: asked.ringMs + 10_000,
        onAccepted: () => told({ kind: 'accepted' }),
      });
      const result = ORIGINATE_REASONS[end.get('Reason')] ?? 'failed';
      if (result === 'answered') {
        followed.isAnswered = true;
        told({ kind: 'status', status: 'answered' });
        if (followed.goneBy !== null) this.#gone(uniqueId, followed, followed.goneBy);
        return;
      }
      // What the dial plan says of the leg that it dialled is more exact, and may come a moment later.
      if (result === 'failed') await Promise.race([dialEnded, pause(this.#options.clock, DIAL_END_MS)]);
      this.#forget(uniqueId);
      told({ kind: 'status', status: result, code: end.get('Reason') });
    } catch (error) {
      this.#failed(uniqueId, error, told);
    }
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
      this.#options.logger.warn({ err: error, uniqueId }, 'Asterisk did not hang up');
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
      const name = await this.#nameOf(uniqueId);
      if (name !== null || this.#followed.get(uniqueId)?.isAnswered !== false) return name;
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

  /** Only to an extension that is listed now: any other name could lead anywhere. */
  async transfer(uniqueId: string, extension: string): Promise<'done' | 'failed'> {
    const { ami, context, logger } = this.#options;
    try {
      const listed = await listExtensions(ami);
      if (!listed.some((one) => one.extension === extension)) return 'failed';
      return await this.#redirect(uniqueId, context, checkExtension(extension));
    } catch (error) {
      logger.warn({ err: error, uniqueId }, 'Asterisk did not transfer a call');
      return 'failed';
    }
  }

  /** The dial plan says that there is a problem, and hangs up. */
  async apologise(uniqueId: string): Promise<'done' | 'failed'> {
    try {
      return await this.#redirect(uniqueId, this.#options.agentContext, 'sorry');
    } catch (error) {
      this.#options.logger.warn({ err: error, uniqueId }, 'Asterisk did not take a call over');
      return 'failed';
    }
  }

  async sendDigits(uniqueId: string, digits: string): Promise<'done' | 'failed'> {
    const { ami, clock, logger } = this.#options;
    try {
      for (const digit of digits) {
        const name = await this.#nameOf(uniqueId);
        if (name === null) return 'failed';
        await ami.send('PlayDTMF', { Channel: name, Digit: digit, Duration: KEY_MS });
        await pause(clock, BETWEEN_KEYS_MS);
      }
      return 'done';
    } catch (error) {
      logger.warn({ err: error, uniqueId }, 'Asterisk did not press a key');
      return 'failed';
    }
  }

  /** The application's data begins with the id; the channel that runs it is the caller's. */
  async whoseAudioSocket(uuid: string): Promise<{ uniqueId: string; from: string; to: string } | null> {
    try {
      const channels = await this.#options.ami.list('CoreShowChannels');
      const item = channels.find(
        (one) => one.get('Application') === 'AudioSocket' && one.get('ApplicationData').startsWith(`${uuid},`),
      );
      if (!item) return null;
      return { uniqueId: item.get('Uniqueid'), from: known(item.get('CallerIDNum')) ?? '', to: item.get('Exten') };
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'Asterisk did not say whose AudioSocket it is');
      return null;
    }
  }

  follow(uniqueId: string, told: Told): () => void {
    this.#followed.set(uniqueId, { told, isAnswered: true, goneBy: null, dialEnded: () => undefined });
    return () => this.#forget(uniqueId);
  }

  async #redirect(uniqueId: string, context: string, extension: string): Promise<'done' | 'failed'> {
    const { ami } = this.#options;
    const name = await this.#nameOf(uniqueId);
    if (name === null) return 'failed';
    // The time limit was the agent's: two people may talk as long as they like.
    await ami.send('AbsoluteTimeout', { Channel: name, Timeout: 0 }).catch(() => undefined);
    await ami.send('Redirect', { Channel: name, Context: context, Exten: extension, Priority: 1 });
    return 'done';
  }

  /** An extension's own phone; a number goes through the dial plan, on a leg that stays when it is answered. */
  async #channelFor(to: string): Promise<string> {
    const { ami, context, plus } = this.#options;
    if (to.startsWith('+')) return `Local/${plus}${to.slice(1).replace(/\D/g, '')}@${context}/n`;
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
    this.#forget(uniqueId);
    if (error instanceof UserInputError) return told({ kind: 'refused', code: 'extension', reason: error.message });
    if (error instanceof AmiRefusal)
      return told({ kind: 'refused', code: 'asterisk', reason: refusalOf(error, this.#options) });
    const isUnsent =
      !(error instanceof UpstreamError) || /not connected|cannot be reached|refused the login/i.test(error.message);
    const reason = error instanceof Error ? error.message : 'Asterisk did not answer.';
    told(isUnsent ? { kind: 'refused', code: 'unreachable', reason } : { kind: 'uncertain', reason });
  }

  async #nameOf(uniqueId: string): Promise<string | null> {
    const known = this.#names.get(uniqueId);
    if (known !== undefined) return known;
    const channels = await this.#options.ami.list('CoreShowChannels');
    const name = channels.find((item) => item.get('Uniqueid') === uniqueId)?.get('Channel');
    return name !== undefined && isChannelName(name) ? name : null;
  }

  #hear({ name, message }: AmiEvent): void {
    const uniqueId = message.get('Uniqueid');
    const followed = this.#followed.get(uniqueId) ?? this.#followed.get(message.get('Linkedid'));
    if (!followed) return;
    const { told } = followed;
    const isItself = this.#followed.has(uniqueId);
    switch (name) {
      case 'Newchannel':
        if (isItself && isChannelName(message.get('Channel'))) this.#names.set(uniqueId, message.get('Channel'));
        return;
      case 'Rename':
        if (isItself && isChannelName(message.get('Newname'))) this.#names.set(uniqueId, message.get('Newname'));
        return;
      case 'Newstate':
        if (isItself && message.get('ChannelStateDesc') === 'Ringing') told({ kind: 'status', status: 'ringing' });
        return;
      case 'DialState':
        if (message.get('DialStatus') === 'RINGING') told({ kind: 'status', status: 'ringing' });
        return;
      case 'DialEnd':
        return this.#dialEnded(message, followed);
      case 'Hangup':
        if (isItself) this.#gone(uniqueId, followed, message.get('Cause'));
        return;
      default:
    }
  }

  /** Of the leg that the dial plan dialled for a number; the agent's own leg is none of the telephone's. */
  #dialEnded(message: AmiMessage, { told, dialEnded }: Followed): void {
    if (message.get('DestChannel').startsWith('WebSocket/')) return;
    const status = ({ BUSY: 'busy', NOANSWER: 'no-answer', CONGESTION: 'failed', CHANUNAVAIL: 'failed' } as const)[
      message.get('DialStatus')
    ];
    if (status === undefined) return;
    told({ kind: 'status', status, code: message.get('DialStatus') });
    dialEnded();
  }

  #gone(uniqueId: string, followed: Followed, cause: string): void {
    followed.goneBy = cause;
    if (!followed.isAnswered) return;
    this.#forget(uniqueId);
    followed.told({ kind: 'status', status: 'completed', code: cause });
  }

  #forget(uniqueId: string): void {
    this.#followed.delete(uniqueId);
    this.#names.delete(uniqueId);
  }
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
