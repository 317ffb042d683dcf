export type Phase =
  | 'new'
  | 'placing'
  /** Whether it was placed is not known. */
  | 'uncertain'
  | 'trying'
  /** It came in, and rings until the agent speaks: while it does, 3CX can still let somebody else have it. */
  | 'offered'
  | 'answering'
  | 'connected'
  | 'transferring'
  | 'over';

export const UP: ReadonlySet<Phase> = new Set(['trying', 'offered', 'answering', 'connected', 'transferring']);
