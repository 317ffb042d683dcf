import type { TwilioKnobs } from './knobs.ts';

/** What of the account can be read besides its calls. */
export interface AccountFacts {
  readonly accountSid: string;
  readonly number: string;
  readonly knobs: Pick<TwilioKnobs, 'accountStatus' | 'accountType' | 'numberVoice' | 'verifiedCallerIds'>;
}

/** Null: no such resource. Twilio docs, "Account", "IncomingPhoneNumber" and "OutgoingCallerId" resources, as far as they are read. */
export function accountResource(url: URL, { accountSid, number, knobs }: AccountFacts): object | null {
  const base = `/2010-04-01/Accounts/${accountSid}`;
  const wanted = url.searchParams.get('PhoneNumber');
  const among = (numbers: readonly string[]): readonly string[] =>
    numbers.filter((one) => wanted === null || one === wanted);
  switch (url.pathname) {
    case `${base}.json`:
      return {
        sid: accountSid,
        friendly_name: 'Simulated account',
        status: knobs.accountStatus,
        type: knobs.accountType,
        uri: `${base}.json`,
      };
    case `${base}/IncomingPhoneNumbers.json`: {
      const capabilities = { voice: knobs.numberVoice, sms: true, mms: false, fax: false };
      const incoming_phone_numbers = among([number]).map((phone_number) => ({ phone_number, capabilities }));
      return { incoming_phone_numbers, page: 0, page_size: 50, next_page_uri: null };
    }
    case `${base}/OutgoingCallerIds.json`: {
      const outgoing_caller_ids = among(knobs.verifiedCallerIds).map((phone_number) => ({ phone_number }));
      return { outgoing_caller_ids, page: 0, page_size: 50, next_page_uri: null };
    }
    default:
      return null;
  }
}
