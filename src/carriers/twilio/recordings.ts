/** Twilio's own recordings of calls: the token of their callback's URL, and the callback (Twilio docs, "Recording status callback"). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CallId } from '../../call/words.ts';
import type { CarrierRecording, Heard, Webhook, WebhookReply, WebhookRequest } from '../carrier.ts';
import { isCallSid } from './rest.ts';
import type { SignatureCheck } from './signature.ts';

const TOKEN_BYTES = 24;

/**
 * The callback comes minutes after the call, perhaps to another process: so its token names the call and is signed with the
 * account's token, and nobody has to remember it.
 */
export function recordingToken(authToken: string, callId: string): string {
  return `${callId}.${signatureOf(authToken, callId).toString('base64url')}`;
}

/** The call that a token names; null when it is none of ours. */
export function callOfRecordingToken(authTokens: readonly string[], token: string): string | null {
  const dot = token.lastIndexOf('.');
  const callId = token.slice(0, Math.max(0, dot));
  const text = token.slice(dot + 1);
  const given = Buffer.from(text, 'base64url');
  // One spelling only: a decoder overlooks what is left over.
  if (callId === '' || given.byteLength !== TOKEN_BYTES || given.toString('base64url') !== text) return null;
  return authTokens.some((authToken) => timingSafeEqual(given, signatureOf(authToken, callId))) ? callId : null;
}

function signatureOf(authToken: string, callId: string): Buffer {
  return createHmac('sha256', authToken).update(`recording of ${callId}`).digest().subarray(0, TOKEN_BYTES);
}

export interface RecordingWebhookOptions {
  readonly accountSid: string;
  readonly authTokens: readonly string[];
  readonly signatures: SignatureCheck;
  readonly now: () => number;
  readonly onRecording: (recording: CarrierRecording) => Promise<Heard>;
  readonly log: Record<'warn' | 'error', (fields: Readonly<Record<string, unknown>>, message: string) => void>;
}

export const RECORDING_PATH = '/call/recording/:token';

/** Signature, token and account are checked in this order, as with the other webhooks. A repeated one has no effect. */
export function recordingWebhook(options: RecordingWebhookOptions): Webhook {
  const refuse = (why: string, status: number, callId?: string): WebhookReply => {
    options.log.warn({ callId, route: RECORDING_PATH, why }, 'A webhook was refused');
    return reply(status);
  };
  return {
    method: 'POST',
    path: RECORDING_PATH,
    async handle(request) {
      if (!options.signatures.webhook(request.target, request.form, request.headers['x-twilio-signature']))
        return refuse('signature', 403);
      const callId = callOfRecordingToken(options.authTokens, request.params.token ?? '');
      if (callId === null) return refuse('token', 404);
      if (request.form.AccountSid !== options.accountSid) return refuse('account', 403, callId);
      const recording = readRecording(callId as CallId, request.form, options.now());
      if (recording === null) return refuse('malformed', 400, callId);
      try {
        const heard = await options.onRecording(recording);
        if (heard === 'foreign') return refuse('call', 403, callId);
        return heard === 'stored' ? reply(200) : refuse('no such call', 404, callId);
      } catch (err) {
        const { state } = recording;
        options.log.error(
          { callId, recording: recording.name, state, err },
          "The store could not note Twilio's recording; Twilio is told so (503), and may not tell again: look for the recording at Twilio",
        );
        return reply(503);
      }
    },
  };
}

const STATES: Readonly<Record<string, CarrierRecording['state']>> = {
  'in-progress': 'recording',
  completed: 'complete',
  absent: 'absent',
  failed: 'failed',
};

function readRecording(callId: CallId, form: WebhookRequest['form'], nowMs: number): CarrierRecording | null {
  const { CallSid, RecordingSid, RecordingStatus, RecordingUrl, RecordingDuration, RecordingChannels } = form;
  const state =
    typeof RecordingStatus === 'string' && Object.hasOwn(STATES, RecordingStatus) ? STATES[RecordingStatus] : undefined;
  if (!isCallSid(CallSid) || state === undefined) return null;
  if (typeof RecordingSid !== 'string' || !/^RE[0-9a-fA-F]{32}$/.test(RecordingSid)) return null;
  const seconds =
    typeof RecordingDuration === 'string' && /^\d{1,6}$/.test(RecordingDuration) ? RecordingDuration : null;
  const startedAtMs = Date.parse(String(form.RecordingStartTime ?? ''));
  return {
    callId,
    carrierCallId: CallSid,
    name: RecordingSid,
    url: plainUrl(RecordingUrl),
    channels: RecordingChannels === '2' ? 2 : 1,
    durationMs: seconds === null ? null : Number(seconds) * 1_000,
    state,
    startedAtMs: Number.isNaN(startedAtMs) ? nowMs : startedAtMs,
  };
}

/** Without user name, password, query and fragment. */
function plainUrl(text: unknown): string | null {
  if (typeof text !== 'string' || text.length > 500 || !URL.canParse(text)) return null;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) ? url.origin + url.pathname : null;
}

function reply(status: number): WebhookReply {
  return { status, contentType: 'text/plain; charset=utf-8', body: '' };
}
