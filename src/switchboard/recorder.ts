import { type Hearing, hearingOf } from '../call/hearing.ts';
import type { CallId } from '../call/words.ts';
import { UpstreamError } from '../errors.ts';
import type { Audio } from '../media/audio.ts';
import { BYTES_PER_MS, msOfBytes } from '../media/mulaw.ts';
import { TwoTracks } from '../media/two-tracks.ts';
import { durationOfWav, SAMPLE_RATE, WAV_HEADER_BYTES } from '../media/wav.ts';
import type { Note, Recording, RecordingFile, RecordingFolder, RecordingSize, Store } from '../store/store.ts';
import { type Clock, within } from './clock.ts';
import type { Logger } from './logger.ts';
import type { TakenStep, Tap, TapMaker } from './tap.ts';

export interface RecorderOptions {
  readonly folder: RecordingFolder;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What is written lies so far back: by then late frames have come, stalls have shown and a clear has cut. */
const BEHIND = 2 * SAMPLE_RATE;
/** When the callee's audio stays away for so long, the recording goes on without it. */
const LONGEST_GAP = 10 * SAMPLE_RATE;
const PIECE = SAMPLE_RATE;
/** Of agent audio that is not heard yet, 64 s: more than any reply that people listen to. */
const MOST_AHEAD_BYTES = 512 * 1024;
/** Pieces that wait for the disk, a second each. */
const MOST_WAITING = 16;
const FINISH_MS = 2_000;
/** By so much the carrier's clock may run slower than ours: what is learnt of the way's length fades. */
const DRIFT = 1e-4;

/** Records each call whose brief says so: a stereo WAV, the callee left, the agent right as it was heard. */
export function recorderOf(options: RecorderOptions): TapMaker {
  return ({ callId, brief }) => (brief.record === true ? new Recorder(callId, options) : null);
}

class Recorder implements Tap {
  readonly #callId: CallId;
  readonly #options: RecorderOptions;
  readonly #tracks = new TwoTracks();
  #writer: Writer | null = null;
  /** When the recording's clock was 0, by our monotonic one and as it seems from here; null before the first stream. */
  #originMs: number | null = null;
  #originAtMs = 0;
  /** Where the current stream's clock begins in the recording; null until its first frame. */
  #streamAt: number | null = 0;
  #streamStartedMs = 0;
  #missingBytes = 0;
  #lateFrames = 0;

  constructor(callId: CallId, options: RecorderOptions) {
    this.#callId = callId;
    this.#options = options;
  }

