/** What becomes of the channels of the agent's calls, from the manager's events; also over a connection that was away for a while. */
import type { LineStatus } from '../../call/events.ts';
import type { AmiClient, AmiEvent, AmiLog } from './ami/client.ts';
import type { AmiMessage } from './ami/message.ts';
import { isChannelName } from './names.ts';

export interface ChannelNews {
  readonly kind: 'status';
  readonly status: LineStatus;
  readonly code?: string;
}

/** How the dial plan says that a leg that it dialled ended. It may dial another one then, as where a second trunk is tried. */
export interface DialEnd {
  readonly status: 'busy' | 'no-answer' | 'failed';
  readonly code: string;
}

interface Followed {
  readonly told: (news: ChannelNews) => void;
  /** Before that, how it ended is in the answer to Originate. */
  isAnswered: boolean;
  /** Cause of a hang-up that was told before the answer to Originate: they come from different threads. */
  goneBy: string | null;
  dialEnd: DialEnd | null;
  dialEnded: () => void;
}

const DIAL_ENDS: Readonly<Record<string, DialEnd['status']>> = {
  BUSY: 'busy',
  NOANSWER: 'no-answer',
  CONGESTION: 'failed',
  CHANUNAVAIL: 'failed',
};

export class Following {
  readonly #ami: AmiClient;
  readonly #logger: AmiLog;
  /** By the channel's id, which is the `Linkedid` of all legs of a call. */
  readonly #followed = new Map<string, Followed>();
  /** Names of channels by their ids. */
  readonly #names = new Map<string, string>();
  readonly #stops: readonly (() => void)[];

  constructor(ami: AmiClient, logger: AmiLog) {
    this.#ami = ami;
    this.#logger = logger;
    this.#stops = [
      ami.onEvent((event) => this.#hear(event)),
      ami.onStatus((status) => {
        if (status === 'connected' && this.#followed.size > 0) void this.#catchUp();
      }),
    ];
  }

  /** `isAnswered`: its end is told by its hang-up from the start. */
  follow(uniqueId: string, told: Followed['told'], isAnswered: boolean): void {
    this.#followed.set(uniqueId, { told, isAnswered, goneBy: null, dialEnd: null, dialEnded: () => undefined });
  }

  forget(uniqueId: string): void {
    this.#followed.delete(uniqueId);
    this.#names.delete(uniqueId);
  }

  /** It is up, or might be: from now on its hang-up is its end, and one that was told before is told now. */
  answered(uniqueId: string): void {
    const followed = this.#followed.get(uniqueId);
    if (!followed) return;
    followed.isAnswered = true;
    if (followed.goneBy !== null) this.#gone(uniqueId, followed, followed.goneBy);
  }

  /** Whether the answer to its Originate is still to come. */
  isPending(uniqueId: string): boolean {
    return this.#followed.get(uniqueId)?.isAnswered === false;
  }

  /** The last end of a leg that was dialled for it; waits for one by `pause`. */
  async dialEnd(uniqueId: string, pause: () => Promise<void>): Promise<DialEnd | null> {
    const followed = this.#followed.get(uniqueId);
    if (!followed) return null;
    if (followed.dialEnd === null) {
      const ended = new Promise<void>((resolve) => {
        followed.dialEnded = resolve;
      });
      await Promise.race([ended, pause()]);
    }
    return followed.dialEnd;
  }

  async nameOf(uniqueId: string): Promise<string | null> {
    const known = this.#names.get(uniqueId);
    if (known !== undefined) return known;
    const channels = await this.#ami.list('CoreShowChannels');
    const name = channels.find((item) => item.get('Uniqueid') === uniqueId)?.get('Channel');
    return name !== undefined && isChannelName(name) ? name : null;
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#followed.clear();
    this.#names.clear();
  }

  /** What was renamed or hung up while nobody told us. */
  async #catchUp(): Promise<void> {
    try {
      const channels = await this.#ami.list('CoreShowChannels');
      const names = new Map(channels.map((item) => [item.get('Uniqueid'), item.get('Channel')]));
      for (const [uniqueId, followed] of [...this.#followed]) {
        const name = names.get(uniqueId);
        this.#names.delete(uniqueId);
        if (name !== undefined && isChannelName(name)) this.#names.set(uniqueId, name);
        if (name === undefined && followed.isAnswered) this.#gone(uniqueId, followed, '');
      }
    } catch (err) {
      this.#logger.warn({ err }, 'Asterisk did not say which calls are still up');
    }
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
      case 'DialBegin':
        // How the leg before it ended says nothing of this one, whose own end may come after the answer to Originate.
        if (!isAgents(message)) followed.dialEnd = null;
        return;
      case 'DialEnd':
        return noteDialEnd(message, followed);
      case 'Hangup':
        if (isItself) this.#gone(uniqueId, followed, message.get('Cause'));
        return;
      default:
    }
  }

  #gone(uniqueId: string, followed: Followed, cause: string): void {
    followed.goneBy = cause;
    if (!followed.isAnswered) return;
    this.forget(uniqueId);
    followed.told({ kind: 'status', status: 'completed', ...(cause === '' ? {} : { code: cause }) });
  }
}

/** The agent's own leg is none of the telephone's. */
function isAgents(message: AmiMessage): boolean {
  return message.get('DestChannel').startsWith('WebSocket/');
}

/** Of a leg that the dial plan dialled for a number. */
function noteDialEnd(message: AmiMessage, followed: Followed): void {
  if (isAgents(message)) return;
  const code = message.get('DialStatus');
  const status = DIAL_ENDS[code];
  if (status === undefined) return;
  followed.dialEnd = { status, code };
  followed.dialEnded();
}
