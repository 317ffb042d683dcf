/**
 * The person at the other end of a simulated call. Driven by the simulated carrier's 20 ms clock: each tick it is given the
 * frame that has just left the carrier's playback buffer (silence when the buffer was empty), and gives the frame that it speaks.
 * It knows nothing of the product: only what it hears.
 */
export interface Callee {
  /** `heard` and the answer are 160 bytes of µ-law; null stands for silence. `atMs` counts from the stream's start. */
  tick(heard: Uint8Array | null, atMs: number): CalleeTurn;
}

export interface CalleeTurn {
  readonly spoken: Uint8Array | null;
  readonly hangUp?: boolean;
  /** A key pressed in this tick. */
  readonly digit?: string;
}

/** How the callee's telephone takes the call. Times in milliseconds. */
export type Answer =
  | { readonly kind: 'answers'; readonly ringMs: number; readonly callee: () => Callee }
  | { readonly kind: 'busy'; readonly ringMs: number }
  | { readonly kind: 'never' }
  | { readonly kind: 'fails'; readonly ringMs: number };
