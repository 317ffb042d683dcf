import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../app.ts';
import { compose } from '../compose.ts';
import { LOCAL_ACCESS } from '../config/access.ts';
import type { ConfigReading } from '../config/config.ts';
import { keptApart } from '../config/simulated.ts';
import { ConfigError } from '../errors.ts';
import { offerOf } from '../mcp/offer.ts';
import { type Doorway, openDoorway } from '../mcp/relay/doorway.ts';
import type { Hello } from '../mcp/relay/handshake.ts';
import { ownerWords, RELAY_PROTOCOL, removeOwnerFile, writeOwnerFile } from '../mcp/relay/owner-file.ts';
import { refusingCalls } from '../mcp/relay/refusing-calls.ts';
import type { Upstream } from '../mcp/relay/relay.ts';
import { type Differences, differencesTo } from '../mcp/relay/shared-settings.ts';
import { serveStdio } from '../mcp/stdio.ts';
import { thisProcess } from '../process-identity.ts';
import { type OwnerLock, tryOwnerLock } from '../store/sqlite/owner-lock.ts';
import type { Logger } from '../switchboard/logger.ts';
import { VERSION } from '../version.ts';
import { letCallsGoFirst } from './threads.ts';

/** How long live calls get for their goodbye when nobody is there for them any more. */
const DRAIN_MS = 10_000;
/** Between two tries to become the owner. */
const AGAIN_MS = 250;

export interface TelephoneOptions {
  readonly reading: ConfigReading;
  readonly logger: Logger;
  readonly kind: 'stdio' | 'serve';
  readonly privateListener: boolean;
}

/** The server of this process: it owns the telephone of its data folder, and serves the clients of other processes too. */
export class Telephone {
  readonly app: App;
  readonly #options: TelephoneOptions;
  readonly #dataDir: string;
  #lock: OwnerLock | null = null;
  /** Another process has the telephone. */
  #taken = false;
  #waited = false;
  #complaint = '';
  #doorway: Doorway | null = null;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  readonly #local: { close(): Promise<void> }[] = [];

