import type { AudioSink, ThreeCxClock, ThreeCxExchange } from './exchange.ts';
import { PcmReader } from './pcm.ts';

export interface LegEvents {
  /** Audio goes both ways from now on. */
  opened(sink: AudioSink): void;
  /** µ-law, 8 kHz, in whole frames. */
  heard(mulaw: Buffer): void;
  /** It was open, and either way has ended. */
  broke(): void;
  /** It did not open in any try. */
  failed(): void;
}

export interface LegOptions {
  readonly exchange: ThreeCxExchange;
  readonly dn: string;
  readonly participantId: number;
  readonly clock: ThreeCxClock;
  readonly events: LegEvents;
}

/** Of one try, counted from its start. */
const OPEN_DEADLINE_MS = 2_000;
/** Before each try but the first. Somebody waits in silence meanwhile. */
const RETRY_DELAYS_MS = [150, 300, 600, 1_000];
const GIVE_UP_MS = 4_000;

/** The audio of one participant: two HTTP streams that stand and fall together. Nothing is told after its end or `close`. */
export class AudioLeg {
  readonly #options: LegOptions;
  readonly #giveUpAtMs: number;
  #closeTry: () => void = () => undefined;
  #cancelTimer: () => void = () => undefined;
  #tries = 0;
  #isOpen = false;
  #isClosed = false;

  constructor(options: LegOptions) {
    this.#options = options;
    this.#giveUpAtMs = options.clock.now() + GIVE_UP_MS;
    this.#try();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#closeTry();
  }

  #try(): void {
    const { exchange, dn, participantId, clock, events } = this.#options;
    const reader = new PcmReader();
    let isOver = false;
    let missing = 2;
    const opened = (): void => {
      missing -= 1;
      if (isOver || missing > 0) return;
      this.#cancelTimer();
      this.#isOpen = true;
      events.opened(speaking);
    };
    const ended = (): void => {
      if (isOver) return;
      end();
      this.#tryEnded();
    };
    const hearing = exchange.hear(dn, participantId, {
      opened,
      heard: (pcm) => {
        const mulaw = isOver ? NOTHING : reader.push(pcm);
        if (mulaw.byteLength > 0) events.heard(mulaw);
      },
      ended,
    });
    const speaking = exchange.speak(dn, participantId, { opened, ended });
    const end = (): void => {
      isOver = true;
      hearing.close();
      speaking.close();
    };
    this.#closeTry = end;
    this.#cancelTimer = clock.setTimer(ended, OPEN_DEADLINE_MS);
  }

  #tryEnded(): void {
    const { clock, events } = this.#options;
    this.#cancelTimer();
    if (this.#isClosed) return;
    if (this.#isOpen) {
      this.#isClosed = true;
      return events.broke();
    }
    const delayMs = RETRY_DELAYS_MS[this.#tries] ?? GIVE_UP_MS;
    this.#tries += 1;
    if (clock.now() + delayMs < this.#giveUpAtMs) this.#cancelTimer = clock.setTimer(() => this.#try(), delayMs);
    else {
      this.#isClosed = true;
      events.failed();
    }
  }
}

const NOTHING = Buffer.alloc(0);
