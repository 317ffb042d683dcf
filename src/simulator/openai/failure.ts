/** What the `error` member of an `error` event says, before its `event_id`. */
export interface Complaint {
  readonly type: 'invalid_request_error' | 'server_error' | 'rate_limit_error';
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
}

export function complaint(code: string, message: string, param: string | null = null): Complaint {
  return { type: 'invalid_request_error', code, message, param };
}

/** Thrown while a client event is handled; the session answers with an `error` event and goes on. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly complaint: Complaint;
  constructor(what: Complaint) {
    super(what.message);
    this.complaint = what;
  }
}

export function refuse(code: string, message: string, param: string | null = null): never {
  throw new Refusal(complaint(code, message, param));
}
