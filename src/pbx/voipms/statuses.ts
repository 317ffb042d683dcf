/** What VoIP.ms means by the `status` of an answer (its API page lists 480 of them), as one of the four errors. */
import { ConfigError, UpstreamError, UserInputError } from '../../errors.ts';

/** Code of an UpstreamError: something was to be changed, and whether it was is not known. */
export const UNCERTAIN = 'uncertain';

export const LOOK_FIRST = 'Whether the change was made is not known: look at what is there before doing it again.';

/** They begin with `no_` and are refusals all the same. */
const NOT_EMPTY = /^no_(callstatus|base64file|provision.*|sequences|change_billingtype)$/;

/** Nothing was found: `no_cdr`, `no_phonebook`, also `no_subaccount`, which the vendor does not list. */
export function isEmptyStatus(status: string): boolean {
  return /^no_[a-z_]+$/.test(status) && !NOT_EMPTY.test(status);
}

const CREDENTIALS = ['VOIPMS_API_USERNAME', 'VOIPMS_API_PASSWORD'];
const API_PAGE = 'in the VoIP.ms portal, under Main Menu, SOAP and REST/JSON API';

const CONFIG: Readonly<Record<string, string>> = {
  missing_credentials: 'VoIP.ms received no user name or no password. Set VOIPMS_API_USERNAME and VOIPMS_API_PASSWORD.',
  invalid_credentials: `VoIP.ms refused the user name or the password. VOIPMS_API_USERNAME is the account's e-mail address, and VOIPMS_API_PASSWORD the separate API password that is set ${API_PAGE}.`,
  api_not_enabled: `The API of this VoIP.ms account is off. Enable it ${API_PAGE}.`,
};

const INPUT: Readonly<Record<string, string>> = {
  invalid_date: 'VoIP.ms takes dates as YYYY-MM-DD only.',
  invalid_daterange: 'VoIP.ms takes at most 92 days at once.',
  no_callstatus: 'VoIP.ms wants at least one of answered, noanswer, busy and failed to be 1.',
  no_base64file: 'VoIP.ms has no sound of this recording, or not yet.',
  missing_from_date: 'VoIP.ms misses the first day of a range.',
  missing_to_date: 'VoIP.ms misses the last day of a range.',
  invalid_callrecording: 'VoIP.ms has no such recording.',
  invalid_account: 'VoIP.ms has no such account; voipms_get_call_accounts lists those that there are.',
  invalid_member: 'VoIP.ms knows no phonebook entry of one of these ids.',
  missing_member: 'VoIP.ms wants at least one member in a phonebook group.',
  invalid_name: 'VoIP.ms takes letters and digits only in a name.',
  invalid_note: 'VoIP.ms takes notes of less than 50 characters only.',
  sms_toolong: 'VoIP.ms takes text messages of at most 160 characters.',
  max_phonebook: 'VoIP.ms allows no more members with SIP, IAX or URI addresses in this phonebook group.',
};

/** A parameter that the API takes, or could take: its name alone, as a value may be a secret. */
const PARAMETER = /^[a-z][a-z0-9_]{0,40}$/;

/** The error that `status`, neither success nor empty, stands for. `address` is ours, as VoIP.ms sees it, where it was asked. */
export function refusalOf(method: string, status: string, address: string | null): Error {
  const config = CONFIG[status];
  if (config !== undefined) return new ConfigError(config, { settings: CREDENTIALS });
  if (status === 'ip_not_enabled') {
    const which = address === null ? "this server's public IP address" : `the address ${address}`;
    return new ConfigError(
      `VoIP.ms does not allow its API to be used from here (VOIPMS_API_USERNAME's account): add ${which} to the allowed IP addresses ${API_PAGE}.`,
      { settings: CREDENTIALS },
    );
  }
  return inputRefusalOf(method, status) ?? upstreamRefusalOf(method, status);
}

function inputRefusalOf(method: string, status: string): UserInputError | null {
  if (status === 'invalid_method') return new UserInputError(`VoIP.ms has no method ${method}.`);
  if (status === 'missing_params') return new UserInputError(`VoIP.ms misses parameters of ${method}.`);
  const sentence = INPUT[status];
  if (sentence !== undefined) return new UserInputError(`${sentence} (${method}: ${status})`);
  const [, kind, name = ''] = /^(invalid|missing|used|duplicated)_(.+)$/.exec(status) ?? [];
  if (kind === undefined || !PARAMETER.test(name)) return null;
  const what: Readonly<Record<string, string>> = {
    invalid: `VoIP.ms did not accept the value of ${name} for ${method}.`,
    missing: `VoIP.ms misses ${name} for ${method}.`,
    used: `VoIP.ms has this ${name} in use already, so ${method} was refused.`,
    duplicated: `VoIP.ms has this ${name} already, so ${method} was refused.`,
  };
  return new UserInputError(what[kind] ?? '');
}

function upstreamRefusalOf(method: string, status: string): UpstreamError {
  if (status === 'api_limit_exceeded')
    return new UpstreamError(
      'VoIP.ms takes no more requests in this minute, so this one was not carried out. Wait a minute.',
      {
        retryable: true,
        code: status,
      },
    );
  if (status === 'limit_reached')
    return new UpstreamError('VoIP.ms takes no more messages from this account today. Nothing was sent.', {
      retryable: false,
      code: status,
    });
  const code = PARAMETER.test(status) ? status : 'unknown';
  return new UpstreamError(`VoIP.ms refused ${method} (${code}).`, { retryable: false, code });
}
