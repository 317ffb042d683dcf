/** Telephone calls over a 3CX: those to the app's route point, and those that it makes, heard and spoken by the Call Control API's audio. */
import type { CarrierTraits } from '../../call/words.ts';
import { ConfigError } from '../../errors.ts';
import type { Carrier, Line, LineOptions, ListedCall } from '../carrier.ts';
import { withLine } from '../with-line.ts';
import type { ExchangeEvent, Participant, ThreeCxClock, ThreeCxExchange, ThreeCxLog } from './exchange.ts';
import { dropParticipant } from './hang-up.ts';
import { ThreeCxLine } from './line.ts';
import { carrierCallIdOf, isSameNumber, nameInLog, readCarrierCallId } from './names.ts';
import { LONGEST_TRANSFER_MS } from './transfer.ts';

/** A call that rings with us. Whoever takes it makes a line of it with `carrier`; else it rings on, and 3CX goes on by its own rules. */
export interface IncomingCall {
  readonly carrier: Carrier;
  readonly uniqueId: string;
  /** As the telephone system tells it: anybody's text. */
  readonly from: string;
  readonly to: string;
}

export interface ThreeCxCarrierOptions {
  /** Whoever has made it closes it. */
  readonly exchange: ThreeCxExchange;
  /** The app's own: its client id. */
  readonly routePoint: string;
  /** Rejects with one of the four errors unless 3CX lists something to be called under this number without +. */
  readonly checkExtension: (extension: string) => Promise<void>;
  readonly clock: ThreeCxClock;
  readonly logger: ThreeCxLog;
  /** Absent: calls that come in are left ringing. */
  readonly incoming?: { readonly mayTake: () => boolean; readonly take: (call: IncomingCall) => void } | undefined;
}

const TRAITS: CarrierTraits = {
  // The queue is our own, and takes twice as much.
  lookAheadMs: 10_000,
  // What has been sent cannot be taken back: on average so much of what is sent ahead.
  clearLeavesMs: 50,
  clearEchoesMarks: false,
  canSay: false,
  canReattach: true,
  // Call Control has no action that presses keys.
  canSendDigits: false,
  canTransfer: true,
  transferMs: LONGEST_TRANSFER_MS,
};

/** Without events the calls that are not up yet are asked for so often. */
const POLL_MS = 2_000;
/** An outage of some minutes must not leave somebody on a silent line. */
const DROP_AGAIN_MS: readonly number[] = [1_000, 4_000, 15_000, 60_000, 120_000];

export function createThreeCxCarrier(options: ThreeCxCarrierOptions): Carrier {
  return new ThreeCxCarrier(options);
}

class ThreeCxCarrier implements Carrier {
  readonly name = '3cx';
  readonly traits = TRAITS;
  readonly webhooks = [];
  readonly sockets = [];
  readonly #options: ThreeCxCarrierOptions;
  readonly #lines = new Set<ThreeCxLine>();
  /** Wall clock, by participant: when it was seen first. 3CX tells no times. */
  readonly #firstSeen = new Map<number, number>();
  readonly #offered = new Set<number>();
  readonly #placing = new Set<Promise<unknown>>();
  readonly #stopListening: readonly (() => void)[];
  /** What is still to be put down. */
  readonly #late = new Set<() => void>();
  #cancelPoll: () => void = () => undefined;
  #isClosed = false;

