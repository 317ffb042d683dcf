/** Looks at the account and the number without placing a call: requests that read, and cost nothing. */
import { createClient } from './client.ts';
import { refusal, troubleOf } from './refusals.ts';

export interface ProbeOptions {
  readonly accountSid: string;
  readonly authToken: string;
  readonly apiKey?: string;
  readonly apiSecret?: string;
  /** E.164: who is calling. */
  readonly number: string;
  readonly apiBaseUrl?: string;
  readonly timeoutMs: number;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

/** What one look found, in sentences of ours. */
export interface ProbeFinding {
  readonly check: string;
  readonly verdict: 'ok' | 'warn' | 'fail' | 'skipped';
  readonly message: string;
  readonly advice: string | null;
}

export interface AccountProbe {
  readonly findings: readonly ProbeFinding[];
  /** Our clock minus Twilio's, to the second; null when Twilio was not reached. */
  readonly skewMs: number | null;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly skewMs: number | null;
}

const ACCOUNT = 'Twilio account';
const KEY = 'Twilio API key';
const NUMBER = 'Twilio number';
const CREDENTIALS = 'Copy TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN anew from the Twilio console, Account info.';

/** Never rejects. The account is looked at with the auth token, since webhooks are signed with it whatever REST is asked with. */
export async function probeAccount(options: ProbeOptions): Promise<AccountProbe> {
  const withToken = reader(options, options.accountSid, options.authToken);
  const { apiKey, apiSecret } = options;
  const byKey = apiKey !== undefined && apiSecret !== undefined;
  const rest = byKey ? reader(options, apiKey, apiSecret) : withToken;
  const account = await withToken('.json', {});
  if (typeof account === 'string') return { findings: [finding(ACCOUNT, 'fail', account)], skewMs: null };
  const findings = [judgeAccount(account)];
  const isIn = findings[0]?.verdict !== 'fail';
  if (byKey) findings.push(judgeKey(await rest('/IncomingPhoneNumbers.json', { PageSize: '1' })));
  const mayAsk = byKey ? findings.at(-1)?.verdict === 'ok' : isIn;
  findings.push(
    mayAsk ? await lookAtNumber(rest, options.number) : finding(NUMBER, 'skipped', 'Twilio did not let us look.'),
  );
  return { findings, skewMs: account.skewMs };
}

/** Twilio docs, "Account resource": `status` is active, suspended or closed; `type` is Trial or Full. */
function judgeAccount({ status, body }: Answer): ProbeFinding {
  if (status === 401 || status === 403 || status === 404)
    return finding(ACCOUNT, 'fail', 'Twilio did not accept TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN.', CREDENTIALS);
  if (status !== 200) return finding(ACCOUNT, 'fail', refusalText(status, body), AGAIN);
  if (body.status !== 'active')
    return finding(ACCOUNT, 'fail', 'The account is not active.', 'Look at its status in the Twilio console.');
  if (body.type === 'Trial')
    return finding(
      ACCOUNT,
      'warn',
      'It is a trial account: it calls verified numbers only, and plays a notice before the agent is heard.',
      'Verify the numbers that you call in the Twilio console, or upgrade the account.',
    );
  return finding(ACCOUNT, 'ok', 'The account is active, and the auth token is its own.');
}

function judgeKey(answer: Answer | string): ProbeFinding {
  if (typeof answer === 'string') return finding(KEY, 'fail', answer);
  if (answer.status === 200) return finding(KEY, 'ok', 'Twilio accepts it.');
  return finding(
    KEY,
    'fail',
    'Twilio did not accept TWILIO_API_KEY with TWILIO_API_SECRET.',
    'Make a new standard API key of the same account in the Twilio console, or unset both.',
  );
}

/** A call may come from a number of the account, or from one that was verified as a caller id (Twilio docs, "Call resource", From). */
async function lookAtNumber(read: Reader, number: string): Promise<ProbeFinding> {
  const owned = await read('/IncomingPhoneNumbers.json', { PhoneNumber: number });
  if (typeof owned === 'string') return finding(NUMBER, 'fail', owned);
  if (owned.status !== 200) return finding(NUMBER, 'fail', refusalText(owned.status, owned.body), AGAIN);
  const [found] = rowsOf(owned.body.incoming_phone_numbers).filter((row) => row.phone_number === number);
  if (found !== undefined) {
    const { capabilities } = found;
    const silent =
      typeof capabilities === 'object' &&
      capabilities !== null &&
      'voice' in capabilities &&
      capabilities.voice === false;
    if (!silent) return finding(NUMBER, 'ok', 'TWILIO_NUMBER is a voice number of the account.');
    return finding(
      NUMBER,
      'fail',
      'TWILIO_NUMBER cannot make voice calls.',
      'Take a number with the capability Voice.',
    );
  }
  const verified = await read('/OutgoingCallerIds.json', { PhoneNumber: number });
  const ids = typeof verified === 'string' ? [] : rowsOf(verified.body.outgoing_caller_ids);
  if (ids.some((row) => row.phone_number === number))
    return finding(NUMBER, 'ok', 'TWILIO_NUMBER is a verified caller id of the account.');
  return finding(
    NUMBER,
    'fail',
    'TWILIO_NUMBER is neither a number nor a verified caller id of the account.',
    'Set it to one of the account, as the Twilio console lists them under Phone Numbers.',
  );
}

const AGAIN = 'Try again in a while; the Twilio console says more under Monitor, Logs, Errors.';

function refusalText(status: number, body: Answer['body']): string {
  if (status === 429) return refusal('20429', status);
  return status >= 500 || typeof body.code !== 'number'
    ? `Twilio answered with status ${status}.`
    : `Twilio answered with status ${status}, code ${body.code}.`;
}

/** An answer, or the sentence why there is none. */
type Reader = (path: string, query: Readonly<Record<string, string>>) => Promise<Answer | string>;

function reader(options: ProbeOptions, user: string, password: string): Reader {
  const { accountSid, timeoutMs } = options;
  const client = createClient({ accountSid, user, password, timeoutMs });
  const base = (options.apiBaseUrl ?? 'https://api.twilio.com').replace(/\/+$/, '');
  return async (path, params) => {
    try {
      const uri = `${base}/2010-04-01/Accounts/${options.accountSid}${path}`;
      const startedMs = options.now();
      const answer: unknown = await client.request({ method: 'get', uri, params: { ...params } });
      return answerOf(answer, (startedMs + options.now()) / 2);
    } catch (error) {
      const trouble = troubleOf(error);
      return trouble.kind === 'unsent'
        ? trouble.reason
        : 'Twilio did not answer in time. Check the network and the firewall.';
    }
  };
}

function answerOf(answer: unknown, atMs: number): Answer {
  const { statusCode, body, headers } = fieldsOf(answer);
  const dateMs = Date.parse(String(fieldsOf(headers).date ?? ''));
  return {
    status: typeof statusCode === 'number' ? statusCode : 0,
    body: fieldsOf(body),
    // The header tells the second that has begun; its middle is the best guess.
    skewMs: Number.isNaN(dateMs) ? null : atMs - (dateMs + 500),
  };
}

function rowsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** The package gives a body parsed, or as the text that came. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'string') {
    try {
      return fieldsOf(Object(JSON.parse(value)));
    } catch {
      return {};
    }
  }
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function finding(
  check: string,
  verdict: ProbeFinding['verdict'],
  message: string,
  advice: string | null = null,
): ProbeFinding {
  return { check, verdict, message, advice };
}
