import type { LineOptions } from '../carrier.ts';
import { InboundAudio } from '../inbound-audio.ts';
import { Downlink } from './downlink.ts';
import type { ThreeCxClock, ThreeCxExchange } from './exchange.ts';
import { AudioLeg } from './leg.ts';

export interface VoiceOptions {
  readonly exchange: ThreeCxExchange;
  readonly dn: string;
  readonly clock: ThreeCxClock;
  readonly hear: LineOptions['hear'];
  readonly marked: (generation: number, markId: number) => void;
  /** Audio goes both ways from now on. */
  readonly opened: () => void;
  /** The network takes nothing: nothing is sent ahead until it does. Told once. */
  readonly blocked: () => void;
  /** It is over although nobody closed it. `wasOpen` is false where it never opened in several tries. */
  readonly lost: (wasOpen: boolean) => void;
}

/** Both directions of a call's audio, from one opening to its end: one epoch of its stream. */
export class Voice {
  readonly #options: VoiceOptions;
  readonly #downlink: Downlink;
  #inbound: InboundAudio | null = null;
  #leg: AudioLeg | null = null;

  constructor(options: VoiceOptions) {
    this.#options = options;
    const { clock, marked, blocked } = options;
    this.#downlink = new Downlink(clock, { marked, blocked, stalled: () => this.#lost(true) });
  }

  /** The callee is heard from now on; what is said waits until it is open. */
  begin(): void {
    this.#inbound ??= new InboundAudio(this.#options.clock, this.#options.hear);
  }

  /** The participant must be connected. */
  open(participantId: number): void {
    const { exchange, dn, clock, opened } = this.#options;
    this.#leg = new AudioLeg({
      exchange,
      dn,
      participantId,
      clock,
      events: {
        opened: (sink) => {
          this.begin();
          this.#downlink.start(sink);
          opened();
        },
        heard: (mulaw) => this.#inbound?.take(mulaw),
        broke: () => this.#lost(true),
        failed: () => this.#lost(false),
      },
    });
  }

  play(bytes: Uint8Array): void {
    this.#downlink.play(bytes);
  }

  mark(generation: number, markId: number): void {
    this.#downlink.mark(generation, markId);
  }

  clear(): void {
    this.#downlink.clear();
  }

  close(): void {
    this.#inbound?.close();
    this.#downlink.close();
    this.#leg?.close();
  }

  #lost(wasOpen: boolean): void {
    this.close();
    this.#options.lost(wasOpen);
  }
}
