/** The live calls of a 3CX v20: its Call Control API. What the tools and the carrier are built on; `client.ts` makes one. */

/** One leg of a call at one extension or route point (DN). Absent texts are null. */
export interface Participant {
  readonly id: number;
  /** The extension or route point that it belongs to. */
  readonly dn: string;
  /** As 3CX says it; attested are `Dialing`, `Ringing` and `Connected`. There is no word for a held call. */
  readonly status: string;
  readonly callId: number | null;
  readonly legId: number | null;
  readonly deviceId: string | null;
  /** The other side: text of strangers. */
  readonly partyNumber: string | null;
  readonly partyName: string | null;
  /** Extension or route point of the other side, where it is one. */
  readonly partyDn: string | null;
  readonly partyDnType: string | null;
  /** The number that was dialled from outside; empty on most servers. */
  readonly partyDid: string | null;
  /** Its telephone lets 3CX answer (uaCSTA). */
  readonly directControl: boolean;
}

export interface Device {
  readonly dn: string;
  /** Such as `sip:209@127.0.0.1:5483`. */
  readonly deviceId: string;
  readonly userAgent: string | null;
}

export interface ControlledDn {
  readonly dn: string;
  /** Such as `Wextension`, `Wroutepoint`. */
  readonly type: string;
  readonly devices: readonly Device[];
  readonly participants: readonly Participant[];
}

export type ParticipantAction = 'answer' | 'drop' | 'divert' | 'routeto' | 'transferto';

export type CallControlEvent =
  /** It is there, or has changed. */
  | { readonly kind: 'participant'; readonly participant: Participant }
  /** It is gone. */
  | { readonly kind: 'gone'; readonly dn: string; readonly participantId: number }
  | { readonly kind: 'digits'; readonly dn: string; readonly participantId: number; readonly digits: string };

export interface CallControlClock {
  now(): number;
  wall(): number;
  setTimer(fire: () => void, delayMs: number): () => void;
}

/**
 * Methods reject with one of the four errors; a refusal of 3CX's is a `ThreeCxRefusal`. Reads may be tried again by themselves, what
 * changes something never is (but for a 401, which is a rejection before anything was done).
 */
export interface CallControl {
  /** Resolves when the token is had, the events socket is open and the first snapshot has been read. */
  ready(): Promise<void>;
  readonly isConnected: boolean;
  /** What the app may see and control, as the events socket keeps it up to date. */
  state(): Promise<readonly ControlledDn[]>;
  devices(dn: string): Promise<readonly Device[]>;
  /** Asked afresh; null when it is gone. */
  participant(dn: string, participantId: number): Promise<Participant | null>;
  /** Asked afresh. */
  participants(dn: string): Promise<readonly Participant[]>;
  /** Places one call from that extension or route point, from its telephone `deviceId` where given. Never repeated. Events of the call, also of its end, may come before this resolves. An outcome that is not known rejects with an UpstreamError that is not retryable and whose code is `uncertain`. */
  makeCall(request: {
    readonly dn: string;
    readonly destination: string;
    readonly timeoutSeconds: number;
    readonly deviceId?: string | undefined;
    /** Comes back with 3CX's own records where it keeps it. */
    readonly attachedData?: Readonly<Record<string, string>> | undefined;
  }): Promise<Participant>;
  act(
    dn: string,
    participantId: number,
    action: ParticipantAction,
    body?: { readonly destination?: string; readonly timeoutSeconds?: number },
  ): Promise<void>;
  /** The participant's audio (PCM, signed 16 bit little-endian, 8 kHz, mono), in pieces of any size; only of the app's own route point, and when connected. */
  hear(dn: string, participantId: number, events: HearEvents): AudioStream;
  /** Audio towards the participant, same form. `write` must be paced by who calls: at most 500 ms ahead. */
  speak(dn: string, participantId: number, events: SpeakEvents): AudioSink;
  onEvent(listener: (event: CallControlEvent) => void): () => void;
  onStatus(listener: (status: 'connected' | 'disconnected') => void): () => void;
  close(): void;
}

export interface HearEvents {
  opened(): void;
  heard(pcm: Buffer): void;
  /** Once, also when it never opened. `error` is one of the four. */
  ended(error: Error | null): void;
}

export interface AudioStream {
  close(): void;
}

export interface SpeakEvents {
  /** The connection is there and writes go out. */
  opened(): void;
  ended(error: Error | null): void;
}

export interface AudioSink {
  write(pcm: Uint8Array): void;
  /** Bytes that the network has not taken yet. */
  readonly bufferedBytes: number;
  close(): void;
}
