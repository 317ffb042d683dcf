/**
 * A Realtime server in its GA shapes and its order of events (OpenAI Realtime reference), without speech understanding: the callee
 * and the agent take turns by the clock, and every second reply is interrupted while it plays.
 */
import type { FrameSocket } from './frames.ts';
import { readStamp, STAMP_CHARACTERS, type StampedSpeech, type Way } from './stamps.ts';

/** What a session needs of its call, once its first frame has told which one it is. */
export interface Talk {
  readonly up: Way;
  readonly down: Way;
  /** An interruption has been sent: a clear must follow. */
  onInterrupted(atMs: number): void;
}

export interface SessionHost {
  readonly speech: StampedSpeech;
  talkOf(call: number): Talk | null;
  onClosed(): void;
  complain(what: string): void;
}

type Json = Readonly<Record<string, unknown>>;

interface Reply {
  readonly replyId: string;
  readonly ids: Json;
  readonly item: Json;
  readonly text: string;
  readonly previousItemId: string | null;
}

const DELTA_MS = 100;
const SPEED = 4;
const REPLY_DELTAS = 40;
const REPLY_PLAYS_MS = REPLY_DELTAS * DELTA_MS;
const CALLEE_SPEAKS_MS = 1_000;
const THINKS_MS = 200;
const PAUSE_MS = 500;
/** After so many the same turns come again. */
const TURNS = 4;
const SPREAD_MS = 4_000;
const GOLDEN = 0.618_034;
/** Into its playing: while the reply is still being made, and when it has long been. */
const INTERRUPTED_AFTER_MS: readonly number[] = [600, 1_500];
const APPEND = Buffer.from('{"type":"input_audio_buffer.append","audio":"');
const AUDIO_KEY = '"audio":"';
const ANSWERS: readonly string[] = [
  'We have a table for four at seven, by the window, if that suits you.',
  'Let me see, the kitchen takes its last orders at ten on Friday evenings.',
  'That can be arranged, and parking is free behind the house after six.',
];
const REMARKS: readonly string[] = [
  'Is there one outside as well?',
  'What about eight?',
  'And do you have high chairs?',
];

const USAGE: Json = {
  total_tokens: 640,
  input_tokens: 520,
  output_tokens: 120,
  input_token_details: {
    text_tokens: 400,
    audio_tokens: 120,
    image_tokens: 0,
    cached_tokens: 320,
    cached_tokens_details: { text_tokens: 256, audio_tokens: 64, image_tokens: 0 },
  },
  output_token_details: { text_tokens: 40, audio_tokens: 80 },
};

export class Session {
  readonly #socket: FrameSocket;
  readonly #host: SessionHost;
  readonly #conversation: Generator<number, void, void>;
  readonly #number: number;
  #talk: Talk | null = null;
  #call = -1;
  #ids = 0;
  #previousItemId: string | null = null;
  #finishInterrupted: () => void = () => undefined;
  #over = false;
  /** When `run` wants to be called; infinite before the first frame. */
  dueMs = Number.POSITIVE_INFINITY;

