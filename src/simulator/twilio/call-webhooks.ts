import type { CallSettings, CallWorld } from './call-world.ts';
import { pause } from './program.ts';
import type { FormFields } from './signature.ts';
import { StatusSequence } from './status-callbacks.ts';
import { sendWebhook, type WebhookAnswer } from './webhooks.ts';

export interface WebhookRecord {
  readonly kind: 'voice' | 'action' | 'status' | 'stream-status' | 'recording';
  readonly url: string;
  readonly fields: FormFields;
  /** Since the call was created. */
  readonly atMs: number;
  /** Null while it is under way or when none came. */
  reply: WebhookAnswer | null;
  error: string | null;
}

export type CallEventName = 'initiated' | 'ringing' | 'answered' | 'completed';

/** The token that signs now, or null when nothing is signed. */
export function signingToken(world: CallWorld): string | null {
  const { signWith } = world.knobs;
  if (signWith === 'nothing') return null;
  if (signWith === 'garbage') return 'not-the-token';
  return signWith === 'secondary' ? world.secondaryAuthToken : world.authToken;
}

/** SIP's words for how a call ended (RFC 3261), as status webhooks carry them. */
const SIP_CODES: Readonly<Record<string, string>> = { busy: '486', 'no-answer': '487', canceled: '487', failed: '404' };

/** The webhooks of one call: sends, records, and knows when none is under way. */
export class CallWebhooks {
  readonly records: WebhookRecord[] = [];
  /** Resolves when the first webhook has been answered or has failed. */
  readonly first: Promise<void>;
  private readonly world: CallWorld;
  private readonly settings: CallSettings;
  private readonly note: (severity: 'error' | 'warning', code: number, message: string) => void;
  private readonly statuses: StatusSequence<FormFields>;
  private readonly createdMs = performance.now();
  private readonly underWay = new Set<Promise<unknown>>();
  private sequence = 0;
  private lastStatus: Promise<unknown> = Promise.resolve();
  private settleFirst: () => void = () => {};

  constructor(world: CallWorld, settings: CallSettings, note: CallWebhooks['note']) {
    this.world = world;
    this.settings = settings;
    this.note = note;
    this.statuses = new StatusSequence((fields) => this.postStatus(fields));
    this.first = new Promise((resolve) => {
      this.settleFirst = resolve;
    });
  }

  /** Sends a status webhook if the create asked for this event. `fields` are those of the call, `seconds` its length once it is over. */
  announce(event: CallEventName, fields: FormFields, seconds: number | null): void {
    const { settings, world } = this;
    const { statusWebhooks, duplicateStatus } = world.knobs;
    if (settings.statusCallback === null || !settings.statusCallbackEvents.includes(event)) return;
    if (statusWebhooks === 'lost') return;
    const status = event === 'initiated' ? 'initiated' : String(fields.CallStatus);
    const atEnd = {
      CallDuration: String(seconds),
      Duration: String(Math.ceil((seconds ?? 0) / 60)),
      SipResponseCode: SIP_CODES[status] ?? '200',
    };
    const all: FormFields = {
      ...fields,
      CallStatus: status,
      Timestamp: new Date().toUTCString().replace('GMT', '+0000'),
      CallbackSource: 'call-progress-events',
      SequenceNumber: String(this.sequence),
      ...(seconds === null ? {} : atEnd),
    };
    this.sequence += 1;
    const how = { reversed: statusWebhooks === 'reversed', twice: duplicateStatus, last: event === 'completed' };
    this.statuses.add(all, how);
  }

  /** Sends one webhook; never rejects: what went wrong is in the record. */
  post(kind: WebhookRecord['kind'], url: string, method: 'GET' | 'POST', fields: FormFields): Promise<WebhookRecord> {
    const atMs = Math.round(performance.now() - this.createdMs);
    const record: WebhookRecord = { kind, url, fields, atMs, reply: null, error: null };
    this.records.push(record);
    return this.track(this.deliver(record, method));
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled([...this.underWay]);
  }

  giveUp(): void {
    this.settleFirst();
  }

  private async deliver(record: WebhookRecord, method: 'GET' | 'POST'): Promise<WebhookRecord> {
    const { knobs, network, closing, ca } = this.world;
    const { kind, url, fields } = record;
    const { webhookTimeoutMs: timeoutMs } = knobs;
    await pause((network.up?.delayMs ?? 0) + (network.down?.delayMs ?? 0), closing);
    try {
      const token = signingToken(this.world);
      record.reply = await sendWebhook({ url, method, fields, signingToken: token, timeoutMs, ca, signal: closing });
      const { status } = record.reply;
      if (kind === 'status' && (status < 200 || status > 299))
        this.note('warning', 15003, `Status callback: ${status}`);
    } catch (error) {
      record.error = error instanceof Error ? error.message : String(error);
      if (kind === 'status') this.note('warning', 15003, `Status callback: ${record.error}`);
    }
    this.settleFirst();
    return record;
  }

  private postStatus(fields: FormFields): void {
    const { statusCallback, statusCallbackMethod } = this.settings;
    if (statusCallback === null) return;
    // One after the other, so that only the knob and not the network changes their order.
    const sent = this.lastStatus.then(() => this.post('status', statusCallback, statusCallbackMethod, fields));
    this.lastStatus = this.track(sent);
  }

  private track<Result>(work: Promise<Result>): Promise<Result> {
    this.underWay.add(work);
    void work.finally(() => this.underWay.delete(work));
    return work;
  }
}
