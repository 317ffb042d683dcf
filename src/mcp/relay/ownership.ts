import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError, ProtocolError } from '../../errors.ts';
import { greetOwner, type Hello } from './handshake.ts';
import { type OwnerFile, RELAY_PROTOCOL, readOwnerFile } from './owner-file.ts';
import type { Upstream } from './relay.ts';

export interface OwnershipOptions<Lock> {
  readonly dataDir: string;
  readonly version: string;
  readonly offer: Hello['offer'];
  /** Digests of the settings that this process was given, made with the owner's token. */
  readonly digests: (token: string) => Readonly<Record<string, string>>;
  /** Null while another process has the lock. @throws ConfigError when the folder cannot be used. */
  readonly tryLock: () => Lock | null;
  /** Becomes the owner. `lock` is null where none could be had at all: then nobody else will find this process. */
  readonly own: (lock: Lock | null) => Promise<Upstream>;
  readonly logger: { info(details: object, message: string): void; warn(details: object, message: string): void };
}

/** Between two looks. */
const LOOK_MS = 50;
const CONNECT_MS = 2_000;
/** After a refusal, which will not be another one in a moment. */
const REFUSED_MS = 2_000;
/** A service that is restarted is back by then. */
const RESTART_MS = 5_000;
const NOBODY = 'The Switchboard process that owns the telephone does not answer. Try again in a moment.';

/** Finds the server for this process's client: the one that owns the telephone, or this process, when nobody does. */
export class Ownership<Lock> {
  readonly #options: OwnershipOptions<Lock>;
  #trouble = NOBODY;
  #lost: OwnerFile['kind'] | null = null;

  constructor(options: OwnershipOptions<Lock>) {
    this.#options = options;
  }

  /** Why there is no server yet. */
  trouble(): string {
    return this.#trouble;
  }

  /** Resolves when there is one; rejects when `signal` is aborted before. */
  async connect(signal: AbortSignal): Promise<Upstream> {
    const lockFromMs = this.#lost === 'serve' ? performance.now() + RESTART_MS : 0;
    // One that lets clients in and breaks down each time must not be asked without a pause.
    if (this.#lost !== null) await pause(LOOK_MS, signal);
    for (;;) {
      signal.throwIfAborted();
      const lock = performance.now() < lockFromMs ? null : this.#tryLock();
      if (lock !== null) return this.#options.own(lock.lock);
      const socket = await this.#join(signal);
      if (socket !== null) return { readable: socket, writable: socket };
      await pause(LOOK_MS, signal);
    }
  }

  #tryLock(): { readonly lock: Lock | null } | null {
    try {
      const lock = this.#options.tryLock();
      return lock === null ? null : { lock };
    } catch (error) {
      // The server itself says it better, to whoever uses a tool.
      this.#options.logger.warn({ err: error }, 'other processes will not find this one');
      return { lock: null };
    }
  }

  /** Null when there is no owner yet, none any more, or none that lets this client in. */
  async #join(signal: AbortSignal): Promise<Socket | null> {
    const owner = readOwnerFile(this.#options.dataDir);
    this.#trouble = owner === null ? NOBODY : this.#trouble;
    if (owner === null) return null;
    const { pid } = owner.process;
    const socket = await dial(owner.port, signal);
    try {
      if (socket === null) throw new ProtocolError('Nobody listens at the port of the owner.');
      const { version, offer, digests } = this.#options;
      const hello = { protocol: RELAY_PROTOCOL, version, pid: process.pid, offer, settings: digests(owner.token) };
      const { kind } = await greetOwner(socket, owner.token, hello);
      this.#lost = kind;
      this.#options.logger.info({ owner: pid }, 'another process owns the telephone; the client is served through it');
      return socket;
    } catch (error) {
      socket?.destroy();
      const isRefused = error instanceof ConfigError;
      this.#trouble = isRefused
        ? error.message
        : `Another Switchboard process (pid ${pid}) owns the telephone and does not answer. End it, or the client that started it, and try again.`;
      if (isRefused) await pause(REFUSED_MS, signal);
      return null;
    }
  }
}

/** With some chance, so that several processes do not look at the same moment each time. Rejects when aborted. */
async function pause(atLeastMs: number, signal: AbortSignal): Promise<void> {
  await delay(atLeastMs * (1 + Math.random()), undefined, { signal });
}

/** The socket ends with `signal`. Null when nobody listens. */
function dial(port: number, signal: AbortSignal): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, signal });
    const failed = (): void => {
      socket.destroy();
      resolve(null);
    };
    socket.setTimeout(CONNECT_MS, failed);
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', failed);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}
