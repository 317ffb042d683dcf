/** What an app of the simulated 3CX does, by fetch and WebSocket alone: it knows nothing of our own client. */
import { vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Callee } from '../../../src/simulator/callee/callee.ts';
import {
  startThreeCxSimulator,
  type ThreeCxSimulator,
  type ThreeCxSimulatorOptions,
} from '../../../src/simulator/threecx/pbx.ts';

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

export interface SeenEvent {
  readonly sequence: number;
  readonly event: { readonly event_type: number; readonly entity: string; readonly attached_data: unknown } | null;
}

export interface SeenParticipant {
  readonly id: number;
  readonly status: string;
  readonly dn: string;
  readonly party_dn: string;
  readonly party_caller_id: string;
  readonly device_id: string;
}

export const OUTSIDE = '+14155550123';

export class App {
  readonly pbx: ThreeCxSimulator;
  readonly events: SeenEvent[] = [];
  socket: WebSocket | null = null;
  token = '';

  constructor(pbx: ThreeCxSimulator) {
    this.pbx = pbx;
  }

  async signIn(fields: Readonly<Record<string, string>> = {}): Promise<Answered> {
    const { baseUrl, clientId, clientSecret } = this.pbx;
    const body = new URLSearchParams({
      client_id: clientId,
      client_secret: clientSecret,
      grant_type: 'client_credentials',
      ...fields,
    });
    const answered = await answerOf(await fetch(`${baseUrl}/connect/token`, { method: 'POST', body }));
    const { access_token } = Object(answered.body);
    if (typeof access_token === 'string') this.token = access_token;
    return answered;
  }

  get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  async get(path: string): Promise<Answered> {
    return answerOf(await fetch(`${this.pbx.baseUrl}${path}`, { headers: this.headers }));
  }

  async send(method: string, path: string, body: unknown = {}): Promise<Answered> {
    const headers = { ...this.headers, 'content-type': 'application/json' };
    return answerOf(await fetch(`${this.pbx.baseUrl}${path}`, { method, headers, body: JSON.stringify(body) }));
  }

  async listen(): Promise<void> {
    const socket = new WebSocket(`${this.pbx.baseUrl.replace('http', 'ws')}/callcontrol/ws`, { headers: this.headers });
    this.socket = socket;
    socket.on('message', (data: Buffer) => this.events.push(JSON.parse(data.toString())));
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
  }

  /** Places a call, and gives the id of the app's participant. */
  async place(to: string, from = this.pbx.routePoint, seconds = 30): Promise<number> {
    const { body } = await this.send('POST', `/callcontrol/${from}/makecall`, { destination: to, timeout: seconds });
    return Object(Object(body).result).id;
  }

  act(dn: string, id: number, action: string, body: unknown = {}): Promise<Answered> {
    return this.send('POST', `/callcontrol/${dn}/participants/${id}/${action}`, body);
  }

  async participants(dn: string): Promise<readonly SeenParticipant[]> {
    const { body } = await this.get(`/callcontrol/${dn}/participants`);
    return Array.isArray(body) ? body : [];
  }

  /** Resolves when that DN's participants have just these statuses. */
  async until(dn: string, ...statuses: readonly string[]): Promise<readonly SeenParticipant[]> {
    return vi.waitFor(async () => {
      const found = await this.participants(dn);
      if (found.map((one) => one.status).join() !== statuses.join()) throw new Error(JSON.stringify(found));
      return found;
    }, WAITING);
  }

  /** What the events have told so far, in order, as `0 8000/1`. */
  get told(): readonly string[] {
    return this.events.map(({ event }) => {
      const [, , dn, , id] = (event?.entity ?? '').split('/');
      return event === null ? 'null' : `${event.event_type} ${dn}/${id}`;
    });
  }
}

export const WAITING = { timeout: 3_000, interval: 10 };
export const SILENT: Callee = { tick: () => ({ spoken: null }) };

async function answerOf(response: Response): Promise<Answered> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}

/** Simulators of one test file. */
export class Bench {
  #apps: App[] = [];

  /** An app that is signed in and listens. */
  async app(options: ThreeCxSimulatorOptions = {}): Promise<App> {
    const app = await this.stranger(options);
    await app.signIn();
    await app.listen();
    return app;
  }

  /** An app that has not signed in. */
  async stranger(options: ThreeCxSimulatorOptions = {}): Promise<App> {
    const app = new App(await startThreeCxSimulator(options));
    this.#apps.push(app);
    return app;
  }

  async close(): Promise<void> {
    for (const app of this.#apps.splice(0)) {
      app.socket?.terminate();
      await app.pbx.stop();
    }
  }
}
