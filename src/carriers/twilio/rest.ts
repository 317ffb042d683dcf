/** What we ask of Twilio's REST API, in our words. Nothing here throws or rejects, and no create is ever repeated. */
import type Twilio from 'twilio/lib/rest/Twilio.js';
import type { LineStatus } from '../../call/events.ts';
import { createClient } from './client.ts';
import { refusal, type Trouble, troubleOf } from './refusals.ts';

export interface RestOptions {
  readonly accountSid: string;
  readonly authToken: string;
  readonly apiKey?: string;
  readonly apiSecret?: string;
  /** Of the whole API, for tests and proxies. */
  readonly apiBaseUrl?: string;
  readonly timeoutMs: number;
}

export interface CreateRequest {
  readonly to: string;
  readonly from: string;
  readonly url: string;
  readonly statusCallbackUrl: string;
  /** Where Twilio tells of its own recording of the call; null when it shall make none. */
  readonly recordingCallbackUrl: string | null;
  readonly ringMs: number;
  readonly maxMs: number;
}

export type Created =
  | { readonly kind: 'created'; readonly callSid: string }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  /** The request may have been carried out. */
  | { readonly kind: 'uncertain'; readonly reason: string };

export interface CallState {
  readonly callSid: string;
  readonly status: LineStatus;
}

export interface Rest {
  create(request: CreateRequest): Promise<Created>;
  /** `gone`: there was nothing left to end. */
  hangUp(callSid: string): Promise<'done' | 'gone' | 'failed'>;
  /** Replaces the document that the call is running; a stream ends by it. */
  replace(callSid: string, twiml: string): Promise<'done' | 'gone' | 'failed'>;
  /** `gone`: Twilio knows no such call. */
  look(callSid: string): Promise<CallState | 'gone' | 'failed'>;
  /** Calls between the two numbers created at or after `sinceMs`, and not after `untilMs` (wall clock), oldest first. */
  list(query: {
    readonly to: string;
    readonly from: string;
    readonly sinceMs: number;
    readonly untilMs?: number;
  }): Promise<readonly CallState[] | 'failed'>;
}

/** Twilio's words for a call's status; `initiated` is only said by webhooks. */
const STATUSES: Readonly<Record<string, LineStatus>> = {
  queued: 'queued',
  initiated: 'dialling',
  ringing: 'ringing',
  'in-progress': 'answered',
  completed: 'completed',
  busy: 'busy',
  'no-answer': 'no-answer',
  failed: 'failed',
  canceled: 'canceled',
};

export function lineStatusOf(callStatus: unknown): LineStatus | null {
  // Own members only: a status called `toString` is none.
  return typeof callStatus === 'string' && Object.hasOwn(STATUSES, callStatus) ? (STATUSES[callStatus] ?? null) : null;
}

export function isCallSid(text: unknown): text is string {
  return typeof text === 'string' && /^CA[0-9a-fA-F]{32}$/.test(text);
}

/** Seconds for Twilio, which knows no shorter unit. */
function seconds(ms: number, most: number): number {
  return Math.min(Math.max(Math.ceil(ms / 1000), 1), most);
}

const MOST_RING_SECONDS = 600;
const MOST_CALL_SECONDS = 14_400;

export function createRest(options: RestOptions): Rest {
  const client = createClient({
    accountSid: options.accountSid,
    user: options.apiKey ?? options.accountSid,
    password: options.apiSecret ?? options.authToken,
    timeoutMs: options.timeoutMs,
  });
  if (options.apiBaseUrl !== undefined) client.api.baseUrl = options.apiBaseUrl.replace(/\/+$/, '');
  return {
    create: (request) => create(client, request),
    async hangUp(callSid) {
      return settle(async () => client.calls(callSid).update({ status: 'completed' }));
    },
    async replace(callSid, twiml) {
      return settle(async () => client.calls(callSid).update({ twiml }));
    },
    async look(callSid) {
      try {
        const { status } = await client.calls(callSid).fetch();
        const known = lineStatusOf(status);
        return known === null ? 'failed' : { callSid, status: known };
      } catch (error) {
        return troubleOf(error).kind === 'gone' ? 'gone' : 'failed';
      }
    },
    list: (query) => list(client, query),
  };
}

async function create(client: Twilio, request: CreateRequest): Promise<Created> {
  try {
    const call = await client.calls.create({
      to: request.to,
      from: request.from,
      url: request.url,
      method: 'POST',
      statusCallback: request.statusCallbackUrl,
      statusCallbackMethod: 'POST',
      statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
      timeout: seconds(request.ringMs, MOST_RING_SECONDS),
      timeLimit: seconds(request.maxMs, MOST_CALL_SECONDS),
      ...recordingOf(request.recordingCallbackUrl),
    });
    if (isCallSid(call.sid)) return { kind: 'created', callSid: call.sid };
    return { kind: 'uncertain', reason: 'Twilio answered the request to dial with something that is not a call.' };
  } catch (error) {
    return judgeCreate(troubleOf(error));
  }
}

/** Both sides apart, from the answer to the end (Twilio docs, "Call resource": a create trims silence unless told not to). */
function recordingOf(callbackUrl: string | null) {
  if (callbackUrl === null) return {};
  return {
    record: true,
    recordingChannels: 'dual',
    trim: 'do-not-trim',
    recordingStatusCallback: callbackUrl,
    recordingStatusCallbackMethod: 'POST',
    recordingStatusCallbackEvent: ['in-progress', 'completed', 'absent'],
  };
}

function judgeCreate(trouble: Trouble): Created {
  switch (trouble.kind) {
    case 'unsent':
      return { kind: 'refused', code: trouble.code, reason: trouble.reason };
    case 'lost':
      return { kind: 'uncertain', reason: trouble.reason };
    case 'gone':
    case 'said-no':
      return { kind: 'refused', code: trouble.code, reason: refusal(trouble.code, trouble.status) };
  }
}

async function settle(request: () => Promise<unknown>): Promise<'done' | 'gone' | 'failed'> {
  try {
    await request();
    return 'done';
  } catch (error) {
    return troubleOf(error).kind === 'gone' ? 'gone' : 'failed';
  }
}

/** Twilio's `DateCreated` has whole seconds, and its clock is not ours. */
const CLOCK_SKEW_MS = 15_000;
const MOST_LISTED = 50;

async function list(client: Twilio, query: Parameters<Rest['list']>[0]): Promise<readonly CallState[] | 'failed'> {
  const untilMs = (query.untilMs ?? Number.POSITIVE_INFINITY) + CLOCK_SKEW_MS;
  try {
    const calls = await client.calls.list({
      to: query.to,
      from: query.from,
      limit: MOST_LISTED,
      pageSize: MOST_LISTED,
    });
    const found: (CallState & { readonly createdMs: number })[] = [];
    for (const call of calls) {
      const status = lineStatusOf(call.status);
      const createdMs = call.dateCreated instanceof Date ? call.dateCreated.getTime() : Number.NaN;
      if (status === null || !isCallSid(call.sid) || !(createdMs >= query.sinceMs - CLOCK_SKEW_MS)) continue;
      if (createdMs > untilMs) continue;
      // The filter is Twilio's to apply; a call to somebody else must never be taken for ours.
      if (call.to !== query.to || call.from !== query.from) continue;
      found.push({ callSid: call.sid, status, createdMs });
    }
    // Twilio lists the newest first, and of one second the order is all that tells them apart.
    return found.reverse().sort((a, b) => a.createdMs - b.createdMs);
  } catch {
    return 'failed';
  }
}
