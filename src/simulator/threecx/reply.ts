/** What a request was, and what it is answered with, before anything is written. */
export interface ThreeCxRequest {
  readonly method: string;
  /** Such as `http://127.0.0.1:5001`. */
  readonly origin: string;
  /** As it came, still encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed JSON; null without a body. */
  readonly body: unknown;
}

export interface Reply {
  readonly status: number;
  /** Absent: no body. Bytes and texts go out as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Refused by the Call Control API. The bodies of its refusals are not attested; this is the simulator's own. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