  constructor(number: number, socket: FrameSocket, head: Buffer, host: SessionHost) {
    this.#socket = socket;
    this.#host = host;
    this.#number = number;
    this.#conversation = this.#talking();
    socket.listen({ text: (payload) => this.#receive(payload), closed: () => this.#close() }, head);
    this.#emit('session.created', { session: this.#view() });
  }

  run(nowMs: number): void {
    while (this.dueMs <= nowMs) {
      const next = this.#conversation.next();
      this.dueMs = next.done === true ? Number.POSITIVE_INFINITY : next.value;
    }
  }

  destroy(): void {
    this.#close();
    this.#socket.destroy();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.dueMs = Number.POSITIVE_INFINITY;
    this.#host.onClosed();
  }

  #receive(payload: Buffer): void {
    if (payload.length > APPEND.length && APPEND.compare(payload, 0, APPEND.length) === 0) {
      this.#hear(payload.toString('latin1', APPEND.length, APPEND.length + STAMP_CHARACTERS));
      return;
    }
    const text = payload.toString('utf8');
    const message = JSON.parse(text) as {
      readonly type: string;
      readonly item_id?: string;
      readonly audio_end_ms?: number;
    };
    switch (message.type) {
      case 'input_audio_buffer.append':
        return this.#hear(text.slice(text.indexOf(AUDIO_KEY) + AUDIO_KEY.length).slice(0, STAMP_CHARACTERS));
      case 'session.update':
        return this.#emit('session.updated', { session: this.#view() });
      case 'conversation.item.truncate': {
        const { item_id, audio_end_ms } = message;
        return this.#emit('conversation.item.truncated', { item_id, content_index: 0, audio_end_ms });
      }
      case 'response.cancel':
      case 'input_audio_buffer.commit':
        return;
      default:
        return this.#host.complain(`${message.type} to the model`);
    }
  }

  #hear(stampText: string): void {
    const nowMs = performance.now();
    const stamp = readStamp(stampText);
    if (stamp === null) return this.#host.complain('audio without a stamp');
    if (this.#talk === null) this.#begin(stamp.call, nowMs);
    if (stamp.call !== this.#call) return this.#host.complain('audio of another call');
    this.#talk?.up.arrive(stamp.number, nowMs);
  }

  #begin(call: number, nowMs: number): void {
    this.#call = call;
    this.#talk = this.#host.talkOf(call);
    // The calls are spread over the whole round of turns, so that every second of a window carries the same load.
    this.dueMs = nowMs + 200 + ((call * GOLDEN) % 1) * SPREAD_MS;
  }

  /** Yields the moment at which it goes on; each is reckoned from the one before, so nothing drifts. */
  *#talking(): Generator<number, void, void> {
    let atMs = this.dueMs;
    for (let turn = this.#call % TURNS, interrupts = false; ; turn += 1) {
      yield* this.#calleeSpeaks(atMs, turn, interrupts);
      const replyAtMs = atMs + CALLEE_SPEAKS_MS + THINKS_MS;
      const cutMs = turn % 2 === 0 ? null : (INTERRUPTED_AFTER_MS[(turn >> 1) % 2] ?? null);
      yield* this.#agentSpeaks(replyAtMs, turn, cutMs);
      atMs = replyAtMs + (cutMs ?? REPLY_PLAYS_MS + PAUSE_MS);
      yield atMs;
      interrupts = cutMs !== null;
    }
  }

  *#calleeSpeaks(atMs: number, turn: number, interrupts: boolean): Generator<number, void, void> {
    const itemId = this.#id('item');
    const audioMs = (this.#talk?.up.sent ?? 0) * 20;
    if (interrupts) this.#talk?.onInterrupted(performance.now());
    this.#emit('input_audio_buffer.speech_started', { audio_start_ms: audioMs, item_id: itemId });
    this.#finishInterrupted();
    yield atMs + CALLEE_SPEAKS_MS;
    const previous = this.#previousItemId;
    const item = { id: itemId, object: 'realtime.item', type: 'message', status: 'completed', role: 'user' };
    const content = [{ type: 'input_audio', transcript: null }];
    this.#emit('input_audio_buffer.speech_stopped', { audio_end_ms: audioMs + CALLEE_SPEAKS_MS, item_id: itemId });
    this.#emit('input_audio_buffer.committed', { item_id: itemId, previous_item_id: previous });
    this.#emit('conversation.item.added', { previous_item_id: previous, item: { ...item, content } });
    this.#emit('conversation.item.done', { previous_item_id: previous, item: { ...item, content } });
    this.#previousItemId = itemId;
    const transcript = REMARKS[turn % REMARKS.length] ?? '';
    const usage = { type: 'tokens', total_tokens: 22, input_tokens: 13, output_tokens: 9 };
    const said = { item_id: itemId, content_index: 0, transcript, usage };
    this.#emit('conversation.item.input_audio_transcription.completed', said);
  }

