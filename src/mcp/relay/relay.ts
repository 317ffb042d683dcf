import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
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
  /** Lets go of the server, and stops listening to the client. */
  close(): Promise<void>;
}

/** Longer than one owner of the telephone needs to follow another, shorter than a client waits. */
const PATIENCE_MS = 20_000;

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

  async close(): Promise<void> {
    clearTimeout(this.#patience);
    this.#options.input.unpipe(this.#guard);
    this.#options.input.pause();
    this.#leaving.abort();
    this.#upstream?.writable.end();
    this.#upstream?.readable.destroy();
    if (this.#upstream) await this.#served;
  }

  async #hearClient(): Promise<void> {
    for await (const line of linesOf(this.#guard)) await this.#send(this.#session.fromClient(line));
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
      if (upstream === null) continue;
      this.#upstream = upstream;
      // A broken pipe is the end of the server like any other.
      upstream.writable.on('error', () => upstream.readable.destroy());
      void this.#send(this.#session.regained());
      try {
        for await (const line of linesOf(upstream.readable)) await this.#tell(this.#session.fromServer(line));
      } catch (err) {
        this.#options.logger.debug({ err }, 'the connection to the server broke');
      }
      this.#upstream = null;
      upstream.writable.destroy();
      if (!signal.aborted) await this.#tell(this.#session.lost());
    }
  }

  #losePatience(): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      void this.#tell(this.#session.giveUp(this.#options.trouble()));
      this.#losePatience();
    }, this.#options.patienceMs ?? PATIENCE_MS);
  }

  async #send({ toClient, toServer }: Lines): Promise<void> {
    await this.#tell(toClient);
    const writable = this.#upstream?.writable;
    if (writable && toServer.length > 0) await write(writable, toServer);
  }

  async #tell(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await write(this.#options.output, lines);
  }
}

/** Resolves when as much has been read at the other end that it is worth to write on, or when nobody reads any more. */
async function write(stream: Writable, lines: readonly string[]): Promise<void> {
  if (stream.destroyed || stream.write(`${lines.join('\n')}\n`)) return;
  const done = new AbortController();
  const { signal } = done;
  const events = ['drain', 'close', 'error'].map((name) => once(stream, name, { signal }).catch(() => undefined));
  await Promise.race(events);
  done.abort();
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
