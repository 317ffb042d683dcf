import { bytesOfMs, msOfBytes } from '../../media/mulaw.ts';
import { phrase } from '../speech/load-phrasebook.ts';
import type { Phrase } from '../speech/phrasebook.ts';
import type { BrainReply } from './brain.ts';
import { type Conversation, type Item, itemJson, makeItem } from './conversation.ts';
import type { AudioFormat } from './defaults.ts';
import { fromMulaw } from './formats.ts';
import { newId } from './ids.ts';
import type { RealtimeKnobs, ResponseFault } from './knobs.ts';
import type { SpokenItem } from './record.ts';
import type { Json } from './schema.ts';

export type ResponseStatus = 'in_progress' | 'completed' | 'cancelled' | 'failed' | 'incomplete';

/** The settings that hold for one response: the session's, with what its `response.create` overrides. */
export interface ResponseSettings {
  readonly instructions: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly modalities: readonly string[];
  readonly format: AudioFormat;
  readonly voice: unknown;
  readonly maxOutputTokens: number | 'inf';
  readonly tools: readonly string[];
  /** `conversation: "none"`: nothing of it enters the conversation. */
  readonly outOfBand: boolean;
}

export interface ResponseHost {
  readonly knobs: RealtimeKnobs;
  readonly conversation: Conversation;
  emit(event: Json): void;
  /** Bills the response; null when it is not billed. */
  usage(status: ResponseStatus, produced: readonly Item[]): Json | null;
  spoke(item: SpokenItem, bytes: number): void;
  /** Called once, after `response.done`. */
  finished(run: ResponseRun): void;
}

const FAILURES: Readonly<Record<string, { readonly type: string; readonly message: string }>> = {
  insufficient_quota: {
    type: 'insufficient_quota',
    message: 'You exceeded your current quota, please check your plan and billing details.',
  },
  rate_limit_exceeded: {
    type: 'rate_limit_exceeded',
    message: 'Rate limit reached for this model. Please try again later.',
  },
  server_error: {
    type: 'server_error',
    message: 'The server had an error while processing your request. Sorry about that!',
  },
};

/** The item that is being made. */
interface Open {
  readonly item: Item;
  readonly index: number;
  readonly spoken: SpokenItem | null;
  readonly phrase: Phrase | null;
  text: string;
  words: number;
  sentBytes: number;
  deltas: number;
}

/** One response, from `response.created` to `response.done` (OpenAI Realtime reference, server events). */
export class ResponseRun {
  readonly id = newId('resp');
  readonly settings: ResponseSettings;
  status: ResponseStatus = 'in_progress';
  reason: string | null = null;
  readonly items: Item[] = [];
  private readonly host: ResponseHost;
  private readonly reply: BrainReply;
  private open: Open | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(host: ResponseHost, settings: ResponseSettings, reply: BrainReply) {
    this.host = host;
    this.settings = settings;
    this.reply = reply;
  }

  /** Emits `response.created` and lives on by timers until it is done or cancelled. */
  start(): void {
    this.host.emit({ type: 'response.created', response: this.json(null) });
    void this.live();
  }

  /** As the server does on speech or a client's cancel: the `.done` events of what is open, then `response.done`. */
  cancel(reason: 'turn_detected' | 'client_cancelled'): void {
    if (this.status !== 'in_progress') return;
    clearTimeout(this.timer);
    const { count, when } = this.host.knobs.lateDeltas;
    const open = this.open;
    if (when === 'before-done') this.sendLate(open, count);
    this.finish('cancelled', reason);
    if (when === 'after-done') this.sendLate(open, count);
  }

  /** As a fault of the service ends it: failed, or incomplete by a filter or a limit. */
  breakOff(fault: ResponseFault): void {
    if (this.status !== 'in_progress') return;
    clearTimeout(this.timer);
    this.finish(FAILURES[fault] === undefined ? 'incomplete' : 'failed', fault);
  }

