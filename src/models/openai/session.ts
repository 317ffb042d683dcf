import type { TurnSpec } from '../../call/commands.ts';
import type { ModelEvent } from '../../call/events.ts';
import type { Audio } from '../../media/audio.ts';
import type { ModelSession, ReplyRequest, SessionSpec } from '../model.ts';
import type { ClientMessage, Dialect, OptionalPart, SessionSettings, TurnSettings } from './dialect.ts';
import { type Failure, failedEvent, failureOfCode, isRetryableReplyCode } from './failures.ts';
import { type RequestKind, SentRequests } from './requests.ts';
import {
  createServerReader,
  type ReplyOutcome,
  type ServerError,
  type ServerMessage,
  type ToolCall,
} from './server-events.ts';
import { openSocket, type Socket, type SocketOptions } from './socket.ts';

/** The little of a logger that is used here; pino fits. Nothing that the server or the callee said is logged, only codes and counts. */
export interface Log {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface SessionOptions {
  readonly spec: SessionSpec;
  readonly emit: (event: ModelEvent, audio?: Audio) => void;
  readonly dialect: Dialect;
  readonly nextChunkId: () => number;
  readonly transcriptionModel: string | null;
  readonly noiseReduction: 'near_field' | 'far_field' | null;
  readonly turnDetection: 'server_vad' | 'semantic_vad';
  readonly vadThreshold: number;
  readonly connectTimeoutMs: number;
  readonly log: Log | null;
  readonly socket: SocketOptions;
}

type Phase = 'connecting' | 'configuring' | 'seeding' | 'ready' | 'closed';

/** Commands that wait for `model.ready`; a call asks for a handful at most. */
const MAX_WAITING = 64;
/** An hour, which is the longest session, has not a tenth of them. */
const MAX_ITEMS = 10_000;
/** A reply calls a tool or two. */
const MAX_HELD_CALLS = 64;
/** About two minutes of µ-law in base64: a network so far behind gets no more audio. */
const MAX_UNSENT_BYTES = 1024 * 1024;

export function openSession(options: SessionOptions): ModelSession {
  return new Session(options);
}

/** One socket, one conversation: connecting → configuring → seeding → ready → closed. */
class Session implements ModelSession {
  private readonly options: SessionOptions;
  private readonly socket: Socket;
  private readonly requests = new SentRequests();
  private readonly read = createServerReader();
  private readonly stopDeadline: () => void;
  private readonly waiting: Array<() => void> = [];
  private readonly seenItems = new Set<string>();
  /** Every item that the call was told of, in whatever event. */
  private readonly metItems = new Set<string>();
  private latestItem = '';
  /** Completed tool calls of replies that are not done: whether they count is known only at the end. */
  private readonly heldCalls = new Map<string, ToolCall[]>();
  private readonly seedEvents: ModelEvent[] = [];
  private phase: Phase = 'connecting';
  private settings: SessionSettings;
  private confirmedTurn = '';
  private unconfirmedSeeds = 0;
  private expiresAtMs: number | null = null;
  private malformed = 0;

  constructor(options: SessionOptions) {
    this.options = options;
    this.settings = settingsOf(options);
    this.stopDeadline = options.socket.clock.setTimer(
      () => this.fail({ kind: 'unreachable', retryable: true, code: 'timeout' }),
      options.connectTimeoutMs,
    );
    this.socket = openSocket(options.socket, {
      message: (data) => this.receive(this.read(data)),
      lost: (failure) => this.fail(failure),
    });
  }

  append(audio: Audio): void {
    if (this.phase !== 'ready' || audio.byteLength === 0) return;
    this.socket.sendAudio(audio, MAX_UNSENT_BYTES);
  }

  configure(turn: TurnSpec): void {
    this.settings = { ...this.settings, turn: { ...this.settings.turn, ...turn } };
    if (this.phase === 'ready') this.sendTurn();
  }

  reply(request: ReplyRequest): void {
    this.whenReady(() =>
      this.send('reply', this.options.dialect.reply(request, this.settings.instructions), request.requestId),
    );
  }

  cancel(replyId: string): void {
    this.whenReady(() => this.send('cancel', this.options.dialect.cancel(replyId)));
  }

  truncate(itemId: string, contentIndex: number, audioEndMs: number): void {
    this.whenReady(() => this.send('truncate', this.options.dialect.truncate(itemId, contentIndex, audioEndMs)));
  }

  remember(text: string): void {
    this.whenReady(() => this.send('other', this.options.dialect.remember(text)));
  }

  answerTool(toolCallId: string, output: string): void {
    this.whenReady(() => this.send('other', this.options.dialect.answerTool(toolCallId, output)));
  }

  commitInput(): void {
    this.whenReady(() => this.send('other', this.options.dialect.commitInput()));
  }

  close(): void {
    if (this.phase === 'closed') return;
    this.end();
    this.socket.close();
  }

