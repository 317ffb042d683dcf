/** `X-Twilio-Signature` (Twilio docs, "Webhooks security"). Always over the configured public URL, never over a Host header. */
import { getExpectedTwilioSignature, validateRequest } from 'twilio/lib/webhooks/webhooks.js';

type Form = Readonly<Record<string, string | readonly string[]>>;

export interface SignatureCheck {
  /** `target` is path and query as they came. */
  webhook(target: string, form: Form, signature: string | undefined): boolean;
  /** Of a stream's upgrade: signed over the `ws(s)://` URL as written in the TwiML, without parameters. */
  upgrade(target: string, signature: string | undefined): boolean;
}

/** `publicUrl` is without a trailing slash. Either of `authTokens` may have signed, so that a token can be rotated. */
export function createSignatureCheck(options: {
  readonly publicUrl: string;
  readonly authTokens: readonly string[];
}): SignatureCheck {
  const socketUrl = toSocketUrl(options.publicUrl);
  return {
    webhook(target, form, signature) {
      if (signature === undefined || !target.startsWith('/')) return false;
      return options.authTokens.some((token) => isSigned(token, signature, options.publicUrl + target, form));
    },
    upgrade(target, signature) {
      if (signature === undefined || !target.startsWith('/')) return false;
      const urls = streamUrls(socketUrl, target);
      return options.authTokens.some((token) => urls.some((url) => isSigned(token, signature, url, {})));
    },
  };
}

/** `https` → `wss`, `http` → `ws`. */
export function toSocketUrl(publicUrl: string): string {
  return publicUrl.replace(/^http/, 'ws');
}

/** What Twilio itself would send for this URL. */
export function signUpgrade(authToken: string, url: string): string {
  return getExpectedTwilioSignature(authToken, url, {});
}

function isSigned(authToken: string, signature: string, url: string, form: Form): boolean {
  try {
    return validateRequest(authToken, signature, url, { ...form });
  } catch {
    return false;
  }
}

/**
 * The spellings of a stream's URL that are seen on the wire: with and without a trailing slash, with and without the port. The
 * package adds `:80` to a `wss` URL, never `:443`, so that one is given to it as written.
 */
function streamUrls(socketUrl: string, target: string): readonly string[] {
  const other = target.endsWith('/') ? target.slice(0, -1) : `${target}/`;
  const withPort = socketUrl.replace(/^(wss:\/\/[^/:]+)(?=\/|$)/, '$1:443');
  return [...new Set([socketUrl, withPort])].flatMap((base) => [base + target, base + other]);
}
