import { WebSocket } from 'ws';
import { type Link, openLink } from '../network/network.ts';
import type { Understanding } from '../speech/understanding.ts';
import { fromBeta, toBeta } from './beta-dialect.ts';
import type { Brain } from './brain.ts';
import { ClientEvents } from './client-events.ts';
import { Conversation } from './conversation.ts';
import { DEFAULT_CONFIG, type SessionConfig } from './defaults.ts';
import { type Complaint, complaint, Refusal } from './failure.ts';
import { base62, newId } from './ids.ts';
import { InputAudio } from './input-audio.ts';
import type { RealtimeKnobs, RealtimeSimulatorOptions } from './knobs.ts';
import { SessionRecord } from './record.ts';
import { Replies } from './replies.ts';
import { isObject, type Json } from './schema.ts';
import { Turns } from './turns.ts';

export interface SessionSpec {
  readonly socket: WebSocket;
  readonly number: number;
  readonly model: string;
  readonly knobs: RealtimeKnobs;
  readonly brain: Brain;
  readonly understanding: Understanding;
  readonly dialect: 'ga' | 'beta';
  readonly network: RealtimeSimulatorOptions['network'];
}

/** One client's socket and all that it holds: settings, conversation, input, replies. */
export class RealtimeSession {
  readonly id = newId('sess');
  readonly model: string;
  readonly record = new SessionRecord();
  readonly conversation = new Conversation();
  config: SessionConfig = DEFAULT_CONFIG;
  readonly input: InputAudio;
  readonly replies: Replies;
  private readonly spec: SessionSpec;
  private readonly link: Link;
  private readonly turns: Turns;
  private readonly clientEvents: ClientEvents;
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly expiresAt: number;
  private ping: NodeJS.Timeout | undefined;
  private idle: NodeJS.Timeout | undefined;
  private frozen = false;
  private over = false;

  constructor(spec: SessionSpec) {
    this.spec = spec;
    this.model = spec.model;
    this.link = openLink(spec.network, spec.number);
    this.expiresAt = Math.floor((Date.now() + spec.knobs.maxSessionMs) / 1_000);
    const { knobs, brain, understanding, dialect } = spec;
    const { conversation, record } = this;
    const config = (): SessionConfig => this.config;
    const emit = (event: Json): void => this.emit(event);
    const later = (delayMs: number, run: () => void): void => this.later(delayMs, run);
    this.input = new InputAudio({
      config,
      emit,
      speechStarted: () => this.speechStarted(),
      committed: (itemId, startMs, endMs) => this.committed(itemId, startMs, endMs),
      isComplete: (startMs, endMs) => this.isComplete(startMs, endMs),
    });
    const slice = (startMs: number, endMs: number): Uint8Array => this.input.slice(startMs, endMs);
    this.turns = new Turns({ knobs, conversation, record, understanding, config, emit, later, slice });
    const spoke = (response: number, sentMs: number): void => this.spoke(response, sentMs);
    const done = (playsMs: number): void => this.responseDone(playsMs);
    this.replies = new Replies({ knobs, conversation, record, brain, dialect, config, emit, later, spoke, done });
    this.clientEvents = new ClientEvents(this, knobs);
  }

  /** Listens, and says `session.created` in a moment. */
  start(): void {
    const { socket, knobs } = this.spec;
    socket.on('message', (data, isBinary) => {
      const text = isBinary ? null : data.toString();
      this.link.down.send(() => this.receive(text));
    });
    socket.on('close', (code, reason) => this.link.down.send(() => this.closed(code, reason.toString(), 'client')));
    socket.on('error', () => undefined);
    this.ping = setInterval(() => socket.readyState === WebSocket.OPEN && socket.ping(), knobs.pingMs);
    this.later(knobs.sessionCreatedDelayMs, () => this.emit({ type: 'session.created', session: this.sessionJson() }));
    this.later(knobs.maxSessionMs, () => this.expire());
  }

  /** The longest duration is over: an error, then a close. */
  expire(): void {
    this.complain(complaint('session_expired', 'Your session hit the maximum duration of 60 minutes.'), null);
    this.close(1001, 'Your session hit the maximum duration of 60 minutes.');
  }

  /** An error that no event of the client's has caused. */
  object(code: string, message: string): void {
    this.complain(complaint(code, message), null);
  }

  /** The whole effective session, as `session.created` and `session.updated` show it. */
  sessionJson(): Json {
    const { id, model, config } = this;
    return { type: 'realtime', object: 'realtime.session', id, model, expires_at: this.expiresAt, ...config };
  }

  emit(event: Json): void {
    if (this.over || this.frozen) return;
    const shaped = this.spec.dialect === 'beta' ? toBeta(event) : event;
    if (shaped === null) return;
    const { type, ...members } = shaped;
    const isDelta = String(type).endsWith('.delta') && this.spec.knobs.obfuscation;
    const padding = isDelta ? { obfuscation: base62(8 + Math.floor(Math.random() * 8)) } : {};
    const complete: Json = { type, event_id: newId('event'), ...members, ...padding };
    const { socket } = this.spec;
    const text = JSON.stringify(complete);
    this.link.up.send(() => socket.readyState === WebSocket.OPEN && socket.send(text));
    const isAudio = /audio\.delta$/.test(String(type));
    const bytes = isAudio ? Buffer.byteLength(String(complete.delta), 'base64') : 0;
    const kept = isAudio ? { ...complete, delta: '' } : complete;
    // A copy: items go on changing after they were shown.
    this.record.sent.push({ type: String(type), event: structuredClone(kept), bytes, atMs: performance.now() });
    this.record.changed();
  }

