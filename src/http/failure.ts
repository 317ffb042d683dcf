/** The one place where a failure becomes an HTTP answer. Only sentences of ours leave; never a stack, never a text from outside. */
import { ConfigError, ProtocolError, UpstreamError, UserInputError } from '../errors.ts';

export interface HttpFailure {
  readonly status: number;
  readonly message: string;
}

export const NOT_FOUND: HttpFailure = { status: 404, message: 'There is nothing at this address.' };
export const MALFORMED: HttpFailure = { status: 400, message: 'The request is malformed.' };
const TOO_LARGE: HttpFailure = { status: 413, message: 'The request is too large.' };
const UNSUPPORTED: HttpFailure = {
  status: 415,
  message: 'The request has an encoding that this server does not read.',
};
const BROKEN: HttpFailure = { status: 500, message: 'The server failed to answer. Its log says why.' };

/** Any thrown value as a status and a sentence. Our own four errors keep their sentence where a web client may act on it. */
export function httpFailure(error: unknown): HttpFailure {
  if (error instanceof UserInputError) return { status: 400, message: error.message };
  if (error instanceof ProtocolError) return { status: 400, message: error.message };
  if (error instanceof ConfigError) return { status: 503, message: error.message };
  if (error instanceof UpstreamError) return { status: 502, message: error.message };
  if (error instanceof URIError) return MALFORMED;
  return ofStatus(statusOf(error));
}

/** Body parsers and routers of Express mark what the client did wrong by a `status` on the error. */
function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('status' in error)) return 500;
  return typeof error.status === 'number' ? error.status : 500;
}

function ofStatus(status: number): HttpFailure {
  if (status === 404) return NOT_FOUND;
  if (status === 413) return TOO_LARGE;
  if (status === 415) return UNSUPPORTED;
  return status >= 400 && status < 500 ? { ...MALFORMED, status } : BROKEN;
}
