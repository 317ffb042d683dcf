import { FRAME_BYTES, msOfBytes, SILENCE_BYTE } from '../../media/mulaw.ts';
import type { Phrase } from '../speech/phrasebook.ts';
import { type ClipIndex, indexOf, type Place, RollingHash, WINDOW_BYTES } from './clip-index.ts';
import { type EarFault, HeardPhrase } from './heard-phrase.ts';

/** A piece of a clip that was heard without a break. `heardAtMs` is when it began, counted since the ear began to listen. */
export interface HeardRun {
  readonly phraseId: string;
  /** Which saying of the phrase, from 1. */
  readonly occurrence: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly heardAtMs: number;
}

/** So much quiet before the start of a clip makes it a new saying of the phrase instead of a repeated frame. */
const NEW_SAYING_PAUSE_BYTES = 320;
/** A repetition from so far back is a new saying, not a fault of the line. */
const NEW_SAYING_REACH_BYTES = 4_000;
/** Longest stretch of sound without a match before it is booked as unknown. */
const MAX_UNMATCHED_BYTES = 8_000;

/**
 * Maps what left a carrier's playback buffer back to the clips that it was made of, to the sample: the oracle for how much of
 * which sentence a person has heard. Every loss, repetition, reordering and damaged byte shows in `faults`. Knows nothing of the
 * product; frames need not line up with the frames of a clip.
 */
export class Ear {
  private readonly index: ClipIndex;
  private readonly hash = new RollingHash();
  private history = new Uint8Array(1 << 16);
  private heard = 0;
  /** No clip is followed back beyond this byte: the buffer was empty before it. */
  private floor = 0;
  private current: HeardPhrase | null = null;
  /** Next expected byte of the current clip, and whether the next match starts a new piece. */
  private next = 0;
  private broken = true;
  /** First heard byte that no clip explains yet. */
  private unmatchedFrom: number | null = null;
  private readonly sayings: HeardPhrase[] = [];
  private readonly strange: EarFault[] = [];
  private lastSoundAt = 0;

  /** `phrases` must be the same array for ears that shall share an index. */
  constructor(phrases: readonly Phrase[]) {
    this.index = indexOf(phrases);
  }

  /** One frame of µ-law, of any length; null stands for 20 ms in which the buffer was empty. */
  hear(frame: Uint8Array | null): void {
    if (frame === null) {
      this.hearNothing();
      return;
    }
    this.reserve(frame.byteLength);
    for (const byte of frame) this.hearByte(byte);
  }

  get elapsedMs(): number {
    return msOfBytes(this.heard);
  }

  /** How long nothing but silence has been heard, since the beginning if ever. */
  get quietMs(): number {
    return msOfBytes(this.heard - this.lastSoundAt);
  }

  /** The saying that was heard last; it may be over. */
  get latest(): HeardPhrase | null {
    return this.current;
  }

  get heardPhrases(): readonly HeardPhrase[] {
    return this.sayings;
  }

  /** Every run in the order in which it was heard. */
  runs(): readonly HeardRun[] {
    return this.sayings.flatMap((saying) =>
      saying.pieces.map((piece) => ({
        phraseId: saying.phrase.id,
        occurrence: saying.occurrence,
        fromMs: msOfBytes(piece.from),
        toMs: msOfBytes(piece.to),
        heardAtMs: msOfBytes(piece.heardFrom),
      })),
    );
  }

  faults(): readonly EarFault[] {
    return [...this.strange, ...this.sayings.flatMap((saying) => saying.faults())].sort(
      (a, b) => a.heardAtMs - b.heardAtMs,
    );
  }

  saying(phraseId: string, occurrence = 1): HeardPhrase | undefined {
    return this.sayings.find((one) => one.phrase.id === phraseId && one.occurrence === occurrence);
  }

  /** Milliseconds of a saying's clip that were heard; 0 when it never was. */
  heardMs(phraseId: string, occurrence = 1): number {
    return msOfBytes(this.saying(phraseId, occurrence)?.heardBytes ?? 0);
  }

  /** The words of a saying that were heard to their end. */
  heardText(phraseId: string, occurrence = 1): string {
    const saying = this.saying(phraseId, occurrence);
    if (saying === undefined) return '';
    const reachMs = Math.ceil(msOfBytes(saying.reach));
    const words = saying.phrase.words.filter(
      (word) => Math.min(word.endMs, Math.floor(saying.phrase.durationMs)) <= reachMs,
    );
    return words.map((word) => word.text).join(' ');
  }

