/**
 * What the carrier asks of the telephone system; handed in, so that the carrier knows no Call Control protocol. Errors are of the four; a
 * change of which it is not known whether it was made rejects with an UpstreamError with the code `uncertain`, and no change is repeated.
 */

export interface Participant {
  readonly id: number;
  readonly dn: string;
  /** `Dialing`, `Ringing` or `Connected`; 3CX has no word for a call on hold. */
  readonly status: string;
  readonly callId: number | null;
  /** The other side: text of strangers. */
  readonly partyNumber: string | null;
  /** The number that was dialled from outside; empty on most servers. */
  readonly partyDid: string | null;
}

export type ExchangeEvent =
  /** It is there, or has changed. */
  | { readonly kind: 'participant'; readonly participant: Participant }
  | { readonly kind: 'gone'; readonly dn: string; readonly participantId: number }
  | { readonly kind: 'digits'; readonly dn: string; readonly participantId: number; readonly digits: string };

export interface ThreeCxExchange {
  /** Resolves when the telephone system can be asked and tells of events. */
  ready(): Promise<void>;
  readonly isConnected: boolean;
  /** What the app may see. `type` is such as `Wextension`. */
  state(): Promise<readonly { readonly dn: string; readonly type: string }[]>;
  /** Asked afresh; null when it is gone. */
  participant(dn: string, participantId: number): Promise<Participant | null>;
  /** Asked afresh. */
  participants(dn: string): Promise<readonly Participant[]>;
  makeCall(request: {
    readonly dn: string;
    readonly destination: string;
    readonly timeoutSeconds: number;
    readonly attachedData?: Readonly<Record<string, string>>;
  }): Promise<Participant>;
  act(
    dn: string,
    participantId: number,
    action: 'answer' | 'drop' | 'transferto',
    body?: { readonly destination?: string; readonly timeoutSeconds?: number },
  ): Promise<void>;
  /** What the participant says: PCM, signed 16 bit little-endian, 8 kHz, mono, in pieces of any size. */
  hear(
    dn: string,
    participantId: number,
    events: { opened(): void; heard(pcm: Buffer): void; ended(error: Error | null): void },
  ): { close(): void };
  /** What is said to the participant, in the same form; paced by who writes. */
  speak(dn: string, participantId: number, events: { opened(): void; ended(error: Error | null): void }): AudioSink;
  onEvent(listener: (event: ExchangeEvent) => void): () => void;
  onStatus(listener: (status: 'connected' | 'disconnected') => void): () => void;
}

export interface AudioSink {
  write(pcm: Uint8Array): void;
  /** Bytes that the network has not taken yet. */
  readonly bufferedBytes: number;
  close(): void;
}

export interface ThreeCxClock {
  /** Monotonic, in milliseconds. */
  now(): number;
  wall(): number;
  setTimer(fire: () => void, delayMs: number): () => void;
}

export interface ThreeCxLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}
