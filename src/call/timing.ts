/** The times, in milliseconds, that a call goes by where no setting says otherwise. */

/** Whoever composes the server may change these, all together or one by one; what follows below them belongs to the audio and is fixed. */
export interface Timing {
  /** Twilio rings up to 5 s longer than it was told; ours is only the net below that. */
  readonly ringSlackMs: number;
  /** So long the carrier may keep a call before it says that it dials. */
  readonly queueMs: number;
  readonly inquiryDelaysMs: readonly number[];
  /** From the stream's start until the model must be ready. */
  readonly joinMs: number;
  /** A create that gets no answer, or a cancelled reply that gets no end. */
  readonly slotMs: number;
  /** A reply that is being made and gives no sign of life for so long is stuck. */
  readonly stuckMs: number;
  /** Callees say "hello?" at 3–4 s. */
  readonly answerMs: number;
  /** Who speaks on after less has paused for breath; after more, somebody has waited for us. */
  readonly breathMs: number;
  readonly retryMs: number;
  /** The longest that somebody on the line hears nothing while it is for us to speak. */
  readonly deadAirMs: number;
  /** After the last audio has been heard: lines have echoes and people breathe. */
  readonly graceMs: number;
  readonly closingQuietMs: number;
  readonly endingMs: number;
  readonly warnBeforeMs: number;
  readonly farewellBeforeMs: number;
  readonly detachedInquireMs: number;
  readonly detachedMs: number;
  /** The same when the carrier was told to say a sentence and hang up. */
  readonly detachedSayMs: number;
  /** How long somebody on the line waits for a lost model to be back, over all attempts. */
  readonly renewMs: number;
  /** Pauses before a model that could not be opened is tried again; after the last of them it is given up. */
  readonly renewDelaysMs: readonly number[];
  /** A session that was ready for so long has nothing to do with the failures before it. */
  readonly steadyMs: number;
  readonly hangUpDelaysMs: readonly number[];
  readonly hangUpAnswerMs: number;
  /** A hang-up that waits for the carrier's id of the call waits so long. */
  readonly unboundMs: number;
  /** The carrier's own sentence: so long until it begins, and for each of its characters. */
  readonly sayMs: number;
  readonly sayMsPerChar: number;
  readonly settleMs: number;
  /** From the last of the callee's audio until the model has told of any speech in it. */
  readonly lastWordsMs: number;
  readonly transcriptMs: number;
}

export const TIMING: Timing = {
  ringSlackMs: 12_000,
  queueMs: 30_000,
  inquiryDelaysMs: [2_000, 4_000, 8_000, 15_000],
  joinMs: 8_000,
  slotMs: 4_000,
  stuckMs: 12_000,
  answerMs: 4_000,
  breathMs: 1_000,
  retryMs: 800,
  deadAirMs: 10_000,
  graceMs: 700,
  closingQuietMs: 3_000,
  endingMs: 15_000,
  warnBeforeMs: 30_000,
  farewellBeforeMs: 12_000,
  detachedInquireMs: 3_000,
  detachedMs: 10_000,
  detachedSayMs: 18_000,
  renewMs: 6_000,
  renewDelaysMs: [500, 2_000],
  steadyMs: 60_000,
  hangUpDelaysMs: [500, 1_000, 2_000, 4_000],
  hangUpAnswerMs: 10_000,
  unboundMs: 40_000,
  sayMs: 5_000,
  sayMsPerChar: 90,
  settleMs: 3_000,
  lastWordsMs: 500,
  transcriptMs: 4_000,
};

export const MARK_EVERY_BYTES = 1_600;
/** Overlapping speech that is shorter belongs to the goodbye. */
export const OVERLAP_MS = 1_200;
export const ORPHAN_MS = 2_000;
export const HOLD_KEEP_MS = 10_000;
/** An item counts as heard so long after its estimated end when its last mark never came back. */
export const LOST_MARK_MS = 1_500;
/** Speech of the callee for so long is no cough and no noise. */
export const WORDLESS_RETURN_MS = 1_000;
