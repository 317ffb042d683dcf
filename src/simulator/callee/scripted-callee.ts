import { FRAME_BYTES, SILENCE_BYTE } from '../../media/mulaw.ts';
import type { Phrase } from '../speech/phrasebook.ts';
import type { Callee, CalleeTurn } from './callee.ts';
import { Ear } from './ear.ts';
import type { HeardPhrase } from './heard-phrase.ts';

/** When a rule of a script comes true. Times in milliseconds of the callee's own clock, shares from 0 to 1. */
export type Cue =
  /** Since the stream started. */
  | { readonly after: 'start'; readonly ms: number }
  /** A share or a number of milliseconds of a saying has been heard; without `phrase`, of any sentence of the agent's. */
  | {
      readonly after: 'heard';
      readonly phrase?: string;
      readonly occurrence?: number;
      readonly share?: number;
      readonly ms?: number;
      readonly thenMs?: number;
    }
  /** Since the callee finished its latest sentence (or that one). */
  | { readonly after: 'said'; readonly phrase?: string; readonly ms: number }
  /** Neither side has been audible for so long. */
  | { readonly after: 'quiet'; readonly ms: number };

export type Act =
  | { readonly say: string }
  /** Background talk: the phrase over and over, for so long. */
  | { readonly chatter: string; readonly forMs: number }
  | { readonly press: string }
  | { readonly hangUp: true };

/** A rule acts once, unless `repeat` (then once for each new saying, or each new stretch of quiet). */
export interface Rule {
  readonly when: Cue;
  readonly act: Act;
  readonly repeat?: boolean;
}

export interface Manners {
  /** Says `hello` after so much silence from both sides, and again after as much; null: never. */
  readonly helloAfterMs: number | null;
  readonly hello: string;
  /** Hangs up after so much silence from the agent while not speaking itself; null: never. */
  readonly hangUpAfterMs: number | null;
}

/** A person of today: says "hello?" after 3 s of silence, hangs up after 6 s. */
export const DEFAULT_MANNERS: Manners = { helloAfterMs: 3_000, hello: 'c.hello', hangUpAfterMs: 6_000 };

export interface Saying {
  readonly phraseId: string;
  readonly startMs: number;
  /** Null while it is being said. */
  readonly endMs: number | null;
}

/** What the callee itself knows of one time that it began to speak while the agent was speaking. */
export interface Interruption {
  readonly phraseId: string;
  readonly occurrence: number;
  /** When the callee began to speak, and what it had heard of the agent's sentence at that instant. */
  readonly atMs: number;
  readonly heardAtOnsetMs: number;
  /** What it has heard of that sentence in all, until the agent's audio stopped. */
  readonly trulyHeardMs: number;
  readonly heardText: string;
  /** When the agent fell silent; null while it is still audible. */
  readonly silentAtMs: number | null;
  /** The agent fell silent before the end of its sentence. */
  readonly cutShort: boolean;
}

export interface Script {
  readonly rules: readonly Rule[];
  readonly manners?: Partial<Manners>;
}

/** Milliseconds of quiet after which an interrupted sentence counts as stopped. */
const STOPPED_AFTER_MS = 60;
const FRAME_MS = 20;

interface Voice {
  readonly phraseId: string;
  readonly audio: Uint8Array;
  readonly untilMs: number | null;
  readonly manner: boolean;
  position: number;
  started: boolean;
}

interface Overlap {
  readonly saying: HeardPhrase;
  readonly atMs: number;
  readonly heardAtOnsetMs: number;
  silentAtMs: number | null;
}

/** A person who follows a script of rules, with manners. Everything it knows it has heard with its own `ear`. */
export class ScriptedCallee implements Callee {
  readonly ear: Ear;
  readonly said: Saying[] = [];
  private readonly phrases: ReadonlyMap<string, Phrase>;
  private readonly manners: Manners;
  private readonly rules: readonly { readonly rule: Rule; readonly done: Set<string> }[];
  private readonly overlaps: Overlap[] = [];
  private readonly queue: Voice[] = [];
  private clockMs = 0;
  /** When either side was last audible. */
  private soundMs = 0;
  private agentSoundMs = 0;
  private ownSoundMs = 0;
  /** When it last ended a sentence that was not mere manners. */
  private turnEndMs = 0;

