import type { Session } from './offer.ts';
import { clean } from './quotation.ts';
import type { Audited } from './tool.ts';

/** Who changed what, and when: two entries for each tool call that changes something, one before and one after it. */
export type AuditEntry = AuditStart | AuditEnd;

interface AuditStart {
  readonly at: string;
  /** Joins the two. */
  readonly id: string;
  readonly phase: 'started';
  readonly tool: string;
  readonly transport: Session['transport'];
  /** The name of the token, or `local`. */
  readonly who: string;
  readonly client: string;
  readonly request: Audited;
}

interface AuditEnd {
  readonly at: string;
  readonly id: string;
  readonly phase: 'done';
  readonly outcome: 'success' | 'failure';
  readonly callId: string | null;
  readonly durationMs: number;
}

/** Where the entries go. */
export interface Audit {
  /** Resolves when the entry is on disk; rejects with an UpstreamError when it cannot be written. */
  write(entry: AuditEntry): Promise<void>;
}

const LONGEST = 64;

/** A value that an assistant gave, as far as it is worth telling. */
export function short(value: unknown): string {
  return typeof value === 'string' ? clean(value).slice(0, LONGEST) : '';
}

/** A telephone number that can be recognised by who dialled it, and not looked up by who reads of it. */
export function masked(number: unknown): string {
  const text = short(number);
  return text.length < 8 ? '…' : `${text.slice(0, 3)}…${text.slice(-2)}`;
}