  /** With `lock` undefined it tries to get one by itself, and does not listen to the telephone before it has. */
  constructor(options: TelephoneOptions, lock?: OwnerLock | null) {
    this.#options = options;
    const { reading, logger, privateListener } = options;
    this.#dataDir = keptApart(reading.config).dataDir;
    if (lock === undefined) this.#tryLock();
    else this.#own(lock);
    this.app = compose({
      reading,
      logger,
      privateListener,
      mayListen: () => (this.#taken ? this.#takenError() : null),
    });
    void this.app.started.then(letCallsGoFirst, letCallsGoFirst);
  }

  /** A client of this very process. */
  async serveHere(): Promise<Upstream> {
    const toServer = new PassThrough();
    const fromServer = new PassThrough();
    const session = await serveStdio({
      ...this.#serving(),
      session: { access: LOCAL_ACCESS, transport: 'stdio', offer: offerOf(this.#options.reading) },
      input: toServer,
      output: fromServer,
    });
    this.#local.push(session);
    return { readable: fromServer, writable: toServer };
  }

  /**
   * Takes no new calls, lets the live ones go on for as long as clients of other processes are there for them and `hurry` does not
   * come, ends what is left with a goodbye, and leaves the telephone to another process.
   */
  async stop(hurry?: Promise<unknown>): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.app.retire();
    if (hurry !== undefined) await Promise.race([this.#unneeded(), hurry]);
    await this.app.stop(DRAIN_MS, hurry);
    for (const session of this.#local) await session.close();
    if (this.#doorway) removeOwnerFile(this.#dataDir, this.#doorway.token);
    this.#lock?.release();
    await this.#doorway?.close();
  }

  /** Resolves when there is no call left, or nobody of another process who could follow one. */
  async #unneeded(): Promise<void> {
    const left = this.#doorway?.empty();
    let deserted = left === undefined;
    void left?.then(() => {
      deserted = true;
    });
    // A call is told to have ended before everything of it is written down, so the end of the last one is looked for.
    while (this.app.liveCalls() > 0 && !deserted) await delay(AGAIN_MS);
  }

  #tryLock(): void {
    try {
      const lock = tryOwnerLock(this.#dataDir);
      this.#taken = lock === null;
      this.#waited ||= this.#taken;
      this.#own(lock);
      if (lock !== null) return;
    } catch (error) {
      // Without a folder nobody can have the telephone; the store says what is wrong with it.
      this.#taken = false;
      this.#complain(error);
    }
    this.#timer = setTimeout(() => this.#tryLock(), AGAIN_MS);
  }

  /** Once for each trouble, however often it is tried again. */
  #complain(err: unknown): void {
    // The message may name another file each time.
    const complaint = err instanceof Error && 'code' in err ? String(err.code) : String(err);
    if (complaint !== this.#complaint)
      this.#options.logger.warn({ err }, 'other processes do not find this one; it is tried again');
    this.#complaint = complaint;
  }

  #own(lock: OwnerLock | null): void {
    this.#lock = lock;
    if (lock === null) return;
    void this.#open().catch((err: unknown) => {
      this.#complain(err);
      if (!this.#ended) this.#timer = setTimeout(() => this.#own(lock), AGAIN_MS);
    });
  }

  async #open(): Promise<void> {
    const { kind, logger } = this.#options;
    const doorway =
      this.#doorway ??
      (await openDoorway({
        welcome: { kind, version: VERSION },
        serve: (socket, hello) => this.#serveOther(socket, hello),
        logger,
      }));
    if (this.#ended) return doorway.close();
    this.#doorway = doorway;
    const { port, token } = doorway;
    writeOwnerFile(this.#dataDir, {
      protocol: RELAY_PROTOCOL,
      version: VERSION,
      kind,
      process: thisProcess(),
      port,
      token,
    });
    if (this.#waited) this.app.wake();
  }

  #serving() {
    const { switchboard, systems, audit } = this.app;
    const { logger } = this.#options;
    return { switchboard, ...systems, version: VERSION, logger, status: () => this.app.status(), audit };
  }

  #serveOther(socket: Socket, hello: Hello) {
    const token = this.#doorway?.token ?? '';
    const differences = differencesTo(this.#options.reading.config, hello.settings, token);
    const refusal = refusalFor(differences);
    const notices = noticesFor(differences, hello.version);
    const serving = this.#serving();
    return serveStdio({
      ...serving,
      ...(refusal === null ? {} : { switchboard: refusingCalls(serving.switchboard, refusal) }),
      status: () => [...serving.status(), ...notices],
      session: { access: LOCAL_ACCESS, transport: 'relay', offer: hello.offer },
      input: socket,
      output: socket,
    });
  }

  #takenError(): ConfigError {
    return new ConfigError(
      `${ownerWords(this.#dataDir)} owns the telephone of this data folder; this one takes over as soon as that one has ended.`,
      { settings: ['DATA_DIR'] },
    );
  }
}

function refusalFor({ binding, unreadable }: Differences): ConfigError | null {
  if (unreadable.length > 0)
    return new ConfigError(
      `This client was set up with ${unreadable.join(', ')} in a form that cannot be read, so no call is placed for it. Correct that where the client's settings are, and restart it; its log says what is wrong.`,
      { settings: unreadable },
    );
  if (binding.length === 0) return null;
  return new ConfigError(
    `This client was set up with another ${binding.join(', ')} than the Switchboard process that owns the telephone, which another client started. Its calls would not be the ones that were set up here, so none is placed. Give both the same settings, or this one a DATA_DIR and a PORT of its own, and restart them.`,
    { settings: binding },
  );
}

function noticesFor({ others }: Differences, version: string): readonly string[] {
  const notices: string[] = [];
  if (others.length > 0)
    notices.push(
      `The settings ${others.join(', ')} of this client have no effect: the Switchboard process that owns the telephone, which another client started, has others.`,
    );
  if (version !== VERSION)
    notices.push(
      `The Switchboard process that owns the telephone is of version ${VERSION}, this client started ${version}.`,
    );
  return notices;
}
