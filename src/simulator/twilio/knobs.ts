/** Everything that can go otherwise than in a quiet hour; all times in milliseconds. May be turned while calls are running. */
export interface TwilioKnobs {
  /** From the create to "ringing". */
  dialMs: number;
  /** Which token signs webhooks and stream handshakes. */
  signWith: 'primary' | 'secondary' | 'nothing' | 'garbage';
  /** `reversed`: each two neighbouring status webhooks change places. */
  statusWebhooks: 'in-order' | 'reversed' | 'lost';
  /** Every status webhook is sent twice. */
  duplicateStatus: boolean;
  /**
   * How a create that was applied is answered: at once; after the first webhook was answered; never, on a connection that is
   * closed; never, on a connection that stays open.
   */
  createAnswer: 'at-once' | 'after-webhook' | 'lost' | 'hangs';
  /** How an update that was applied is answered: at once, or never, on a connection that is closed or stays open. */
  updateAnswer: 'at-once' | 'lost' | 'hangs';
  /** Twilio error codes (or 429, 500, 503) with which the next requests are refused; one is used up by each request. */
  refuseCreates: number[];
  refuseUpdates: number[];
  refuseReads: number[];
  /** Creates to these numbers are refused with the code given. */
  refuseNumbers: Record<string, number>;
  webhookTimeoutMs: number;
  /** How fast Twilio's own voice reads a `<Say>`. */
  sayMsPerCharacter: number;
  /** A trial account plays its notice for so long before the TwiML runs. */
  trialNoticeMs: number;
  /** Streams are dropped so long after their start; `times` counts down, one for each drop. */
  dropStream: { afterMs: number; withStop: boolean; times: number } | null;
  /** So many streams are answered with HTTP 502 by something between Twilio and the server; counts down. */
  failStreams: number;
  /** Between `stop` and the close of the socket. */
  closeAfterStopMs: number;
  /** Inbound media messages are late by up to this much, in order. */
  frameJitterMs: number;
  /** Stretches of the person's speech that are lost on their way in: timestamps jump. */
  gaps: { everyMs: number; forMs: number } | null;
  /** Inbound media messages of odd sizes instead of 160 bytes. */
  oddFrames: boolean;
  /** Mark echoes are late by up to this much, in order. */
  markJitterMs: number;
  /** The playback buffer stops draining for a while. */
  playoutStalls: { everyMs: number; forMs: number } | null;
  /** Most audio that the playback buffer takes. */
  playbackCapMs: number;
  accountStatus: 'active' | 'suspended' | 'closed';
  accountType: 'Full' | 'Trial';
  /** Whether the account's number can make calls. */
  numberVoice: boolean;
  /** Numbers that calls may come from besides the account's own. */
  verifiedCallerIds: string[];
  /** Twilio's clock minus ours, as the `Date` of its answers tells it. */
  clockMs: number;
}

export const QUIET_HOUR: TwilioKnobs = {
  dialMs: 20,
  signWith: 'primary',
  statusWebhooks: 'in-order',
  duplicateStatus: false,
  createAnswer: 'at-once',
  updateAnswer: 'at-once',
  refuseCreates: [],
  refuseUpdates: [],
  refuseReads: [],
  refuseNumbers: {},
  webhookTimeoutMs: 15_000,
  sayMsPerCharacter: 60,
  trialNoticeMs: 0,
  dropStream: null,
  failStreams: 0,
  closeAfterStopMs: 0,
  frameJitterMs: 0,
  gaps: null,
  oddFrames: false,
  markJitterMs: 0,
  playoutStalls: null,
  playbackCapMs: 600_000,
  accountStatus: 'active',
  accountType: 'Full',
  numberVoice: true,
  verifiedCallerIds: [],
  clockMs: 0,
};
