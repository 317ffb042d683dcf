/** SIP messages (RFC 3261) as far as a telephone on loopback needs them. */
import { createHash, randomBytes } from 'node:crypto';

export interface SipMessage {
  /** Of a request; null of a response. */
  readonly method: string | null;
  /** Of a response; 0 of a request. */
  readonly status: number;
  /** First value; empty where there is none. */
  header(name: string): string;
  /** Every `Via`, as it came. */
  readonly vias: readonly string[];
  readonly body: string;
}

export function parseSip(text: string): SipMessage {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...lines] = text.slice(0, end === -1 ? undefined : end).split('\r\n');
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
  });
  const status = /^SIP\/2\.0 (\d{3})/.exec(first)?.[1];
  return {
    method: status === undefined ? (first.split(' ')[0] ?? '') : null,
    status: Number(status ?? 0),
    header: (name) => headers.find(([key]) => key === name.toLowerCase())?.[1] ?? '',
    vias: headers.filter(([key]) => key === 'via').map(([, value]) => value),
    body: end === -1 ? '' : text.slice(end + 4),
  };
}

export function writeSip(first: string, headers: readonly (readonly [string, string | number])[], body = ''): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const type = body === '' ? '' : 'Content-Type: application/sdp\r\n';
  return `${first}\r\n${lines}${type}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** The answer to a challenge of RFC 2617, as Asterisk's PJSIP gives it. */
export function digest(
  challenge: string,
  request: { readonly method: string; readonly uri: string; readonly user: string; readonly password: string },
): string {
  const { method, uri, user, password } = request;
  const part = (name: string): string => new RegExp(`${name}="?([^",]+)"?`).exec(challenge)?.[1] ?? '';
  const [realm, nonce, opaque, qop] = ['realm', 'nonce', 'opaque', 'qop'].map(part) as [string, string, string, string];
  const [nc, cnonce] = ['00000001', hex(8)];
  const [one, two] = [md5(`${user}:${realm}:${password}`), md5(`${method}:${uri}`)];
  const response = qop === '' ? md5(`${one}:${nonce}:${two}`) : md5(`${one}:${nonce}:${nc}:${cnonce}:auth:${two}`);
  const more = qop === '' ? '' : `, qop=auth, nc=${nc}, cnonce="${cnonce}"`;
  return `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5${more}${opaque === '' ? '' : `, opaque="${opaque}"`}`;
}

/** µ-law and telephone events at 20 ms (RFC 4566, RFC 4733). */
export function sdp(port: number): string {
  return `v=0\r\no=phone ${port} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n`;
}

/** Where the other side wants its audio. */
export function audioAddress(description: string): { readonly host: string; readonly port: number } {
  return {
    host: /c=IN IP4 (\S+)/.exec(description)?.[1] ?? '127.0.0.1',
    port: Number(/m=audio (\d+)/.exec(description)?.[1] ?? 0),
  };
}

export function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
