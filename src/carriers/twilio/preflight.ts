/** Does the public URL lead to this very process, for a request and for a stream? Asked before a stranger's telephone rings. */
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { ConfigError } from '../../errors.ts';
import type { Clock } from './attachment.ts';

export interface PreflightOptions {
  /** Without a trailing slash. */
  readonly publicUrl: string;
  readonly healthProof: (nonce: string) => string;
  readonly clock: Clock;
  /** How long a good result is believed. A bad one is not kept. */
  readonly ttlMs: number;
  readonly timeoutMs: number;
  /** A one-time address of the stream's route, with the signature that Twilio would send for it. */
  readonly mintUpgrade: () => { readonly url: string; readonly signature: string };
}

const SETTINGS = { settings: ['PUBLIC_URL'] };

/** Callers who come while a check is under way share it. Rejects with a ConfigError that says what to do. */
export function createPreflight(options: PreflightOptions): () => Promise<void> {
  let running: Promise<void> | null = null;
  let goodUntilMs = Number.NEGATIVE_INFINITY;
  const run = async (): Promise<void> => {
    await checkHealth(options);
    await checkUpgrade(options);
    goodUntilMs = options.clock.now() + options.ttlMs;
  };
  return () => {
    if (options.clock.now() < goodUntilMs) return Promise.resolve();
    running ??= run().finally(() => {
      running = null;
    });
    return running;
  };
}

/**
 * Fetches `/health` through the public URL and compares what comes back with what this process, or the one that is asked for
 * it, answers to the same nonce. Rejects with a ConfigError that says what to do.
 */
export async function checkHealth(options: {
  readonly publicUrl: string;
  readonly healthProof: (nonce: string) => string | Promise<string>;
  readonly timeoutMs: number;
}): Promise<void> {
  const { publicUrl, healthProof, timeoutMs } = options;
  const nonce = randomBytes(16).toString('base64url');
  let status: number;
  let body: string;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(`${publicUrl}/health?nonce=${nonce}`, { redirect: 'manual', signal });
    status = response.status;
    body = await response.text();
  } catch (error) {
    throw new ConfigError(connectSentence(publicUrl, codeOf(error)), { cause: error, ...SETTINGS });
  }
  if (status !== 200) throw new ConfigError(statusSentence(publicUrl, status), SETTINGS);
  if (proofIn(body) !== (await healthProof(nonce))) {
    throw new ConfigError(
      `PUBLIC_URL (${publicUrl}) is answered by another program or another instance of this server. Point it at the port that this process listens on.`,
      SETTINGS,
    );
  }
}

export function proofIn(body: string): string | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && 'proof' in value && typeof value.proof === 'string'
      ? value.proof
      : null;
  } catch {
    return null;
  }
}

async function checkUpgrade({ publicUrl, timeoutMs, mintUpgrade }: PreflightOptions): Promise<void> {
  const { url, signature } = mintUpgrade();
  const result = await tryUpgrade(url, signature, timeoutMs);
  if (result.kind === 'opened') return;
  const details = { ...SETTINGS, ...(result.kind === 'failed' ? { cause: result.cause } : {}) };
  throw new ConfigError(upgradeSentence(publicUrl, result), details);
}

type UpgradeResult =
  | { readonly kind: 'opened' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'failed'; readonly cause: unknown };

/** Opens a WebSocket and closes it again; what goes wrong is the answer. */
export function tryUpgrade(url: string, signature: string, timeoutMs: number): Promise<UpgradeResult> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, {
      headers: { 'x-twilio-signature': signature },
      handshakeTimeout: timeoutMs,
      perMessageDeflate: false,
      followRedirects: false,
    });
    socket.on('open', () => {
      resolve({ kind: 'opened' });
      socket.close(1000);
    });
    socket.on('unexpected-response', (_request, response) => {
      resolve({ kind: 'refused', status: response.statusCode ?? 0 });
      response.resume();
      socket.terminate();
    });
    socket.on('error', (error) => resolve({ kind: 'failed', cause: error }));
  });
}

/** What is wrong with an upgrade through the public URL that did not open, and what to do. */
export function upgradeSentence(publicUrl: string, result: Exclude<UpgradeResult, { kind: 'opened' }>): string {
  const base = `PUBLIC_URL (${publicUrl}) leads here, but a WebSocket through it does not:`;
  if (result.kind === 'failed')
    return `${base} the connection broke off. Check that the proxy or tunnel in front forwards WebSocket upgrades.`;
  if (result.status === 403) {
    return `${base} it was refused with status 403. The proxy or tunnel in front must pass the path and the X-Twilio-Signature header on unchanged.`;
  }
  return `${base} it was answered with status ${result.status}. Let the proxy or tunnel in front forward the Upgrade and Connection headers for /call/.`;
}

/** By the code of the network's error (Node.js docs, "Common system errors" and "TLS"). */
function connectSentence(publicUrl: string, code: string): string {
  const base = `PUBLIC_URL (${publicUrl}) cannot be reached:`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `${base} its name does not resolve. Check its spelling, its DNS record, or whether the tunnel is still running.`;
  if (code === 'ECONNREFUSED')
    return `${base} the connection was refused. Start the proxy or tunnel in front of this server, and check the port.`;
  if (code === 'timeout' || /TIMEOUT|TIMEDOUT/.test(code))
    return `${base} it did not answer in time. Check the proxy or tunnel, and the firewall.`;
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ERR_SSL|EPROTO/.test(code)) {
    return `${base} its TLS certificate is not accepted. Twilio needs a valid one from a public authority, with its whole chain.`;
  }
  return `${base} the connection failed. Check the address, and the proxy or tunnel in front of this server.`;
}

function statusSentence(publicUrl: string, status: number): string {
  const base = `PUBLIC_URL (${publicUrl})`;
  if (status >= 300 && status < 400)
    return `${base} redirects to another address. Twilio needs the final one: set PUBLIC_URL to it (https, right host, no extra path).`;
  if (status === 401 || status === 403 || status === 407)
    return `${base} asks for a login (status ${status}). Let /call/ and /health pass without one.`;
  if (status === 404)
    return `${base} has no /health (status 404). Set it to the address that the proxy or tunnel forwards to this server, without an extra path.`;
  if (status >= 500)
    return `${base} answers with status ${status}: the proxy or tunnel does not reach this server. Check the port that it forwards to.`;
  return `${base} answers with status ${status}, not as this server would. Check what it leads to.`;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if (error.name === 'TimeoutError') return 'timeout';
  const inner = error.cause;
  if (typeof inner === 'object' && inner !== null && 'code' in inner && typeof inner.code === 'string')
    return inner.code;
  return '';
}
