/** What the carrier asks of the telephone system itself, beside its audio; handed in, so that the carrier knows no manager protocol. */
import type { LineStatus } from '../../call/events.ts';

export interface Exchange {
  /** Resolves when it can be asked; rejects with a ConfigError or UpstreamError that says what to do. */
  ready(): Promise<void>;
  /**
   * Rings a telephone once, and connects it with the agent when it is answered. `told` hears what becomes of it until the channel is
   * gone, also after this has resolved: with how ringing it ended.
   */
  originate(request: OriginateRequest, told: (news: ExchangeNews) => void): Promise<void>;
  hangUp(uniqueId: string): Promise<'done' | 'gone' | 'failed'>;
  /** Whether the channel is up; null when the telephone system does not say. */
  isUp(uniqueId: string): Promise<boolean | null>;
  /** Ids of all channels that are up; null when the telephone system does not say. */
  channels(): Promise<readonly string[] | null>;
  /** Takes the channel from the agent and lets it go on at another extension. */
  transfer(uniqueId: string, extension: string): Promise<'done' | 'failed'>;
  /** Takes the channel from the agent; the telephone system says that there is a problem, and hangs up. */
  apologise(uniqueId: string): Promise<'done' | 'failed'>;
  /** Keys pressed towards the telephone. */
  sendDigits(uniqueId: string, digits: string): Promise<'done' | 'failed'>;
  /** Whose audio an AudioSocket with this id is, as the telephone system shows it at this moment; null when it is nobody's. */
  whoseAudioSocket(
    uuid: string,
  ): Promise<{ readonly uniqueId: string; readonly from: string; readonly to: string } | null>;
  /** Hears what becomes of a channel that was there before. */
  follow(uniqueId: string, told: (news: ExchangeNews) => void): void;
  /** Of a channel that was rung or followed nothing more is told. */
  forget(uniqueId: string): void;
  close(): void;
}

export interface OriginateRequest {
  /** Number or extension, as it was asked for. */
  readonly to: string;
  readonly uniqueId: string;
  /** Comes back in the address of the media socket. */
  readonly ref: string;
  /** Comes back as the id of an AudioSocket. */
  readonly uuid: string;
  readonly ringMs: number;
  /** The telephone system ends the call then by itself, counted from now. */
  readonly maxMs: number;
}

export type ExchangeNews =
  /** The telephone system has taken it on. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  /** It is not known whether it has. */
  | { readonly kind: 'uncertain'; readonly reason: string }
  | { readonly kind: 'status'; readonly status: LineStatus; readonly code?: string };
