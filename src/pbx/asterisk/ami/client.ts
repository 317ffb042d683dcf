/** A connection to Asterisk's manager that lives for months: logged in again whenever it was lost, every action answered or failed in time. */
import { createHash, randomBytes } from 'node:crypto';
import { ConfigError, ProtocolError, UpstreamError } from '../../../errors.ts';
import { backoffMs } from '../../backoff.ts';
import { type AmiFields, type AmiMessage, encodeAction } from './message.ts';
import { type AmiItem, AmiParser } from './parser.ts';
import { type AmiAddress, type AmiTransport, openTransport } from './transport.ts';

/** A refusal by Asterisk itself. `said` is its own sentence, to tell cases apart by; it is not for readers. */
export class AmiRefusal extends UpstreamError {
  readonly said: string;
  constructor(action: string, said: string) {
    super(`Asterisk refused ${action}.`, { retryable: false });
    this.said = said;
  }
}

/** Asterisk has got the action, and did not say what became of it. Whether to repeat that is for who knows what the action does. */
export class AmiUncertain extends UpstreamError {}

export interface AmiClientOptions {
  readonly address: AmiAddress;
  readonly username: string;
  readonly secret: string;
  readonly clock: AmiClock;
  readonly logger: AmiLog;
  readonly random?: () => number;
  readonly connectTimeoutMs?: number;
  /** How long an action may take before it counts as failed. */
  readonly actionTimeoutMs?: number;
  /** After so much silence Asterisk is pinged. */
  readonly heartbeatMs?: number;
}

export interface AmiClock {
  now(): number;
  wall(): number;
  setTimer(fire: () => void, delayMs: number): () => void;
}

export interface AmiLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export type AmiEvent = Extract<AmiItem, { kind: 'event' }>;

/** `connected` comes with each login; what was known of the state of the telephone system before is out of date then. */
export type AmiStatus = 'connected' | 'disconnected';

export interface AmiClient {
  /** Resolves when logged in; rejects with why the latest try failed. The first use starts connecting. */
  ready(): Promise<void>;
  /** @throws AmiRefusal, AmiUncertain (timed out, lost), UpstreamError (not connected), UserInputError (a value that is no line) */
  send(action: string, fields?: AmiFields, timeoutMs?: number): Promise<AmiMessage>;
  /** An action whose end comes as an event of this name (with its ActionID), which may come before the answer. */
  outcome(action: string, fields: AmiFields, how: OutcomeOptions): Promise<AmiMessage>;
  /** A list action's items, without its first answer and its last event. */
  list(action: string, fields?: AmiFields): Promise<readonly AmiMessage[]>;
  onEvent(listener: (event: AmiEvent) => void): () => void;
  onStatus(listener: (status: AmiStatus) => void): () => void;
  readonly isConnected: boolean;
  close(): void;
}

export interface OutcomeOptions {
  readonly event: string;
  readonly timeoutMs: number;
  /** Asterisk has taken the action on. */
  readonly onAccepted?: () => void;
}

interface Pending {
  readonly action: string;
  readonly items: AmiMessage[] | null;
  readonly until: OutcomeOptions | null;
  readonly resolve: (answer: { readonly response: AmiMessage; readonly items: readonly AmiMessage[] }) => void;
  readonly reject: (error: Error) => void;
  readonly cancelTimer: () => void;
  response: AmiMessage | null;
}

const CONNECT_MS = 5_000;
const ACTION_MS = 5_000;
const HEARTBEAT_MS = 15_000;
/** More at once would be a fault of ours. */
const MOST_PENDING = 2_000;

export function createAmiClient(options: AmiClientOptions): AmiClient {
  return new LivingClient(options);
}

class LivingClient implements AmiClient {
  readonly #options: AmiClientOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #eventListeners = new Set<(event: AmiEvent) => void>();
  readonly #statusListeners = new Set<(status: AmiStatus) => void>();
  #transport: AmiTransport | null = null;
  #isConnected = false;
  #isClosed = false;
  #connecting: Promise<void> | null = null;
  #failure: Error | null = null;
  #tries = 0;
  /** Events tell every client how another one's action ended, by its ActionID: ours must be like nobody else's. */
  readonly #idPrefix = `sb-${randomBytes(6).toString('hex')}-`;
  #nextId = 1;
  #heardAtMs = 0;
  #cancelRetry: () => void = () => undefined;
  #cancelHeartbeat: () => void = () => undefined;

