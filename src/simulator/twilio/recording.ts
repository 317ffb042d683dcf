import type { CallWebhooks } from './call-webhooks.ts';
import type { RecordingSettings } from './call-world.ts';
import type { FormFields } from './signature.ts';

/** What a recording needs of its call. */
export interface RecordedCall {
  readonly callSid: string;
  readonly accountSid: string;
  readonly baseUrl: string;
  readonly hooks: CallWebhooks;
}

/** Twilio's recording of a call, from the answer to the end, with its callbacks (Twilio, "Recording status callback"). It holds no sound. */
export class SimulatedRecording {
  readonly sid: string;
  readonly channels: 1 | 2;
  status: 'waiting' | 'in-progress' | 'completed' = 'waiting';
  durationSeconds: number | null = null;
  private readonly settings: RecordingSettings;
  private readonly call: RecordedCall;
  private startedAt: Date | null = null;

  constructor(sid: string, settings: RecordingSettings, call: RecordedCall) {
    this.sid = sid;
    this.settings = settings;
    this.call = call;
    this.channels = settings.channels === 'dual' ? 2 : 1;
  }

  begin(): void {
    this.status = 'in-progress';
    this.startedAt = new Date();
    void this.report('in-progress');
  }

  /** The call is over. One that was never answered has no recording. */
  finish(): void {
    if (this.startedAt === null) return;
    this.status = 'completed';
    this.durationSeconds = Math.round((Date.now() - this.startedAt.getTime()) / 1_000);
    void this.report('completed');
  }

  private report(event: string): Promise<unknown> | undefined {
    const { callback, callbackMethod, callbackEvents } = this.settings;
    if (callback === null || !callbackEvents.includes(event)) return undefined;
    return this.call.hooks.post('recording', callback, callbackMethod, this.fields());
  }

  private fields(): FormFields {
    const { callSid, accountSid, baseUrl } = this.call;
    return {
      AccountSid: accountSid,
      CallSid: callSid,
      RecordingSid: this.sid,
      RecordingUrl: `${baseUrl}/2010-04-01/Accounts/${accountSid}/Recordings/${this.sid}`,
      RecordingStatus: this.status,
      ...(this.durationSeconds === null ? {} : { RecordingDuration: String(this.durationSeconds) }),
      RecordingChannels: String(this.channels),
      RecordingStartTime: (this.startedAt ?? new Date()).toUTCString().replace('GMT', '+0000'),
      RecordingSource: 'OutboundAPI',
      RecordingTrack: 'both',
    };
  }
}
