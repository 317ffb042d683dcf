import type { Patience } from '../inbound-audio.ts';

/**
 * A telephone that suppresses silence sends nothing, and Asterisk passes on nothing then. The network's jitter and a busy machine are no
 * silence: most telephones go on sending in a pause, which must not become longer. Shorter than the 500 ms of silence that end a turn.
 */
const PATIENCE_MS = 400;
/** A look that is so late had to wait for a busy process, as had the audio: that is read first. */
const LATE_MS = 50;
const AFTER_LATE_MS = 5;

export const patience: Patience = (lateMs) => ({ patienceMs: PATIENCE_MS, inMs: lateMs > LATE_MS ? AFTER_LATE_MS : 0 });
