import { WebSocket } from 'ws';
import { FRAME_BYTES, silence } from '../../../src/media/mulaw.ts';
import { type Brain, scriptedBrain } from '../../../src/simulator/openai/brain.ts';
import type { RealtimeSimulatorOptions } from '../../../src/simulator/openai/knobs.ts';
import { type RealtimeSimulator, startRealtimeSimulator } from '../../../src/simulator/openai/server.ts';
import { phrase } from '../../../src/simulator/speech/load-phrasebook.ts';

export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

/** A raw client that keeps everything it gets. */
export class RealtimeClient {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  closed: { readonly code: number; readonly reason: string } | null = null;
  httpStatus: number | null = null;
  pings = 0;
  private waiters: (() => void)[] = [];

  constructor(url: string, options: { headers?: Record<string, string>; protocols?: string[]; ca?: string } = {}) {
    const { headers = { Authorization: 'Bearer sk-simulated' }, protocols = [], ca } = options;
    this.socket = new WebSocket(url, protocols, { headers, ...(ca === undefined ? {} : { ca }) });
    this.socket.on('message', (data) => {
      this.messages.push(JSON.parse(data.toString()) as Message);
      this.look();
    });
    this.socket.on('ping', () => {
      this.pings += 1;
      this.look();
    });
    this.socket.on('unexpected-response', (_request, response) => {
      this.httpStatus = response.statusCode ?? null;
      response.resume();
      this.look();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.look();
    });
  }

  types(): string[] {
    return this.messages.map((one) => one.type);
  }

  all(type: string): Message[] {
    return this.messages.filter((one) => one.type === type);
  }

  errors(): Record<string, unknown>[] {
    return this.all('error').map((one) => one.error as Record<string, unknown>);
  }

  send(message: Readonly<Record<string, unknown>>): void {
    this.socket.send(JSON.stringify(message));
  }

  until(check: () => boolean, what = 'something', timeoutMs = 8_000): Promise<void> {
    if (check()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter((one) => one !== look);
        const seen = this.types().filter((type) => !type.endsWith('delta'));
        reject(new Error(`Waited for ${what}; got ${seen.join(', ')} and ${JSON.stringify(this.errors())}`));
      }, timeoutMs);
      const look = (): void => {
        if (!check()) return;
        clearTimeout(timer);
        this.waiters = this.waiters.filter((one) => one !== look);
        resolve();
      };
      this.waiters.push(look);
    });
  }

  /** The message number `index` of a type, when it has come. */
  async next(type: string, index = 0): Promise<Message> {
    await this.until(() => this.all(type).length > index, `${type} number ${index}`);
    const found = this.all(type)[index];
    if (found === undefined) throw new Error(type);
    return found;
  }

  async error(index = 0): Promise<Record<string, unknown>> {
    return (await this.next('error', index)).error as Record<string, unknown>;
  }

  async end(): Promise<{ readonly code: number; readonly reason: string }> {
    await this.until(() => this.closed !== null, 'the close');
    return this.closed ?? { code: 0, reason: '' };
  }

  /** Sends audio in pieces of `size` bytes, as fast as the socket takes it: the server counts the audio's time, not the clock's. */
  hear(audio: Uint8Array, size: number = FRAME_BYTES): void {
    for (let at = 0; at < audio.byteLength; at += size) {
      const piece = Buffer.from(audio.subarray(at, at + size)).toString('base64');
      this.send({ type: 'input_audio_buffer.append', audio: piece });
    }
  }

  /** A phrase with silence before and after it. */
  speak(id: string, beforeMs = 400, afterMs = 600): void {
    this.hear(silence(beforeMs));
    this.hear(phrase(id).audio);
    this.hear(silence(afterMs));
  }

  private look(): void {
    for (const waiter of [...this.waiters]) waiter();
  }
}

/** What most tests send: µ-law both ways, 500 ms, transcription on. */
export function telephoneSession(
  more: { readonly turn?: Record<string, unknown> | null; readonly session?: Record<string, unknown> } = {},
): Record<string, unknown> {
  const turn =
    more.turn === null
      ? null
      : { type: 'server_vad', threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 500, ...more.turn };
  return {
    type: 'session.update',
    session: {
      type: 'realtime',
      instructions: 'Book a table.',
      audio: {
        input: { format: { type: 'audio/pcmu' }, transcription: { model: 'gpt-transcribe' }, turn_detection: turn },
        output: { format: { type: 'audio/pcmu' }, voice: 'sage' },
      },
      tools: [
        {
          type: 'function',
          name: 'end_call',
          description: 'Ends the call.',
          parameters: { type: 'object', properties: {} },
        },
        { type: 'function', name: 'stay_quiet', description: 'Waits.', parameters: { type: 'object', properties: {} } },
      ],
      ...more.session,
    },
  };
}

export const FAST = { firstAudioDelayMs: 2, burstFactor: 100, transcriptionDelayMs: [10], rateLimitsDelayMs: 2 };

/** Starts simulators and clients, and takes them all down again with `closeAll`. */
export class Bench {
  private simulators: RealtimeSimulator[] = [];
  private clients: RealtimeClient[] = [];

  async simulator(
    options: Partial<RealtimeSimulatorOptions> = {},
    brain: Brain = scriptedBrain([]),
  ): Promise<RealtimeSimulator> {
    const simulator = await startRealtimeSimulator({ brain, ...FAST, ...options });
    this.simulators.push(simulator);
    return simulator;
  }

  client(
    simulator: RealtimeSimulator,
    options: ConstructorParameters<typeof RealtimeClient>[1] & { query?: string } = {},
  ) {
    const { query = '?model=gpt-realtime-2.1', ...rest } = options;
    const client = new RealtimeClient(`${simulator.url}${query}`, rest);
    this.clients.push(client);
    return client;
  }

  /** A client whose session is configured. */
  async ready(
    simulator: RealtimeSimulator,
    more: Parameters<typeof telephoneSession>[0] = {},
  ): Promise<RealtimeClient> {
    const client = this.client(simulator);
    await client.next('session.created');
    client.send(telephoneSession(more));
    await client.next('session.updated');
    return client;
  }

  async closeAll(): Promise<void> {
    for (const client of this.clients) client.socket.terminate();
    await Promise.all(this.simulators.map((one) => one.close()));
    this.clients = [];
    this.simulators = [];
  }
}
