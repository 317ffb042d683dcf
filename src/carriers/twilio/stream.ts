/**
 * The vocabulary of Twilio's Media Streams (Twilio docs, "Media Streams – WebSocket messages"), both ways. Nothing outside this
 * file spells a member of these messages.
 */

export type StreamMessage =
  | { readonly kind: 'connected' }
  | { readonly kind: 'start'; readonly start: StreamStart }
  /** `payload` is plain padded base64 of µ-law; `mediaMs` counts from the stream's start. */
  | { readonly kind: 'media'; readonly payload: string; readonly mediaMs: number }
  | { readonly kind: 'mark'; readonly generation: number; readonly markId: number }
  | { readonly kind: 'dtmf'; readonly digit: string }
  | { readonly kind: 'stop' }
  /** Well-formed, and nothing to us: an event that we do not know, another track, a mark that is not ours. */
  | { readonly kind: 'other' };

export interface StreamStart {
  readonly streamSid: string;
  readonly callSid: string;
  readonly accountSid: string;
  /** The `<Parameter name="token">` of our TwiML. */
  readonly token: string;
  /** µ-law, 8 kHz, one channel: the only format that we speak. */
  readonly isMulaw8k: boolean;
}

const MEDIA_START = '{"event":"media",';
const MEDIA_HEAD =
  /^\{"event":"media","sequenceNumber":"\d{1,15}","media":\{"track":"inbound","chunk":"\d{1,15}","timestamp":"(\d{1,15})","payload":"$/;
const PAYLOAD_KEY = '"payload":"';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const MARK_NAME = /^g(\d{1,15}):(\d{1,15})$/;

export interface StreamReader {
  /** Null when the frame is malformed. Never throws. */
  read(data: Buffer, isBinary: boolean): StreamMessage | null;
}

/**
 * Reads the frames of one stream. A frame of audio in the member order that Twilio writes is taken by string index, without
 * `JSON.parse`; in any other order it takes the strict way.
 */
export function createStreamReader(): StreamReader {
  // Known from `start` on: how every audio frame of this stream ends.
  let tail: string | null = null;
  let streamSid: string | null = null;

  const readStrictly = (text: string): StreamMessage | null => {
    const message = parseStreamMessage(text, streamSid);
    if (message?.kind === 'start' && streamSid === null) {
      streamSid = message.start.streamSid;
      tail = `"},"streamSid":${JSON.stringify(streamSid)}}`;
    }
    return message;
  };

  return {
    read(data, isBinary) {
      if (isBinary) return null;
      // One byte a character is enough for audio frames, and cheaper; the strict way decodes again.
      const text = data.toString('latin1');
      return (tail === null ? null : sliceMedia(text, tail)) ?? readStrictly(data.toString('utf8'));
    },
  };
}

function sliceMedia(text: string, tail: string): StreamMessage | null {
  if (!text.startsWith(MEDIA_START) || !text.endsWith(tail)) return null;
  const key = text.indexOf(PAYLOAD_KEY, MEDIA_START.length);
  if (key === -1) return null;
  const start = key + PAYLOAD_KEY.length;
  const head = MEDIA_HEAD.exec(text.slice(0, start));
  if (head === null) return null;
  const payload = text.slice(start, text.length - tail.length);
  return isBase64(payload) ? { kind: 'media', payload, mediaMs: Number(head[1]) } : null;
}

/** It is spliced into the model's envelope, so nothing but base64 may pass. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && BASE64.test(text);
}

/** One message by `JSON.parse` and a check of every member that we use; null when malformed or of another stream. */
export function parseStreamMessage(text: string, streamSid: string | null): StreamMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const message = recordOf(value);
  if (message === null || typeof message.event !== 'string') return null;
  if (message.event === 'connected') return { kind: 'connected' };
  if (message.event === 'start') return parseStart(message);
  if (streamSid === null || message.streamSid !== streamSid) return null;
  switch (message.event) {
    case 'media':
      return parseMedia(recordOf(message.media));
    case 'mark':
      return parseMark(recordOf(message.mark));
    case 'dtmf':
      return parseDigit(recordOf(message.dtmf));
    case 'stop':
      return { kind: 'stop' };
    default:
      return { kind: 'other' };
  }
}

type Members = Readonly<Record<string, unknown>>;

function recordOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function parseStart(message: Members): StreamMessage | null {
  const start = recordOf(message.start);
  const format = recordOf(start?.mediaFormat);
  if (start === null || format === null) return null;
  const { streamSid, callSid, accountSid } = start;
  if (typeof streamSid !== 'string' || !/^[A-Za-z0-9]{2,64}$/.test(streamSid) || message.streamSid !== streamSid)
    return null;
  if (typeof callSid !== 'string' || typeof accountSid !== 'string') return null;
  const token = recordOf(start.customParameters)?.token;
  const isMulaw8k = format.encoding === 'audio/x-mulaw' && format.sampleRate === 8000 && format.channels === 1;
  return {
    kind: 'start',
    start: { streamSid, callSid, accountSid, token: typeof token === 'string' ? token : '', isMulaw8k },
  };
}

function parseMedia(media: Members | null): StreamMessage | null {
  if (media === null || typeof media.payload !== 'string' || !isBase64(media.payload)) return null;
  if (typeof media.timestamp !== 'string' || !/^\d{1,15}$/.test(media.timestamp)) return null;
  if (media.track !== undefined && media.track !== 'inbound') return { kind: 'other' };
  return { kind: 'media', payload: media.payload, mediaMs: Number(media.timestamp) };
}

function parseMark(mark: Members | null): StreamMessage | null {
  if (mark === null || typeof mark.name !== 'string') return null;
  const name = MARK_NAME.exec(mark.name);
  return name === null ? { kind: 'other' } : { kind: 'mark', generation: Number(name[1]), markId: Number(name[2]) };
}

function parseDigit(dtmf: Members | null): StreamMessage | null {
  if (dtmf === null || typeof dtmf.digit !== 'string' || !/^[0-9A-D*#]$/.test(dtmf.digit)) return null;
  return { kind: 'dtmf', digit: dtmf.digit };
}

/** Builds what we send into one stream, by putting the changing part between two fixed ones. */
export interface StreamWriter {
  media(payload: string): string;
  mark(generation: number, markId: number): string;
  clear(): string;
}

export function createStreamWriter(streamSid: string): StreamWriter {
  const sid = JSON.stringify(streamSid);
  const mediaHead = `{"event":"media","streamSid":${sid},"media":{"payload":"`;
  const markHead = `{"event":"mark","streamSid":${sid},"mark":{"name":"g`;
  const clear = `{"event":"clear","streamSid":${sid}}`;
  return {
    media: (payload) => `${mediaHead}${payload}"}}`,
    mark: (generation, markId) => `${markHead}${generation}:${markId}"}}`,
    clear: () => clear,
  };
}
