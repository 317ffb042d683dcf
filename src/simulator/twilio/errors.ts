/** What Twilio says when it refuses, by its own codes (Twilio, "Error and warning dictionary"). */
const REFUSALS: Readonly<Record<number, readonly [status: number, message: string]>> = {
  10004: [429, 'Call concurrency limit exceeded'],
  20001: [400, 'Invalid parameter'],
  20003: [401, 'Authenticate'],
  20004: [405, 'Method not allowed'],
  20404: [404, 'The requested resource was not found'],
  20429: [429, 'Too Many Requests'],
  20500: [500, 'Internal Server Error'],
  20503: [503, 'Service unavailable'],
  21201: [400, "No 'To' number is specified"],
  21205: [400, 'Url parameter is required.'],
  21210: [400, 'The source phone number provided is not yet verified for your account'],
  21211: [400, 'The phone number you are attempting to call is not valid'],
  21212: [400, "The 'From' number is not a valid phone number"],
  21213: [400, "No 'From' number is specified"],
  21214: [400, 'The phone number you are attempting to call cannot be reached'],
  21215: [400, 'Account not authorized to call this number: check your Geo Permissions'],
  21216: [400, 'Account not allowed to call this number'],
  21219: [400, 'The number is unverified. Trial accounts may only make calls to verified numbers'],
  21220: [400, 'Call is not in-progress. Cannot redirect.'],
  21609: [400, "Invalid 'StatusCallback' URL"],
  21626: [400, "Invalid 'StatusCallbackEvent'"],
};

export interface RestRefusal {
  readonly status: number;
  readonly body: {
    readonly code: number;
    readonly message: string;
    readonly more_info: string;
    readonly status: number;
  };
}

/** `code` 500 and other bare HTTP statuses are answered as Twilio's general error of that status. */
export function refusal(code: number, detail?: string): RestRefusal {
  const known = code === 500 ? 20500 : code === 503 ? 20503 : code === 429 ? 20429 : code;
  const [status, message] = REFUSALS[known] ?? [400, 'Bad request'];
  const text = detail === undefined ? message : `${message}: ${detail}`;
  return {
    status,
    body: { code: known, message: text, more_info: `https://www.twilio.com/docs/errors/${known}`, status },
  };
}

/** An entry of the account's debugger: an error or a warning about one call. `atMs` counts from the call's creation. */
export interface Notice {
  readonly code: number;
  readonly message: string;
  readonly atMs: number;
}