  complain(what: Complaint, clientEventId: unknown): void {
    const echoed = this.spec.knobs.errorEventIds === 'echo' && typeof clientEventId === 'string' ? clientEventId : null;
    this.emit({ type: 'error', error: { ...what, event_id: echoed } });
  }

  /** Runs unless the session has ended by then. */
  later(delayMs: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (!this.over) run();
    }, delayMs);
    this.timers.add(timer);
  }

  /** A proper close by the server. */
  close(code: number, reason: string): void {
    const { socket } = this.spec;
    this.link.up.send(() => socket.close(code, reason));
    this.ended({ code, reason, by: 'server' });
  }

  /** The connection breaks without a close frame: the client sees 1006. */
  kill(): void {
    this.ended({ code: 1006, reason: '', by: 'server' });
    this.link.cut();
    this.spec.socket.terminate();
  }

  /** Half-open: the connection stays, and nothing is read or answered any more, not even a ping. */
  freeze(): void {
    this.frozen = true;
    clearInterval(this.ping);
    this.spec.socket.pause();
  }

  /** Reads again, so that it is seen whether the other side has gone meanwhile. */
  thaw(): void {
    this.spec.socket.resume();
  }

  /** Speaks without being asked. */
  say(...phraseIds: string[]): void {
    this.replies.say(phraseIds);
  }

  private receive(text: string | null): void {
    if (this.over || this.frozen) return;
    let eventId: unknown = null;
    try {
      if (text === null) {
        throw new Refusal(
          complaint('invalid_event', 'Expected a text WebSocket message; binary frames are not supported.'),
        );
      }
      const event = parsed(text);
      eventId = event.event_id;
      this.note(event);
      this.clientEvents.handle(this.spec.dialect === 'beta' ? fromBeta(event) : event);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.complain(error.complaint, eventId);
    }
  }

  private note(event: Json): void {
    const audio = event.type === 'input_audio_buffer.append' && typeof event.audio === 'string' ? event.audio : null;
    const bytes = audio === null ? 0 : Buffer.byteLength(audio, 'base64');
    const kept = audio === null ? event : { ...event, audio: '' };
    this.record.received.push({ type: String(event.type), event: kept, bytes, atMs: performance.now() });
    this.record.inputBytes += bytes;
    this.record.changed();
  }

  private speechStarted(): void {
    clearTimeout(this.idle);
    if (this.config.audio.input.turn_detection?.interrupt_response === true) this.replies.interrupt();
  }

  private committed(itemId: string, startMs: number, endMs: number): void {
    const item = this.turns.committed(itemId, startMs, endMs);
    this.replies.heard(item.heard);
    if (this.config.audio.input.turn_detection?.create_response !== true) return;
    const answer = (): void => {
      if (this.replies.activeId === null) this.replies.create(null);
    };
    const { ownReplyDelayMs } = this.spec.knobs;
    if (ownReplyDelayMs === 0) answer();
    else this.later(ownReplyDelayMs, answer);
  }

  private isComplete(startMs: number, endMs: number): boolean {
    const understood = this.spec.understanding.understand(this.input.slice(startMs, endMs));
    return understood.length > 0 && understood.every((one) => one.phrase !== null);
  }

  private spoke(response: number, sentMs: number): void {
    const kill = this.spec.knobs.killDuring;
    if (kill === null || kill.session !== this.spec.number || kill.response !== response) return;
    if (sentMs >= kill.afterAudioMs) this.kill();
  }

  private responseDone(playsMs: number): void {
    clearTimeout(this.idle);
    const turn = this.config.audio.input.turn_detection;
    if (turn?.type !== 'server_vad' || turn.idle_timeout_ms === null) return;
    const fromMs = Math.round(this.input.positionMs);
    this.idle = setTimeout(() => {
      if (!this.over && !this.input.speaking && this.replies.activeId === null) this.input.timeout(fromMs);
    }, playsMs + turn.idle_timeout_ms);
  }

  private closed(code: number, reason: string, by: 'client' | 'server'): void {
    this.ended({ code, reason, by });
  }

  private ended(how: { readonly code: number; readonly reason: string; readonly by: 'client' | 'server' }): void {
    if (this.over) return;
    this.over = true;
    this.record.closed = { ...how, atMs: performance.now() };
    clearInterval(this.ping);
    clearTimeout(this.idle);
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.replies.abandon();
    this.record.changed();
  }

  /** Lets go of everything, whatever state it is in. */
  dispose(): void {
    this.ended({ code: 1001, reason: '', by: 'server' });
    this.link.cut();
    this.spec.socket.terminate();
  }
}

function parsed(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(complaint('invalid_json', 'Could not parse the message as JSON.'));
  }
  if (!isObject(value)) throw new Refusal(complaint('invalid_json', 'Expected a JSON object.'));
  return value;
}
