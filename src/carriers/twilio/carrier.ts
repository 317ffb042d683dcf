import type { CarrierTraits } from '../../call/words.ts';
import type {
  Carrier,
  CarrierRecording,
  Heard,
  MediaSocket,
  SocketRoute,
  UpgradeRequest,
  Webhook,
  WebhookReply,
  WebhookRequest,
} from '../carrier.ts';
import type { Clock } from './attachment.ts';
import { type LineContext, TERMINAL, type Ticket, TwilioLine, type TwilioLog, type WebhookPass } from './line.ts';
import { createPreflight } from './preflight.ts';
import { recordingToken, recordingWebhook } from './recordings.ts';
import { createRest, isCallSid, lineStatusOf } from './rest.ts';
import { type Identify, identifyAlone } from './search.ts';
import { createSignatureCheck, type SignatureCheck, signUpgrade, toSocketUrl } from './signature.ts';
import { createTokenBook, type TokenBook } from './tokens.ts';

export interface TwilioOptions {
  readonly accountSid: string;
  readonly authToken: string;
  /** Signatures of either token pass, so that the account's token can be rotated. */
  readonly authTokenSecondary?: string;
  /** When given, REST is asked with these instead of the account's token. */
  readonly apiKey?: string;
  readonly apiSecret?: string;
  /** E.164: who is calling. */
  readonly number: string;
  /** Where Twilio reaches the public listener; `https`, or `http` on loopback. */
  readonly publicUrl: string;
  readonly apiBaseUrl?: string;
  /** How long a stream may take from its upgrade to its `start`. */
  readonly startDeadlineMs?: number;
  /** Twilio sends media all the time, silence as well: a stream without any for so long is dead. */
  readonly mediaTimeoutMs?: number | undefined;
  /** Most sockets at the same time that have not sent their `start`. */
  readonly maxUnstartedStreams?: number;
  readonly clock: Clock;
  /** The same function that the public listener answers `/health` by. */
  readonly healthProof: (nonce: string) => string;
  readonly logger: TwilioLog;
  readonly preflightTtlMs?: number;
  /** Twilio records the calls that are recorded here, too, and tells `onRecording` of it. */
  readonly recording?: boolean;
  readonly onRecording?: (recording: CarrierRecording) => Promise<Heard>;
  readonly requestTimeoutMs?: number | undefined;
  /** Tells which of the listed calls is one whose dial was uncertain; without it, one alone is taken for it. */
  readonly identify?: Identify;
}

const TRAITS: CarrierTraits = {
  // Twilio docs, error 31931: above ten minutes of audio it is thrown away.
  lookAheadMs: 600_000,
  clearEchoesMarks: true,
  canSay: true,
  canReattach: true,
  canSendDigits: false,
};

/** From the document that names it to the upgrade; Twilio connects within seconds. */
const STREAM_TOKEN_TTL_MS = 60_000;
/** A `start` follows its upgrade within a round trip, also where hundreds of calls are answered in the same second. */
const MAX_UNSTARTED_STREAMS = 500;
const PREFLIGHT_TOKEN_TTL_MS = 30_000;
/** How long after a release Twilio may still ask about a call of which no end is known. */
const AFTERLIFE_MS = 600_000;
/** The last status is sent when REST has long told of the end, and may be repeated: that is no error in Twilio's debugger. */
const LAST_STATUS_MS = 60_000;

type StreamPass = { readonly kind: 'call'; readonly ticket: Ticket } | { readonly kind: 'preflight'; isSpent: boolean };

/** Calls over Twilio's Programmable Voice and Media Streams. Opens nothing by itself: its routes are for the public listener. */
export function createTwilioCarrier(options: TwilioOptions): Carrier {
  return new TwilioCarrier(options);
}

class TwilioCarrier implements Carrier {
  readonly name = 'twilio';
  readonly keepsRecordings: boolean;
  readonly traits = TRAITS;
  readonly webhooks: readonly Webhook[];
  readonly sockets: readonly SocketRoute[];
  readonly preflight: () => Promise<void>;
  private readonly options: TwilioOptions;
  private readonly signatures: SignatureCheck;
  private readonly webhookTokens: TokenBook<WebhookPass>;
  private readonly streamTokens: TokenBook<StreamPass>;
  private readonly lines = new Set<TwilioLine>();
  private readonly claims = new Map<string, TwilioLine>();
  /** Open sockets that have not sent their `start`. */
  private readonly unstarted = new Set<MediaSocket>();
  private readonly afterlives = new Map<TwilioLine, () => void>();
  private readonly context: LineContext;

