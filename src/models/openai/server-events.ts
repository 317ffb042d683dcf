import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime';
import type { ItemRole, ModelEvent, ReplyStatus } from '../../call/events.ts';
import { NO_USAGE, type Usage } from '../../call/words.ts';
import { Audio } from '../../media/audio.ts';
import { createPieceCutter, parsedFields } from './audio-pieces.ts';

/** What the server said, in our words. `plain` needs nothing that the session knows and goes to the call as it is. */
export type ServerMessage =
  | { readonly kind: 'created' | 'updated'; readonly expiresAtMs: number | null }
  | { readonly kind: 'plain'; readonly event: ModelEvent }
  | {
      readonly kind: 'itemAdded';
      readonly itemId: string;
      readonly previousItemId: string | null;
      readonly role: ItemRole;
    }
  | { readonly kind: 'replyCreated'; readonly replyId: string; readonly requestId: string | null | 'unmarked' }
  | {
      readonly kind: 'spoke';
      readonly replyId: string;
      readonly itemId: string;
      readonly contentIndex: number;
      readonly audio: Audio;
    }
  | { readonly kind: 'toolCalled'; readonly call: ToolCall }
  | { readonly kind: 'replyDone'; readonly reply: ReplyOutcome }
  | { readonly kind: 'error'; readonly error: ServerError }
  | { readonly kind: 'ignored' | 'malformed' };

export type ToolCall = Extract<ModelEvent, { readonly type: 'model.toolCalled' }>;

export interface ReplyOutcome {
  readonly replyId: string;
  readonly status: ReplyStatus;
  readonly reason: string | null;
  /** The server's word for why the reply failed. */
  readonly errorCode: string | null;
  readonly usage: Usage | null;
}

export interface ServerError {
  readonly code: string;
  readonly message: string;
  readonly param: string;
  /** The `event_id` of ours that it answers; often null even when it answers one. */
  readonly eventId: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

const IGNORED: ServerMessage = { kind: 'ignored' };
const MALFORMED: ServerMessage = { kind: 'malformed' };
const NOTHING: Fields = {};

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : NOTHING;
}
/** Everything that is kept for the length of a call is bounded: ids, names, what was said in one turn, a tool's arguments. */
const MOST_ID = 256;
const MOST_WORDS = 20_000;
const MOST_ARGUMENTS = 20_000;

/** An id, a name or a code; a longer text is none. */
function textOf(value: unknown): string {
  return typeof value === 'string' && value.length <= MOST_ID ? value : '';
}
function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value.length <= MOST_ID ? value : null;
}
/** Arguments that are cut off are no arguments: the tool refuses them, and the model hears of it. */
function argumentsOf(value: unknown): string {
  return typeof value === 'string' && value.length <= MOST_ARGUMENTS ? value : '';
}
function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MOST_WORDS) : '';
}
/** Codes go into timelines and logs, so only a word like `rate_limit_exceeded` counts as one: some servers repeat the key they refuse. */
function codeOf(value: unknown): string | null {
  return typeof value === 'string' && value.length <= 64 && /^[A-Za-z]+([_.][A-Za-z]+)*\d{0,3}$/.test(value)
    ? value
    : null;
}
/** Tokens, milliseconds or an index: whole, as the store wants them, and in a range that can still be added up. */
function countOf(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(Math.round(value), MOST_COUNT) : 0;
}
const MOST_COUNT = 1_000_000_000;

/** The type names that we read: GA's, plus the beta's of 2024. Anything else is tolerated. */
type ReadType =
  | RealtimeServerEvent['type']
  | 'response.audio.delta'
  | 'response.audio_transcript.delta'
  | 'response.audio_transcript.done';

/** Reads the messages of one session in UTF-8; never throws. Audio is cut out by position, so that it is neither parsed nor copied. */
export function createServerReader(): (message: Buffer) => ServerMessage {
  const cut = createPieceCutter();
  return (message) => {
    const piece = cut(message);
    if (piece !== null) return spokeOf(piece.fields, piece.audio);
    return readServerEvent(message.toString('utf8'));
  };
}