  private whenReady(command: () => void): void {
    if (this.phase === 'ready') command();
    else if (this.phase !== 'closed' && this.waiting.length < MAX_WAITING) this.waiting.push(command);
  }

  private send(kind: RequestKind, message: ClientMessage, requestId: string | null = null): void {
    this.socket.send(JSON.stringify({ ...message, event_id: this.requests.stamp(kind, requestId) }));
  }

  private sendTurn(): void {
    const message = this.options.dialect.configureTurn(this.settings.turn);
    const wanted = JSON.stringify(message);
    if (wanted === this.confirmedTurn) return;
    this.confirmedTurn = wanted;
    this.send('other', message);
  }

  private emit(event: ModelEvent, audio?: Audio): void {
    if (this.phase === 'closed') return;
    if ('itemId' in event && event.itemId !== this.latestItem && !this.meet(event.itemId)) return;
    this.options.emit(event, audio);
  }

  /** False when the session is ended because there are more items than a conversation has. */
  private meet(itemId: string): boolean {
    this.latestItem = itemId;
    this.metItems.add(itemId);
    if (this.metItems.size <= MAX_ITEMS) return true;
    this.fail({ kind: 'protocol', retryable: true, code: 'too-many-items' });
    return false;
  }

  /** The session's last word; everything after it is silence. */
  private fail(failure: Failure): void {
    if (this.phase === 'closed') return;
    const { callId } = this.options.spec;
    this.options.log?.warn({ callId, kind: failure.kind, code: failure.code }, 'model session failed');
    this.end();
    this.socket.close();
    this.options.emit(failedEvent(failure));
  }

  private end(): void {
    this.phase = 'closed';
    this.stopDeadline();
    this.waiting.length = 0;
    this.heldCalls.clear();
    if (this.malformed > 0) {
      this.options.log?.warn(
        { callId: this.options.spec.callId, count: this.malformed },
        'model sent malformed messages',
      );
    }
  }

  private receive(message: ServerMessage): void {
    if (message.kind === 'malformed') this.malformed += 1;
    switch (this.phase) {
      case 'connecting':
      case 'configuring':
      case 'seeding':
        this.receiveSetup(message);
        return;
      case 'ready':
        this.receiveTalk(message);
        return;
      case 'closed':
        return;
      default:
        this.phase satisfies never;
    }
  }

  private receiveSetup(message: ServerMessage): void {
    if (message.kind === 'created' || message.kind === 'updated') {
      this.expiresAtMs = message.expiresAtMs ?? this.expiresAtMs;
      if (message.kind === 'created' && this.phase === 'connecting') this.sendSettings();
      if (message.kind === 'updated' && this.phase === 'configuring') this.sendSeed();
    } else if (message.kind === 'error') {
      this.receiveSetupError(message.error);
    } else if (message.kind === 'itemAdded' && this.phase === 'seeding' && this.isNew(message.itemId)) {
      const { itemId, previousItemId } = message;
      this.seedEvents.push({ type: 'model.itemAdded', itemId, previousItemId, role: 'other' });
      this.confirmSeed();
    }
  }

  private sendSettings(): void {
    this.phase = 'configuring';
    this.confirmedTurn = JSON.stringify(this.options.dialect.configureTurn(this.settings.turn));
    this.send('configure', this.options.dialect.configure(this.settings));
  }

  private sendSeed(): void {
    this.phase = 'seeding';
    const turns = this.options.spec.seed.filter((turn) => turn.text.trim() !== '');
    this.unconfirmedSeeds = turns.length;
    for (const turn of turns) this.send('seed', this.options.dialect.seed(turn));
    if (turns.length === 0) this.becomeReady();
  }

  private confirmSeed(): void {
    this.unconfirmedSeeds -= 1;
    if (this.unconfirmedSeeds === 0) this.becomeReady();
  }

  private becomeReady(): void {
    this.phase = 'ready';
    this.stopDeadline();
    this.emit({ type: 'model.ready', expiresAtMs: this.expiresAtMs });
    // The items of the seed are links of the conversation's chain, not somebody's words in this call.
    for (const event of this.seedEvents.splice(0)) this.emit(event);
    if (this.stillReady()) this.sendTurn();
    for (const command of this.waiting.splice(0)) if (this.stillReady()) command();
  }

  /** A listener may have closed the session meanwhile. */
  private stillReady(): boolean {
    return this.phase === 'ready';
  }

