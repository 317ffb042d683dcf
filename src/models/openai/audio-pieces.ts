import { Audio, isWireBase64, lasting, standsAt } from '../../media/audio.ts';

/** A piece of audio, and what its message says beside it. */
export interface AudioPiece {
  readonly audio: Audio;
  readonly fields: Readonly<Record<string, unknown>>;
}

const START = Buffer.from('{"type":"response.output_audio.delta"', 'latin1');
const ID_KEY = Buffer.from(',"event_id":"', 'latin1');
const DELTA_KEY = Buffer.from('"delta":"', 'latin1');
const END = Buffer.from('"}', 'latin1');
/** Random letters that hide how long the audio is (OpenAI's API reference, "stream_options.include_obfuscation"). */
const PADDING_KEY = Buffer.from('","obfuscation":"', 'latin1');
const QUOTE = 0x22;
const MOST_ID = 256;
/** Three ids and two numbers are 200 bytes. What is longer is read each time instead of being kept. */
const MOST_BETWEEN = 2_000;

/** What stands between the id and the base64 of the latest piece, and what was read there. */
interface Known {
  readonly between: Buffer;
  readonly fields: AudioPiece['fields'];
}

/** Its base64 stands from `from` to before `to`. */
interface FirstPiece extends AudioPiece {
  readonly from: number;
  readonly to: number;
}

/**
 * Cuts the audio out of the messages of one session: its base64 is neither parsed nor copied. Null for any other message, and
 * for audio in another form; that is read as a whole.
 *
 * Pieces of one reply differ in their `event_id`, their audio and its padding only, so the rest is parsed with the first one.
 */
export function createPieceCutter(): (message: Buffer) => AudioPiece | null {
  let known: Known | null = null;
  return (message) => {
    if (!standsAt(message, 0, START)) return null;
    const idEnd = endOfId(message);
    const again = known === null || idEnd === null ? null : cutAgain(message, idEnd, known);
    if (again !== null) return again;
    const first = cutFirst(message);
    known = first === null || idEnd === null ? null : knownOf(message, idEnd, first);
    return first;
  };
}

/** Where the id ends that stands where OpenAI's messages have it; null where there is none, or one that needs a parser. */
function endOfId(message: Buffer): number | null {
  return standsAt(message, START.length, ID_KEY) ? endOfWord(message, START.length + ID_KEY.length) : null;
}

/** The quote behind a short word of plain characters. */
function endOfWord(message: Buffer, from: number): number | null {
  let at = from;
  while (at - from <= MOST_ID && isPlain(message[at])) at += 1;
  return message[at] === QUOTE ? at : null;
}

/** Letters, digits, `_` and `-`. */
function isPlain(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f || byte === 0x2d;
}

function cutAgain(message: Buffer, idEnd: number, { between, fields }: Known): AudioPiece | null {
  if (!standsAt(message, idEnd, between)) return null;
  const from = idEnd + between.length;
  const to = message.indexOf(QUOTE, from);
  if (to === -1 || !endsThere(message, to)) return null;
  return isWireBase64(message, from, to) ? { audio: Audio.fromWire(message, from, to), fields } : null;
}

/** Nothing but padding may follow the audio: other members would have to be read each time. */
function endsThere(message: Buffer, to: number): boolean {
  const end = standsAt(message, to, PADDING_KEY) ? endOfWord(message, to + PADDING_KEY.length) : to;
  return end !== null && end + END.length === message.length && standsAt(message, end, END);
}

/**
 * What stands around the base64 is parsed like any message, so that a member of that name elsewhere is not taken for it: then
 * the parsed `delta` is not the emptied one.
 */
function cutFirst(message: Buffer): FirstPiece | null {
  const key = message.indexOf(DELTA_KEY, START.length);
  const from = key + DELTA_KEY.length;
  const to = message.indexOf(QUOTE, from);
  if (key === -1 || to === -1) return null;
  if (!isWireBase64(message, from, to)) return null;
  const fields = parsedFields(message.toString('utf8', 0, from) + message.toString('utf8', to));
  return fields?.delta === '' ? { audio: Audio.fromWire(message, from, to), fields, from, to } : null;
}

function knownOf(message: Buffer, idEnd: number, { fields, from, to }: FirstPiece): Known | null {
  if (from <= idEnd || from - idEnd > MOST_BETWEEN || !endsThere(message, to)) return null;
  return { between: lasting(message.subarray(idEnd, from)), fields };
}

/** The members of a JSON object; null for anything else. Never throws. */
export function parsedFields(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}
