/** The messages of Media Streams, both ways (Twilio, "Media Streams – WebSocket messages"). */

export interface StreamIdentity {
  readonly accountSid: string;
  readonly callSid: string;
  readonly streamSid: string;
}

/** A message from our server that keeps the schema. */
export type Inbound =
  | { readonly event: 'media'; readonly payload: Uint8Array }
  | { readonly event: 'mark'; readonly name: string }
  | { readonly event: 'clear' };

/** 31950: not a frame that can be read. 31951: a message that the schema does not know. */
export type Rejected = { readonly event: 'rejected'; readonly code: 31950 | 31951; readonly message: string };

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function readMessage(data: Buffer, isBinary: boolean, streamSid: string): Inbound | Rejected {
  if (isBinary) return rejected(31950, 'a binary frame');
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch {
    return rejected(31950, 'not JSON');
  }
  if (!isRecord(value)) return rejected(31950, 'not an object');
  const { event } = value;
  if (event !== 'media' && event !== 'mark' && event !== 'clear') return rejected(31951, 'an unknown event');
  const members = event === 'clear' ? ['event', 'streamSid'] : ['event', 'streamSid', event];
  if (!hasExactly(value, members)) return rejected(31951, `members of ${event} are missing or unknown`);
  if (value.streamSid !== streamSid) return rejected(31951, 'the streamSid of another stream');
  if (event === 'clear') return { event };
  const inner = value[event];
  if (event === 'mark') {
    if (!isRecord(inner) || !hasExactly(inner, ['name']) || typeof inner.name !== 'string' || inner.name === '') {
      return rejected(31951, 'a mark needs exactly a name');
    }
    return { event, name: inner.name };
  }
  if (!isRecord(inner) || !hasExactly(inner, ['payload']) || typeof inner.payload !== 'string') {
    return rejected(31951, 'media needs exactly a payload');
  }
  if (inner.payload === '' || !BASE64.test(inner.payload)) return rejected(31951, 'the payload is not base64');
  return { event, payload: new Uint8Array(Buffer.from(inner.payload, 'base64')) };
}

function rejected(code: 31950 | 31951, message: string): Rejected {
  return { event: 'rejected', code, message };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasExactly(value: Record<string, unknown>, members: readonly string[]): boolean {
  const names = Object.keys(value);
  return names.length === members.length && members.every((name) => Object.hasOwn(value, name));
}

export const CONNECTED = { event: 'connected', protocol: 'Call', version: '1.0.0' };

/** Numbers travel as text, except those of `mediaFormat`. `number` is the message's sequence number. */
export function startMessage(id: StreamIdentity, number: number, parameters: Readonly<Record<string, string>>): object {
  return {
    event: 'start',
    sequenceNumber: String(number),
    start: {
      accountSid: id.accountSid,
      streamSid: id.streamSid,
      callSid: id.callSid,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      customParameters: parameters,
    },
    streamSid: id.streamSid,
  };
}

export function mediaMessage(
  id: StreamIdentity,
  number: number,
  chunk: number,
  timestampMs: number,
  payload: Uint8Array,
): object {
  return {
    event: 'media',
    sequenceNumber: String(number),
    media: {
      track: 'inbound',
      chunk: String(chunk),
      timestamp: String(timestampMs),
      payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('base64'),
    },
    streamSid: id.streamSid,
  };
}

export function markMessage(id: StreamIdentity, number: number, name: string): object {
  return { event: 'mark', sequenceNumber: String(number), streamSid: id.streamSid, mark: { name } };
}

export function dtmfMessage(id: StreamIdentity, number: number, digit: string): object {
  return {
    event: 'dtmf',
    streamSid: id.streamSid,
    sequenceNumber: String(number),
    dtmf: { track: 'inbound_track', digit },
  };
}

export function stopMessage(id: StreamIdentity, number: number): object {
  return {
    event: 'stop',
    sequenceNumber: String(number),
    streamSid: id.streamSid,
    stop: { accountSid: id.accountSid, callSid: id.callSid },
  };
}
