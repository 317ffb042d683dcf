/** One call's audio between Asterisk and us, whatever carries it. Nothing is told after `close`. */
export interface MediaLeg {
  /** From now on; what was told before is told then. */
  listen(events: LegEvents): void;
  /** Takes a call that rings; nothing where it has been taken already. */
  answer(): void;
  play(bytes: Uint8Array): void;
  mark(generation: number, markId: number): void;
  /** What has not been played is forgotten, and the marks in it without an echo. */
  clear(): void;
  /** Ends the leg, behind which the dial plan goes on. */
  hangUp(): void;
  close(): void;
}

export interface LegEvents {
  /** Audio goes both ways from now on. */
  started(): void;
  /** µ-law, 8 kHz. */
  heard(bytes: Buffer): void;
  marked(generation: number, markId: number): void;
  pressed(digit: string): void;
  ended(how: 'stopped' | 'dropped'): void;
}
