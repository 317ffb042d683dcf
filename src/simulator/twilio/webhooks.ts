import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type FormFields, sign } from './signature.ts';

/** Twilio waits so long for the answer to a webhook, and then records error 11200. */
export const WEBHOOK_TIMEOUT_MS = 15_000;
const MAX_REPLY_BYTES = 64 * 1024;

export interface WebhookCall {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly fields: FormFields;
  /** Null: not signed. */
  readonly signingToken: string | null;
  readonly timeoutMs: number;
  /** Certificates that are trusted for `https:`. */
  readonly ca?: string | Buffer;
  readonly signal: AbortSignal;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export function encodeForm(fields: FormFields): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of typeof value === 'string' ? [value] : value) form.append(name, one);
  }
  return form.toString();
}

/** Sends one webhook as Twilio does; rejects when no complete answer comes in time. */
export function sendWebhook(call: WebhookCall): Promise<WebhookAnswer> {
  const form = encodeForm(call.fields);
  const isGet = call.method === 'GET';
  const target = isGet ? `${call.url}${call.url.includes('?') ? '&' : '?'}${form}` : call.url;
  const headers: Record<string, string> = { 'user-agent': 'TwilioProxy/1.1', accept: '*/*' };
  if (!isGet) {
    headers['content-type'] = 'application/x-www-form-urlencoded; charset=UTF-8';
    headers['content-length'] = String(Buffer.byteLength(form));
  }
  if (call.signingToken !== null) {
    headers['x-twilio-signature'] = sign(call.signingToken, target, isGet ? {} : call.fields);
  }
  const request = target.startsWith('https:') ? httpsRequest : httpRequest;
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(call.timeoutMs)]);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      target,
      { method: call.method, headers, agent: false, ca: call.ca, signal },
      (incoming) => {
        const parts: Buffer[] = [];
        let size = 0;
        incoming.on('data', (part: Buffer) => {
          size += part.byteLength;
          if (size > MAX_REPLY_BYTES) incoming.destroy(new Error('The reply is larger than 64 KiB'));
          else parts.push(part);
        });
        incoming.on('error', reject);
        incoming.on('end', () => {
          const contentType = incoming.headers['content-type'] ?? '';
          resolve({ status: incoming.statusCode ?? 0, contentType, body: Buffer.concat(parts).toString('utf8') });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(isGet ? undefined : form);
  });
}
