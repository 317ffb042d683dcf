import type { Answer, Callee } from '../callee/callee.ts';
import { AppAudio } from './audio.ts';
import type { Station } from './office.ts';

export type LegStatus = 'Dialing' | 'Ringing' | 'Connected';

/** One end of a call; what Call Control names a participant. */
export interface Leg {
  readonly id: number;
  readonly legId: number;
  readonly call: PhoneCall;
  readonly station: Station;
  status: LegStatus;
  /** Whom it shows as the other side. */
  party: Station;
  /** Whom it hears; null while it waits. */
  peer: Leg | null;
  referredBy: Station | null;
  /** Who takes the receiver once it is connected; null for nobody in particular, who stays silent, and for the app. */
  arrive: (() => Callee) | null;
  person: Callee | null;
  /** Of the app's route point. */
  readonly audio: AppAudio | null;
  /** The 20 ms that it said last. */
  said: Uint8Array | null;
  connectedTick: number;
}

/** Why a target was not reached, or a call ended. */
export type EndCause = 'completed' | 'busy' | 'failed' | 'no-answer' | 'rejected' | 'unregistered';

export interface CallWorld {
  readonly answer: (to: string) => Answer;
  /** DN of the app. */
  readonly routePoint: string;
  readonly wall: () => number;
  newLegId(): number;
  changed(leg: Leg): void;
  removed(leg: Leg): void;
  pressed(leg: Leg, digit: string): void;
  ended(call: PhoneCall): void;
}

/** A target that rings for the leg `other`. `from` is who hands `other` over, and gets it back when nobody answers. */
interface Attempt {
  readonly leg: Leg;
  readonly other: Leg;
  readonly from: Leg | null;
  readonly ringMs: number;
  readonly timers: NodeJS.Timeout[];
}

const FRAME_MS = 20;
/** How soon 3CX gives up on a telephone that is not there. */
const UNREGISTERED_MS = 30;

/**
 * One call: who rings whom, who hears whom, and the clock of its sound. How 3CX tells the caller's participant that a target was
 * busy, failed or did not answer is not attested: here, in `#lose`, the call just ends and its participants are removed, the
 * same for all three. That the participant of who transfers stays `Connected` while the target rings is a guess too.
 */
export class PhoneCall {
  readonly id: number;
  readonly from: Station;
  readonly to: Station;
  readonly startedAtMs: number;
  answeredAtMs: number | null = null;
  endedAtMs: number | null = null;
  cause: EndCause | null = null;
  readonly legs: Leg[] = [];
  readonly #world: CallWorld;
  #attempts: Attempt[] = [];
  #clock: NodeJS.Timeout | undefined;
  #startMs = 0;
  #tick = 0;
  #legs = 0;
  lostBytes = 0;

  constructor(id: number, from: Station, to: Station, world: CallWorld) {
    this.id = id;
    this.from = from;
    this.to = to;
    this.#world = world;
    this.startedAtMs = world.wall();
  }

