/** The live calls of a 3CX v20 by its Call Control API, as long as the process lives. */
import { UpstreamError } from '../../errors.ts';
import type {
  CallControl,
  CallControlClock,
  CallControlEvent,
  ControlledDn,
  HearEvents,
  Participant,
  ParticipantAction,
  SpeakEvents,
} from './call-control.ts';
import { checkEnvelope } from './envelope.ts';
import { createEvents, type Events } from './events.ts';
import { type Ask, frameOf, LiveState } from './live-state.ts';
import type { ThreeCxLog } from './operations.ts';
import { controlledDnsOf, devicesOf, participantOf, participantsOf } from './participants.ts';
import { isRefusal, nullOn, uncertain } from './refusals.ts';
import type { Rest } from './rest.ts';
import { hear, speak } from './stream.ts';
import type { Tokens } from './token.ts';

export interface ClientOptions {
  readonly baseUrl: string;
  readonly tokens: Tokens;
  readonly rest: Rest;
  readonly clock: CallControlClock;
  readonly logger: ThreeCxLog;
  readonly random?: (() => number) | undefined;
}

export interface LivingCallControl extends CallControl {
  /** All was looked at again, whether by plan, after a gap, or when connected. */
  onSnapshot(listener: () => void): () => void;
}

/** Events may be lost without a gap that shows, as at the end of a count. */
const RECONCILE_MS = 45_000;

export function createCallControl(options: ClientOptions): LivingCallControl {
  return new LivingClient(options);
}

