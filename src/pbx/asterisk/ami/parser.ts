import { ProtocolError } from '../../../errors.ts';
import { type AmiMessage, amiMessage } from './message.ts';

/** `event` is looked for first: an OriginateResponse and a ChallengeResponseFailed are events that have a `Response` too. */
export type AmiItem =
  | { readonly kind: 'banner'; readonly version: string }
  | { readonly kind: 'event'; readonly name: string; readonly message: AmiMessage }
  | { readonly kind: 'response'; readonly ok: boolean; readonly message: AmiMessage };

/** Far above anything that Asterisk sends; what is longer is no manager. */
const MOST_MESSAGE_BYTES = 1024 * 1024;
const NO_MANAGER =
  'What answers on this port is not an Asterisk manager. Check AMI_HOST and AMI_PORT (usually 5038, with TLS 5039).';
const END = '\r\n\r\n';
const BANNER = /^Asterisk Call Manager\/([\w.-]{1,40})$/;

/**
 * Bytes in, messages out, cut wherever the network likes. Lines end at CRLF and nowhere else: answers such as "Unable to retrieve
 * endpoint x" hold a bare line feed. Pure but for what it keeps of an unfinished message.
 */
export class AmiParser {
  private rest = '';
  private searched = 0;
  private hasBanner = false;
  private readonly decoder = new TextDecoder('utf-8');

  /** @throws ProtocolError when this is no Asterisk manager; the connection is of no use then */
  push(chunk: Uint8Array): readonly AmiItem[] {
    this.rest += this.decoder.decode(chunk, { stream: true });
    const items: AmiItem[] = [];
    if (!this.hasBanner) {
      const end = this.rest.indexOf('\r\n');
      if (end === -1) {
        if (this.rest.length > 200) throw new ProtocolError(NO_MANAGER);
        return items;
      }
      items.push(bannerOf(this.rest.slice(0, end)));
      this.hasBanner = true;
      this.rest = this.rest.slice(end + 2);
    }
    let from = 0;
    for (;;) {
      const end = this.rest.indexOf(END, Math.max(from, this.searched));
      if (end === -1) break;
      // A stray empty line between messages belongs to neither.
      const text = this.rest.slice(from, end);
      if (text.trim() !== '') items.push(itemOf(text));
      from = end + END.length;
      this.searched = from;
    }
    if (from > 0) this.rest = this.rest.slice(from);
    if (this.rest.length > MOST_MESSAGE_BYTES)
      throw new ProtocolError('A message of the Asterisk manager does not end.');
    // The end of a message may be cut in its middle.
    this.searched = Math.max(0, this.rest.length - END.length + 1);
    return items;
  }
}

function bannerOf(line: string): AmiItem {
  const version = BANNER.exec(line.trim())?.[1];
  if (version === undefined) throw new ProtocolError(NO_MANAGER);
  return { kind: 'banner', version };
}

function itemOf(text: string): AmiItem {
  const headers = text.split('\r\n').flatMap((line): (readonly [string, string])[] => {
    const colon = line.indexOf(':');
    // A line without a colon tells nothing.
    if (colon === -1) return [];
    return [[line.slice(0, colon).trim(), line.slice(colon + 1).replace(/^ /, '')]];
  });
  const message = amiMessage(headers);
  const name = message.get('Event');
  if (name !== '') return { kind: 'event', name, message };
  return {
    kind: 'response',
    ok: ['success', 'goodbye', 'pong', 'follows'].includes(message.get('Response').toLowerCase()),
    message,
  };
}
