/** The times, in milliseconds, that a call goes by where no setting says otherwise. */

/** Twilio rings up to 5 s longer than it was told; ours is only the net below that. */
export const RING_SLACK_MS = 12_000;
export const INQUIRY_DELAYS_MS: readonly number[] = [2_000, 4_000, 8_000, 15_000];
export const JOIN_MS = 8_000;
export const SLOT_MS = 4_000;
/** A reply that is being made and gives no sign of life for so long is stuck. */
export const STUCK_MS = 12_000;
/** Callees say "hello?" at 3–4 s. */
export const ANSWER_MS = 4_000;
export const RETRY_MS = 800;
export const MARK_EVERY_BYTES = 1_600;
/** After the last audio has been heard: lines have echoes and people breathe. */
export const GRACE_MS = 700;
/** Overlapping speech that is shorter belongs to the goodbye. */
export const OVERLAP_MS = 1_200;
export const CLOSING_QUIET_MS = 3_000;
export const ENDING_MS = 15_000;
export const WARN_BEFORE_MS = 30_000;
export const FAREWELL_BEFORE_MS = 12_000;
export const DETACHED_INQUIRE_MS = 3_000;
export const DETACHED_MS = 10_000;
/** The same when the carrier was told to say a sentence and hang up. */
export const DETACHED_SAY_MS = 18_000;
export const RENEW_MS = 6_000;
export const HANG_UP_DELAYS_MS: readonly number[] = [500, 1_000, 2_000, 4_000];
export const HANG_UP_ANSWER_MS = 10_000;
/** A hang-up that waits for the carrier's id of the call waits so long. */
export const UNBOUND_MS = 40_000;
export const SETTLE_MS = 3_000;
export const ORPHAN_MS = 2_000;
export const TRANSCRIPT_MS = 4_000;
export const HOLD_KEEP_MS = 10_000;
/** An item counts as heard so long after its estimated end when its last mark never came back. */
export const LOST_MARK_MS = 1_500;
