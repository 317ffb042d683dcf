import { bytesOfMs, msOfBytes, SILENCE_BYTE } from '../../media/mulaw.ts';
import type { SessionConfig, TurnDetection } from './defaults.ts';
import { refuse } from './failure.ts';
import { toMulaw } from './formats.ts';
import { newId } from './ids.ts';
import type { Json } from './schema.ts';
import { Vad, type VadEvent } from './vad.ts';

/** What the input needs of its session. Positions are milliseconds of audio written to the input in this session. */
export interface InputHost {
  config(): SessionConfig;
  emit(event: Json): void;
  speechStarted(): void;
  committed(itemId: string, startMs: number, endMs: number): void;
  /** Whether what was said so far is something complete; for semantic turn detection. */
  isComplete(startMs: number, endMs: number): boolean;
}

const LARGEST_APPEND = 15 * 1024 * 1024;
const LEAST_COMMIT_MS = 100;
/** How much of the past can be asked for again. */
const KEPT_BYTES = bytesOfMs(60_000);

/** The longest that semantic detection waits after the last sound, by eagerness. */
const PATIENCE_MS = { low: 8_000, medium: 4_000, auto: 4_000, high: 2_000 } as const;
const SEMANTIC_LOOK_MS = 300;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The session's `input_audio_buffer`: it hears speech begin and end by the audio's own time, and cuts it into turns. */
export class InputAudio {
  private readonly host: InputHost;
  private vad = new Vad();
  /** A ring: the byte at position p lies at p modulo its size. */
  private readonly past = new Uint8Array(KEPT_BYTES);
  private total = 0;
  /** Where the audio that is not committed begins. */
  private bufferStart = 0;
  private speechItem: string | null = null;

  constructor(host: InputHost) {
    this.host = host;
  }

  get positionMs(): number {
    return msOfBytes(this.total);
  }

  get speaking(): boolean {
    return this.speechItem !== null;
  }

  append(audio: unknown): number {
    if (typeof audio !== 'string') {
      refuse('missing_required_parameter', "Missing required parameter: 'audio'.", 'audio');
    }
    if (audio.length > (LARGEST_APPEND / 3) * 4)
      refuse('invalid_value', 'Audio of more than 15 MiB in one event.', 'audio');
    if (audio.length % 4 !== 0 || !BASE64.test(audio)) {
      refuse('invalid_value', 'Invalid audio: expected base64-encoded bytes.', 'audio');
    }
    const { input } = this.host.config().audio;
    const mulaw = toMulaw(Buffer.from(audio, 'base64'), input.format);
    this.remember(mulaw);
    this.listen(mulaw, input.turn_detection);
    return mulaw.byteLength;
  }

  commit(): void {
    const lengthMs = msOfBytes(this.total - this.bufferStart);
    if (lengthMs < LEAST_COMMIT_MS) {
      refuse(
        'input_audio_buffer_commit_empty',
        `Error committing input audio buffer: buffer too small. Expected at least ${LEAST_COMMIT_MS}ms of audio, but buffer only has ${lengthMs.toFixed(2)}ms of audio.`,
      );
    }
    this.vad.rest();
    this.cut(this.speechItem ?? newId('item'));
  }

  clear(): void {
    this.bufferStart = this.total;
    this.speechItem = null;
    this.vad.rest();
    this.host.emit({ type: 'input_audio_buffer.cleared' });
  }

  /** µ-law between two positions, as far as it is still known. */
  slice(startMs: number, endMs: number): Uint8Array {
    const to = Math.min(this.total, bytesOfMs(endMs));
    const from = Math.min(to, Math.max(0, this.total - KEPT_BYTES, bytesOfMs(startMs)));
    return Uint8Array.from({ length: to - from }, (_, n) => this.past[(from + n) % KEPT_BYTES] ?? SILENCE_BYTE);
  }

  /** Ends a silence that nobody broke (`idle_timeout_ms`): an item of silence, as if it had been a turn. */
  timeout(startMs: number): void {
    const itemId = newId('item');
    const endMs = Math.round(this.positionMs);
    this.host.emit({
      type: 'input_audio_buffer.timeout_triggered',
      audio_start_ms: startMs,
      audio_end_ms: endMs,
      item_id: itemId,
    });
    this.cut(itemId);
  }

  private remember(mulaw: Uint8Array): void {
    for (const [n, byte] of mulaw.entries()) this.past[(this.total + n) % KEPT_BYTES] = byte;
  }

  private listen(mulaw: Uint8Array, turn: TurnDetection): void {
    if (turn === null) {
      this.total += mulaw.byteLength;
      return;
    }
    const threshold = turn.type === 'server_vad' ? turn.threshold : 0.5;
    const prefixMs = turn.type === 'server_vad' ? turn.prefix_padding_ms : 300;
    this.total += mulaw.byteLength;
    this.vad.push(mulaw, threshold, (event) => this.onVad(event, turn, prefixMs));
    if (this.speechItem === null) this.bufferStart = Math.max(this.bufferStart, this.total - bytesOfMs(prefixMs));
  }

  private onVad(event: VadEvent, turn: NonNullable<TurnDetection>, prefixMs: number): void {
    if (event.kind === 'started') {
      this.bufferStart = Math.max(this.bufferStart, bytesOfMs(event.atMs - prefixMs), 0);
      this.speechItem = newId('item');
      const audioStartMs = Math.round(msOfBytes(this.bufferStart));
      this.host.emit({
        type: 'input_audio_buffer.speech_started',
        audio_start_ms: audioStartMs,
        item_id: this.speechItem,
      });
      this.host.speechStarted();
      return;
    }
    if (this.speechItem === null || !this.isOver(event, turn)) return;
    const itemId = this.speechItem;
    this.vad.rest();
    this.host.emit({
      type: 'input_audio_buffer.speech_stopped',
      audio_end_ms: Math.round(event.atMs),
      item_id: itemId,
    });
    this.cut(itemId, event.atMs);
  }

  private isOver(event: Extract<VadEvent, { kind: 'quiet' }>, turn: NonNullable<TurnDetection>): boolean {
    if (turn.type === 'server_vad') return event.silentMs >= turn.silence_duration_ms;
    if (event.silentMs >= PATIENCE_MS[turn.eagerness]) return true;
    return event.silentMs === SEMANTIC_LOOK_MS && this.host.isComplete(msOfBytes(this.bufferStart), event.atMs);
  }

  private cut(itemId: string, endMs = this.positionMs): void {
    const startMs = msOfBytes(this.bufferStart);
    this.bufferStart = bytesOfMs(endMs);
    this.speechItem = null;
    this.host.committed(itemId, startMs, endMs);
  }
}
