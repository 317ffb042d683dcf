import { loadPhrasebook } from '../speech/load-phrasebook.ts';
import type { Heard } from './brain.ts';
import { type Item, itemFromClient, itemJson } from './conversation.ts';
import { DEFAULT_SEMANTIC_VAD, DEFAULT_SERVER_VAD } from './defaults.ts';
import { type Complaint, complaint, Refusal, refuse } from './failure.ts';
import type { RealtimeKnobs } from './knobs.ts';
import { isObject, type Json } from './schema.ts';
import type { RealtimeSession } from './session.ts';
import { judgeItem, judgeResponse, judgeSession, mergeSession } from './validation.ts';

type Handler = (event: Json) => void;

const TURN_DEFAULTS: Readonly<Record<string, Json>> = {
  server_vad: { ...DEFAULT_SERVER_VAD },
  semantic_vad: { ...DEFAULT_SEMANTIC_VAD },
};

/** Members that each client event may have beside `type` and `event_id`. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  'session.update': ['session'],
  'input_audio_buffer.append': ['audio'],
  'input_audio_buffer.commit': [],
  'input_audio_buffer.clear': [],
  'conversation.item.create': ['item', 'previous_item_id'],
  'conversation.item.retrieve': ['item_id'],
  'conversation.item.truncate': ['item_id', 'content_index', 'audio_end_ms'],
  'conversation.item.delete': ['item_id'],
  'response.create': ['response'],
  'response.cancel': ['response_id'],
  'output_audio_buffer.clear': [],
};

function hold(wrong: Complaint | null): void {
  if (wrong !== null) throw new Refusal(wrong);
}

/** Written words need no ear: the phrase is the one with that text. */
function written(item: Item): Heard[] {
  const text = item.content.map((part) => part.text ?? '').join(' ');
  if (text === '') return [];
  const known = loadPhrasebook().find((one) => one.voice === 'callee' && one.text === text);
  return [{ phraseId: known?.id ?? null, text, exact: true }];
}

/** What the client may say (OpenAI Realtime reference, client events), each answered as the service answers it. */
export class ClientEvents {
  private readonly session: RealtimeSession;
  private readonly knobs: RealtimeKnobs;
  private readonly handlers: Readonly<Record<string, Handler>>;

  constructor(session: RealtimeSession, knobs: RealtimeKnobs) {
    this.session = session;
    this.knobs = knobs;
    this.handlers = {
      'session.update': (event) => this.update(event),
      'input_audio_buffer.append': (event) => void this.session.input.append(event.audio),
      'input_audio_buffer.commit': () => this.session.input.commit(),
      'input_audio_buffer.clear': () => this.session.input.clear(),
      'conversation.item.create': (event) => this.createItem(event),
      'conversation.item.retrieve': (event) => this.retrieve(event),
      'conversation.item.truncate': (event) => this.truncate(event),
      'conversation.item.delete': (event) => this.remove(event),
      'response.create': (event) => this.respond(event),
      'response.cancel': (event) => this.session.replies.cancel(event.response_id, 'client_cancelled'),
      'output_audio_buffer.clear': () =>
        refuse('invalid_value', 'output_audio_buffer.clear is only supported on WebRTC and SIP connections.', 'type'),
    };
  }

  /** Throws a Refusal when the event is wrong; the session goes on. */
  handle(event: Json): void {
    const type = event.type;
    if (type === undefined) refuse('missing_required_parameter', "Missing required parameter: 'type'.", 'type');
    const handler = typeof type === 'string' && Object.hasOwn(this.handlers, type) ? this.handlers[type] : undefined;
    if (typeof type !== 'string' || handler === undefined) {
      const supported = Object.keys(this.handlers).map((name) => `'${name}'`);
      refuse(
        'invalid_value',
        `Invalid value: '${String(type)}'. Supported values are: ${supported.join(', ')}.`,
        'type',
      );
    }
    const allowed = ['type', 'event_id', ...(MEMBERS[type] ?? [])];
    const unknown = Object.keys(event).find((name) => !allowed.includes(name));
    if (unknown !== undefined) refuse('unknown_parameter', `Unknown parameter: '${unknown}'.`, unknown);
    handler(event);
  }

