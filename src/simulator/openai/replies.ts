import type { Brain, BrainTurn, Heard } from './brain.ts';
import type { Conversation, Item } from './conversation.ts';
import type { SessionConfig, Tool } from './defaults.ts';
import { refuse } from './failure.ts';
import type { RealtimeKnobs, ResponseFault } from './knobs.ts';
import type { RecordedResponse, SessionRecord, SpokenItem } from './record.ts';
import { ResponseRun, type ResponseSettings, type ResponseStatus } from './response.ts';
import { isObject, type Json } from './schema.ts';
import { Meter } from './usage.ts';

export interface RepliesHost {
  readonly knobs: RealtimeKnobs;
  readonly conversation: Conversation;
  readonly record: SessionRecord;
  readonly brain: Brain;
  readonly dialect: 'ga' | 'beta';
  config(): SessionConfig;
  emit(event: Json): void;
  later(delayMs: number, run: () => void): void;
  /** Audio of a response is on its way. */
  spoke(responseNumber: number, sentMs: number): void;
  /** A response of the conversation is done; it plays for another `playsMs`. */
  done(playsMs: number): void;
}

function textOf(item: Item): string {
  const own = item.content.map((part) => part.text ?? part.transcript ?? '').join(' ');
  return item.heard.length > 0 ? item.heard.map((one) => one.text).join(' ') : own;
}

/** The responses of a session: one at a time in its conversation. */
export class Replies {
  readonly meter = new Meter();
  private readonly host: RepliesHost;
  private active: ResponseRun | null = null;
  private readonly running = new Set<ResponseRun>();
  /** What was said since a response took it up. */
  private unanswered: Heard[] = [];
  private outputs: { callId: string; name: string; output: string }[] = [];
  private count = 0;

  constructor(host: RepliesHost) {
    this.host = host;
  }

  get activeId(): string | null {
    return this.active?.id ?? null;
  }

  heard(what: readonly Heard[]): void {
    this.unanswered.push(...what);
  }

  /** The client says that the assistant answered, elsewhere. */
  answered(): void {
    this.unanswered = [];
  }

  toolAnswered(callId: string, name: string, output: string): void {
    this.outputs.push({ callId, name, output });
  }

  /** By the client (`params` is its judged `response`) or, with null, by the server itself. */
  create(params: Json | null): void {
    const outOfBand = params?.conversation === 'none';
    if (!outOfBand && this.active !== null) {
      refuse(
        'conversation_already_has_active_response',
        `Conversation already has an active response in progress: ${this.active.id}. Wait until the response is finished before creating a new one.`,
      );
    }
    this.begin(this.settings(params ?? {}, outOfBand), params === null);
  }

  cancel(id: unknown, reason: 'turn_detected' | 'client_cancelled'): void {
    const run = typeof id === 'string' ? [...this.running].find((one) => one.id === id) : this.active;
    if (run === null || run === undefined) {
      refuse('response_cancel_not_active', 'Cancellation failed: no active response found');
    }
    run.cancel(reason);
  }

  /** The caller speaks: the server stops its own response when its settings say so. */
  interrupt(): void {
    this.active?.cancel('turn_detected');
  }

  /** Says these phrases whether or not anybody asked; for tests of a server that talks by itself. */
  say(phraseIds: readonly string[]): void {
    this.begin(this.settings({}, false), true, { speak: phraseIds });
  }

  /** The response that is being made comes to nothing, in the middle of a word. */
  breakOff(fault: ResponseFault): void {
    this.active?.breakOff(fault);
  }

  abandon(): void {
    for (const run of this.running) run.abandon();
    this.running.clear();
    this.active = null;
  }

  private settings(params: Json, outOfBand: boolean): ResponseSettings {
    const config = this.host.config();
    const output = isObject(params.audio) && isObject(params.audio.output) ? params.audio.output : {};
    const choice = params.tool_choice ?? config.tool_choice;
    const tools = ((params.tools ?? config.tools) as readonly Tool[]).map((tool) => tool.name ?? '');
    return {
      instructions: String(params.instructions ?? config.instructions),
      metadata: (params.metadata ?? null) as ResponseSettings['metadata'],
      modalities: (params.output_modalities ?? config.output_modalities) as readonly string[],
      format: (output.format ?? config.audio.output.format) as ResponseSettings['format'],
      voice: output.voice ?? config.audio.output.voice,
      maxOutputTokens: (params.max_output_tokens ?? config.max_output_tokens) as number | 'inf',
      tools: choice === 'none' ? [] : tools,
      outOfBand,
    };
  }

