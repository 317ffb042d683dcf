/** Both ends of a call in the carrier contract: what our side was told, and what the callee heard. */
import type { CarrierEvent, LineStatus } from '../../src/call/events.ts';
import type { CallId } from '../../src/call/words.ts';
import type { Carrier, Line } from '../../src/carriers/carrier.ts';
import { FRAME_BYTES, msOfBytes, SILENCE_BYTE } from '../../src/media/mulaw.ts';
import type { Answer, Callee, CalleeTurn } from '../../src/simulator/callee/callee.ts';

/** The number that every call of the contract suite dials. */
export const TO = '+14155550123';

export interface Placed {
  readonly line: Line;
  readonly events: CarrierEvent[];
  readonly mediaTimes: number[];
  onEnded: (line: Line) => void;
  bytes(): Buffer;
  marks(): readonly string[];
  until<T extends CarrierEvent['type']>(type: T, count?: number): Promise<Extract<CarrierEvent, { type: T }>>;
  status(status: LineStatus): Promise<void>;
  mark(name: string): Promise<void>;
  heard(enough: (bytes: Buffer) => boolean): Promise<void>;
  heardMore(frames: number): Promise<void>;
}

let calls = 0;

export function place(carrier: Carrier, ringMs = 20_000): Placed {
  const events: CarrierEvent[] = [];
  const sounds: Uint8Array[] = [];
  const mediaTimes: number[] = [];
  const waiting = new Waiting();
  calls += 1;
  const line = carrier.line({
    callId: `call-${calls}` as CallId,
    emit: (event) => {
      events.push(event);
      if (event.type === 'carrier.streamEnded') placed.onEnded(line);
      waiting.look();
    },
    hear: (sound, mediaMs) => {
      sounds.push(sound.bytes());
      mediaTimes.push(mediaMs);
      waiting.look();
    },
  });
  const told = (): string =>
    events.map((event) => ('status' in event ? `${event.type} ${event.status}` : event.type)).join(', ');
  const marks = (): readonly string[] =>
    events.flatMap((event) => (event.type === 'carrier.markEchoed' ? [`${event.generation}:${event.markId}`] : []));
  const placed: Placed = {
    line,
    events,
    mediaTimes,
    onEnded: () => undefined,
    bytes: () => Buffer.concat(sounds),
    marks,
    until: (type, count = 1) =>
      waiting.for(
        () =>
          events.filter((event): event is Extract<CarrierEvent, { type: typeof type }> => event.type === type)[
            count - 1
          ],
        () => `${type}; there was ${told()}`,
      ),
    status: async (status) => {
      await waiting.for(
        () => events.find((event) => event.type === 'carrier.progressed' && event.status === status),
        () => `${status}; there was ${told()}`,
      );
    },
    mark: async (name) => {
      await waiting.for(
        () => marks().includes(name) || undefined,
        () => `mark ${name}; there was ${marks().join()}`,
      );
    },
    heard: async (enough) => {
      await waiting.for(
        () => enough(Buffer.concat(sounds)) || undefined,
        () => `audio; there were ${sounds.length} frames`,
      );
    },
    heardMore: async (frames) => {
      const wanted = sounds.length + frames;
      await waiting.for(
        () => sounds.length >= wanted || undefined,
        () => `${wanted} frames`,
      );
    },
  };
  line.dial({ to: TO, ringMs, maxMs: 60_000 });
  return placed;
}

class Waiting {
  private readonly looks = new Set<() => void>();

  look(): void {
    for (const look of [...this.looks]) look();
  }

  for<T>(find: () => T | undefined, what: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.looks.delete(look);
        reject(new Error(`There was no ${what()}`));
      }, 10_000);
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(deadline);
        this.looks.delete(look);
        resolve(found);
      };
      this.looks.add(look);
      look();
    });
  }
}

/** A callee who notes every byte that reaches the ear, and says, presses and hangs up when told to. */
export class Probe implements Callee {
  private readonly frames: Uint8Array[] = [];
  private readonly waiting = new Waiting();
  private speech = Buffer.alloc(0);
  private digit: string | null = null;
  private wantsToHangUp = false;

  tick(heard: Uint8Array | null): CalleeTurn {
    if (heard !== null) this.frames.push(heard.slice());
    const spoken = this.speech.byteLength === 0 ? null : this.speech.subarray(0, FRAME_BYTES);
    this.speech = this.speech.subarray(FRAME_BYTES);
    const turn: CalleeTurn = {
      spoken,
      hangUp: this.wantsToHangUp,
      ...(this.digit === null ? {} : { digit: this.digit }),
    };
    this.digit = null;
    this.waiting.look();
    return turn;
  }

  say(speech: Buffer): void {
    this.speech = Buffer.concat([this.speech, speech]);
  }

  press(digit: string): void {
    this.digit = digit;
  }

  hangUp(): void {
    this.wantsToHangUp = true;
  }

  heardBytes(): Buffer {
    return Buffer.concat(this.frames);
  }

  async until(enough: () => boolean): Promise<void> {
    await this.waiting.for(
      () => enough() || undefined,
      () => `end of what the callee should hear; it heard ${msOfBytes(voiced(this.heardBytes()).byteLength)} ms`,
    );
  }
}

export function answers(probe: Probe, ringMs = 30): Answer {
  return { kind: 'answers', ringMs, callee: () => probe };
}

/** Reproducible bytes of which none is silence, so that silence between them can be told apart. */
export function noise(byteLength: number, seed: number): Buffer {
  let state = seed * 2_654_435_761;
  return Buffer.from(
    Array.from({ length: byteLength }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      // Neither of the two zeros of µ-law: over linear samples they become one.
      return (state >>> 24) % (SILENCE_BYTE >> 1);
    }),
  );
}

export function voiced(bytes: Buffer): Buffer {
  return bytes.filter((byte) => byte !== SILENCE_BYTE) as Buffer;
}