  private hearNothing(): void {
    this.settleUnmatched();
    this.reserve(FRAME_BYTES);
    for (let i = 0; i < FRAME_BYTES; i++) this.remember(SILENCE_BYTE);
    this.floor = this.heard;
    this.broken = true;
  }

  private hearByte(byte: number): void {
    this.remember(byte);
    if (byte !== SILENCE_BYTE) this.lastSoundAt = this.heard;
    // Silence after an empty buffer: a pause, or the middle of a clip's own silence, which the next sound decides.
    if (this.broken && this.unmatchedFrom === null && byte === SILENCE_BYTE) return;
    if (this.unmatchedFrom === null && this.continues(byte)) return;
    if (this.unmatchedFrom === null) {
      this.unmatchedFrom = this.heard - 1;
    }
    this.lookForPlace();
    if (this.unmatchedFrom !== null && this.heard - this.unmatchedFrom > MAX_UNMATCHED_BYTES) this.settleUnmatched();
  }

  private continues(byte: number): boolean {
    const saying = this.current;
    if (saying === null || saying.phrase.audio[this.next] !== byte) return false;
    const piece = saying.last;
    if (this.broken || piece === undefined) {
      saying.pieces.push({ from: this.next, to: this.next + 1, heardFrom: this.heard - 1 });
      this.broken = false;
    } else {
      piece.to += 1;
    }
    this.next += 1;
    return true;
  }

  private lookForPlace(): void {
    const value = this.hash.value;
    if (value === null || this.heard - WINDOW_BYTES < this.floor) return;
    const fitting = this.index
      .lookUp(value)
      .map((place) => ({ place, length: this.lengthBack(place) }))
      .filter(({ length }) => length >= WINDOW_BYTES);
    if (fitting.length === 0) return;
    fitting.sort((a, b) => b.length - a.length || this.strangeness(a.place) - this.strangeness(b.place));
    const best = fitting[0];
    if (best !== undefined) this.settle(best.place, best.length);
  }

  /** How many bytes before and including the last heard one agree with the clip before `place.end`. */
  private lengthBack(place: Place): number {
    const { audio } = place.phrase;
    const most = Math.min(place.end, this.heard - this.floor);
    let length = 0;
    while (length < most && audio[place.end - 1 - length] === this.history[this.heard - 1 - length]) length += 1;
    return length;
  }

  /** Small for a place that goes on where the sentence was left, great for another sentence. */
  private strangeness(place: Place): number {
    if (place.phrase !== this.current?.phrase) return 1e9;
    const expected = this.next + this.heard - (this.unmatchedFrom ?? this.heard);
    const jump = place.end - expected;
    return jump >= 0 ? jump : -jump * 2;
  }

  private settle(place: Place, length: number): void {
    const unmatchedFrom = this.unmatchedFrom ?? this.heard;
    // Bytes that fitted the old place by chance belong to the new one; silence at the border proves nothing, so it stays.
    const taken = Math.min(Math.max(0, length - (this.heard - unmatchedFrom)), this.chanceBytes(place, length));
    let matched = Math.min(length, this.heard - unmatchedFrom + taken);
    const goesOn = place.phrase === this.current?.phrase && this.broken && place.end - matched > this.next;
    if (goesOn) matched = Math.min(length, place.end - this.next);
    const from = place.end - matched;
    const heardFrom = this.heard - matched;
    const unexplained = Math.max(0, heardFrom - unmatchedFrom);
    if (taken > 0) this.giveBack(taken);
    this.unmatchedFrom = null;
    const damaged =
      place.phrase === this.current?.phrase && !this.broken && unexplained > 0 && from - this.next === unexplained;
    if (damaged && this.bridge(unmatchedFrom, unexplained, place.end)) return;
    this.noteStrange(unmatchedFrom, heardFrom);
    this.enter(place.phrase, from, heardFrom, place.end);
  }

  private chanceBytes(place: Place, length: number): number {
    const startsAClip = place.end - length === 0;
    const lastRun = this.current?.last;
    const mostOfRun = lastRun === undefined ? 0 : lastRun.to - lastRun.from;
    return startsAClip || mostOfRun <= WINDOW_BYTES ? mostOfRun : 0;
  }

  private giveBack(bytes: number): void {
    const saying = this.current;
    const piece = saying?.last;
    if (saying === null || piece === undefined) return;
    piece.to -= bytes;
    this.next -= bytes;
    if (piece.to > piece.from) return;
    saying.pieces.pop();
    this.broken = true;
    // It was never said: the beginning of another clip looked like it.
    if (saying.pieces.length === 0) this.sayings.splice(this.sayings.indexOf(saying), 1);
  }