  constructor(options: ThreeCxCarrierOptions) {
    this.#options = options;
    const { exchange } = options;
    this.#stopListening = [
      exchange.onEvent((event) => this.#take(event)),
      exchange.onStatus((status) => (status === 'connected' ? void this.#lookAgain() : this.#poll())),
    ];
    if (exchange.isConnected) void this.#lookAgain();
    else if (options.incoming?.mayTake()) this.#connect();
  }

  async preflight(): Promise<void> {
    const { exchange, routePoint } = this.#options;
    await exchange.ready();
    if ((await exchange.state()).some(({ dn }) => dn === routePoint)) return;
    throw new ConfigError(
      'The 3CX server does not show the route point of the app to it. PBX_CLIENT_ID must be the client id of the app (Admin Console, Integrations, API), and Call Control must be allowed there.',
      { settings: ['PBX_CLIENT_ID'] },
    );
  }

  line(options: LineOptions): Line {
    return this.#made(options, null);
  }

  async hangUpStranded(carrierCallId: string): Promise<'done' | 'gone' | 'failed'> {
    const { exchange, clock } = this.#options;
    const name = readCarrierCallId(carrierCallId);
    if (name === null) return 'gone';
    try {
      const participant = await exchange.participant(name.dn, name.participantId);
      const isOf = participant === null ? 'other' : name.isOf(participant);
      if (participant === null || isOf === 'other') return 'gone';
      if (isOf === 'unsure') return 'failed';
      // It rang on, and we have taken it since.
      if (this.#lineOf(participant.id)?.isIncoming) return 'gone';
      // Nobody was picked up: somebody can still take whoever calls.
      if (participant.status === 'Ringing') return 'gone';
    } catch {
      return 'failed';
    }
    return dropParticipant(exchange, clock, name.dn, name.participantId);
  }

  /** 3CX knows only the calls that are up, and not since when: those are left out that were there before. */
  async listCalls({ to, fromMs }: { readonly to: string; readonly fromMs: number }) {
    let participants: readonly Participant[];
    try {
      participants = await this.#participants();
    } catch {
      return 'failed';
    }
    const held = this.#held();
    return participants
      .filter((one) => isCallTo(one, to) && !held.has(one.id))
      .filter((one) => this.#firstSeenOf(one) >= fromMs)
      .map((one): ListedCall => ({ carrierCallId: carrierCallIdOf(one, to), isLive: true }));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelPoll();
    for (const cancel of this.#late) cancel();
    for (const stop of this.#stopListening) stop();
    for (const line of [...this.#lines]) line.release();
  }

  /** Nobody could call us else. It goes on trying by itself. */
  #connect(): void {
    const { exchange, logger } = this.#options;
    exchange
      .ready()
      .catch((err: unknown) => logger.warn({ err }, 'calls to the route point of 3CX cannot be taken yet'));
  }

  async #participants(): Promise<readonly Participant[]> {
    const { exchange, routePoint, clock } = this.#options;
    const participants = await exchange.participants(routePoint);
    for (const one of participants) if (!this.#firstSeen.has(one.id)) this.#firstSeen.set(one.id, clock.wall());
    return participants;
  }

  #take(event: ExchangeEvent): void {
    const isParticipant = event.kind === 'participant';
    if ((isParticipant ? event.participant.dn : event.dn) !== this.#options.routePoint) return;
    if (isParticipant) return this.#see(event.participant);
    const line = this.#lineOf(event.participantId);
    if (event.kind === 'digits') return line?.pressed(event.digits);
    this.#firstSeen.delete(event.participantId);
    this.#offered.delete(event.participantId);
    line?.gone();
  }

  #see(participant: Participant): void {
    const { id, status } = participant;
    if (!this.#firstSeen.has(id)) this.#firstSeen.set(id, this.#options.clock.wall());
    const line = this.#lineOf(id);
    if (line) line.see(participant);
    else if (status === 'Ringing' && !this.#offered.has(id)) void this.#ring(participant);
  }

  /** News may have been lost, or there are none. */
  async #lookAgain(): Promise<void> {
    let participants: readonly Participant[];
    try {
      participants = await this.#participants();
    } catch {
      return this.#poll();
    }
    if (this.#isClosed) return;
    const ids = new Set(participants.map(({ id }) => id));
    for (const id of [...this.#firstSeen.keys()]) if (!ids.has(id)) this.#firstSeen.delete(id);
    for (const participant of participants) this.#see(participant);
    // One that was placed while the list was on its way is not on it: each is asked for by itself.
    for (const line of [...this.#lines]) {
      if (line.isUp && line.participantId !== null && !ids.has(line.participantId)) void line.look();
    }
  }

  #poll(): void {
    this.#cancelPoll();
    if (this.#isClosed) return;
    this.#cancelPoll = this.#options.clock.setTimer(() => {
      if (this.#options.exchange.isConnected) return;
      if ([...this.#lines].some((line) => line.isUp)) void this.#lookAgain();
      this.#poll();
    }, POLL_MS);
  }

  /** Somebody calls. One who is there before our own call's id is known may be that call. */
  async #ring(participant: Participant): Promise<void> {
    const { incoming, logger, routePoint } = this.#options;
    this.#offered.add(participant.id);
    await Promise.allSettled(this.#placing);
    const isThere = this.#offered.has(participant.id) && this.#lineOf(participant.id) === undefined;
    if (!isThere || this.#isClosed || incoming?.mayTake() !== true) return;
    const from = participant.partyNumber ?? '';
    const uniqueId = carrierCallIdOf(participant, from);
    logger.info({ call: nameInLog(uniqueId) }, 'a call comes in');
    const line = (options: LineOptions): Line => this.#made(options, participant);
    incoming.take({
      carrier: withLine(this, line),
      uniqueId,
      from,
      to: participant.partyDid ?? routePoint,
    });
  }

  #made(options: LineOptions, incoming: Participant | null): ThreeCxLine {
    const lines = {
      placing: (placed: Promise<unknown>) => {
        this.#placing.add(placed);
        void placed.finally(() => this.#placing.delete(placed));
      },
      find: (seeker: Line, to: string, sinceMs: number) => this.#find(seeker, to, sinceMs),
      dropLate: (carrierCallId: string) => this.#dropLate(carrierCallId, 0),
      forget: () => void this.#lines.delete(made),
    };
    const made: ThreeCxLine = new ThreeCxLine({ ...this.#options, options, incoming, lines });
    this.#lines.add(made);
    return made;
  }

  async #find(seeker: Line, to: string, sinceMs: number): Promise<Participant | 'none' | 'unsure'> {
    const participants = await this.#participants();
    const held = this.#held();
    const found = participants.filter(
      (one) => isCallTo(one, to) && !held.has(one.id) && this.#firstSeenOf(one) >= sinceMs,
    );
    const [first] = found;
    if (first === undefined) return 'none';
    const hasRival = [...this.#lines].some((line) => line !== seeker && line.mayBe(to));
    return found.length > 1 || hasRival ? 'unsure' : first;
  }

  #dropLate(carrierCallId: string, tries: number): void {
    const { clock, logger } = this.#options;
    const call = nameInLog(carrierCallId);
    const delayMs = DROP_AGAIN_MS[tries];
    if (delayMs === undefined || this.#isClosed)
      return logger.warn({ call }, 'a call that nobody looks after could not be put down');
    const cancel = clock.setTimer(() => {
      this.#late.delete(cancel);
      void this.hangUpStranded(carrierCallId).then((outcome) => {
        if (outcome === 'failed') this.#dropLate(carrierCallId, tries + 1);
      });
    }, delayMs);
    this.#late.add(cancel);
  }

  #lineOf(participantId: number): ThreeCxLine | undefined {
    return [...this.#lines].find((line) => line.participantId === participantId);
  }

  #held(): ReadonlySet<number | null> {
    return new Set([...this.#lines].map((line) => line.participantId));
  }

  #firstSeenOf({ id }: Participant): number {
    return this.#firstSeen.get(id) ?? this.#options.clock.wall();
  }
}

/** One that rings is a call to us. */
function isCallTo({ status, partyNumber }: Participant, to: string): boolean {
  return status !== 'Ringing' && partyNumber !== null && isSameNumber(partyNumber, to);
}