  constructor(options: TwilioOptions) {
    const publicUrl = options.publicUrl.replace(/\/+$/, '');
    const timeoutMs = options.requestTimeoutMs ?? 10_000;
    const { authToken, authTokenSecondary, clock } = options;
    const authTokens = authTokenSecondary === undefined ? [authToken] : [authToken, authTokenSecondary];
    this.options = options;
    this.keepsRecordings = options.recording === true;
    this.signatures = createSignatureCheck({ publicUrl, authTokens });
    this.webhookTokens = createTokenBook(clock.now);
    this.streamTokens = createTokenBook(clock.now);
    this.context = this.lineContext(publicUrl, timeoutMs);
    this.preflight = createPreflight({
      publicUrl,
      healthProof: options.healthProof,
      clock,
      ttlMs: options.preflightTtlMs ?? 600_000,
      timeoutMs,
      mintUpgrade: () => {
        const url = this.context.urls.stream(
          this.streamTokens.mint({ kind: 'preflight', isSpent: false }, PREFLIGHT_TOKEN_TTL_MS),
        );
        return { url, signature: signUpgrade(authToken, url) };
      },
    });
    this.webhooks = [
      this.webhook('/call/outgoing/:token', (pass, form) =>
        pass.afterEpoch === null ? twimlReply(pass.line.answerOutgoing(lineStatusOf(form.CallStatus))) : UNKNOWN,
      ),
      this.webhook('/call/status/:token', (pass, form) =>
        pass.afterEpoch === null ? hearStatus(pass.line, form) : UNKNOWN,
      ),
      this.webhook('/call/after/:token', (pass, form) =>
        pass.afterEpoch === null
          ? UNKNOWN
          : twimlReply(pass.line.answerAfter(pass.afterEpoch, lineStatusOf(form.CallStatus))),
      ),
      recordingWebhook({
        accountSid: options.accountSid,
        authTokens,
        signatures: this.signatures,
        now: () => Date.now(),
        onRecording: options.onRecording ?? (() => Promise.resolve('unknown')),
        log: options.logger,
      }),
    ];
    this.sockets = [
      {
        path: '/call/connection-outgoing/:token',
        authorize: (request) => this.authorize(request),
        connect: (socket, request) => this.connect(socket, request),
      },
    ];
  }

  line(options: Parameters<Carrier['line']>[0]): TwilioLine {
    const line = new TwilioLine(this.context, options);
    this.lines.add(line);
    return line;
  }

  hangUpStranded(carrierCallId: string): Promise<'done' | 'gone' | 'failed'> {
    return isCallSid(carrierCallId) ? this.context.rest.hangUp(carrierCallId) : Promise.resolve('gone');
  }

  async listCalls(query: Parameters<Carrier['listCalls']>[0]): ReturnType<Carrier['listCalls']> {
    const { to, fromMs: sinceMs, untilMs } = query;
    const calls = await this.context.rest.list({ to, from: this.context.number, sinceMs, untilMs });
    if (calls === 'failed') return 'failed';
    return calls
      .filter(({ callSid }) => !this.claims.has(callSid))
      .map(({ callSid, status }) => ({ carrierCallId: callSid, isLive: !TERMINAL.has(status) }));
  }

  close(): void {
    for (const line of [...this.lines]) line.release();
    for (const line of [...this.afterlives.keys()]) this.forgetLine(line);
  }

  private lineContext(publicUrl: string, timeoutMs: number): LineContext {
    const { options } = this;
    const socketUrl = toSocketUrl(publicUrl);
    return {
      rest: createRest({ ...options, timeoutMs }),
      clock: options.clock,
      log: options.logger,
      accountSid: options.accountSid,
      number: options.number,
      startDeadlineMs: options.startDeadlineMs ?? 10_000,
      mediaTimeoutMs: options.mediaTimeoutMs ?? 5_000,
      mintWebhook: (pass) => this.webhookTokens.mint(pass, null),
      mintStream: (ticket) => this.streamTokens.mint({ kind: 'call', ticket }, STREAM_TOKEN_TTL_MS),
      forget: (tokens) => {
        for (const token of tokens) {
          this.webhookTokens.forget(token);
          this.streamTokens.forget(token);
        }
      },
      claim: (callSid, line) => {
        if (this.claims.has(callSid)) return false;
        this.claims.set(callSid, line);
        return true;
      },
      isClaimed: (callSid) => this.claims.has(callSid),
      identify: options.identify ?? identifyAlone,
      released: (line) => this.released(line),
      over: (line) => this.forgetAfter(line, LAST_STATUS_MS),
      urls: {
        outgoing: (token) => `${publicUrl}/call/outgoing/${token}`,
        status: (token) => `${publicUrl}/call/status/${token}`,
        after: (token) => `${publicUrl}/call/after/${token}`,
        stream: (token) => `${socketUrl}/call/connection-outgoing/${token}`,
        recording: (callId) =>
          options.recording === true
            ? `${publicUrl}/call/recording/${recordingToken(options.authToken, callId)}`
            : null,
      },
    };
  }

