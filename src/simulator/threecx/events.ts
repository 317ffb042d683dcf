import type { WebSocket } from 'ws';
import type { ThreeCxFaults } from './faults.ts';

/** 3CX, Call Control API: kinds of events. */
const UPSERTED = 0;
const REMOVED = 1;
const DTMF = 2;
/** No participant ever has such an id. */
const FIRST_GHOST = 900_000;

/** The sockets of `/callcontrol/ws`, and the one sequence that numbers what they are told. That reconnecting does not start it anew is a guess. */
export class EventsSockets {
  readonly #faults: ThreeCxFaults;
  readonly #sockets = new Set<WebSocket>();
  #sequence = 0;
  #skipNext = false;
  #ghosts = 0;

  constructor(faults: ThreeCxFaults) {
    this.#faults = faults;
  }

  add(socket: WebSocket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  upserted(dn: string, participantId: number): void {
    const { ghostEvents = 0, duplicateEvents } = this.#faults;
    if (ghostEvents > 0) {
      this.#faults.ghostEvents = ghostEvents - 1;
      this.#send(UPSERTED, dn, FIRST_GHOST + this.#ghosts++, null);
    }
    this.#send(UPSERTED, dn, participantId, null);
    if (duplicateEvents) this.#send(UPSERTED, dn, participantId, null);
  }

  removed(dn: string, participantId: number): void {
    this.#send(REMOVED, dn, participantId, null);
  }

  pressed(dn: string, participantId: number, digit: string): void {
    const { nullDigits = 0 } = this.#faults;
    if (nullDigits > 0) this.#faults.nullDigits = nullDigits - 1;
    this.#send(DTMF, dn, participantId, nullDigits > 0 ? null : { dtmf_input: digit });
  }

  /** The next event is lost, and its number with it. */
  skip(): void {
    this.#skipNext = true;
  }

  /** Breaks all sockets without a word. */
  drop(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  #send(type: number, dn: string, participantId: number, data: object | null): void {
    this.#sequence += 1;
    if (this.#skipNext) {
      this.#skipNext = false;
      return;
    }
    const { nullEvents = 0 } = this.#faults;
    if (nullEvents > 0) this.#faults.nullEvents = nullEvents - 1;
    const entity = `/callcontrol/${dn}/participants/${participantId}`;
    const event = nullEvents > 0 ? null : { event_type: type, entity, attached_data: data };
    const text = JSON.stringify({ sequence: this.#sequence, event });
    for (const socket of this.#sockets) socket.send(text);
  }
}
