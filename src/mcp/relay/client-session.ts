/**
 * What has to be remembered of one client so that the server behind it can be replaced: pure bookkeeping on lines of JSON-RPC.
 * Ids of the client's requests pass as they are, since each client has a server of its own. Ids of the server's requests are made
 * unique, since the next server would use the same ones again.
 */

import { errorMessage, type Id, INTERNAL_ERROR, INVALID_REQUEST, isId, parsedJson } from '../json-rpc.ts';

interface Message {
  readonly id?: Id;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: unknown;
}

interface Pending {
  readonly id: Id;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly line: string;
}

export interface Lines {
  readonly toClient: readonly string[];
  readonly toServer: readonly string[];
}

const NOTHING: Lines = { toClient: [], toServer: [] };
/** Waiting for a server; a client has a few. */
const MOST_WAITING = 1_000;
const MOST_WAITING_LETTERS = 8 * 1024 * 1024;
const FULL =
  'Too many requests are waiting for the Switchboard process that owns the telephone. Ask again in a moment.';
/** In front of the ids of requests that are ours, or a server's. */
const OURS = 'switchboard-relay';

export class ClientSession {
  /** Counts the servers. */
  #generation = 0;
  #connected = false;
  #initialize: Pending | null = null;
  /** The client has heard the answer to its `initialize`. */
  #initialized = false;
  #saidInitialized: string | null = null;
  readonly #subscribed = new Map<string, Pending>();
  readonly #pending = new Map<string, Pending>();
  readonly #waiting: { readonly key: string | null; readonly line: string }[] = [];
  #waitingLetters = 0;
  /** Requests of the present server that the client has not answered: the id it sees, and the server's own. */
  readonly #asked = new Map<string, Id>();
  /** Ids of replayed requests, whose answers the client has heard before. */
  readonly #replayed = new Set<string>();

