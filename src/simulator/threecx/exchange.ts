import type { Answer, Callee } from '../callee/callee.ts';
import { type CallWorld, type Leg, PhoneCall } from './call.ts';
import type { EventsSockets } from './events.ts';
import type { Office, Station } from './office.ts';
import { Refused } from './reply.ts';

export interface ExchangeOptions {
  readonly office: Office;
  readonly events: EventsSockets;
  readonly answer: (to: string) => Answer;
  readonly wall: () => number;
}

export type Placed = { readonly leg: Leg } | { readonly reason: string; readonly reasonText: string };

const DEFAULT_RING_MS = 30_000;
const SILENT: Callee = { tick: () => ({ spoken: null }) };

/** By default every telephone is taken up by somebody who stays silent. */
export const SILENT_OFFICE = (): Answer => ({ kind: 'answers', ringMs: 300, callee: () => SILENT });

/** The telephony inside: all calls of the office, whether the app may see them or not. */
export class Exchange {
  readonly calls = new Map<number, PhoneCall>();
  /** Calls that are over, oldest first. */
  readonly past: PhoneCall[] = [];
  readonly #options: ExchangeOptions;
  readonly #world: CallWorld;
  readonly #parked = new Map<string, Leg>();
  #lastCallId = 0;
  #lastLegId = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { office, events } = options;
    const ifListed = (leg: Leg, tell: (dn: string) => void): void => {
      if (office.isListed(leg.station.dn)) tell(leg.station.dn);
    };
    this.#world = {
      answer: options.answer,
      routePoint: office.routePoint,
      wall: options.wall,
      newLegId: () => ++this.#lastLegId,
      changed: (leg) => ifListed(leg, (dn) => events.upserted(dn, leg.id)),
      removed: (leg) => ifListed(leg, (dn) => events.removed(dn, leg.id)),
      pressed: (leg, digit) => ifListed(leg, (dn) => events.pressed(dn, leg.id, digit)),
      ended: (call) => {
        this.calls.delete(call.id);
        this.past.push(call);
        for (const [place, leg] of this.#parked) if (leg.call === call) this.#parked.delete(place);
      },
    };
  }

  legsAt(dn: string): readonly Leg[] {
    return [...this.calls.values()].flatMap((call) => call.legs.filter((leg) => leg.station.dn === dn));
  }

  get lostBytes(): number {
    const all = [...this.calls.values(), ...this.past];
    return all.reduce(
      (sum, call) => sum + call.lostBytes + call.legs.reduce((own, leg) => own + (leg.audio?.lostBytes ?? 0), 0),
      0,
    );
  }

  /**
   * A call from an extension or the route point. It says `Dialing` at once, as in 3CX's sample; that an extension's telephone would
   * ring its owner first is left out. An extension without a telephone cannot make one: that its envelope says so is a guess.
   */
  place(dn: string, destination: string, ringMs = DEFAULT_RING_MS, deviceId?: string): Placed {
    const station = this.#options.office.station(dn);
    const from = station === null || deviceId === undefined ? station : { ...station, deviceId };
    const to = this.#options.office.station(destination);
    if (from === null || !from.isReachable)
      return { reason: 'PhoneNotRegistered', reasonText: 'The extension has no registered telephone.' };
    if (to === null || to.dn === dn)
      return { reason: 'NoDestinations', reasonText: 'There is no route to the destination.' };
    if (!this.#isParking(to)) return { leg: this.#begin(from, to, ringMs, null).caller };
    const waiting = this.#parked.get(to.dn);
    if (waiting === undefined) return { reason: 'NoDestinations', reasonText: 'Nobody is parked there.' };
    this.#parked.delete(to.dn);
    return { leg: waiting.call.takeBack(waiting, from) };
  }

  /** A call of somebody outside, or of an extension where `from` is one. */
  ring(to: string, from: string, name: string, callee: () => Callee, ringMs = DEFAULT_RING_MS): Leg {
    const stations = [this.#options.office.station(from, name), this.#options.office.station(to)] as const;
    if (stations[0] === null || stations[1] === null) throw new Error('The simulated office knows no such number');
    return this.#begin(stations[0], stations[1], ringMs, callee).called;
  }

  /** What an action of the Call Control API does (3CX, Call Control API: participant actions). Refused with 422 in the wrong state; that it is 422 for all but `answer` is a guess. */
  act(leg: Leg, action: string, body: Readonly<Record<string, unknown>>): void {
    const isRinging = leg.status === 'Ringing';
    const ringMs = typeof body.timeout === 'number' ? body.timeout * 1_000 : DEFAULT_RING_MS;
    switch (action) {
      case 'answer':
        if (!isRinging || (leg.audio === null && !leg.station.directControl))
          throw new Refused(422, 'The participant cannot be answered.');
        return leg.call.pickUp(leg, leg.audio === null ? this.#personAt(leg.station) : null);
      case 'drop':
        return leg.call.drop(leg);
      case 'divert':
        if (!isRinging) throw new Refused(422, 'Only a ringing participant can be diverted.');
        return leg.call.divert(leg, this.#telephone(body));
      case 'routeto':
        if (leg.status === 'Dialing') throw new Refused(422, 'The participant cannot be routed.');
        if (leg.status === 'Connected') this.#mustSpeak(leg);
        return leg.call.alsoRing(leg, this.#telephone(body), ringMs);
      case 'transferto':
        this.#mustSpeak(leg);
        return this.#transfer(leg, this.#target(body), ringMs);
      default:
        // attach_participant_data and attach_party_data: how it would come back is not attested, so it goes nowhere.
        return;
    }
  }

  dropStreams(): void {
    for (const call of this.calls.values()) for (const leg of call.legs) leg.audio?.drop();
  }

  endAll(): void {
    for (const call of [...this.calls.values()]) call.end('completed');
  }

  #begin(from: Station, to: Station, ringMs: number, caller: (() => Callee) | null): ReturnType<PhoneCall['dial']> {
    const call = new PhoneCall(++this.#lastCallId, from, to, this.#world);
    this.calls.set(call.id, call);
    return call.dial(ringMs, caller);
  }

  #personAt(station: Station): (() => Callee) | null {
    const answer = this.#options.answer(station.number);
    return answer.kind === 'answers' ? answer.callee : null;
  }

  #mustSpeak(leg: Leg): void {
    if (leg.status !== 'Connected' || leg.peer === null)
      throw new Refused(422, 'Only a connected participant can be handed over.');
  }

  #target(body: Readonly<Record<string, unknown>>): Station {
    const { destination } = body;
    const station = typeof destination === 'string' ? this.#options.office.station(destination) : null;
    if (station === null) throw new Refused(422, 'There is no route to the destination.');
    return station;
  }

  /** A target that can ring. */
  #telephone(body: Readonly<Record<string, unknown>>): Station {
    const station = this.#target(body);
    if (this.#isParking(station)) throw new Refused(422, 'Nothing rings at a parking place.');
    return station;
  }

  #isParking(station: Station): boolean {
    return this.#options.office.peer(station.dn)?.type === 'Parking';
  }

  /** That a transfer to a parking place parks the call, and a call to that place takes it back, is a guess. */
  #transfer(leg: Leg, to: Station, ringMs: number): void {
    if (!this.#isParking(to)) return leg.call.transfer(leg, to, ringMs);
    if (this.#parked.has(to.dn)) throw new Refused(422, 'Somebody is parked there already.');
    const waiting = leg.call.park(leg, to);
    if (waiting !== null) this.#parked.set(to.dn, waiting);
  }
}