class LivingClient implements LivingCallControl {
  readonly #options: ClientOptions;
  readonly #events: Events;
  readonly #state: LiveState;
  readonly #eventListeners = new Set<(event: CallControlEvent) => void>();
  readonly #statusListeners = new Set<(status: 'connected' | 'disconnected') => void>();
  readonly #snapshotListeners = new Set<() => void>();
  /** By entity: being looked at, and what is to be looked at next. */
  readonly #looks = new Map<string, Extract<Ask, { kind: 'participant' }> | null>();
  #isStarted = false;
  #isClosed = false;
  #isConnected = false;
  /** Counts connections: what belongs to an earlier one is of no use any more. */
  #epoch = 0;
  #failure: Error | null = null;
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #isSnapshotDue = false;
  #isSnapshotting = false;
  #cancelReconcile: () => void = () => undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#state = new LiveState((event) => {
      for (const listener of [...this.#eventListeners]) listener(event);
    });
    this.#events = createEvents({
      ...options,
      random: options.random ?? Math.random,
      opened: () => this.#opened(),
      received: (text) => this.#received(text),
      lost: (why, isTriedNow) => this.#lost(why, isTriedNow),
    });
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  async ready(): Promise<void> {
    if (this.#isConnected) return;
    if (this.#isClosed) throw closed();
    // Between two tries whoever asks hears at once why the last one failed.
    if (this.#failure !== null) throw this.#failure;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#isStarted) return;
      this.#isStarted = true;
      this.#events.open();
    });
  }

  async state(): Promise<readonly ControlledDn[]> {
    await this.ready();
    return this.#state.dns();
  }

  async devices(dn: string) {
    const { body } = await this.#options.rest.get(`${pathOf(dn)}/devices`, 'to list the telephones of an extension');
    return devicesOf(body, dn);
  }

  async participant(dn: string, participantId: number): Promise<Participant | null> {
    const path = participantPath(dn, participantId);
    const answer = await this.#options.rest.get(path, 'to show a call').catch(nullOn(404));
    return answer === null ? null : participantOf(answer.body, dn);
  }

  async participants(dn: string): Promise<readonly Participant[]> {
    const { body } = await this.#options.rest.get(`${pathOf(dn)}/participants`, 'to list the calls of an extension');
    return participantsOf(body, dn);
  }

  async makeCall(request: Parameters<CallControl['makeCall']>[0]): Promise<Participant> {
    const { dn, deviceId, destination, timeoutSeconds, attachedData } = request;
    const device = deviceId === undefined ? '' : `/devices/${encodeURIComponent(deviceId)}`;
    const what = 'to place the call';
    const { body } = await this.#options.rest.change(
      'POST',
      `${pathOf(dn)}${device}/makecall`,
      {
        destination,
        timeout: timeoutSeconds,
        reason: 'None',
        ...(attachedData === undefined ? {} : { attacheddata: attachedData }),
      },
      what,
    );
    const participant = participantOf(checkEnvelope(body, what), dn);
    if (participant === null)
      throw uncertain('3CX took the call on, but did not say which one it is, so it may have been placed.');
    this.#state.placed(participant);
    return participant;
  }

  async act(
    dn: string,
    participantId: number,
    action: ParticipantAction,
    body: { readonly destination?: string; readonly timeoutSeconds?: number } = {},
  ): Promise<void> {
    const { destination, timeoutSeconds } = body;
    const what = ACTIONS[action];
    const answer = await this.#options.rest.change(
      'POST',
      `${participantPath(dn, participantId)}/${action}`,
      {
        ...(destination === undefined ? {} : { destination }),
        ...(timeoutSeconds === undefined ? {} : { timeout: timeoutSeconds }),
      },
      what,
    );
    checkEnvelope(answer.body, what);
  }

  hear(dn: string, participantId: number, events: HearEvents) {
    return hear(this.#options, `${participantPath(dn, participantId)}/stream`, events);
  }

  speak(dn: string, participantId: number, events: SpeakEvents) {
    return speak(this.#options, `${participantPath(dn, participantId)}/stream`, events);
  }

  onEvent(listener: (event: CallControlEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  onStatus(listener: (status: 'connected' | 'disconnected') => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  onSnapshot(listener: () => void): () => void {
    this.#snapshotListeners.add(listener);
    return () => this.#snapshotListeners.delete(listener);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.close();
    this.#disconnected();
    this.#failed(closed());
  }

  #opened(): void {
    this.#epoch += 1;
    this.#state.connected();
    this.#looks.clear();
    this.#isSnapshotting = false;
    void this.#snapshot();
  }

  #lost(why: Error, isTriedNow: boolean): void {
    if (this.#isConnected) this.#options.logger.warn({ err: why }, 'the events of 3CX were lost');
    this.#disconnected();
    // Who waits need not hear of a token that was old.
    if (!isTriedNow) this.#failed(why);
  }

  #failed(why: Error): void {
    this.#failure = why;
    for (const one of this.#waiting.splice(0)) one.reject(why);
  }

  #disconnected(): void {
    const wasConnected = this.#isConnected;
    this.#epoch += 1;
    this.#isConnected = false;
    this.#cancelReconcile();
    if (wasConnected) for (const listener of [...this.#statusListeners]) listener('disconnected');
  }

  #received(text: string): void {
    for (const ask of this.#state.frame(frameOf(text))) {
      if (ask.kind === 'snapshot') void this.#snapshot();
      else void this.#look(ask);
    }
  }

  /** One at a time; what is asked for meanwhile is asked for once more. */
  async #snapshot(): Promise<void> {
    this.#isSnapshotDue = true;
    if (this.#isSnapshotting) return;
    this.#isSnapshotting = true;
    const epoch = this.#epoch;
    try {
      while (this.#isSnapshotDue) {
        this.#isSnapshotDue = false;
        const order = this.#state.snapshotAsked();
        const { body } = await this.#options.rest.get('/callcontrol', 'to list the calls that the app may see');
        if (epoch !== this.#epoch) return;
        this.#state.snapshot(order, controlledDnsOf(body));
      }
      this.#isSnapshotting = false;
      this.#settled();
    } catch (error) {
      // Events alone tell nothing: as if there were no connection.
      if (epoch === this.#epoch) this.#events.breakOff(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #settled(): void {
    this.#cancelReconcile();
    this.#cancelReconcile = this.#options.clock.setTimer(() => void this.#snapshot(), RECONCILE_MS);
    this.#failure = null;
    if (!this.#isConnected) {
      this.#isConnected = true;
      for (const one of this.#waiting.splice(0)) one.resolve();
      for (const listener of [...this.#statusListeners]) listener('connected');
    }
    for (const listener of [...this.#snapshotListeners]) listener();
  }

  /** Of one entity one look at a time; of many changes meanwhile only the last matters. */
  async #look(ask: Extract<Ask, { kind: 'participant' }>): Promise<void> {
    const key = `${ask.dn}/${ask.id}`;
    if (this.#looks.has(key)) {
      this.#looks.set(key, ask);
      return;
    }
    const epoch = this.#epoch;
    this.#looks.set(key, null);
    let isUnknown = false;
    try {
      const participant = await this.participant(ask.dn, ask.id);
      if (epoch === this.#epoch) this.#state.looked(ask.dn, ask.id, ask.order, participant);
    } catch (error) {
      // One that the app may not see is none of ours.
      isUnknown = !isRefusal(error, 403);
      this.#options.logger.debug({ err: error }, 'a call of 3CX could not be looked at');
    }
    if (epoch !== this.#epoch) return;
    const next = this.#looks.get(key) ?? null;
    this.#looks.delete(key);
    if (next !== null) return await this.#look(next);
    if (isUnknown) void this.#snapshot();
  }
}

function closed(): UpstreamError {
  return new UpstreamError('The connection to 3CX has been closed.', { retryable: false });
}

const ACTIONS: Readonly<Record<ParticipantAction, string>> = {
  answer: 'to answer the call',
  drop: 'to end the call',
  divert: 'to send the ringing call on',
  routeto: 'to ring another telephone',
  transferto: 'to transfer the call',
};

function pathOf(dn: string): string {
  return `/callcontrol/${encodeURIComponent(dn)}`;
}

function participantPath(dn: string, participantId: number): string {
  return `${pathOf(dn)}/participants/${participantId}`;
}