  private begin(settings: ResponseSettings, own: boolean, chosen: ReturnType<Brain['respond']> | null = null): void {
    if (this.host.knobs.neverAnswers) return;
    const number = this.count;
    this.count += 1;
    const decided = chosen ?? this.host.brain.respond(this.turn(settings, own));
    const calls = (decided.calls ?? []).filter((call) => settings.tools.includes(call.name));
    const fail = this.host.knobs.responseFaults[number] ?? decided.fail;
    const took = { heard: this.unanswered, outputs: this.outputs };
    this.unanswered = [];
    this.outputs = [];
    // What the conversation holds now is what this response is given, and billed for.
    const history = [...this.host.conversation.all];
    const record: RecordedResponse = {
      id: '',
      own,
      metadata: settings.metadata ?? {},
      createdAtMs: performance.now(),
      status: 'in_progress',
      reason: null,
      phraseIds: decided.speak ?? [],
      itemIds: [],
      calls: calls.map((call) => call.name),
      doneAtMs: null,
    };
    let firstAudioMs = 0;
    const run = new ResponseRun(
      {
        knobs: this.host.knobs,
        conversation: this.host.conversation,
        emit: (event) => this.host.emit(event),
        usage: (status, produced) =>
          status === 'failed' ? null : this.meter.bill(settings.instructions, history, produced),
        spoke: (item, bytes) => {
          if (firstAudioMs === 0) firstAudioMs = performance.now();
          this.note(item, bytes, number);
        },
        finished: () => {
          const lost = run.status === 'failed' || (run.status === 'cancelled' && firstAudioMs === 0);
          // Nothing of it was said, so what was asked is still open.
          if (lost) {
            this.unanswered.unshift(...took.heard);
            this.outputs.unshift(...took.outputs);
          }
          this.finished(run, record, firstAudioMs);
        },
      },
      settings,
      { ...decided, calls, ...(fail === undefined ? {} : { fail }) },
    );
    this.running.add(run);
    if (!settings.outOfBand) this.active = run;
    this.host.record.responses.push(Object.assign(record, { id: run.id }));
    run.start();
    if (this.host.dialect === 'beta') this.tellLimits();
  }

  /** Beta told the limits when a response began, GA tells them after it is done. */
  private tellLimits(): void {
    const limits = [{ name: 'tokens', limit: 40_000, remaining: 39_000, reset_seconds: 1.5 }];
    this.host.emit({ type: 'rate_limits.updated', rate_limits: limits });
  }

  private turn(settings: ResponseSettings, own: boolean): BrainTurn {
    return {
      heard: this.unanswered,
      instructions: settings.instructions,
      metadata: settings.metadata ?? {},
      toolOutputs: this.outputs,
      history: this.host.conversation.all.map((item) => ({
        role: item.role ?? item.type,
        text: textOf(item),
        phraseId: item.phraseId ?? item.heard.at(-1)?.phraseId ?? null,
      })),
      tools: settings.tools,
      own,
    };
  }

  private note(item: SpokenItem, bytes: number, number: number): void {
    this.host.record.spoken.set(item.itemId, item);
    const sentMs = [...this.host.record.spoken.values()]
      .filter((one) => one.responseId === item.responseId)
      .reduce((sum, one) => sum + one.sentBytes / 8, 0);
    this.host.record.changed();
    if (bytes > 0) this.host.spoke(number, sentMs);
  }

  private finished(run: ResponseRun, record: RecordedResponse, firstAudioMs: number): void {
    this.running.delete(run);
    if (this.active === run) this.active = null;
    const nowMs = performance.now();
    const status: ResponseStatus = run.status;
    record.status = status;
    record.reason = run.reason;
    record.itemIds = run.items.map((item) => item.id);
    record.doneAtMs = nowMs;
    this.host.record.changed();
    if (this.host.dialect === 'ga') this.host.later(this.host.knobs.rateLimitsDelayMs, () => this.tellLimits());
    const audioMs = run.items.reduce((sum, item) => sum + item.audioMs, 0);
    if (!run.settings.outOfBand) this.host.done(Math.max(0, firstAudioMs + audioMs - nowMs));
  }
}