  constructor(options: AmiClientOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  async ready(): Promise<void> {
    if (this.#isConnected) return;
    if (this.#isClosed) throw new UpstreamError('The connection to Asterisk has been closed.', { retryable: false });
    // Between two tries whoever asks hears at once why the last one failed.
    if (this.#connecting === null && this.#failure !== null) throw this.#failure;
    await (this.#connecting ?? this.#connect());
  }

  async send(action: string, fields: AmiFields = {}, timeoutMs?: number): Promise<AmiMessage> {
    await this.ready();
    return (await this.#ask(action, fields, { timeoutMs })).response;
  }

  async outcome(action: string, fields: AmiFields, until: OutcomeOptions): Promise<AmiMessage> {
    await this.ready();
    return (await this.#ask(action, fields, { until, timeoutMs: until.timeoutMs })).response;
  }

  async list(action: string, fields: AmiFields = {}): Promise<readonly AmiMessage[]> {
    await this.ready();
    return (await this.#ask(action, fields, { isList: true })).items;
  }

  onEvent(listener: (event: AmiEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  onStatus(listener: (status: AmiStatus) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#transport?.close();
    this.#lost(null);
  }

  #connect(): Promise<void> {
    this.#cancelRetry();
    this.#connecting = this.#logIn().then(
      () => {
        this.#connecting = null;
        this.#failure = null;
        this.#tries = 0;
      },
      (error: unknown) => {
        this.#connecting = null;
        this.#failure = error instanceof Error ? error : new Error(String(error));
        this.#transport?.close();
        this.#transport = null;
        this.#retryLater();
        throw this.#failure;
      },
    );
    return this.#connecting;
  }

  async #logIn(): Promise<void> {
    const { address, connectTimeoutMs = CONNECT_MS, username, secret } = this.#options;
    const parser = new AmiParser();
    const transport = await openTransport(address, connectTimeoutMs, (chunk) => {
      if (this.#transport !== null && this.#transport !== transport) return;
      this.#heardAtMs = this.#options.clock.now();
      for (const item of parser.push(chunk)) this.#take(item);
    });
    if (this.#isClosed) {
      transport.close();
      throw new UpstreamError('The connection to Asterisk has been closed.', { retryable: false });
    }
    this.#transport = transport;
    void transport.closed.then((error) => {
      if (this.#transport === transport) this.#lost(error);
    });
    try {
      const { response } = await this.#ask('Challenge', { AuthType: 'MD5' });
      const key = createHash('md5')
        .update(response.get('Challenge') + secret)
        .digest('hex');
      await this.#ask('Login', { AuthType: 'MD5', Username: username, Key: key });
    } catch (error) {
      throw loginFailure(error, address);
    }
    this.#isConnected = true;
    this.#heardAtMs = this.#options.clock.now();
    this.#beat();
    for (const listener of [...this.#statusListeners]) listener('connected');
  }

  #lost(error: Error | null): void {
    const wasConnected = this.#isConnected;
    this.#transport = null;
    this.#isConnected = false;
    this.#cancelHeartbeat();
    const failure = new AmiUncertain(
      'The connection to Asterisk was lost before it answered, so it is not known whether the action was carried out.',
      { retryable: true, cause: error ?? undefined },
    );
    for (const [id, pending] of [...this.#pending]) {
      this.#pending.delete(id);
      pending.cancelTimer();
      pending.reject(failure);
    }
    if (!wasConnected) return;
    for (const listener of [...this.#statusListeners]) listener('disconnected');
    if (this.#isClosed) return;
    this.#options.logger.warn({ err: error }, 'the connection to Asterisk was lost');
    this.#failure = new UpstreamError('Asterisk’s manager is not connected at the moment. Try again in some seconds.', {
      retryable: true,
    });
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    const { clock, random = Math.random, logger } = this.#options;
    this.#cancelRetry();
    this.#cancelRetry = clock.setTimer(
      () => void this.#connect().catch((err: unknown) => logger.debug({ err }, 'Asterisk’s manager is still away')),
      backoffMs(this.#tries, random),
    );
    this.#tries += 1;
  }

  /** A peer that says nothing and does not answer a ping either is gone, whatever the network says. */
  #beat(): void {
    const { clock, heartbeatMs = HEARTBEAT_MS } = this.#options;
    this.#cancelHeartbeat = clock.setTimer(() => {
      const quietMs = clock.now() - this.#heardAtMs;
      if (quietMs < heartbeatMs) return this.#beat();
      const transport = this.#transport;
      this.#ask('Ping', {}).then(
        () => this.#beat(),
        () => transport?.close(),
      );
    }, heartbeatMs);
  }

  #ask(
    action: string,
    fields: AmiFields,
    how: { readonly isList?: boolean; readonly until?: OutcomeOptions; readonly timeoutMs?: number | undefined } = {},
  ): Promise<{ readonly response: AmiMessage; readonly items: readonly AmiMessage[] }> {
    const { clock, actionTimeoutMs = ACTION_MS } = this.#options;
    const transport = this.#transport;
    return new Promise((resolve, reject) => {
      if (transport === null)
        return reject(new UpstreamError('Asterisk’s manager is not connected.', { retryable: true }));
      if (this.#pending.size >= MOST_PENDING)
        return reject(new UpstreamError('Too many actions wait for Asterisk already.', { retryable: true }));
      const id = `${this.#idPrefix}${this.#nextId}`;
      this.#nextId += 1;
      transport.write(encodeAction(action, id, fields));
      const cancelTimer = clock.setTimer(() => {
        this.#pending.delete(id);
        const message = `Asterisk did not answer ${action} in time, so it is not known whether it was carried out.`;
        reject(new AmiUncertain(message, { retryable: true }));
      }, how.timeoutMs ?? actionTimeoutMs);
      const items = how.isList === true ? [] : null;
      const until = how.until ?? null;
      this.#pending.set(id, { action, items, until, resolve, reject, cancelTimer, response: null });
    });
  }

  #take(item: AmiItem): void {
    switch (item.kind) {
      case 'banner':
        return;
      case 'event':
        return this.#takeEvent(item);
      case 'response':
        return this.#takeResponse(item);
      default:
        item satisfies never;
    }
  }

  #takeResponse({ ok, message }: Extract<AmiItem, { kind: 'response' }>): void {
    const id = message.get('ActionID');
    const pending = this.#pending.get(id);
    if (!pending) return;
    if (ok && pending.items !== null && message.get('EventList').toLowerCase() === 'start') {
      pending.response = message;
      return;
    }
    if (ok && pending.until !== null) return pending.until.onAccepted?.();
    this.#settle(id, pending, ok, message);
  }

  #takeEvent(event: AmiEvent): void {
    const id = event.message.get('ActionID');
    const pending = id === '' ? undefined : this.#pending.get(id);
    if (pending?.items && pending.response) {
      const end = event.message.get('EventList').toLowerCase();
      if (end === 'complete' || end === 'cancelled') this.#settle(id, pending, end === 'complete', pending.response);
      else pending.items.push(event.message);
      return;
    }
    if (pending?.until?.event === event.name) this.#settle(id, pending, true, event.message);
    for (const listener of [...this.#eventListeners]) listener(event);
  }

  #settle(id: string, pending: Pending, ok: boolean, response: AmiMessage): void {
    this.#pending.delete(id);
    pending.cancelTimer();
    if (ok) pending.resolve({ response, items: pending.items ?? [] });
    else pending.reject(new AmiRefusal(pending.action, response.get('Message')));
  }
}

/** Nothing was asked for yet, so nothing is uncertain: what came instead of an answer to the login says what is wrong. */
function loginFailure(error: unknown, { host, port }: AmiAddress): unknown {
  if (error instanceof AmiRefusal) return refusedLogin(error);
  if (!(error instanceof AmiUncertain)) return error;
  if (error.cause instanceof ProtocolError) return error.cause;
  return new UpstreamError(
    `Asterisk's manager at ${host}:${port} cannot be reached: what listens there did not answer the login. Check AMI_HOST, AMI_PORT and AMI_TLS (5038 is the usual port without TLS, 5039 the one with it).`,
    { retryable: true, cause: error },
  );
}

function refusedLogin(cause: Error): ConfigError {
  return new ConfigError(
    'Asterisk’s manager refused the login. Check AMI_USERNAME and AMI_SECRET against manager.conf, and its permit line: the last line that matches wins, so deny comes before permit.',
    { cause, settings: ['AMI_USERNAME', 'AMI_SECRET'] },
  );
}
