/**
 * The vocabulary of Twilio's Media Streams (Twilio docs, "Media Streams – WebSocket messages"), both ways. Nothing outside this
 * file spells a member of these messages.
 */
import { Audio, isWireBase64, lasting, standsAt } from '../../media/audio.ts';
import type { EncodedText } from '../carrier.ts';

export type StreamMessage =
  | { readonly kind: 'connected' }
  | { readonly kind: 'start'; readonly start: StreamStart }
  /** `mediaMs` counts from the stream's start. */
  | { readonly kind: 'media'; readonly audio: Audio; readonly mediaMs: number }
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

/** The constant parts of an audio frame, in the member order that Twilio writes; digits stand between them. In one piece of memory. */
const PARTS = [
  '{"event":"media","sequenceNumber":"',
  '","media":{"track":"inbound","chunk":"',
  '","timestamp":"',
  '","payload":"',
];
const TAIL_PART = '"},"streamSid":"';
const CONSTANTS = Buffer.from(PARTS.join('') + TAIL_PART, 'latin1');
const PART_LENGTHS = PARTS.map((part) => part.length);
const TAIL_AT = CONSTANTS.length - TAIL_PART.length;
/** Behind the id of the stream. */
const END_LENGTH = '"}'.length;
const MARK_START = Buffer.from('{"event":"mark","sequenceNumber":"', 'latin1');
const MARK_SID = Buffer.from('","streamSid":"', 'latin1');
const MARK_NAME_PART = Buffer.from('","mark":{"name":"g', 'latin1');
const MARK_END = Buffer.from('"}}', 'latin1');
const COLON = 0x3a;
const MOST_DIGITS = 15;
const ZERO = 0x30;
const QUOTE = 0x22;
const BRACE = 0x7d;
const MARK_NAME = /^g(\d{1,15}):(\d{1,15})$/;

/**
 * Reads the frames of one stream. A frame of audio in the member order that Twilio writes is cut out by position, without
 * `JSON.parse` and without its audio ever becoming a string; in any other order it takes the strict way.
 */
export class StreamReader {
  private streamSid: string | null = null;
  private sidLength = 0;
  /** The last characters of the id: the socket is this stream's alone, and in full it is compared on the strict way. */
  private sidEnd = 0;

  /** Null when the frame is malformed. Never throws. */
  read(data: Buffer, isBinary: boolean): StreamMessage | null {
    if (isBinary) return null;
    const cut = this.streamSid === null ? null : (this.cutMedia(data) ?? this.cutMark(data));
    return cut ?? this.readStrictly(data.toString('utf8'));
  }

  private cutMedia(data: Buffer): StreamMessage | null {
    const sidAt = data.length - END_LENGTH - this.sidLength;
    const end = sidAt - TAIL_PART.length;
    if (data[data.length - 1] !== BRACE || data[data.length - 2] !== QUOTE || lastOf(data) !== this.sidEnd) return null;
    if (!hasConstant(data, end, TAIL_AT, TAIL_PART.length)) return null;
    let at = 0;
    let mediaMs = 0;
    let constantAt = 0;
    for (const length of PART_LENGTHS) {
      if (at > 0) {
        const from = at;
        // The last digits are those of the timestamp.
        for (mediaMs = 0; isDigit(data[at]); at += 1) mediaMs = mediaMs * 10 + (data[at] ?? 0) - ZERO;
        if (at === from || at - from > MOST_DIGITS) return null;
      }
      if (!hasConstant(data, at, constantAt, length)) return null;
      at += length;
      constantAt += length;
    }
    // It is spliced into the model's envelope, so nothing but base64 may pass; of a frame without audio it is the tail.
    return isWireBase64(data, at, end) ? { kind: 'media', audio: Audio.fromWire(data, at, end), mediaMs } : null;
  }

  /** A mark of ours, which comes back several times a second while the agent speaks. */
  private cutMark(data: Buffer): StreamMessage | null {
    if (!standsAt(data, 0, MARK_START)) return null;
    const sidAt = endOfDigits(data, MARK_START.length) + MARK_SID.length;
    const nameAt = sidAt + this.sidLength;
    const isOurs = standsAt(data, sidAt - MARK_SID.length, MARK_SID) && standsAt(data, nameAt, MARK_NAME_PART);
    if (!isOurs || data.readInt32LE(nameAt - 4) !== this.sidEnd) return null;
    const generationAt = nameAt + MARK_NAME_PART.length;
    const colonAt = endOfDigits(data, generationAt);
    const end = endOfDigits(data, colonAt + 1);
    if (data[colonAt] !== COLON || end + MARK_END.length !== data.length || !standsAt(data, end, MARK_END)) return null;
    const generation = numberIn(data, generationAt, colonAt);
    const markId = numberIn(data, colonAt + 1, end);
    return generation === null || markId === null ? null : { kind: 'mark', generation, markId };
  }

