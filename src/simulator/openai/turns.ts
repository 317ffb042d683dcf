import type { Understanding, Understood } from '../speech/understanding.ts';
import type { Heard } from './brain.ts';
import { type Conversation, type Item, itemJson, makeItem } from './conversation.ts';
import type { SessionConfig } from './defaults.ts';
import type { RealtimeKnobs } from './knobs.ts';
import type { SessionRecord } from './record.ts';
import type { Json } from './schema.ts';

export interface TurnsHost {
  readonly knobs: RealtimeKnobs;
  readonly conversation: Conversation;
  readonly record: SessionRecord;
  readonly understanding: Understanding;
  config(): SessionConfig;
  emit(event: Json): void;
  later(delayMs: number, run: () => void): void;
  slice(startMs: number, endMs: number): Uint8Array;
}

/** Two pieces of a sentence are no further apart than this. */
const JOIN_MS = 1_500;
const LONGEST_JOIN_MS = 8_000;

function simplified(understood: readonly Understood[]): Heard[] {
  return understood.map(({ phrase, exact }) => ({ phraseId: phrase?.id ?? null, text: phrase?.text ?? '', exact }));
}

/** What the caller said: turns become items, are understood, and are transcribed beside it. */
export class Turns {
  private readonly host: TurnsHost;
  /** The last turn, when it was heard but not understood: it may be the beginning of something. */
  private half: { readonly startMs: number; readonly endMs: number } | null = null;
  private count = 0;

  constructor(host: TurnsHost) {
    this.host = host;
  }

  /** Emits what follows a turn's end, from `committed` to the item's `done`; the transcription comes later. */
  committed(itemId: string, startMs: number, endMs: number): Item {
    const { host } = this;
    const understood = this.understand(startMs, endMs);
    host.record.turns.push({ itemId, startMs, endMs, heard: understood, atMs: performance.now() });
    const heard = simplified(understood);
    const item = makeItem({ id: itemId, type: 'message', role: 'user', audioMs: endMs - startMs, heard });
    item.content = [{ type: 'input_audio', transcript: null }];
    const previous = host.conversation.lastId();
    host.emit({ type: 'input_audio_buffer.committed', previous_item_id: previous, item_id: itemId });
    host.conversation.append(item);
    host.emit({ type: 'conversation.item.added', previous_item_id: previous, item: itemJson(item) });
    host.emit({ type: 'conversation.item.done', previous_item_id: previous, item: itemJson(item) });
    this.transcribe(item, heard);
    return item;
  }

  private understand(startMs: number, endMs: number): readonly Understood[] {
    const { host } = this;
    const alone = host.understanding.understand(host.slice(startMs, endMs));
    const clear = alone.every((one) => one.phrase !== null);
    if (clear) {
      this.half = null;
      return alone;
    }
    const { half } = this;
    this.half = { startMs, endMs };
    if (half === null || startMs - half.endMs > JOIN_MS) return alone;
    // A pause inside a sentence ended the turn too early: a model would still understand the whole.
    const joined = host.understanding.understand(host.slice(half.startMs, endMs));
    if (!joined.some((one) => one.phrase !== null)) {
      if (endMs - half.startMs < LONGEST_JOIN_MS) this.half = { startMs: half.startMs, endMs };
      return alone;
    }
    this.half = null;
    return joined;
  }

  private transcribe(item: Item, heard: readonly Heard[]): void {
    const { host } = this;
    const number = this.count;
    this.count += 1;
    if (host.config().audio.input.transcription === null) return;
    const fault = host.knobs.transcriptionFaults[number];
    if (fault?.kind === 'never') return;
    const delays = host.knobs.transcriptionDelayMs;
    host.later(delays[number % delays.length] ?? 0, () => {
      const common = { item_id: item.id, content_index: 0 };
      if (fault?.kind === 'failed') {
        const error = {
          type: 'transcription_error',
          code: 'audio_unintelligible',
          message: 'The audio could not be transcribed.',
          param: null,
        };
        host.emit({ type: 'conversation.item.input_audio_transcription.failed', ...common, error });
        return;
      }
      const transcript = fault?.text ?? this.wordsOf(heard);
      for (const delta of transcript.match(/\S+\s*/g) ?? []) {
        host.emit({ type: 'conversation.item.input_audio_transcription.delta', ...common, delta });
      }
      item.content = [{ type: 'input_audio', transcript }];
      const usage = { type: 'duration', seconds: Math.ceil(item.audioMs / 1_000) };
      host.emit({ type: 'conversation.item.input_audio_transcription.completed', ...common, transcript, usage });
    });
  }

  private wordsOf(heard: readonly Heard[]): string {
    const texts = heard.map((one) => (one.phraseId === null ? (this.host.knobs.misheardText ?? '') : one.text));
    return texts.filter((text) => text !== '').join(' ');
  }
}