  /** All or nothing: a refused update changes no member. */
  private update(event: Json): void {
    hold(judgeSession(event.session));
    const change = event.session as Json;
    const { session } = this;
    if (change.model !== undefined && change.model !== session.model) {
      refuse('invalid_value', "A session's model cannot be changed after it is created.", 'session.model');
    }
    const next = mergeSession(session.config, change, TURN_DEFAULTS);
    const { voice, speed } = next.audio.output;
    const old = session.config;
    const sameVoice = JSON.stringify(voice) === JSON.stringify(old.audio.output.voice);
    if (!sameVoice && session.conversation.hasAssistantAudio()) {
      refuse(
        'cannot_update_voice',
        "Cannot update a conversation's voice if assistant audio is present.",
        'session.audio.output.voice',
      );
    }
    if (speed !== old.audio.output.speed && session.replies.activeId !== null) {
      refuse('invalid_value', 'The speed can only be changed between turns.', 'session.audio.output.speed');
    }
    if (old.tracing !== null && JSON.stringify(next.tracing) !== JSON.stringify(old.tracing)) {
      refuse('invalid_value', 'Tracing cannot be changed once it is enabled.', 'session.tracing');
    }
    session.config = next;
    session.emit({ type: 'session.updated', session: session.sessionJson() });
  }

  private createItem(event: Json): void {
    hold(judgeItem(event.item));
    const { conversation, replies } = this.session;
    const item = itemFromClient(event.item as Json);
    const called = item.type === 'function_call_output' ? conversation.callNamed(item.callId) : null;
    if (called === undefined) {
      refuse('invalid_tool_call_id', `Tool call ID '${item.callId}' not found in conversation.`, 'item.call_id');
    }
    conversation.insert(item, event.previous_item_id);
    if (called !== null) replies.toolAnswered(item.callId ?? '', called, item.output ?? '');
    if (item.role === 'user') replies.heard(written(item));
    if (item.role === 'assistant') replies.answered();
    const previous = conversation.previousOf(item);
    this.session.emit({ type: 'conversation.item.added', previous_item_id: previous, item: itemJson(item) });
    this.session.emit({ type: 'conversation.item.done', previous_item_id: previous, item: itemJson(item) });
  }

  private find(event: Json, verb: string): Item {
    const item = this.session.conversation.find(event.item_id);
    return (
      item ?? refuse(`item_${verb}_invalid_item_id`, `Item with item_id not found: ${String(event.item_id)}`, 'item_id')
    );
  }

  private retrieve(event: Json): void {
    const item = this.find(event, 'retrieve');
    this.session.emit({ type: 'conversation.item.retrieved', item: itemJson(item) });
  }

  private remove(event: Json): void {
    this.session.conversation.remove(event.item_id);
    this.session.emit({ type: 'conversation.item.deleted', item_id: event.item_id });
  }

  private truncate(event: Json): void {
    const end = event.audio_end_ms;
    if (typeof end !== 'number' || !Number.isInteger(end)) {
      const what = "Invalid type for 'audio_end_ms': expected an integer.";
      refuse(end === undefined ? 'missing_required_parameter' : 'invalid_type', what, 'audio_end_ms');
    }
    if (end < 0) refuse('integer_below_min_value', "Invalid 'audio_end_ms': expected a value >= 0.", 'audio_end_ms');
    const item = this.find(event, 'truncate');
    if (item.role !== 'assistant' || item.phraseId === null) {
      refuse('invalid_value', 'Only model output audio messages can be truncated', 'item_id');
    }
    if (event.content_index !== 0) {
      refuse(
        'invalid_value',
        `Invalid 'content_index': there is no content at ${String(event.content_index)}.`,
        'content_index',
      );
    }
    const generatedMs = item.audioMs;
    const accepted = end <= generatedMs;
    this.session.record.truncations.push({
      itemId: item.id,
      phraseId: item.phraseId,
      audioEndMs: end,
      generatedMs,
      accepted,
      atMs: performance.now(),
    });
    if (accepted) {
      this.cutItem(item, end);
      return;
    }
    const what = `Audio content of ${Math.floor(generatedMs)}ms is already shorter than ${end}ms`;
    if (this.knobs.truncateBeyondEnd === 'strict') refuse('invalid_value', what, 'audio_end_ms');
    // Seen in 2026: the error, and then the truncation all the same.
    this.session.complain(complaint('invalid_value', what, 'audio_end_ms'), event.event_id);
    this.cutItem(item, Math.floor(generatedMs));
  }

  private cutItem(item: Item, endMs: number): void {
    item.audioMs = endMs;
    // The words go with the sound, and no shortened text comes in their place.
    item.content = item.content.map((part) => ({ type: part.type }));
    this.session.replies.meter.bust();
    this.session.emit({
      type: 'conversation.item.truncated',
      item_id: item.id,
      content_index: 0,
      audio_end_ms: endMs,
    });
  }

  private respond(event: Json): void {
    hold(judgeResponse(event.response));
    this.session.replies.create(isObject(event.response) ? event.response : {});
  }
}