  /** Rings the target, and gives both ends. */
  dial(ringMs: number, caller: (() => Callee) | null): { readonly caller: Leg; readonly called: Leg } {
    const leg = this.#add(this.from, 'Dialing', this.to, caller);
    return { caller: leg, called: this.#ring(this.to, leg, null, ringMs) };
  }

  get isOver(): boolean {
    return this.endedAtMs !== null;
  }

  /** Somebody takes up a ringing telephone; nothing when it does not ring any more. */
  pickUp(leg: Leg, person: (() => Callee) | null): void {
    const attempt = this.#attempts.find((one) => one.leg === leg);
    if (attempt === undefined) return;
    this.#settle(attempt);
    for (const rival of this.#attempts.filter((one) => one.other === attempt.other)) {
      this.#settle(rival);
      this.#remove(rival.leg);
    }
    this.answeredAtMs ??= this.#world.wall();
    leg.arrive = person;
    leg.referredBy = attempt.from?.station ?? null;
    this.#connect(attempt.other, leg);
    if (attempt.from !== null) this.#remove(attempt.from);
    this.#run();
  }

  /** Ends that leg's part: of a ringing target its ringing, else the call. That the latter also holds in the midst of a transfer is a guess. */
  drop(leg: Leg): void {
    const attempt = this.#attempts.find((one) => one.leg === leg);
    if (attempt !== undefined) this.#lose(attempt, 'rejected');
    else this.end(this.answeredAtMs === null ? 'rejected' : 'completed');
  }

  /** Rings the target for whom `leg` speaks to, who waits meanwhile. The leg must be connected to somebody. */
  transfer(leg: Leg, to: Station, ringMs: number): void {
    const other = leg.peer;
    if (other === null) return;
    other.peer = null;
    leg.peer = null;
    this.#ring(to, other, leg, ringMs);
  }

  /** A ringing telephone's call rings there instead. */
  divert(leg: Leg, to: Station): void {
    const attempt = this.#attempts.find((one) => one.leg === leg);
    if (attempt === undefined) return;
    this.#settle(attempt);
    this.#remove(leg);
    this.#ring(to, attempt.other, attempt.from, attempt.ringMs);
    if (attempt.from === null) this.#show(attempt.other, to);
  }

  /** Rings there as well; the first to answer has the call. */
  alsoRing(leg: Leg, to: Station, ringMs: number): void {
    const attempt = this.#attempts.find((one) => one.leg === leg);
    if (attempt !== undefined) this.#ring(to, attempt.other, attempt.from, ringMs);
    else this.transfer(leg, to, ringMs);
  }

  /** Whom `leg` speaks to waits at that place, and `leg` is out. Gives who waits. */
  park(leg: Leg, place: Station): Leg | null {
    const other = leg.peer;
    if (other === null) return null;
    other.peer = null;
    this.#remove(leg);
    this.#show(other, place);
    return other;
  }

  /** Somebody takes a parked call back. */
  takeBack(waiting: Leg, station: Station): Leg {
    const leg = this.#add(station, 'Dialing', waiting.station, null);
    this.#connect(waiting, leg);
    return leg;
  }

  end(cause: EndCause): void {
    if (this.isOver) return;
    this.endedAtMs = this.#world.wall();
    this.cause = cause;
    clearTimeout(this.#clock);
    for (const attempt of [...this.#attempts]) this.#settle(attempt);
    for (const leg of [...this.legs]) this.#remove(leg);
    this.#world.ended(this);
  }

  #add(station: Station, status: LegStatus, party: Station, arrive: (() => Callee) | null): Leg {
    const { routePoint } = this.#world;
    const leg: Leg = {
      id: this.#world.newLegId(),
      legId: ++this.#legs,
      call: this,
      station,
      status,
      party,
      peer: null,
      referredBy: null,
      arrive,
      person: null,
      audio: station.dn === routePoint ? new AppAudio() : null,
      said: null,
      connectedTick: 0,
    };
    this.legs.push(leg);
    this.#world.changed(leg);
    return leg;
  }

  #show(leg: Leg, party: Station): void {
    leg.party = party;
    this.#world.changed(leg);
  }

  #remove(leg: Leg): void {
    const at = this.legs.indexOf(leg);
    if (at < 0) return;
    this.legs.splice(at, 1);
    this.lostBytes += leg.audio?.lostBytes ?? 0;
    leg.audio?.end();
    this.#world.removed(leg);
  }

  #ring(target: Station, other: Leg, from: Leg | null, ringMs: number): Leg {
    const leg = this.#add(target, 'Ringing', other.station, null);
    const attempt: Attempt = { leg, other, from, ringMs, timers: [] };
    this.#attempts.push(attempt);
    const after = (delayMs: number, work: () => void): void => {
      attempt.timers.push(setTimeout(work, delayMs));
    };
    after(ringMs, () => this.#lose(attempt, 'no-answer'));
    if (leg.audio !== null) return leg;
    if (!target.isReachable) {
      after(UNREGISTERED_MS, () => this.#lose(attempt, 'unregistered'));
      return leg;
    }
    const answer = this.#world.answer(target.number);
    if (answer.kind === 'answers') after(answer.ringMs, () => this.pickUp(leg, answer.callee));
    else if (answer.kind === 'busy') after(answer.ringMs, () => this.#lose(attempt, 'busy'));
    else if (answer.kind === 'fails') after(answer.ringMs, () => this.#lose(attempt, 'failed'));
    return leg;
  }

  #settle(attempt: Attempt): void {
    for (const timer of attempt.timers) clearTimeout(timer);
    this.#attempts = this.#attempts.filter((one) => one !== attempt);
  }

  #lose(attempt: Attempt, cause: EndCause): void {
    this.#settle(attempt);
    this.#remove(attempt.leg);
    const { other, from } = attempt;
    if (this.#attempts.some((one) => one.other === other)) return;
    if (from === null) this.end(cause);
    else this.#connect(from, other);
  }

  #connect(one: Leg, two: Leg): void {
    for (const [leg, other] of [
      [one, two],
      [two, one],
    ] as const) {
      if (leg.status !== 'Connected') leg.connectedTick = this.#tick;
      leg.status = 'Connected';
      leg.person ??= leg.arrive?.() ?? null;
      leg.peer = other;
      this.#show(leg, other.station);
    }
  }

  #run(): void {
    if (this.#clock !== undefined || this.isOver) return;
    this.#startMs = performance.now();
    this.#schedule();
  }

  /** The nth frame is due at a time that does not drift with the timers. */
  #schedule(): void {
    const dueMs = this.#startMs + (this.#tick + 1) * FRAME_MS;
    this.#clock = setTimeout(
      () => {
        this.#sound();
        this.#tick += 1;
        if (!this.isOver) this.#schedule();
      },
      Math.max(0, dueMs - performance.now()),
    );
  }

  /** 20 ms: the app is taken first, so that it is heard at once; two people hear each other a frame late. */
  #sound(): void {
    const connected = this.legs.filter((leg) => leg.status === 'Connected');
    for (const leg of connected) if (leg.audio !== null) leg.said = leg.audio.take();
    const turns = connected.flatMap((leg) => {
      if (leg.person === null) return [];
      const atMs = (this.#tick - leg.connectedTick) * FRAME_MS;
      return [{ leg, ...leg.person.tick(leg.peer?.said ?? null, atMs) }];
    });
    for (const { leg, spoken } of turns) leg.said = spoken;
    for (const leg of connected) leg.audio?.hear(leg.peer?.said ?? null);
    for (const { leg, digit, hangUp } of turns) {
      if (digit !== undefined && leg.peer?.audio) this.#world.pressed(leg.peer, digit);
      if (hangUp) this.end('completed');
    }
  }
}
