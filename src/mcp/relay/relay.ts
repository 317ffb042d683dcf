import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createLineGuard } from '../lines.ts';
import { ClientSession, type Lines } from './client-session.ts';

/** The server that answers at the moment, in this process or in another one. */
export interface Upstream {
  /** Ends when the server has gone. */
  readonly readable: Readable;
  readonly writable: Writable;
}

export interface RelayOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Resolves with the next server as soon as there is one; rejects, when aborted, with anything. */
  readonly connect: (signal: AbortSignal) => Promise<Upstream>;
  /** Why there is none yet, as a sentence for the client. */
  readonly trouble: () => string;
  readonly logger: { debug(details: object, message: string): void; error(details: object, message: string): void };
  /** How long a request waits for a server. */
  readonly patienceMs?: number;
}

export interface Relay {
  /** Resolves once with the reason when the client has gone. Never rejects. */
  readonly closed: Promise<string>;
  /** Resolves when the client has an answer to everything that it asked, after a moment in any case. */
  answered(): Promise<void>;
  /** Lets go of the server, and stops listening to the client. Waits for neither of them. */
  close(): Promise<void>;
}

/** Longer than one owner of the telephone needs to follow another, shorter than a client waits. */
const PATIENCE_MS = 20_000;
/** After a try that failed at once. */
const AGAIN_MS = 100;
/** For answers that are on their way when the client leaves; one that waits for a call is not worth more. */
const ANSWERS_MS = 500;
const LOOK_MS = 10;

/** Serves one client through whatever server there is, for as long as the client is there. */
export function relayClient(options: RelayOptions): Relay {
  return new RunningRelay(options);
}

class RunningRelay implements Relay {
  readonly closed: Promise<string>;
  readonly #options: RelayOptions;
  readonly #session = new ClientSession();
  readonly #leaving = new AbortController();
  readonly #guard: ReturnType<typeof createLineGuard>;
  readonly #served: Promise<void>;
  #upstream: Upstream | null = null;
  #patience: NodeJS.Timeout | undefined;
  #heardAll = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { input, output, logger } = options;
    const onFault = (err: unknown): void => logger.error({ err }, 'A line of stdin could not be looked at');
    this.#guard = createLineGuard({ output, complaintAbout: () => null, onFault });
    this.closed = new Promise((resolve) => {
      input.once('end', () => resolve('stdin ended'));
      input.once('close', () => resolve('stdin closed'));
      output.once('error', () => resolve('stdout cannot be written to'));
      output.once('close', () => resolve('stdout closed'));
    });
    input.pipe(this.#guard);
    void this.#hearClient().catch((err: unknown) => logger.error({ err }, 'The client cannot be heard any more'));
    this.#served = this.#keepServed().catch((err: unknown) => logger.error({ err }, 'The client is served no more'));
  }

  async answered(): Promise<void> {
    const untilMs = performance.now() + ANSWERS_MS;
    const isOwing = (): boolean => !this.#options.output.destroyed && (!this.#heardAll || this.#session.isOwing);
    while (isOwing() && performance.now() < untilMs) await delay(LOOK_MS);
  }

  async close(): Promise<void> {
    clearTimeout(this.#patience);
    this.#options.input.unpipe(this.#guard);
    this.#options.input.pause();
    this.#leaving.abort();
    this.#upstream?.writable.end();
    this.#upstream?.readable.destroy();
    await this.#served;
  }

  /** Never waits for the server: while it did, it would not see the client leave. */
  async #hearClient(): Promise<void> {
    for await (const line of linesOf(this.#guard))
      await this.#send(this.#session.fromClient(line, this.#upstream?.writable.writableLength));
    this.#heardAll = true;
  }

  async #keepServed(): Promise<void> {
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      this.#losePatience();
      const upstream = await this.#options.connect(signal).catch((err: unknown) => {
        this.#options.logger.debug({ err }, 'there is no server to connect to');
        return null;
      });
      clearTimeout(this.#patience);
      if (upstream === null) await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      else await this.#serveThrough(upstream, signal);
    }
  }

  async #serveThrough(upstream: Upstream, signal: AbortSignal): Promise<void> {
    const { readable, writable } = upstream;
    // A broken pipe is the end of the server like any other.
    writable.on('error', () => readable.destroy());
    if (!signal.aborted) {
      this.#upstream = upstream;
      void this.#send(this.#session.regained());
      try {
        for await (const line of linesOf(readable)) await this.#tell(this.#session.fromServer(line));
      } catch (err) {
        this.#options.logger.debug({ err }, 'the connection to the server broke');
      }
      this.#upstream = null;
    }
    readable.destroy();
    writable.destroy();
    if (!signal.aborted) await this.#tell(this.#session.lost());
  }

  #losePatience(): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      void this.#tell(this.#session.giveUp(this.#options.trouble()));
      this.#losePatience();
    }, this.#options.patienceMs ?? PATIENCE_MS);
  }

  /** To the server at once: after a wait it might be another one. */
  async #send({ toClient, toServer }: Lines): Promise<void> {
    const writable = this.#upstream?.writable;
    if (writable?.writable && toServer.length > 0) writable.write(textOf(toServer));
    await this.#tell(toClient);
  }

  /** Resolves when the client has read so much that it is worth to write on, or when nobody reads any more. */
  async #tell(lines: readonly string[]): Promise<void> {
    const { output } = this.#options;
    if (lines.length === 0 || output.destroyed || output.write(textOf(lines))) return;
    await drained(output, this.#leaving.signal);
  }
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

function drained(stream: Writable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done).off('error', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    stream.on('drain', done).on('close', done).on('error', done);
    signal.addEventListener('abort', done);
    if (signal.aborted || stream.destroyed) done();
  });
}

/** The lines of a stream, without their ends. Throws when the stream breaks. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  const pieces: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let from = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, from)) {
      pieces.push(bytes.subarray(from, end));
      const line = Buffer.concat(pieces.splice(0)).toString('utf8');
      if (line.trim() !== '') yield line;
      from = end + 1;
    }
    pieces.push(bytes.subarray(from));
  }
}
