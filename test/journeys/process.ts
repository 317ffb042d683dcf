import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '../fixtures/mcp-pair.ts';

/** What a tool answered: its text for a reader, its data for a program. */
export interface ToolReply {
  readonly isError: boolean;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface FollowedLine {
  readonly index: number;
  readonly speaker: string;
  readonly text: string;
}

/** How a followed call ended, with all its lines. */
export interface Followed {
  readonly data: Readonly<Record<string, unknown>>;
  readonly lines: readonly FollowedLine[];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One of JSON-RPC. */
export interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
}

export interface ServerOptions {
  /** The whole environment of the child: nothing of ours is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

const ENTRY = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const REQUEST_MS = 60_000;

/** The server as a child process, spoken to in bare JSON lines, so that everything it says and how it ends is seen. */
export class ServerProcess {
  /** Lines of stdout, as they came. */
  readonly stdout: string[] = [];
  /** URIs of `resources/updated`, in order. */
  readonly updated: string[] = [];
  readonly exit: Promise<Exit>;
  readonly pid: number;
  #log = '';
  #exited = false;
  #nextId = 1;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<string | number, (message: Message) => void>();
  readonly #onUpdated = new Set<(uri: string) => void>();

  constructor({ env = {}, args = [] }: ServerOptions, home: string) {
    this.#child = spawn(process.execPath, [ENTRY, ...args], {
      cwd: home,
      env: { HOME: home, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.pid = this.#child.pid ?? 0;
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString('utf8');
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(line));
    this.exit = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#exited = true;
        for (const settle of this.#waiting.values()) {
          settle({ error: { code: 0, message: `The server has gone. ${this.#log.slice(-2_000)}` } });
        }
        resolve({ code, signal });
      });
    });
  }

  /** What came on stderr so far. */
  get log(): string {
    return this.#log;
  }

  /** Lines of stdout that are no JSON-RPC message. */
  get foreign(): readonly string[] {
    return this.stdout.filter((line) => {
      try {
        const value: unknown = JSON.parse(line);
        return typeof value !== 'object' || value === null || !('jsonrpc' in value) || value.jsonrpc !== '2.0';
      } catch {
        return true;
      }
    });
  }

  /** The port of the public listener, as soon as the log says it. */
  async listeningPort(): Promise<number> {
    const logged = () => /"port":(\d+),"msg":"media server is listening"/.exec(this.#log)?.[1];
    await until(() => logged() !== undefined, 30_000);
    return Number(logged());
  }

  async initialize(): Promise<Readonly<Record<string, unknown>>> {
    const clientInfo = { name: 'journey', version: '0' };
    const result = await this.request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
    this.#send({ method: 'notifications/initialized' });
    return result;
  }

  /** Rejects with the message of a JSON-RPC error, or when no answer comes. */
  request(method: string, params: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    // Nothing that a test writes by itself (`raw`) has such an id.
    const id = `journey-${this.#nextId++}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle({ error: { code: 0, message: `No answer to ${method}.` } }), REQUEST_MS);
      const settle = ({ result, error }: Message): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (result) resolve(result);
        else reject(new Error(error?.message ?? 'An answer without a result.'));
      };
      this.#waiting.set(id, settle);
      this.#send({ id, method, params });
    });
  }

  async tool(name: string, args: Readonly<Record<string, unknown>>): Promise<ToolReply> {
    const result = await this.request('tools/call', { name, arguments: args });
    const content = (result.content ?? []) as readonly { readonly text?: string }[];
    return {
      isError: result.isError === true,
      text: content.map(({ text }) => text ?? '').join('\n'),
      data: (result.structuredContent ?? {}) as Readonly<Record<string, unknown>>,
    };
  }

  /** Places a call to a number that exists in films only; throws the tool's text when it is refused. */
  async place(args: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const reply = await this.tool('trigger-call', {
      toNumber: '+14155550123',
      callContext: 'Book a table for four on Friday at seven, under the name Carter.',
      ...args,
    });
    if (reply.isError) throw new Error(reply.text);
    return String(reply.data.callId);
  }

  /** Waits as an assistant does, until the call is done or `until` holds. */
  async follow(callId: string, until: (progress: Followed) => boolean = () => false): Promise<Followed> {
    const lines: FollowedLine[] = [];
    for (let cursor = 0; ; ) {
      const { isError, text, data } = await this.tool('wait-for-call', { callId, cursor, timeoutSeconds: 25 });
      if (isError) throw new Error(text);
      lines.push(...(data.lines as FollowedLine[]));
      cursor = Number(data.cursor);
      if (data.done === true || until({ data, lines })) return { data, lines };
    }
  }

  /** Resolves when the carrier's id of the call is on disk. */
  async stored(callId: string): Promise<void> {
    for (;;) {
      const { data } = await this.tool('get-call', { callId, detail: 'detailed' });
      if ((data.details as { callSid: string | null }).callSid !== null) return;
    }
  }

  async readResource(uri: string): Promise<Readonly<Record<string, unknown>>> {
    const { contents } = await this.request('resources/read', { uri });
    return JSON.parse((contents as readonly { readonly text: string }[])[0]?.text ?? 'null');
  }

  /** Returns the way to stop. */
  onUpdated(listener: (uri: string) => void): () => void {
    this.#onUpdated.add(listener);
    return () => this.#onUpdated.delete(listener);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  /** Puts bytes into the server's stdin as they are. */
  raw(bytes: string | Uint8Array): void {
    this.#child.stdin.write(bytes);
  }

  /** The client stops reading, as one that has crashed: what is written there from now on finds a broken pipe. */
  breakPipe(...names: readonly ('stdout' | 'stderr')[]): void {
    for (const name of names) this.#child[name].destroy();
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#exited) this.#child.kill(name);
  }

  #send(message: object): void {
    this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  #hear(line: string): void {
    this.stdout.push(line);
    let message: Message;
    try {
      message = JSON.parse(line);
    } catch {
      return;
    }
    if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
    if (message.method !== 'notifications/resources/updated') return;
    const uri = String(message.params?.uri);
    this.updated.push(uri);
    for (const listener of this.#onUpdated) listener(uri);
  }
}

/** Starts servers, keeps their folders apart from everything else, and leaves nothing behind. */
export interface Processes {
  /** A folder of its own, removed at the end. */
  folder(): string;
  /** Starts a server and shakes hands. */
  start(options?: ServerOptions): Promise<ServerProcess>;
  /** Starts a server that nobody has spoken to. */
  spawn(options?: ServerOptions): ServerProcess;
  /** Registers what has to be closed; the last one is closed first. */
  later<Thing extends { close(): Promise<void> }>(thing: Thing): Thing;
  /** To be called after each test. */
  cleanUp(): Promise<void>;
}

export function processes(): Processes {
  const folders: string[] = [];
  const servers: ServerProcess[] = [];
  const things: { close(): Promise<void> }[] = [];
  const folder = (): string => {
    const path = mkdtempSync(join(tmpdir(), 'switchboard-process-'));
    folders.push(path);
    return path;
  };
  const start = (options: ServerOptions = {}): ServerProcess => {
    const server = new ServerProcess(options, folder());
    servers.push(server);
    return server;
  };
  return {
    folder,
    spawn: start,
    start: async (options) => {
      const server = start(options);
      await server.initialize();
      return server;
    },
    later: (thing) => {
      things.push(thing);
      return thing;
    },
    cleanUp: async () => {
      for (const server of servers) server.signal('SIGKILL');
      await Promise.all(servers.splice(0).map((server) => server.exit));
      for (const thing of things.splice(0).toReversed()) await thing.close();
      for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
    },
  };
}