  *#agentSpeaks(atMs: number, turn: number, cutMs: number | null): Generator<number, void, void> {
    yield atMs;
    const reply = this.#openReply(ANSWERS[turn % ANSWERS.length] ?? '');
    const words = reply.text.split(' ');
    const deltas = Math.min(REPLY_DELTAS, cutMs === null ? REPLY_DELTAS : Math.ceil((cutMs * SPEED) / DELTA_MS));
    let told = 0;
    for (let number = 0; number < deltas; number += 1) {
      if (number > 0) yield atMs + (number * DELTA_MS) / SPEED;
      // The words run ahead of the sound.
      const wordsDue = Math.ceil(((number + 4) / REPLY_DELTAS) * words.length);
      for (; told < Math.min(wordsDue, words.length); told += 1) {
        const delta = `${told === 0 ? '' : ' '}${words[told] ?? ''}`;
        this.#emit('response.output_audio_transcript.delta', { ...reply.ids, delta, obfuscation: 'kP3xZq81LmT' });
      }
      this.#sendDelta(reply.ids);
    }
    if (deltas === REPLY_DELTAS) this.#closeReply(reply, 'completed');
    else this.#finishInterrupted = () => this.#closeReply(reply, 'cancelled');
  }

  #sendDelta(ids: Json): void {
    const down = this.#talk?.down;
    if (down === undefined || this.#over) return;
    const number = down.send(performance.now());
    const delta = this.#host.speech.payload(this.#call, number);
    // Put together as `#emit` would write it: base64 needs no escapes, and the world has a core's worth of work as it is.
    const head = `{"type":"response.output_audio.delta","event_id":"${this.#id('event')}",${JSON.stringify(ids).slice(1, -1)}`;
    this.#socket.send(`${head},"delta":"${delta}","obfuscation":"kP3xZq81LmT"}`);
  }

  #openReply(text: string): Reply {
    const replyId = this.#id('resp');
    const itemId = this.#id('item');
    const ids: Json = { response_id: replyId, item_id: itemId, output_index: 0, content_index: 0 };
    const item = { id: itemId, object: 'realtime.item', type: 'message', role: 'assistant' };
    const reply = { replyId, ids, item, text, previousItemId: this.#previousItemId };
    const opened = { ...item, status: 'in_progress', content: [] };
    this.#emit('response.created', { response: this.#replyView(replyId, 'in_progress', [], null) });
    this.#emit('response.output_item.added', { response_id: replyId, output_index: 0, item: opened });
    this.#emit('conversation.item.added', { previous_item_id: this.#previousItemId, item: opened });
    this.#emit('response.content_part.added', { ...ids, part: { type: 'audio', transcript: '' } });
    this.#previousItemId = itemId;
    return reply;
  }

  #closeReply(reply: Reply, status: 'completed' | 'cancelled'): void {
    this.#finishInterrupted = () => undefined;
    const { replyId, ids, text, previousItemId } = reply;
    const item = {
      ...reply.item,
      status: status === 'completed' ? 'completed' : 'incomplete',
      content: [{ type: 'output_audio', transcript: text }],
    };
    this.#emit('response.output_audio.done', ids);
    this.#emit('response.output_audio_transcript.done', { ...ids, transcript: text });
    this.#emit('response.content_part.done', { ...ids, part: { type: 'audio', transcript: text } });
    this.#emit('conversation.item.done', { previous_item_id: previousItemId, item });
    this.#emit('response.output_item.done', { response_id: replyId, output_index: 0, item });
    this.#emit('response.done', { response: this.#replyView(replyId, status, [item], USAGE) });
    this.#emit('rate_limits.updated', {
      rate_limits: [{ name: 'tokens', limit: 4_000_000, remaining: 3_999_000, reset_seconds: 0.01 }],
    });
  }

  #replyView(id: string, status: string, output: readonly Json[], usage: Json | null): Json {
    const cancelled = { type: 'cancelled', reason: 'turn_detected' };
    return {
      object: 'realtime.response',
      id,
      conversation_id: 'conv_000000000000000000001',
      status,
      status_details: status === 'cancelled' ? cancelled : null,
      output,
      output_modalities: ['audio'],
      audio: { output: { format: { type: 'audio/pcmu' }, voice: 'sage' } },
      max_output_tokens: 'inf',
      metadata: null,
      usage,
    };
  }

  #view(): Json {
    return {
      type: 'realtime',
      object: 'realtime.session',
      id: this.#id('sess'),
      expires_at: 0,
      model: 'gpt-realtime-2.1',
    };
  }

  #id(prefix: string): string {
    this.#ids += 1;
    return `${prefix}_${String(this.#number).padStart(9, 'A')}${String(this.#ids).padStart(12, '0')}`;
  }

  #emit(type: string, members: Json): void {
    if (!this.#over) this.#socket.send(JSON.stringify({ type, event_id: this.#id('event'), ...members }));
  }
}