  private readStrictly(text: string): StreamMessage | null {
    const message = parseStreamMessage(text, this.streamSid);
    if (message?.kind === 'start' && this.streamSid === null) {
      const { streamSid } = message.start;
      this.streamSid = streamSid;
      this.sidLength = streamSid.length;
      this.sidEnd = lastOf(Buffer.from(`..${streamSid}"}`, 'latin1'));
    }
    return message;
  }
}

function hasConstant(data: Buffer, from: number, constantAt: number, length: number): boolean {
  if (from < 0 || from + length > data.length) return false;
  for (let at = 0; at < length; at += 1) if (data[from + at] !== CONSTANTS[constantAt + at]) return false;
  return true;
}

/** The four characters before the end of a frame, as one number. */
function lastOf(data: Buffer): number {
  const at = data.length - END_LENGTH - 4;
  return at < 0 ? -1 : data.readInt32LE(at);
}

function endOfDigits(data: Buffer, from: number): number {
  let at = from;
  while (isDigit(data[at])) at += 1;
  return at;
}

function numberIn(data: Buffer, from: number, to: number): number | null {
  if (to === from || to - from > MOST_DIGITS) return null;
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + (data[at] ?? 0) - ZERO;
  return value;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
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
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
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
  if (media === null || typeof media.payload !== 'string') return null;
  const payload = Buffer.from(media.payload, 'utf8');
  if (!isWireBase64(payload)) return null;
  if (typeof media.timestamp !== 'string' || !/^\d{1,15}$/.test(media.timestamp)) return null;
  if (media.track !== undefined && media.track !== 'inbound') return { kind: 'other' };
  return { kind: 'media', audio: Audio.fromWire(payload), mediaMs: Number(media.timestamp) };
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
export class StreamWriter {
  private readonly sid: string;
  private readonly mediaHead: Buffer;
  private readonly markHead: Buffer;

  constructor(streamSid: string) {
    this.sid = JSON.stringify(streamSid);
    this.mediaHead = lasting(Buffer.from(`{"event":"media","streamSid":${this.sid},"media":{"payload":"`, 'latin1'));
    this.markHead = lasting(Buffer.from(`{"event":"mark","streamSid":${this.sid},"mark":{"name":"g`, 'latin1'));
  }

  /** Audio does not become a string on its way. */
  media(audio: Audio): EncodedText {
    return new MediaText(this.mediaHead, audio);
  }

  mark(generation: number, markId: number): EncodedText {
    return new MarkText(this.markHead, `${generation}:${markId}"}}`);
  }

  clear(): string {
    return `{"event":"clear","streamSid":${this.sid}}`;
  }
}

const MEDIA_END = Buffer.from('"}}', 'latin1');

/** What stands between the fixed head and the end is ASCII: a few characters, sooner written here than by a native call. */
class MarkText implements EncodedText {
  readonly length: number;
  private readonly head: Buffer;
  private readonly tail: string;

  constructor(head: Buffer, tail: string) {
    this.length = head.length + tail.length;
    this.head = head;
    this.tail = tail;
  }

  copyTo(target: Buffer, at: number): void {
    target.set(this.head, at);
    const from = at + this.head.length;
    for (let index = 0; index < this.tail.length; index += 1) target[from + index] = this.tail.charCodeAt(index);
  }
}

class MediaText implements EncodedText {
  readonly length: number;
  private readonly head: Buffer;
  private readonly audio: Audio;

  constructor(head: Buffer, audio: Audio) {
    this.length = head.length + audio.wireLength + MEDIA_END.length;
    this.head = head;
    this.audio = audio;
  }

  copyTo(target: Buffer, at: number): void {
    target.set(this.head, at);
    this.audio.copyWire(target, at + this.head.length);
    target.set(MEDIA_END, at + this.length - MEDIA_END.length);
  }
}