  heard(audio: Audio, mediaMs: number, atMs: number): void {
    if (this.#originMs === null || this.#writer?.failed !== false) return;
    const startedMs = atMs - mediaMs - msOfBytes(audio.byteLength);
    if (this.#streamAt === null)
      this.#streamAt = Math.max(0, this.#samplesAt(Math.min(startedMs, this.#streamStartedMs)));
    this.#learnOrigin(startedMs - this.#streamAt / BYTES_PER_MS, atMs);
    const at = this.#streamAt + Math.round(mediaMs * BYTES_PER_MS);
    // A clock that jumps ahead would have us write silence without end.
    if (at > this.#samplesAt(atMs) + LONGEST_GAP) return;
    if (!this.#tracks.placeLeft(at, audio.bytes())) this.#lateFrames += 1;
    this.#flush(atMs);
  }

  stepped(step: TakenStep): void {
    const { event } = step;
    if (event.type === 'carrier.streamStarted') this.#streamStarted(event.atMs);
    if (this.#originMs === null || this.#writer?.failed !== false) return;
    this.#follow(hearingOf(step));
  }

  command(command: Parameters<NonNullable<Tap['command']>>[0], atMs: number, audio: Audio | undefined): void {
    if (command.type !== 'carrier.play' || !audio || this.#originMs === null || this.#writer?.failed !== false) return;
    const kept = this.#tracks.heldBytes + audio.byteLength <= MOST_AHEAD_BYTES;
    if (!kept) this.#missingBytes += audio.byteLength;
    this.#tracks.extendRun(audio.bytes(), kept);
    this.#flush(atMs);
  }

  ended(): Promise<void> | undefined {
    const writer = this.#writer;
    if (!writer) return undefined;
    if (!writer.failed) {
      writer.write(this.#tracks.take(this.#tracks.end));
      if (this.#missingBytes > 0 || this.#lateFrames > 0) {
        const missing = { missingAgentMs: Math.round(msOfBytes(this.#missingBytes)), lateFrames: this.#lateFrames };
        this.#options.logger.warn({ callId: this.#callId, ...missing }, 'a recording has gaps');
      }
    }
    return writer.finish();
  }

  #streamStarted(atMs: number): void {
    this.#streamStartedMs = atMs;
    if (this.#originMs !== null) {
      this.#streamAt = null;
      return;
    }
    this.#originMs = atMs;
    this.#originAtMs = atMs;
    this.#writer = new Writer(this.#callId, this.#options);
  }

  /** The frame that had the shortest way tells best when the stream began. */
  #learnOrigin(originMs: number, atMs: number): void {
    const known = (this.#originMs ?? originMs) + (atMs - this.#originAtMs) * DRIFT;
    this.#originMs = Math.min(known, originMs);
    this.#originAtMs = atMs;
  }

  #samplesAt(atMs: number): number {
    return Math.round((atMs - (this.#originMs ?? atMs)) * BYTES_PER_MS);
  }

  #follow({ cutBytes, opened, startsAtMs, roundTripMs }: Hearing): void {
    if (cutBytes !== null) this.#tracks.cutRun(cutBytes);
    if (startsAtMs === null) return;
    // What we send now the callee hears a way later, and what we hear now was said a way ago.
    const at = this.#samplesAt(startsAtMs + roundTripMs);
    if (opened) this.#tracks.openRun(at);
    else this.#tracks.moveRun(at);
  }

  #flush(atMs: number): void {
    const now = this.#samplesAt(atMs);
    const until = Math.max(Math.min(this.#tracks.leftEnd, now), now - LONGEST_GAP) - BEHIND;
    if (until - this.#tracks.taken < PIECE) return;
    this.#writer?.write(this.#tracks.take(until));
  }
}

/** Writes behind the call's back, in order, and gives up rather than fill the memory. */
class Writer {
  failed = false;
  readonly #callId: CallId;
  readonly #options: RecorderOptions;
  readonly #startedAtMs: number;
  #file: RecordingFile | null = null;
  #size: RecordingSize = { bytes: 0, durationMs: 0 };
  #waiting = 0;
  /** What waits for the disk, and what waits for the store: a disk that hangs must not keep back the news of it. */
  #tail: Promise<void>;
  #told: Promise<void> = Promise.resolve();

  constructor(callId: CallId, options: RecorderOptions) {
    this.#callId = callId;
    this.#options = options;
    this.#startedAtMs = options.clock.wall();
    this.#tail = this.#guarded(async () => {
      this.#file = await options.folder.create(callId);
      if (!this.failed) this.#tell('recording', null, { state: 'started' });
    });
  }

  write(stereo: Uint8Array): void {
    if (this.failed || stereo.byteLength === 0) return;
    if (this.#waiting >= MOST_WAITING) {
      this.#fail('The disk did not keep up.', null);
      return;
    }
    this.#waiting += 1;
    this.#then(async () => {
      this.#waiting -= 1;
      await this.#file?.append(stereo);
      this.#size = sizeOfWav(Math.max(this.#size.bytes, WAV_HEADER_BYTES) + stereo.byteLength);
    });
  }

  /** Resolves when the file is closed and its facts are on disk, or after `FINISH_MS`. */
  async finish(): Promise<void> {
    this.#then(async () => {
      await this.#close();
      const { bytes, durationMs } = this.#size;
      this.#tell('complete', null, { state: 'stopped', bytes, durationMs });
    });
    await within(
      this.#tail.then(() => this.#told),
      FINISH_MS,
      this.#options.clock,
    );
  }

  #then(work: () => Promise<void>): void {
    this.#tail = this.#tail.then(() => this.#guarded(work));
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    if (this.failed) return;
    try {
      await work();
    } catch (error) {
      this.#fail(error instanceof UpstreamError ? error.message : 'It could not be written.', error);
    }
  }

  /** The recording ends here, and the call goes on. What was written stays. */
  #fail(reason: string, err: unknown): void {
    if (this.failed) return;
    this.failed = true;
    this.#options.logger.error({ callId: this.#callId, err }, 'a recording was ended before its call');
    this.#tell('failed', reason, { state: 'failed', reason, bytes: this.#size.bytes });
    this.#tail = this.#tail.then(() => this.#close()).catch(() => undefined);
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    if (file) this.#size = await file.close();
  }

  /** To the store, and to the call's timeline. */
  #tell(state: Recording['state'], reason: string | null, note: Note['data']): void {
    const { folder, store, clock, logger } = this.#options;
    const callId = this.#callId;
    const isOver = state !== 'recording';
    const recording: Recording = {
      callId,
      kind: 'local',
      name: folder.nameOf(callId),
      url: null,
      channels: 2,
      bytes: isOver ? this.#size.bytes : null,
      durationMs: isOver ? this.#size.durationMs : null,
      state,
      reason,
      startedAtMs: this.#startedAtMs,
    };
    const atMs = clock.wall();
    this.#told = this.#told
      .then(() => store.putRecording(recording))
      .then(() => store.addNote(callId, { atMs, kind: 'recording', data: note }))
      .catch((err: unknown) => logger.error({ callId, err }, 'what became of a recording was not noted'));
  }
}

function sizeOfWav(bytes: number): RecordingSize {
  const whole = Math.max(bytes, WAV_HEADER_BYTES);
  return { bytes: whole, durationMs: durationOfWav(whole, 2) };
}
