/** What 3CX says no by, in sentences of ours; each fault is translated here and once. */
import { ConfigError, UpstreamError } from '../../errors.ts';
import type { HttpFailure } from './http.ts';
import { rowOf, textOf } from './json.ts';

/** 3CX answered, and said no. `status` is HTTP's, also 200 where the answer itself says that it failed; `reason` is 3CX's word for why. */
export class ThreeCxRefusal extends UpstreamError {
  readonly status: number;
  readonly reason: string | null;
  constructor(message: string, details: { readonly status: number; readonly reason?: string | null }) {
    const { status, reason = null } = details;
    super(message, {
      retryable: status === 429 || (status >= 500 && reason === null),
      code: CODES[status] ?? `http-${status}`,
    });
    this.status = status;
    this.reason = reason;
  }
}

const CODES: Readonly<Record<number, string>> = {
  200: 'failed',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  422: 'wrong-state',
  424: 'no-audio',
  429: 'busy',
};

/** The statuses are documented or were seen by users of the API; their bodies are not, so nothing is made of those but `reason`. */
const SENTENCES: Readonly<Record<number, string>> = {
  400: '3CX could not make anything of the request. This may be another build than the one that Switchboard knows.',
  401: '3CX refuses a token that it has just given. Another program may be using the same client id (only one token of an app is good at a time), or the app is limited to other addresses.',
  403: '3CX does not let this app do that: the extension may not be listed in the app’s settings (Admin Console, Integrations, API), the app’s role may be too low, or the licence may not include it.',
  404: '3CX knows nothing of that: it may be gone already.',
  422: '3CX cannot do that in the state in which the call is at this moment.',
  424: '3CX gives the sound only of calls at the app’s own route point.',
  429: '3CX is being asked too much. Try again in a minute.',
};

const REASONS: Readonly<Record<string, string>> = {
  NoAnswer: 'nobody answered',
  PhoneBusy: 'the telephone is busy',
  PhoneNotRegistered: 'no telephone is registered there',
  NoDestinations: 'it leads nowhere',
};

/** `what` completes “3CX refused …”, as in “to place the call”. */
export function refusalOf(status: number, body: unknown, what: string): ThreeCxRefusal {
  const reason = reasonOf(body);
  if (status >= 200 && status < 300) return new ThreeCxRefusal(failed(what, reason), { status: 200, reason });
  if (status >= 300 && status < 400)
    return new ThreeCxRefusal(
      '3CX sends requests on to another address. PBX_FQDN must be the address (with its port, if any) under which 3CX answers itself.',
      { status },
    );
  const sentence =
    SENTENCES[status] ??
    (status >= 500 ? `3CX had a fault of its own (HTTP ${status}).` : `3CX answered with HTTP ${status}.`);
  return new ThreeCxRefusal(reason === null ? sentence : failed(what, reason), { status, reason });
}

function failed(what: string, reason: string | null): string {
  const because = reason === null ? undefined : REASONS[reason];
  return `3CX refused ${what}${because === undefined ? '' : `: ${because}`}.`;
}

/** A word of 3CX's list; anything longer would be a text. */
function reasonOf(body: unknown): string | null {
  const row = rowOf(body);
  const reason = textOf(row?.reason ?? row?.Reason);
  return reason !== null && /^[A-Za-z]{1,40}$/.test(reason) && reason !== 'None' ? reason : null;
}

/** No answer came. `isChange`: what was asked for changes something. */
export function failureOf(failure: HttpFailure, what: string, isChange: boolean): Error {
  if (failure.kind === 'certificate')
    return new ConfigError(
      'The certificate of the 3CX server is not one that this machine trusts. Use the name in PBX_FQDN that the certificate is for, or give its authority by NODE_EXTRA_CA_CERTS.',
      { settings: ['PBX_FQDN'], cause: failure },
    );
  if (isChange && failure.wasSent)
    return new UpstreamError(`3CX did not answer when it was asked ${what}, so it is not known whether it was done.`, {
      retryable: false,
      code: UNCERTAIN,
      cause: failure,
    });
  if (failure.kind === 'too-large')
    return new UpstreamError('3CX answered with more than can be taken.', { retryable: false, code: 'too-large' });
  return new UpstreamError(
    failure.kind === 'timeout'
      ? '3CX did not answer in time. Try again in some seconds.'
      : 'The 3CX server cannot be reached. Check PBX_FQDN, and that the server is up and its address and port are open to this machine.',
    { retryable: true, code: 'unreachable', cause: failure },
  );
}

/** Of an UpstreamError: what was asked for may have been done. */
const UNCERTAIN = 'uncertain';

export function uncertain(message: string, cause?: unknown): UpstreamError {
  return new UpstreamError(message, { retryable: false, code: UNCERTAIN, cause });
}

export function isUncertain(error: unknown): error is UpstreamError {
  return hasCode(error, UNCERTAIN);
}

export function hasCode(error: unknown, code: string): error is UpstreamError {
  return error instanceof UpstreamError && error.code === code;
}

export function isRefusal(error: unknown, ...statuses: readonly number[]): error is ThreeCxRefusal {
  return error instanceof ThreeCxRefusal && (statuses.length === 0 || statuses.includes(error.status));
}

/** To catch with: null for a refusal with one of these statuses; anything else is thrown on. */
export function nullOn(...statuses: readonly number[]): (error: unknown) => null {
  return (error) => {
    if (isRefusal(error, ...statuses)) return null;
    throw error;
  };
}
