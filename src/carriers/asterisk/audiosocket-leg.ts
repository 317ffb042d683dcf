import type { Socket } from 'node:net';
import { FRAME_BYTES, SILENCE_BYTE } from '../../media/mulaw.ts';
import { type AudioSocketFrame, AudioSocketReader, audioFrame, hangUpFrame } from './audiosocket.ts';
import type { DownlinkClock } from './downlink.ts';
import type { LegEvents, MediaLeg } from './leg.ts';

const FRAME_MS = 20;
/** A process that was held up sends what it owes, but no more than this at once: the telephone would lose it. */
const MOST_OWED = 10;

type Entry = { readonly bytes: Uint8Array; taken: number } | { readonly mark: readonly [number, number] };

/** AudioSocket: Asterisk plays at once what it is given, so the pace, the queue and the marks are ours. */
export class AudioSocketLeg implements MediaLeg {
  readonly #socket: Socket;
  readonly #clock: DownlinkClock;
  readonly #reader = new AudioSocketReader();
  #queue: Entry[] = [];
  #events: LegEvents | null = null;
  #identify: ((uuid: string) => void) | null = null;
  #nextAtMs = 0;
  #isClosed = false;
  #ended: 'stopped' | 'dropped' | null = null;
  #cancel: () => void = () => undefined;

  /** `identify` is told once which call this is, as its first frame says. */
  constructor(socket: Socket, clock: DownlinkClock, identify: (uuid: string) => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#identify = identify;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const frame of this.#reader.push(chunk)) this.#take(frame);
    });
    // When somebody hangs up Asterisk just closes it in order.
    socket.on('end', () => this.#end('stopped'));
    socket.on('close', () => this.#end('dropped'));
  }

  listen(events: LegEvents): void {
    this.#events = events;
    if (this.#ended !== null) {
      events.started();
      // Whoever called may have given up meanwhile.
      return events.ended(this.#ended);
    }
    this.#nextAtMs = this.#clock.now();
    events.started();
    this.#tick();
  }

  /** The dial plan has answered it before. */
  answer(): void {}

  play(bytes: Uint8Array): void {
    this.#queue.push({ bytes, taken: 0 });
  }

  mark(generation: number, markId: number): void {
    this.#queue.push({ mark: [generation, markId] });
    if (this.#queue.length === 1) this.#passMarks();
  }

  clear(): void {
    this.#queue = [];
  }

  hangUp(): void {
    this.#socket.write(hangUpFrame());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    this.#socket.end(hangUpFrame());
    // Asterisk closes as well; what does not is not waited for.
    this.#clock.setTimer(() => this.#socket.destroy(), 1_000);
  }

  #take(frame: AudioSocketFrame): void {
    if (this.#isClosed) return;
    switch (frame.kind) {
      case 'id':
        this.#identify?.(frame.uuid);
        this.#identify = null;
        return;
      case 'audio':
        return this.#events?.heard(frame.bytes);
      case 'digit':
        return this.#events?.pressed(frame.digit);
      case 'hang-up':
      case 'error':
        return this.#end('stopped');
      case 'other':
        return;
      default:
        frame satisfies never;
    }
  }

  #end(how: 'stopped' | 'dropped'): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ended = how;
    this.#cancel();
    this.#socket.end();
    this.#events?.ended(how);
  }

  /** The nth frame is due at a time that does not drift with the timers. Nothing to say is silence, so that the telephone hears a live line. */
  #tick(): void {
    const lateMs = this.#clock.now() - this.#nextAtMs;
    if (lateMs > MOST_OWED * FRAME_MS) this.#nextAtMs = this.#clock.now();
    while (this.#nextAtMs <= this.#clock.now()) {
      this.#socket.write(audioFrame(this.#frame()));
      this.#nextAtMs += FRAME_MS;
    }
    this.#cancel = this.#clock.setTimer(() => this.#tick(), this.#nextAtMs - this.#clock.now());
  }

  #frame(): Uint8Array {
    const frame = new Uint8Array(FRAME_BYTES).fill(SILENCE_BYTE);
    let filled = 0;
    for (let entry = this.#queue[0]; entry !== undefined && filled < FRAME_BYTES; entry = this.#queue[0]) {
      // Told when the frame behind it begins: what is before it has been played then.
      if ('mark' in entry) {
        this.#passMarks();
        continue;
      }
      const piece = entry.bytes.subarray(entry.taken, entry.taken + FRAME_BYTES - filled);
      frame.set(piece, filled);
      filled += piece.byteLength;
      entry.taken += piece.byteLength;
      if (entry.taken === entry.bytes.byteLength) this.#queue.shift();
    }
    return frame;
  }

  #passMarks(): void {
    for (let entry = this.#queue[0]; entry !== undefined && 'mark' in entry; entry = this.#queue[0]) {
      this.#queue.shift();
      const [generation, markId] = entry.mark;
      queueMicrotask(() => {
        if (!this.#isClosed) this.#events?.marked(generation, markId);
      });
    }
  }
}
