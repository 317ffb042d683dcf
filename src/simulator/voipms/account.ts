import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { close, listen } from '../loopback.ts';
import { CALL_METHODS } from './calls.ts';
import { quietDay, type Trouble, type VoipMsFaults } from './faults.ts';
import { FILTER_METHODS } from './filters.ts';
import { OFFICE_METHODS } from './office.ts';
import { PHONEBOOK_METHODS } from './phonebook.ts';
import { fault, type Method, type Params, type Reply } from './reply.ts';
import { type Intake, readRequest } from './request.ts';
import { seededState } from './seed.ts';
import type { AccountState } from './state.ts';

export interface VoipMsSimulatorOptions {
  /** 0 or absent takes a free port of 127.0.0.1. */
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  /** Unix time in milliseconds; the account's calls end a moment before it. */
  readonly wall?: () => number;
  readonly faults?: Partial<VoipMsFaults>;
}

export interface VoipMsSimulator {
  /** What to set as VOIPMS_API_URL. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** The settings with which a server finds it, by their names in the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** May be changed at any time. */
  readonly faults: VoipMsFaults;
  /** Every request that named a method, in the order of their coming, without credentials. */
  readonly requests: readonly VoipMsRequest[];
  /** Mistakes of the client that the vendor would let pass or pay back later, as sentences. */
  readonly violations: readonly string[];
  /** What the account holds; may be changed. */
  readonly state: AccountState;
  /** Ends everything; no socket or timer stays open, and what hangs is dropped. */
  stop(): Promise<void>;
}

export interface VoipMsRequest {
  readonly method: string;
  readonly params: Params;
}

const PATH = '/api/v1/rest.php';
const MINUTE_MS = 60_000;
const METHODS: Readonly<Record<string, Method>> = {
  ...OFFICE_METHODS,
  ...CALL_METHODS,
  ...PHONEBOOK_METHODS,
  ...FILTER_METHODS,
};
const HTML =
  '<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>';
const XML =
  '<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>Bad Request</faultstring></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>';

/**
 * A VoIP.ms account on loopback: its REST API with its statuses, as its WSDL and its API page have it, and with the ways
 * in which live answers were seen to differ from them.
 */
export async function startVoipMsSimulator(options: VoipMsSimulatorOptions = {}): Promise<VoipMsSimulator> {
  const account = new Account(options);
  const server = createServer((request, response) => {
    account.serve(request, response).catch(() => response.destroy());
  });
  const port = await listen(server, options.port);
  const url = `http://127.0.0.1:${port}${PATH}`;
  const { username, password, faults, requests, violations, state } = account;
  return {
    url,
    username,
    password,
    env: { VOIPMS_API_USERNAME: username, VOIPMS_API_PASSWORD: password, VOIPMS_API_URL: url },
    faults,
    requests,
    violations,
    state,
    stop: () => account.stop(server),
  };
}

class Account {
  readonly username: string;
  readonly password: string;
  readonly faults: VoipMsFaults;
  readonly state: AccountState;
  readonly requests: VoipMsRequest[] = [];
  readonly violations: string[] = [];
  readonly #wall: () => number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #recentMs: number[] = [];

  constructor(options: VoipMsSimulatorOptions) {
    this.username = options.username ?? 'office@example.com';
    this.password = options.password ?? 'api-Password-of-the-simulator';
    this.#wall = options.wall ?? Date.now;
    this.faults = { ...quietDay(), ...options.faults };
    this.state = seededState(this.#wall());
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const intake = await readRequest(request, (sentence) => this.violations.push(sentence));
    if (intake.path !== PATH) return void respond(response, 404, 'text/html', '<html><body>Not Found</body></html>');
    const { method } = intake.params;
    if (method !== undefined) this.requests.push({ method, params: shown(intake.params) });
    const trouble = this.#nextTrouble(method ?? '');
    if (trouble === 'hang-before') return;
    if (trouble === 'drop-before') return void response.socket?.destroy();
    if (this.faults.delayMs > 0) await this.#pause(this.faults.delayMs);
    if (intake.form === 'urlencoded' || trouble === 'xml') return void respond(response, 200, 'text/xml', XML);
    if (trouble === 'html') return void respond(response, 200, 'text/html', HTML);
    if (trouble === 'bad-gateway') return void respond(response, 502, 'text/html', HTML);
    const reply = trouble !== null && typeof trouble === 'object' ? fault(trouble.status) : this.#answer(intake);
    if (trouble === 'hang-after') return;
    if (trouble === 'drop-after') return void response.socket?.destroy();
    if (trouble === 'empty-html') return void respond(response, 200, 'text/html', HTML);
    const isSilent = trouble === 'empty' || (this.faults.emptySuccess && METHODS[method ?? '']?.changes === true);
    respond(response, 200, 'application/json', isSilent && reply.status === 'success' ? '' : wireJson(reply));
  }

  #answer({ params }: Intake): Reply {
    const { method, api_username: username, api_password: password, content_type: _, ...rest } = params;
    if (!username || !password) return fault('missing_credentials');
    const { refuse } = this.faults;
    const isRefused = username !== this.username || password !== this.password;
    if (isRefused || refuse === 'invalid_credentials') return fault('invalid_credentials');
    if (refuse !== null && !(refuse === 'ip_not_enabled' && method === 'getIP')) return fault(refuse);
    if (this.#isTooMuch()) return fault('api_limit_exceeded');
    if (!method) return fault('missing_method');
    const found = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
    if (found === undefined) return fault('invalid_method');
    const { state, faults } = this;
    if (found.changes) faults.beforeWrite?.(method, rest, state);
    const violate = (sentence: string): void => void this.violations.push(sentence);
    const strange = Object.keys(rest).filter((name) => !found.params.split(' ').includes(name));
    if (strange.length > 0) violate(`${method} was given ${strange.join(', ')}, which it does not know`);
    return found.answer(rest, { state, faults, nowMs: this.#wall(), violate });
  }

  /** Refused requests count as well. */
  #isTooMuch(): boolean {
    const nowMs = this.#wall();
    this.#recentMs = [...this.#recentMs.filter((atMs) => nowMs - atMs < MINUTE_MS), nowMs];
    return this.faults.requestsPerMinute !== null && this.#recentMs.length > this.faults.requestsPerMinute;
  }

  #nextTrouble(method: string): Trouble | null {
    const { trouble } = this.faults;
    for (const key of [method, '*']) {
      const found = Object.hasOwn(trouble, key) ? trouble[key] : undefined;
      const next = Array.isArray(found) ? found.shift() : found;
      if (next !== undefined) return next;
    }
    return null;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.add(timer);
    });
  }

  async stop(server: Server): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await close(server);
  }
}

function shown(params: Params): Params {
  const { method: _, api_username: __, api_password: ___, content_type: ____, ...rest } = params;
  return rest;
}

function respond(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8` });
  response.end(body);
}

/** PHP's `json_encode`: slashes are escaped, and so is whatever is not ASCII. */
function wireJson(reply: Reply): string {
  return JSON.stringify(reply)
    .replaceAll('/', '\\/')
    .replace(/[\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