  constructor(script: Script, phrasebook: readonly Phrase[]) {
    this.ear = new Ear(phrasebook);
    this.phrases = new Map(phrasebook.map((phrase) => [phrase.id, phrase]));
    this.manners = { ...DEFAULT_MANNERS, ...script.manners };
    this.rules = script.rules.map((rule) => ({ rule, done: new Set<string>() }));
  }

  get interruptions(): readonly Interruption[] {
    return this.overlaps.map(({ saying, atMs, heardAtOnsetMs, silentAtMs }) => ({
      phraseId: saying.phrase.id,
      occurrence: saying.occurrence,
      atMs,
      heardAtOnsetMs,
      trulyHeardMs: this.ear.heardMs(saying.phrase.id, saying.occurrence),
      heardText: this.ear.heardText(saying.phrase.id, saying.occurrence),
      silentAtMs,
      cutShort: silentAtMs !== null && saying.reach < saying.phrase.audio.byteLength,
    }));
  }

  get speaking(): boolean {
    return this.queue.length > 0;
  }

  tick(heard: Uint8Array | null, _atMs: number): CalleeTurn {
    const frame = heard?.some((byte) => byte !== SILENCE_BYTE) === true ? heard : null;
    this.ear.hear(heard);
    this.clockMs += FRAME_MS;
    if (frame !== null) this.agentSoundMs = this.clockMs;
    this.closeOverlaps();
    const turn = this.obey();
    const spoken = this.speak();
    if (spoken !== null) this.ownSoundMs = this.clockMs;
    this.soundMs = Math.max(this.agentSoundMs, this.ownSoundMs);
    return { ...turn, spoken };
  }

  private obey(): Omit<CalleeTurn, 'spoken'> {
    for (const { rule, done } of this.rules) {
      const occasion = this.occasion(rule.when);
      if (occasion === null || (rule.repeat !== true && done.size > 0) || done.has(occasion)) continue;
      done.add(occasion);
      const act = rule.act;
      if ('hangUp' in act) return { hangUp: true };
      if ('press' in act) return { digit: act.press };
      if ('say' in act) this.begin(act.say);
      else this.begin(act.chatter, { untilMs: this.clockMs + act.forMs });
    }
    return this.mind();
  }

  private mind(): Omit<CalleeTurn, 'spoken'> {
    const { helloAfterMs, hangUpAfterMs, hello } = this.manners;
    if (this.speaking) return {};
    // Its own "hello?" does not make the silence that it waits through any shorter.
    if (hangUpAfterMs !== null && this.clockMs - Math.max(this.agentSoundMs, this.turnEndMs) >= hangUpAfterMs) {
      return { hangUp: true };
    }
    if (helloAfterMs !== null && this.clockMs - this.soundMs >= helloAfterMs) this.begin(hello, { manner: true });
    return {};
  }

  /** A name for this time that the cue is true, or null while it is not. */
  private occasion(cue: Cue): string | null {
    switch (cue.after) {
      case 'start':
        return this.clockMs >= cue.ms ? 'start' : null;
      case 'quiet':
        return this.clockMs - this.soundMs >= cue.ms ? `quiet since ${this.soundMs}` : null;
      case 'said':
        return this.saidOccasion(cue.phrase, cue.ms);
      case 'heard':
        return this.heardOccasion(cue);
      default: {
        const never: never = cue;
        return never;
      }
    }
  }

  private saidOccasion(phraseId: string | undefined, ms: number): string | null {
    const last = this.said.findLast((one) => phraseId === undefined || one.phraseId === phraseId);
    if (last?.endMs == null || this.clockMs < last.endMs + ms) return null;
    return `said at ${last.startMs}`;
  }