  /** Stops without a word: the connection is gone. */
  abandon(): void {
    clearTimeout(this.timer);
    if (this.status === 'in_progress') this.status = 'cancelled';
  }

  private wait(untilMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.timer = setTimeout(resolve, Math.max(0, untilMs - performance.now()));
    });
  }

  private async live(): Promise<void> {
    const { knobs } = this.host;
    await this.wait(performance.now() + knobs.firstAudioDelayMs + (this.reply.delayMs ?? 0));
    const fault = this.reply.fail;
    if (fault !== undefined && FAILURES[fault] !== undefined) {
      this.finish('failed', fault);
      return;
    }
    for (const id of this.reply.speak ?? []) {
      await this.speak(phrase(id), fault);
      if (this.status !== 'in_progress') return;
    }
    if (fault !== undefined) {
      this.finish('incomplete', fault);
      return;
    }
    for (const call of this.reply.calls ?? []) {
      await this.call(call.name, typeof call.args === 'string' ? call.args : JSON.stringify(call.args));
      if (this.status !== 'in_progress') return;
    }
    this.finish('completed', null);
  }

  private begin(item: Item, spoken: Phrase | null): Open {
    const index = this.items.length;
    this.items.push(item);
    this.host.emit({
      type: 'response.output_item.added',
      response_id: this.id,
      output_index: index,
      item: itemJson(item),
    });
    if (!this.settings.outOfBand) {
      this.host.conversation.append(item);
      this.host.emit(this.itemEvent('conversation.item.added', item));
    }
    const record = spoken === null ? null : { itemId: item.id, responseId: this.id, phraseId: spoken.id, sentBytes: 0 };
    this.open = { item, index, spoken: record, phrase: spoken, text: '', words: 0, sentBytes: 0, deltas: 0 };
    return this.open;
  }

  private async speak(said: Phrase, fault: ResponseFault | undefined): Promise<void> {
    const written = this.settings.modalities.includes('text') && !this.settings.modalities.includes('audio');
    const item = makeItem({
      type: 'message',
      role: 'assistant',
      status: 'in_progress',
      phraseId: written ? null : said.id,
    });
    const open = this.begin(item, said);
    const part = written ? { type: 'text', text: '' } : { type: 'audio', transcript: '' };
    this.host.emit({ type: 'response.content_part.added', ...this.ids(open), part });
    if (written) {
      open.text = said.text;
      this.host.emit({ type: 'response.output_text.delta', ...this.ids(open), delta: said.text });
    } else {
      const until = fault === undefined ? said.audio.byteLength : said.audio.byteLength / 2;
      const startMs = performance.now();
      while (open.sentBytes < until) {
        this.sendDelta(open);
        await this.wait(startMs + msOfBytes(open.sentBytes) / this.host.knobs.burstFactor);
        if (this.status !== 'in_progress') return;
      }
    }
    if (fault === undefined) this.close('completed');
  }

  /** The next stretch of sound, after the words that run ahead of it. */
  private sendDelta(open: Open): void {
    const { knobs } = this.host;
    if (open.phrase === null || open.spoken === null) return;
    const aheadMs = msOfBytes(open.sentBytes) + knobs.transcriptLeadMs;
    for (const word of open.phrase.words.slice(open.words)) {
      if (word.startMs > aheadMs) break;
      const delta = open.words === 0 ? word.text : ` ${word.text}`;
      open.words += 1;
      open.text += delta;
      this.host.emit({ type: 'response.output_audio_transcript.delta', ...this.ids(open), delta });
    }
    const lengthMs = knobs.deltaMs[open.deltas % knobs.deltaMs.length] ?? 200;
    const bytes = open.phrase.audio.subarray(open.sentBytes, open.sentBytes + Math.max(1, bytesOfMs(lengthMs)));
    open.deltas += 1;
    open.sentBytes += bytes.byteLength;
    open.spoken.sentBytes = open.sentBytes;
    open.item.audioMs = msOfBytes(open.sentBytes);
    const delta = Buffer.from(fromMulaw(bytes, this.settings.format)).toString('base64');
    this.host.emit({ type: 'response.output_audio.delta', ...this.ids(open), delta });
    this.host.spoke(open.spoken, bytes.byteLength);
  }

  private sendLate(open: Open | null, count: number): void {
    if (open?.phrase === null || open === null) return;
    for (let n = 0; n < count && open.sentBytes < open.phrase.audio.byteLength; n += 1) this.sendDelta(open);
  }

  private async call(name: string, args: string): Promise<void> {
    const item = makeItem({ type: 'function_call', status: 'in_progress', name, callId: newId('call') });
    const open = this.begin(item, null);
    const ids = { response_id: this.id, item_id: item.id, output_index: open.index, call_id: item.callId };
    for (let at = 0; at < args.length; at += 12) {
      const delta = args.slice(at, at + 12);
      item.args += delta;
      this.host.emit({ type: 'response.function_call_arguments.delta', ...ids, delta });
      await this.wait(performance.now() + 4);
      if (this.status !== 'in_progress') return;
    }
    this.close('completed');
  }

  private close(status: 'completed' | 'incomplete'): void {
    const open = this.open;
    if (open === null) return;
    const { item, index, text } = open;
    this.open = null;
    item.status = status;
    const emit = (event: Json): void => this.host.emit(event);
    if (item.type === 'function_call') {
      const ids = { response_id: this.id, item_id: item.id, output_index: index, call_id: item.callId };
      emit({ type: 'response.function_call_arguments.done', ...ids, name: item.name, arguments: item.args });
    } else if (open.spoken !== null && item.phraseId === null) {
      item.content = [{ type: 'output_text', text }];
      emit({ type: 'response.output_text.done', ...this.ids(open), text });
      emit({ type: 'response.content_part.done', ...this.ids(open), part: { type: 'text', text } });
    } else {
      item.content = [{ type: 'output_audio', transcript: text }];
      emit({ type: 'response.output_audio.done', ...this.ids(open) });
      emit({ type: 'response.output_audio_transcript.done', ...this.ids(open), transcript: text });
      emit({ type: 'response.content_part.done', ...this.ids(open), part: { type: 'audio', transcript: text } });
    }
    if (!this.settings.outOfBand) emit(this.itemEvent('conversation.item.done', item));
    emit({ type: 'response.output_item.done', response_id: this.id, output_index: index, item: itemJson(item) });
  }

  private finish(status: Exclude<ResponseStatus, 'in_progress'>, reason: string | null): void {
    if (this.status !== 'in_progress') return;
    this.close('incomplete');
    this.status = status;
    this.reason = reason;
    this.host.emit({ type: 'response.done', response: this.json(this.host.usage(status, this.items)) });
    this.host.finished(this);
  }

  private ids(open: Open): Json {
    return { response_id: this.id, item_id: open.item.id, output_index: open.index, content_index: 0 };
  }

  private itemEvent(type: string, item: Item): Json {
    return { type, previous_item_id: this.host.conversation.previousOf(item), item: itemJson(item) };
  }

  private statusDetails(): Json | null {
    if (this.status === 'in_progress' || this.status === 'completed') return null;
    const failure = this.reason === null ? undefined : FAILURES[this.reason];
    if (this.status === 'failed' && failure !== undefined) {
      return { type: 'failed', error: { type: failure.type, code: this.reason, message: failure.message } };
    }
    return { type: this.status, reason: this.reason };
  }

  private json(usage: Json | null): Json {
    const { settings } = this;
    return {
      object: 'realtime.response',
      id: this.id,
      conversation_id: settings.outOfBand ? null : this.host.conversation.id,
      status: this.status,
      status_details: this.statusDetails(),
      output: this.status === 'in_progress' ? [] : this.items.map(itemJson),
      output_modalities: settings.modalities,
      audio: { output: { format: settings.format, voice: settings.voice } },
      max_output_tokens: settings.maxOutputTokens,
      metadata: settings.metadata,
      usage,
    };
  }
}
