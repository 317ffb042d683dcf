/** The recorded sentences that the simulated callee and the simulated model speak and know. */

export interface Word {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Phrase {
  readonly id: string;
  readonly voice: 'agent' | 'callee';
  /** BCP 47 */
  readonly language: string;
  readonly text: string;
  readonly words: readonly Word[];
  /** µ-law 8 kHz; real speech, without silence at either end. */
  readonly audio: Uint8Array;
  readonly durationMs: number;
}