  private receiveSetupError(error: ServerError): void {
    const fatal = failureOfCode(error.code);
    if (fatal !== null) {
      this.fail(fatal);
      return;
    }
    const fields = { callId: this.options.spec.callId, code: error.code };
    if (this.phase === 'seeding') {
      this.options.log?.warn(fields, 'model refused a turn of the conversation so far');
      this.confirmSeed();
      return;
    }
    // Before the settings are sent nothing of ours can be meant: what follows, session or close, decides.
    if (this.phase !== 'configuring') return;
    const part = this.options.dialect.optionalPart(error.param === '' ? error.message : error.param);
    const less = part === null ? null : without(this.settings, part);
    if (less === null) {
      this.fail({ kind: 'configuration', retryable: isRetryableReplyCode(error.code), code: error.code });
      return;
    }
    this.options.log?.warn({ ...fields, part }, 'model refused a setting; going on without it');
    this.settings = less;
    this.sendSettings();
  }

  private receiveTalk(message: ServerMessage): void {
    switch (message.kind) {
      case 'plain':
        this.emit(message.event);
        return;
      case 'spoke': {
        const { replyId, itemId, contentIndex, audio } = message;
        const bytes = audio.byteLength;
        this.emit(
          { type: 'model.spoke', replyId, itemId, contentIndex, chunkId: this.options.nextChunkId(), bytes },
          audio,
        );
        return;
      }
      case 'itemAdded': {
        const { itemId, previousItemId, role } = message;
        if (this.isNew(itemId)) this.emit({ type: 'model.itemAdded', itemId, previousItemId, role });
        return;
      }
      case 'replyCreated': {
        const requestId = this.requests.claim(message.requestId);
        this.emit({ type: 'model.replyCreated', replyId: message.replyId, requestId });
        return;
      }
      case 'toolCalled': {
        const { call } = message;
        const held = [...this.heldCalls.values()].reduce((sum, calls) => sum + calls.length, 0);
        if (held >= MAX_HELD_CALLS) this.fail({ kind: 'protocol', retryable: true, code: 'too-many-calls' });
        else this.heldCalls.set(call.replyId, [...(this.heldCalls.get(call.replyId) ?? []), call]);
        return;
      }
      case 'replyDone':
        this.finishReply(message.reply);
        return;
      case 'error':
        this.receiveObjection(message.error);
        return;
      case 'created':
      case 'updated':
      case 'ignored':
      case 'malformed':
        return;
      default:
        message satisfies never;
    }
  }

  private finishReply(reply: ReplyOutcome): void {
    const calls = this.heldCalls.get(reply.replyId) ?? [];
    this.heldCalls.delete(reply.replyId);
    for (const call of calls) {
      if (reply.status !== 'cancelled') this.emit(call);
      // The call stands in the conversation: unanswered, the model would wait for it.
      else this.answerTool(call.toolCallId, '{"error":"not run: the reply was interrupted"}');
    }
    const failed = reply.status === 'failed' ? (reply.errorCode ?? '') : null;
    this.emit({
      type: 'model.replyDone',
      replyId: reply.replyId,
      status: reply.status,
      ...(reply.reason === null ? {} : { reason: reply.reason }),
      ...(failed === null ? {} : { retryable: isRetryableReplyCode(failed) }),
      ...(reply.usage === null ? {} : { usage: reply.usage }),
    });
    const fatal = failed === null ? null : failureOfCode(failed);
    if (fatal !== null) this.fail(fatal);
  }

  private receiveObjection(error: ServerError): void {
    const fatal = failureOfCode(error.code);
    if (fatal !== null) {
      this.fail(fatal);
      return;
    }
    const { objection, requestId } = this.requests.judge(error);
    this.options.log?.debug({ callId: this.options.spec.callId, objection, code: error.code }, 'model objected');
    this.emit({ type: 'model.objected', objection, requestId, code: error.code });
  }

  private isNew(itemId: string): boolean {
    if (this.seenItems.has(itemId)) return false;
    this.seenItems.add(itemId);
    return true;
  }
}

function settingsOf(options: SessionOptions): SessionSettings {
  const { spec } = options;
  const turn: TurnSettings = { ...spec.turn, detection: options.turnDetection, threshold: options.vadThreshold };
  // The transcription model wants a language without a region.
  const language = spec.language.split('-')[0]?.toLowerCase() ?? '';
  return {
    instructions: spec.instructions,
    voice: spec.voice,
    tools: spec.tools,
    noiseReduction: options.noiseReduction,
    transcription:
      options.transcriptionModel === null
        ? null
        : { model: options.transcriptionModel, language: language === '' ? null : language },
    turn,
  };
}

/** The settings without one optional part; null when it was not in them. */
function without(settings: SessionSettings, part: OptionalPart): SessionSettings | null {
  switch (part) {
    case 'noiseReduction':
      return settings.noiseReduction === null ? null : { ...settings, noiseReduction: null };
    case 'transcriptionLanguage':
      if (settings.transcription === null || settings.transcription.language === null) return null;
      return { ...settings, transcription: { ...settings.transcription, language: null } };
    case 'transcription':
      return settings.transcription === null ? null : { ...settings, transcription: null };
    default:
      return part satisfies never;
  }
}
