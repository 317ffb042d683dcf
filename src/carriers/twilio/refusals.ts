/** What went wrong with a request to Twilio, and what the reader can do about it. Twilio's own texts stay behind. */

export type Trouble =
  /** The request never left us, so nothing happened. */
  | { readonly kind: 'unsent'; readonly code: string; readonly reason: string }
  /** It may have been carried out: no answer, a broken one, or a failure on Twilio's side. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** There is no such call (any more). */
  | { readonly kind: 'gone'; readonly code: string; readonly status: number }
  | { readonly kind: 'said-no'; readonly code: string; readonly status: number };

/** Failures of the network that come before a request is sent. */
const UNSENT: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'Twilio could not be reached: the connection was refused. Check the network, and TWILIO_API_BASE_URL if it is set.',
  ENOTFOUND: 'Twilio could not be reached: its name could not be resolved. Check the network and its DNS.',
  EAI_AGAIN: 'Twilio could not be reached: its name could not be resolved. Check the network and its DNS.',
  EHOSTUNREACH: 'Twilio could not be reached: there is no route to it. Check the network.',
  ENETUNREACH: 'Twilio could not be reached: there is no network. Check the connection of this machine.',
};

/** Twilio error dictionary: not found, and "call is not in-progress". */
const GONE_CODES: ReadonlySet<string> = new Set(['20404', '21220']);

/** Any value that the Twilio package throws. */
export function troubleOf(error: unknown): Trouble {
  const fields: { status?: unknown; code?: unknown } = typeof error === 'object' && error !== null ? error : {};
  const code = typeof fields.code === 'string' || typeof fields.code === 'number' ? String(fields.code) : '';
  if (typeof fields.status === 'number') return ofAnswer(fields.status, code);
  const unsent = Object.hasOwn(UNSENT, code) ? UNSENT[code] : undefined;
  if (unsent !== undefined) return { kind: 'unsent', code: 'unreachable', reason: unsent };
  if (/CERT|SELF_SIGNED|UNABLE_TO_|EPROTO/.test(code)) {
    return {
      kind: 'unsent',
      code: 'certificate',
      reason:
        "Twilio's certificate was not accepted. Check the clock of this machine, and any proxy that inspects TLS.",
    };
  }
  return { kind: 'lost', reason: 'Twilio did not answer the request, so it is not known whether it was carried out.' };
}

function ofAnswer(status: number, code: string): Trouble {
  if (status === 404 || GONE_CODES.has(code))
    return { kind: 'gone', code: code === '' ? String(status) : code, status };
  if (status >= 500 || status === 408) {
    return {
      kind: 'lost',
      reason: 'Twilio failed while it handled the request, so it is not known whether it was carried out.',
    };
  }
  return { kind: 'said-no', code: code === '' ? String(status) : code, status };
}

/** Twilio error dictionary, the codes that a create of a call is refused with. */
const REFUSALS: Readonly<Record<string, string>> = {
  '10001': 'The Twilio account is not active. Look at its status in the Twilio console.',
  '10002': 'The Twilio trial account has reached its limit. Upgrade it, or wait for its calls to end.',
  '10004': 'The Twilio account has too many calls at once. Wait until one has ended, then try again.',
  '13223': 'Twilio does not accept the number to call. Check that it is complete and in the form +14155550100.',
  '13224': 'Twilio says that the number to call is not valid. Check it, in the form +14155550100.',
  '13225': 'Twilio does not call this number: it is on a list of forbidden numbers.',
  '13227':
    'The Twilio account may not call this country. Allow it in the Twilio console under Voice, Geographic Permissions.',
  '20003':
    'Twilio did not accept the credentials. Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (or TWILIO_API_KEY and TWILIO_API_SECRET).',
  '20404': 'Twilio knows no such account. Check TWILIO_ACCOUNT_SID.',
  '20429': 'Twilio is getting too many requests from this account. Wait a little, then try again.',
  '21201': 'Twilio was given no number to call.',
  '21205':
    'Twilio does not accept the address of this server. Check PUBLIC_URL: it must be an https address that Twilio can reach.',
  '21210':
    'TWILIO_NUMBER is not a number that this Twilio account may call from. Buy or verify it in the Twilio console.',
  '21211': 'Twilio says that the number to call is not valid. Check it, in the form +14155550100.',
  '21212': 'Twilio says that TWILIO_NUMBER is not valid. Set it to a number of the account, in the form +14155550100.',
  '21214': 'Twilio cannot reach the number to call. Check it, or try another number of the same party.',
  '21215':
    'The Twilio account may not call this country. Allow it in the Twilio console under Voice, Geographic Permissions.',
  '21216': 'Twilio does not call this number: it is on a list of forbidden numbers.',
  '21217': 'Twilio says that the number to call is not valid. Check it, in the form +14155550100.',
  '21219':
    'A Twilio trial account may only call verified numbers. Verify the number in the Twilio console, or upgrade the account.',
  '21609':
    'Twilio does not accept the address for status messages. Check PUBLIC_URL: it must be an https address that Twilio can reach.',
  '573005':
    'A Twilio trial account may only call verified numbers. Verify the number in the Twilio console, or upgrade the account.',
};

/** A sentence that says what to do about a refused create. */
export function refusal(code: string, status: number): string {
  const known = Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined;
  if (known !== undefined) return known;
  if (status === 401 || status === 403) return REFUSALS['20003'] ?? '';
  if (status === 429) return REFUSALS['20429'] ?? '';
  const shown = /^[0-9]{3,6}$/.test(code) ? ` with code ${code}` : '';
  return `Twilio refused to place the call${shown}. The Twilio console says more under Monitor, Logs, Errors.`;
}