  private released(line: TwilioLine): void {
    this.lines.delete(line);
    // The closed stream makes Twilio ask how to go on, and an unanswered create may turn out to have been carried out: both
    // get a hang-up then. Without an answer the callee would hear an application error.
    if (line.mayBeAsked) this.forgetAfter(line, AFTERLIFE_MS);
    else if (line.callSid === null) this.forgetLine(line);
    else this.forgetAfter(line, LAST_STATUS_MS);
  }

  private forgetAfter(line: TwilioLine, delayMs: number): void {
    this.afterlives.get(line)?.();
    this.afterlives.set(
      line,
      this.options.clock.setTimer(() => this.forgetLine(line), delayMs),
    );
  }

  private forgetLine(line: TwilioLine): void {
    this.afterlives.get(line)?.();
    this.afterlives.delete(line);
    line.forgetTokens();
    if (line.callSid !== null) this.claims.delete(line.callSid);
  }

  /** Signature, token, account and call are checked in this order; what is wrong says nothing more than that. */
  private webhook(path: string, answer: (pass: WebhookPass, form: WebhookRequest['form']) => WebhookReply): Webhook {
    return {
      method: 'POST',
      path,
      handle: (request) => {
        const refuse = (why: string, reply: WebhookReply, callId?: string): WebhookReply => {
          this.options.logger.warn({ callId, route: path, why }, 'A webhook was refused');
          return reply;
        };
        if (!this.signatures.webhook(request.target, request.form, request.headers['x-twilio-signature']))
          return refuse('signature', FORBIDDEN);
        const pass = this.webhookTokens.find(request.params.token ?? '');
        if (pass === null) return refuse('token', UNKNOWN);
        const { AccountSid, CallSid } = request.form;
        const { callId } = pass.line;
        if (AccountSid !== this.options.accountSid) return refuse('account', FORBIDDEN, callId);
        if (!isCallSid(CallSid)) return refuse('no call', MALFORMED, callId);
        if (!pass.line.bind(CallSid)) return refuse('another call', FORBIDDEN, callId);
        return answer(pass, request.form);
      },
    };
  }

  private authorize(request: UpgradeRequest): ReturnType<SocketRoute['authorize']> {
    const refuse = (why: string, status = 403, callId?: string) => {
      this.options.logger.warn({ callId, why }, 'A stream was refused at its upgrade');
      return { accept: false, status } as const;
    };
    if (!this.signatures.upgrade(request.target, request.headers['x-twilio-signature'])) return refuse('signature');
    const pass = this.streamTokens.find(request.params.token ?? '');
    if (pass === null) return refuse('token');
    const callId = pass.kind === 'call' ? pass.ticket.line.callId : undefined;
    // The newest is turned away, and its token stays good: those before it have proved the same, and end by their deadline.
    if (this.unstarted.size >= (this.options.maxUnstartedStreams ?? MAX_UNSTARTED_STREAMS))
      return refuse('too many', 503, callId);
    if (pass.kind === 'call')
      return pass.ticket.line.reserve(pass.ticket) ? { accept: true, callId } : refuse('spent', 403, callId);
    if (pass.isSpent) return refuse('spent');
    pass.isSpent = true;
    return { accept: true };
  }

  private connect(socket: MediaSocket, request: UpgradeRequest): void {
    const token = request.params.token ?? '';
    const pass = this.streamTokens.find(token);
    const settled = (): void => void this.unstarted.delete(socket);
    this.unstarted.add(socket);
    socket.onClose(settled);
    if (pass?.kind === 'call') {
      pass.ticket.line.attach(pass.ticket, token, socket, settled);
      return;
    }
    this.streamTokens.forget(token);
    // A preflight closes by itself; what was forgotten since the upgrade, or does not close, is closed.
    const cancel = this.options.clock.setTimer(
      () => socket.terminate(),
      pass === null ? 0 : this.context.startDeadlineMs,
    );
    socket.onClose(cancel);
  }
}

function hearStatus(line: TwilioLine, form: WebhookRequest['form']): WebhookReply {
  const status = lineStatusOf(form.CallStatus);
  if (status === null) return MALFORMED;
  const { SipResponseCode: code, SequenceNumber: sequence } = form;
  const number = typeof sequence === 'string' && /^\d{1,9}$/.test(sequence) ? sequence : '';
  line.hearStatus(status, `${number}:${status}`, typeof code === 'string' && /^\d{3}$/.test(code) ? code : undefined);
  return textReply(200, '');
}

function textReply(status: number, body: string): WebhookReply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

function twimlReply(body: string): WebhookReply {
  return { status: 200, contentType: 'text/xml; charset=utf-8', body };
}

const FORBIDDEN = textReply(403, 'This request is not from the telephone company, or not about this call.');
const UNKNOWN = textReply(404, 'There is no such call.');
const MALFORMED = textReply(400, 'The request is malformed.');