/** Reads one text message of the server; never throws. Unknown types and members are tolerated. */
export function readServerEvent(message: string): ServerMessage {
  const event = parsedFields(message);
  return event !== null && typeof event.type === 'string' ? readFields(event.type as ReadType, event) : MALFORMED;
}

/** Audio goes on to the carrier unread, so nothing but base64 may be in it. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function spoke(event: Fields, base64: string): ServerMessage {
  if (base64.length === 0) return IGNORED;
  if (!BASE64.test(base64)) return MALFORMED;
  // The splice relies on plain padded base64; anything else is decoded once and encoded anew when it is asked for.
  const audio = base64.length % 4 === 0 ? Audio.fromBase64(base64) : Audio.fromBytes(Buffer.from(base64, 'base64'));
  return spokeOf(event, audio);
}

function spokeOf(event: Fields, audio: Audio): ServerMessage {
  return {
    kind: 'spoke',
    replyId: textOf(event.response_id),
    itemId: textOf(event.item_id),
    contentIndex: countOf(event.content_index),
    audio,
  };
}

function plain(event: ModelEvent): ServerMessage {
  return { kind: 'plain', event };
}

function readFields(type: ReadType, event: Fields): ServerMessage {
  const itemId = textOf(event.item_id);
  switch (type) {
    case 'session.created':
      return { kind: 'created', expiresAtMs: expiresAtMs(event) };
    case 'session.updated':
      return { kind: 'updated', expiresAtMs: expiresAtMs(event) };
    case 'input_audio_buffer.speech_started':
      return plain({ type: 'model.speechStarted', itemId, audioMs: countOf(event.audio_start_ms) });
    case 'input_audio_buffer.speech_stopped':
      return plain({ type: 'model.speechStopped', itemId, audioMs: countOf(event.audio_end_ms) });
    case 'input_audio_buffer.committed':
      return plain({ type: 'model.committed', itemId, previousItemId: textOrNull(event.previous_item_id) });
    case 'conversation.item.added':
    case 'conversation.item.created':
      return itemAdded(event);
    case 'conversation.item.truncated':
      return plain({ type: 'model.truncated', itemId, audioEndMs: countOf(event.audio_end_ms) });
    case 'conversation.item.input_audio_transcription.completed':
      return transcribed(itemId, event);
    case 'conversation.item.input_audio_transcription.failed':
      return plain({ type: 'model.transcribed', itemId, text: null });
    case 'error':
      return { kind: 'error', error: serverError(fieldsOf(event.error)) };
    default:
      return readReplyFields(type, event);
  }
}

function readReplyFields(type: ReadType, event: Fields): ServerMessage {
  switch (type) {
    case 'response.created':
      return replyCreated(fieldsOf(event.response));
    case 'response.output_audio.delta':
    case 'response.audio.delta':
      return spoke(event, typeof event.delta === 'string' ? event.delta : '');
    case 'response.output_audio_transcript.delta':
    case 'response.audio_transcript.delta':
      return worded(event, wordsOf(event.delta), false);
    case 'response.output_audio_transcript.done':
    case 'response.audio_transcript.done':
      return worded(event, wordsOf(event.transcript), true);
    case 'response.output_item.done':
      return outputItemDone(textOf(event.response_id), fieldsOf(event.item));
    case 'response.done':
      return { kind: 'replyDone', reply: replyOutcome(fieldsOf(event.response)) };
    default:
      return IGNORED;
  }
}

function transcribed(itemId: string, event: Fields): ServerMessage {
  const usage = transcriptionUsageOf(fieldsOf(event.usage));
  const text = wordsOf(event.transcript);
  return plain({ type: 'model.transcribed', itemId, text, ...(usage === null ? {} : { usage }) });
}

function expiresAtMs(event: Fields): number | null {
  const seconds = fieldsOf(event.session).expires_at;
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : null;
}

function roleOf(item: Fields): ItemRole {
  if (item.type !== 'message') return 'other';
  if (item.role === 'user') return 'callee';
  return item.role === 'assistant' ? 'agent' : 'other';
}

function itemAdded(event: Fields): ServerMessage {
  const item = fieldsOf(event.item);
  const previousItemId = textOrNull(event.previous_item_id);
  return { kind: 'itemAdded', itemId: textOf(item.id), previousItemId, role: roleOf(item) };
}

function replyCreated(response: Fields): ServerMessage {
  const replyId = textOf(response.id);
  // GA always sends `metadata`, if only null. A server that does not know it cannot say whose reply this is.
  if (response.metadata === undefined) return { kind: 'replyCreated', replyId, requestId: 'unmarked' };
  return { kind: 'replyCreated', replyId, requestId: textOrNull(fieldsOf(response.metadata).requestId) };
}

function worded(event: Fields, text: string, whole: boolean): ServerMessage {
  return plain({
    type: 'model.worded',
    replyId: textOf(event.response_id),
    itemId: textOf(event.item_id),
    text,
    whole,
  });
}

function outputItemDone(replyId: string, item: Fields): ServerMessage {
  const itemId = textOf(item.id);
  const complete = item.status === 'completed';
  if (item.type === 'message') return plain({ type: 'model.itemDone', itemId, complete });
  if (item.type !== 'function_call' || !complete) return IGNORED;
  return {
    kind: 'toolCalled',
    call: {
      type: 'model.toolCalled',
      replyId,
      itemId,
      toolCallId: textOf(item.call_id),
      name: textOf(item.name),
      args: argumentsOf(item.arguments),
    },
  };
}

function replyOutcome(response: Fields): ReplyOutcome {
  const details = fieldsOf(response.status_details);
  const error = fieldsOf(details.error);
  const errorCode = codeOf(error.code) ?? codeOf(error.type);
  return {
    replyId: textOf(response.id),
    status: statusOf(response.status),
    reason: codeOf(details.reason) ?? errorCode,
    errorCode,
    usage: usageOf(response.usage),
  };
}

function statusOf(status: unknown): ReplyStatus {
  if (status === 'completed' || status === 'cancelled' || status === 'incomplete') return status;
  return 'failed';
}

/** Cached tokens are part of the input tokens, as the server counts them. */
function usageOf(value: unknown): Usage | null {
  if (typeof value !== 'object' || value === null) return null;
  const usage = fieldsOf(value);
  const input = fieldsOf(usage.input_token_details);
  const cached = fieldsOf(input.cached_tokens_details);
  const output = fieldsOf(usage.output_token_details);
  const split = input.cached_tokens_details !== undefined && input.cached_tokens_details !== null;
  return {
    ...NO_USAGE,
    inputTextTokens: countOf(usage.input_token_details === undefined ? usage.input_tokens : input.text_tokens),
    inputAudioTokens: countOf(input.audio_tokens),
    cachedTextTokens: countOf(split ? cached.text_tokens : input.cached_tokens),
    cachedAudioTokens: countOf(cached.audio_tokens),
    outputTextTokens: countOf(usage.output_token_details === undefined ? usage.output_tokens : output.text_tokens),
    outputAudioTokens: countOf(output.audio_tokens),
  };
}

/** The API reference of "conversation.item.input_audio_transcription.completed": billed by tokens or by the audio's duration. */
function transcriptionUsageOf(usage: Fields): Usage | null {
  if (usage.type === 'duration') return { ...NO_USAGE, transcribedMs: countOf(Number(usage.seconds) * 1_000) };
  if (usage.type !== 'tokens') return null;
  return {
    ...NO_USAGE,
    transcriptionInputTokens: countOf(usage.input_tokens),
    transcriptionOutputTokens: countOf(usage.output_tokens),
  };
}

function serverError(error: Fields): ServerError {
  return {
    code: codeOf(error.code) ?? codeOf(error.type) ?? 'unknown',
    message: wordsOf(error.message),
    param: wordsOf(error.param),
    eventId: textOrNull(error.event_id),
  };
}