  /** A line of the client's that is JSON. `untaken`: how much of what the present server was sent it has not taken in yet. */
  fromClient(line: string, untaken = 0): Lines {
    const message = parsed(line);
    const isFull = this.#isFull(line.length, untaken);
    // What is no message goes to the server as well, which says what is wrong with it.
    if (message === null) return isFull ? NOTHING : this.#pass(null, line);
    if (message.method === undefined && ('result' in message || 'error' in message)) return this.#answered(message);
    if (message.method === 'notifications/initialized') this.#saidInitialized = line;
    if (message.method === 'notifications/cancelled' && this.#forget(message.params?.requestId)) return NOTHING;
    if (!isId(message.id) || message.method === undefined) return isFull ? NOTHING : this.#pass(null, line);
    const key = keyOf(message.id);
    // Two answers with one id could not be told apart.
    if (this.#pending.has(key))
      return refusal(message.id, INVALID_REQUEST, 'A request with this id is under way already. Give each its own.');
    if (isFull) return refusal(message.id, INTERNAL_ERROR, FULL);
    this.#pending.set(key, { id: message.id, method: message.method, params: message.params ?? {}, line });
    return this.#pass(key, line);
  }

  /** A line of the present server's. */
  fromServer(line: string): readonly string[] {
    const message = parsed(line);
    if (message === null) return [line];
    if (message.method !== undefined) return [this.#fromServersSide(message, line)];
    if (message.id === undefined) return [line];
    const key = keyOf(message.id);
    if (this.#replayed.delete(key)) return [];
    const pending = this.#pending.get(key);
    this.#pending.delete(key);
    if (pending && message.error === undefined) this.#remember(pending);
    return [line];
  }

  /** The server has gone: what it will not answer any more, told to the client. */
  lost(): readonly string[] {
    this.#connected = false;
    const lines: string[] = [];
    for (const requestId of this.#asked.keys())
      lines.push(notice('notifications/cancelled', { requestId, reason: 'The server has been replaced.' }));
    this.#asked.clear();
    this.#replayed.clear();
    const unanswered = [...this.#pending];
    this.#pending.clear();
    for (const [key, pending] of unanswered) {
      // Nothing has come of it yet, so the next server may answer it.
      if (pending.method === 'initialize') this.#putBack(key, pending);
      else lines.push(errorLine(pending.id, INTERNAL_ERROR, sentenceFor(pending)));
    }
    return lines;
  }

  /** There is a new server: what it has to hear first, and what has waited for it. */
  regained(): Lines {
    this.#generation += 1;
    this.#connected = true;
    const toServer: string[] = [];
    const toClient: string[] = [];
    if (this.#initialize !== null && this.#initialized) {
      toServer.push(...this.#replay(this.#initialize, 'initialize'));
      if (this.#saidInitialized !== null) toServer.push(this.#saidInitialized);
      for (const [uri, pending] of this.#subscribed) {
        toServer.push(...this.#replay(pending, uri));
        // It may have changed while nobody told.
        toClient.push(notice('notifications/resources/updated', { uri }));
      }
      if (this.#subscribed.size > 0) toClient.push(notice('notifications/resources/list_changed', {}));
    }
    toServer.push(...this.#waiting.map(({ line }) => line));
    this.#waiting.length = 0;
    this.#waitingLetters = 0;
    return { toServer, toClient };
  }

  /** No server comes: what has waited is refused with `sentence`. Later requests wait again. */
  giveUp(sentence: string): readonly string[] {
    const lines: string[] = [];
    for (const { key } of this.#waiting.splice(0)) {
      const pending = key === null ? undefined : this.#pending.get(key);
      if (key === null || pending === undefined) continue;
      this.#pending.delete(key);
      lines.push(errorLine(pending.id, INTERNAL_ERROR, sentence));
    }
    this.#waitingLetters = 0;
    return lines;
  }

  /** True while the client has no answer yet to something that it asked. */
  get isOwing(): boolean {
    return this.#pending.size > 0;
  }

  #pass(key: string | null, line: string): Lines {
    if (this.#connected) return { toClient: [], toServer: [line] };
    // It is told to each new server anyway.
    if (line === this.#saidInitialized && this.#initialized) return NOTHING;
    this.#waiting.push({ key, line });
    this.#waitingLetters += line.length;
    return NOTHING;
  }

  #isFull(letters: number, untaken: number): boolean {
    const before = this.#connected ? untaken : this.#waitingLetters;
    return this.#waiting.length >= MOST_WAITING || before + letters > MOST_WAITING_LETTERS;
  }

  #putBack(key: string, pending: Pending): void {
    this.#pending.set(key, pending);
    this.#pass(key, pending.line);
    // A client may say this without having heard the answer.
    if (!this.#initialized && this.#saidInitialized !== null) this.#pass(null, this.#saidInitialized);
  }

  /** The client's answer to a server's request: for the present server, or for nobody any more. */
  #answered(message: Message): Lines {
    if (message.id === undefined) return NOTHING;
    const id = this.#asked.get(String(message.id));
    if (id === undefined) return NOTHING;
    this.#asked.delete(String(message.id));
    const unreadable = errorLine(id, INTERNAL_ERROR, 'The answer could not be passed on.');
    return this.#pass(null, written({ ...message, id }) ?? unreadable);
  }

  /** True when the cancelled request has not been sent yet: then nobody needs to know. */
  #forget(requestId: unknown): boolean {
    if (!isId(requestId)) return false;
    const key = keyOf(requestId);
    this.#pending.delete(key);
    const at = this.#waiting.findIndex((one) => one.key === key);
    if (at < 0) return false;
    const [gone] = this.#waiting.splice(at, 1);
    this.#waitingLetters -= gone?.line.length ?? 0;
    return true;
  }

  #fromServersSide(message: Message, line: string): string {
    if (isId(message.id)) {
      const seen = `${OURS}-${this.#generation}-${keyOf(message.id)}`;
      this.#asked.set(seen, message.id);
      return JSON.stringify({ ...message, id: seen });
    }
    const requestId = message.method === 'notifications/cancelled' ? message.params?.requestId : undefined;
    if (!isId(requestId)) return line;
    const seen = `${OURS}-${this.#generation}-${keyOf(requestId)}`;
    if (!this.#asked.delete(seen)) return line;
    return JSON.stringify({ ...message, params: { ...message.params, requestId: seen } });
  }

  #remember(pending: Pending): void {
    const uri = String(pending.params.uri);
    if (pending.method === 'initialize') {
      this.#initialize = pending;
      this.#initialized = true;
    } else if (pending.method === 'resources/subscribe') this.#subscribed.set(uri, pending);
    else if (pending.method === 'resources/unsubscribe') this.#subscribed.delete(uri);
  }

  #replay({ line }: Pending, what: string): readonly string[] {
    const id = `${OURS}-${this.#generation}-${what}`;
    const again = written({ ...parsed(line), id });
    if (again === null) return [];
    this.#replayed.add(keyOf(id));
    return [again];
  }
}

/** What became of a request whose server went away before it answered. A call must not be dialled twice for it. */
function sentenceFor({ method, params }: Pending): string {
  const gone = 'The Switchboard process that served this request has ended, and another one takes over.';
  if (method !== 'tools/call') return `${gone} Ask again.`;
  if (params.name !== 'trigger-call')
    return `${gone} Look with list-calls and get-call at what has happened, then use the tool again.`;
  const args = params.arguments;
  const hasKey = typeof args === 'object' && args !== null && 'idempotencyKey' in args;
  return hasKey
    ? `${gone} The call may have been placed: repeat trigger-call with the same idempotencyKey and the same arguments, which never dials twice.`
    : `${gone} The call may have been placed: look with list-calls before anything else, and do not simply place it again.`;
}

function errorLine(id: Id, code: number, message: string): string {
  return JSON.stringify(errorMessage(id, code, message));
}

function refusal(id: Id, code: number, message: string): Lines {
  return { toClient: [errorLine(id, code, message)], toServer: [] };
}

function notice(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}

/** 1 and "1" are two ids. */
function keyOf(id: Id): string {
  return JSON.stringify(id);
}

/** Null when it is no message that needs to be remembered. */
function parsed(line: string): Message | null {
  const value = parsedJson(line);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Message) : null;
}

/** Null for what is nested so deep that it can be read, but not written. */
function written(message: object): string | null {
  try {
    return JSON.stringify(message);
  } catch {
    return null;
  }
}
