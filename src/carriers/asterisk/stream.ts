/**
 * The vocabulary of chan_websocket's JSON control messages (Asterisk docs, "WebSocket Channel Driver"; JSON since 20.18, 22.8 and
 * 23.2). Nothing outside this file spells a member of them. Audio goes beside them as binary messages of bare µ-law.
 */

export type MediaEvent =
  | { readonly kind: 'start'; readonly channel: string; readonly uniqueId: string; readonly isMulaw8k: boolean }
  | { readonly kind: 'mark'; readonly generation: number; readonly markId: number }
  | { readonly kind: 'digit'; readonly digit: string }
  /** The queue is nearly full, or has room again. */
  | { readonly kind: 'full' | 'room' }
  | { readonly kind: 'error' }
  | { readonly kind: 'other' };

const MARK_ID = /^g(\d{1,15}):(\d{1,15})$/;

/** Null for what is no message of Asterisk at all. */
export function readMediaEvent(text: string): MediaEvent | null {
  let message: Readonly<Record<string, unknown>>;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return null;
    message = { ...parsed };
  } catch {
    return null;
  }
  switch (message.event) {
    case 'MEDIA_START':
      return {
        kind: 'start',
        channel: String(message.channel ?? ''),
        uniqueId: String(message.channel_id ?? ''),
        isMulaw8k: message.format === 'ulaw' && message.optimal_frame_size === 160,
      };
    case 'MEDIA_MARK_PROCESSED': {
      const [, generation, markId] = MARK_ID.exec(String(message.correlation_id)) ?? [];
      return markId === undefined
        ? { kind: 'other' }
        : { kind: 'mark', generation: Number(generation), markId: Number(markId) };
    }
    case 'DTMF_END': {
      const digit = String(message.digit ?? '');
      return /^[0-9A-D*#]$/.test(digit) ? { kind: 'digit', digit } : { kind: 'other' };
    }
    case 'MEDIA_XOFF':
      return { kind: 'full' };
    case 'MEDIA_XON':
      return { kind: 'room' };
    case 'ERROR':
      return { kind: 'error' };
    default:
      return typeof message.event === 'string' ? { kind: 'other' } : null;
  }
}

/** Takes a call that rings (`n` of the dial string). */
export const ANSWER = '{"command":"ANSWER"}';
export const HANG_UP = '{"command":"HANGUP"}';
/** Forgets what is queued, and the marks that wait in it without a word. */
export const FLUSH = '{"command":"FLUSH_MEDIA"}';

/** Well within the 128 bytes above which Asterisk ignores a text message. */
export function markCommand(generation: number, markId: number): string {
  return `{"command":"MARK_MEDIA","correlation_id":"g${generation}:${markId}"}`;
}
