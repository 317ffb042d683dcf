import { createHmac } from 'node:crypto';

export type FormFields = Readonly<Record<string, string | readonly string[]>>;

/**
 * X-Twilio-Signature: base64 of HMAC-SHA1, keyed with the auth token, over the URL exactly as requested followed by every form
 * field as name + value in order of name (Twilio, "Webhooks security"). A repeated name counts each distinct value once.
 */
export function sign(authToken: string, url: string, fields: FormFields = {}): string {
  const data = Object.keys(fields)
    .sort()
    .map((name) => {
      const value = fields[name] ?? '';
      const values = typeof value === 'string' ? [value] : [...new Set(value)].sort();
      return values.map((one) => name + one).join('');
    })
    .join('');
  return createHmac('sha1', authToken)
    .update(Buffer.from(url + data, 'utf8'))
    .digest('base64');
}