  private heardOccasion(cue: Extract<Cue, { after: 'heard' }>): string | null {
    const saying = this.ear.heardPhrases.findLast(
      (one) =>
        one.pieces.length > 0 &&
        (cue.phrase === undefined ? one.phrase.voice === 'agent' : one.phrase.id === cue.phrase) &&
        (cue.occurrence === undefined || one.occurrence === cue.occurrence),
    );
    if (saying === undefined) return null;
    const wantedMs = cue.ms ?? (cue.share ?? 0.9) * saying.phrase.durationMs;
    if (saying.reach / 8 < wantedMs) return null;
    const reachedAtMs = (saying.heardTo - saying.reach) / 8 + wantedMs;
    if (this.ear.elapsedMs < reachedAtMs + (cue.thenMs ?? 0)) return null;
    return `${saying.phrase.id} ${saying.occurrence}`;
  }

  private begin(phraseId: string, how: { readonly untilMs?: number; readonly manner?: boolean } = {}): void {
    const phrase = this.phrases.get(phraseId);
    if (phrase === undefined) throw new RangeError(`The script says ${phraseId}, which is not in the phrasebook.`);
    const { untilMs = null, manner = false } = how;
    this.queue.push({ phraseId, audio: phrase.audio, untilMs, manner, position: 0, started: false });
  }

  private speak(): Uint8Array | null {
    const voice = this.queue[0];
    if (voice === undefined) return null;
    if (!voice.started) this.startSaying(voice.phraseId);
    voice.started = true;
    const frame = new Uint8Array(FRAME_BYTES).fill(SILENCE_BYTE);
    frame.set(voice.audio.subarray(voice.position, voice.position + FRAME_BYTES));
    voice.position += FRAME_BYTES;
    const clipOver = voice.position >= voice.audio.byteLength;
    if (voice.untilMs === null ? clipOver : this.clockMs >= voice.untilMs) this.finishSaying(voice);
    else if (clipOver) voice.position = 0;
    return frame;
  }

  private startSaying(phraseId: string): void {
    const startMs = this.clockMs - FRAME_MS;
    this.said.push({ phraseId, startMs, endMs: null });
    const saying = this.ear.latest;
    if (saying === null || saying.pieces.length === 0 || this.ear.quietMs >= STOPPED_AFTER_MS) return;
    const heardAtOnsetMs = this.ear.heardMs(saying.phrase.id, saying.occurrence);
    if (saying.reach >= saying.phrase.audio.byteLength) return;
    this.overlaps.push({ saying, atMs: startMs, heardAtOnsetMs, silentAtMs: null });
  }

  private finishSaying(voice: Voice): void {
    this.queue.shift();
    if (!voice.manner) this.turnEndMs = this.clockMs;
    const last = this.said.pop();
    if (last !== undefined) this.said.push({ ...last, endMs: this.clockMs });
  }

  private closeOverlaps(): void {
    for (const overlap of this.overlaps) {
      if (overlap.silentAtMs !== null || this.ear.quietMs < STOPPED_AFTER_MS) continue;
      overlap.silentAtMs = this.clockMs - this.ear.quietMs;
    }
  }
}

/** A person who follows `script`, speaking and knowing the clips of `phrasebook`; throws a RangeError when it shall say an unknown phrase. */
export function scriptedCallee(script: Script, phrasebook: readonly Phrase[]): ScriptedCallee {
  const ids = new Set(phrasebook.map((phrase) => phrase.id));
  for (const { act } of script.rules) {
    const wanted = 'say' in act ? act.say : 'chatter' in act ? act.chatter : null;
    if (wanted !== null && !ids.has(wanted)) {
      throw new RangeError(`The script says ${wanted}, which is not in the phrasebook.`);
    }
  }
  return new ScriptedCallee(script, phrasebook);
}
