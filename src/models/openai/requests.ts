import type { ModelObjection } from '../../call/events.ts';
import { objectionOf } from './failures.ts';
import type { ServerError } from './server-events.ts';

export type RequestKind = 'configure' | 'seed' | 'reply' | 'cancel' | 'truncate' | 'other';

interface Sent {
  readonly kind: RequestKind;
  readonly requestId: string | null;
}

/** How many of our messages are remembered, so that an error can be matched to one. */
const REMEMBERED = 200;

/**
 * What we asked of the server, and which error or reply answers what. Servers should echo our `event_id` in an error and
 * often send null instead, so order and error codes are second witnesses.
 */
export class SentRequests {
  private readonly sent = new Map<string, Sent>();
  /** Creates without an answer, oldest first. */
  private unanswered: string[] = [];
  private count = 0;

  /** Notes a message that is about to be sent and gives the `event_id` to send it with. */
  stamp(kind: RequestKind, requestId: string | null): string {
    this.count += 1;
    const eventId = `sb_${kind}_${this.count}`;
    this.sent.set(eventId, { kind, requestId });
    if (requestId !== null) this.unanswered.push(requestId);
    if (this.sent.size > REMEMBERED) {
      for (const oldest of this.sent.keys()) {
        this.sent.delete(oldest);
        break;
      }
    }
    return eventId;
  }

  /** A reply was created: whose is it? Null when the server began it by itself. */
  claim(mark: string | null | 'unmarked'): string | null {
    const requestId = mark === 'unmarked' ? (this.unanswered[0] ?? null) : mark;
    this.settle(requestId);
    return requestId;
  }

  /** What of ours an error that is not fatal turns down. */
  judge(error: ServerError): { readonly objection: ModelObjection; readonly requestId: string | null } {
    const ours = error.eventId === null ? undefined : this.sent.get(error.eventId);
    const objection = objectionOf(error.code, error.message, error.param);
    if (ours === undefined) {
      const aboutReply = objection === 'reply-active' || error.param.startsWith('response');
      const requestId = error.eventId === null && aboutReply ? (this.unanswered[0] ?? null) : null;
      this.settle(requestId);
      return { objection, requestId };
    }
    this.settle(ours.requestId);
    if (objection === 'other' && ours.kind === 'cancel') return { objection: 'nothing-to-cancel', requestId: null };
    if (objection === 'other' && ours.kind === 'truncate') return { objection: 'truncate-refused', requestId: null };
    return { objection, requestId: ours.requestId };
  }

  private settle(requestId: string | null): void {
    if (requestId !== null) this.unanswered = this.unanswered.filter((id) => id !== requestId);
  }
}
