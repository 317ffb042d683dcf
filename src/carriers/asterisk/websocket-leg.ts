import type { MediaSocket } from '../carrier.ts';
import { Downlink, type DownlinkClock } from './downlink.ts';
import type { LegEvents, MediaLeg } from './leg.ts';
import { ANSWER, HANG_UP, type MediaEvent, readMediaEvent } from './stream.ts';

/** chan_websocket: Asterisk plays what it is given at its own pace, and tells of marks. */
export class WebSocketLeg implements MediaLeg {
  readonly #socket: MediaSocket;
  readonly #downlink: Downlink;
  #events: LegEvents | null = null;
  #isStarted = false;
  #isClosed = false;
  #ended: 'stopped' | 'dropped' | null = null;

  /** `isStarted`: its first message has been read already. */
  constructor(socket: MediaSocket, clock: DownlinkClock, isStarted = false) {
    this.#socket = socket;
    this.#isStarted = isStarted;
    this.#downlink = new Downlink((data) => socket.send(data), clock);
    socket.onMessage((data, isBinary) => {
      if (this.#isClosed) return;
      if (isBinary) this.#events?.heard(data);
      else this.#obey(readMediaEvent(data.toString('utf8')));
    });
    socket.onClose((code) => this.#end(code === 1000 ? 'stopped' : 'dropped'));
  }

  listen(events: LegEvents): void {
    this.#events = events;
    if (this.#isStarted) events.started();
    // Whoever called may have given up meanwhile.
    if (this.#ended !== null) events.ended(this.#ended);
  }

  answer(): void {
    this.#socket.send(ANSWER);
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

  hangUp(): void {
    this.#socket.send(HANG_UP);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#downlink.close();
    this.#socket.close(1000);
  }

  #obey(event: MediaEvent | null): void {
    switch (event?.kind) {
      case 'start':
        if (this.#isStarted) return;
        if (!event.isMulaw8k) return this.#socket.close(1003);
        this.#isStarted = true;
        return this.#events?.started();
      case 'mark':
        return this.#events?.marked(event.generation, event.markId);
      case 'digit':
        return this.#events?.pressed(event.digit);
      case 'full':
        return this.#downlink.hold();
      case 'room':
        return this.#downlink.goOn();
      default:
    }
  }

  #end(how: 'stopped' | 'dropped'): void {
    this.#downlink.close();
    this.#ended = how;
    if (!this.#isClosed) this.#events?.ended(how);
  }
}
