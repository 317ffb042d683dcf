import Twilio from 'twilio/lib/rest/Twilio.js';

export interface Credentials {
  readonly accountSid: string;
  /** The account's SID and auth token, or an API key and its secret. */
  readonly user: string;
  readonly password: string;
  readonly timeoutMs: number;
}

/** The vendor's REST client as we want it: it repeats nothing by itself and reads no environment. */
export function createClient({ accountSid, user, password, timeoutMs }: Credentials): Twilio {
  return new Twilio(user, password, {
    accountSid,
    timeout: timeoutMs,
    // A connection that the other side has closed meanwhile would make a create uncertain for nothing.
    keepAlive: false,
    autoRetry: false,
    // Not null, or the package would look into the environment for them.
    edge: '',
    region: '',
    logLevel: 'none',
  });
}