  /** The sentence went on behind some damaged bytes. */
  private bridge(unmatchedFrom: number, bytes: number, end: number): boolean {
    const saying = this.current;
    const piece = saying?.last;
    if (saying === null || piece === undefined) return false;
    let wrong = 0;
    for (let i = 0; i < bytes; i++) {
      if (this.history[unmatchedFrom + i] !== saying.phrase.audio[this.next + i]) wrong += 1;
    }
    this.strange.push({
      kind: 'corrupt',
      phraseId: saying.phrase.id,
      occurrence: saying.occurrence,
      clipMs: msOfBytes(this.next),
      durationMs: msOfBytes(wrong),
      heardAtMs: msOfBytes(unmatchedFrom),
    });
    piece.to = end;
    this.next = end;
    return true;
  }

  private enter(phrase: Phrase, from: number, heardFrom: number, end: number): void {
    const saying = this.isNewSaying(phrase, from, heardFrom) ? this.begin(phrase) : this.current;
    if (saying === null) return;
    // Silence that was heard already proves nothing: it may as well be a pause.
    let again = 0;
    if (saying === this.current)
      while (from + again < Math.min(this.next, end) && phrase.audio[from + again] === SILENCE_BYTE) again += 1;
    saying.pieces.push({ from: from + again, to: end, heardFrom: heardFrom + again });
    this.current = saying;
    this.next = end;
    this.broken = false;
  }

  private isNewSaying(phrase: Phrase, from: number, heardFrom: number): boolean {
    const last = this.current;
    if (last === null || last.phrase !== phrase || last.pieces.length === 0) return true;
    const paused = heardFrom - last.heardTo >= NEW_SAYING_PAUSE_BYTES;
    const over = last.reach >= phrase.audio.byteLength;
    if (from === 0) return paused || over || last.reach >= NEW_SAYING_REACH_BYTES;
    return from < last.reach && ((paused && over) || (paused && last.reach - from >= NEW_SAYING_REACH_BYTES));
  }

  private begin(phrase: Phrase): HeardPhrase {
    const earlier = this.sayings.filter((one) => one.phrase === phrase).length;
    const saying = new HeardPhrase(phrase, earlier + 1);
    this.sayings.push(saying);
    return saying;
  }

  /** The buffer ran empty with bytes unexplained: too short for a window, so they are compared one by one. */
  private settleUnmatched(): void {
    const start = this.unmatchedFrom;
    this.unmatchedFrom = null;
    if (start === null) return;
    let from = start;
    let to = this.heard;
    while (from < to && this.history[from] === SILENCE_BYTE) from += 1;
    while (to > from && this.history[to - 1] === SILENCE_BYTE) to -= 1;
    if (from === to) return;
    const sound = Buffer.from(this.history.subarray(from, to));
    const place = this.shortPlace(sound);
    if (place === null) this.noteStrange(from, to);
    else this.enter(place.phrase, place.end - sound.byteLength, from, place.end);
  }

  private shortPlace(sound: Buffer): Place | null {
    const saying = this.current;
    if (saying !== null) {
      const audio = Buffer.from(saying.phrase.audio);
      const exact = audio.subarray(this.next, this.next + sound.byteLength).equals(sound);
      const ahead = exact ? this.next : audio.indexOf(sound, this.next);
      if (ahead >= 0 && (exact || sound.byteLength >= 8))
        return { phrase: saying.phrase, end: ahead + sound.byteLength };
    }
    const starts = this.index.phrases.find((phrase) => sound.equals(phrase.audio.subarray(0, sound.byteLength)));
    return starts === undefined ? null : { phrase: starts, end: sound.byteLength };
  }

  private noteStrange(from: number, to: number): void {
    let sound = 0;
    for (let i = from; i < to; i++) if (this.history[i] !== SILENCE_BYTE) sound += 1;
    if (sound === 0) return;
    this.strange.push({
      kind: 'unknown',
      phraseId: null,
      occurrence: 0,
      clipMs: 0,
      durationMs: msOfBytes(sound),
      heardAtMs: msOfBytes(from),
    });
  }

  private remember(byte: number): void {
    this.history[this.heard] = byte;
    this.heard += 1;
    this.hash.push(byte);
  }

  private reserve(bytes: number): void {
    if (this.heard + bytes <= this.history.byteLength) return;
    const larger = new Uint8Array(this.history.byteLength * 2);
    larger.set(this.history);
    this.history = larger;
  }
}
