import type { CallCommand } from '../call/commands.ts';
import type { CallEvent } from '../call/events.ts';
import type { CallState } from '../call/words.ts';
import type { Audio } from '../media/audio.ts';
import type { FrameSample, TakenStep, Tap } from './tap.ts';

type Hook = Exclude<keyof Tap, 'ended'>;
type Having<Name extends Hook> = Tap & { readonly [Each in Name]-?: NonNullable<Tap[Each]> };

/**
 * What listens to one call. By hook, since most listen to few and they are told of every frame and every step. It keeps their promise
 * not to throw: at the first mistake of one `fault` is told, and from then on it is not called any more. The call goes on without it.
 */
export class Taps {
  readonly #all: readonly Tap[];
  readonly #fault: (error: unknown) => void;
  #hears: boolean;
  #frames: readonly Having<'frames'>[];
  #sampled: readonly Having<'sampled'>[];
  #heard: readonly Having<'heard'>[];
  #event: readonly Having<'event'>[];
  #stepped: readonly Having<'stepped'>[];
  #command: readonly Having<'command'>[];
  #played: readonly Having<'played'>[];
  #state: readonly Having<'state'>[];

  constructor(taps: readonly Tap[], fault: (error: unknown) => void) {
    this.#all = taps;
    this.#fault = fault;
    const having = <Name extends Hook>(name: Name) =>
      taps.filter((tap): tap is Having<Name> => tap[name] !== undefined);
    this.#frames = having('frames');
    this.#sampled = having('sampled');
    this.#heard = having('heard');
    this.#hears = this.#heard.length > 0;
    this.#event = having('event');
    this.#stepped = having('stepped');
    this.#command = having('command');
    this.#played = having('played');
    this.#state = having('state');
  }

  /** Whether anybody wants to hear every frame. */
  get hears(): boolean {
    return this.#hears;
  }

  get followsSteps(): boolean {
    return this.#stepped.length > 0;
  }

  frames(count: number): void {
    for (const tap of this.#frames) this.#guard(tap, () => tap.frames(count));
  }

  sampled(sample: FrameSample): void {
    for (const tap of this.#sampled) this.#guard(tap, () => tap.sampled(sample));
  }

  heard(audio: Audio, mediaMs: number, atMs: number): void {
    for (const tap of this.#heard) this.#guard(tap, () => tap.heard(audio, mediaMs, atMs));
  }

  event(event: CallEvent): void {
    for (const tap of this.#event) this.#guard(tap, () => tap.event(event));
  }

  stepped(step: TakenStep): void {
    for (const tap of this.#stepped) this.#guard(tap, () => tap.stepped(step));
  }

  command(command: CallCommand, atMs: number, audio: Audio | undefined): void {
    for (const tap of this.#command) this.#guard(tap, () => tap.command(command, atMs, audio));
  }

  played(chunkId: number): void {
    for (const tap of this.#played) this.#guard(tap, () => tap.played(chunkId));
  }

  state(state: CallState, atMs: number): void {
    for (const tap of this.#state) this.#guard(tap, () => tap.state(state, atMs));
  }

  /**
   * Resolves when every tap has put away what it has, one that made a mistake as well; null when none has anything.
   */
  ended(): Promise<unknown> | null {
    const putAway: Promise<void>[] = [];
    for (const tap of this.#all) {
      this.#guard(tap, () => {
        const pending = tap.ended?.();
        if (pending) putAway.push(pending.catch((error) => this.#fault(error)));
      });
    }
    return putAway.length === 0 ? null : Promise.all(putAway);
  }

  #guard(tap: Tap, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#drop(tap);
      this.#fault(error);
    }
  }

  #drop(faulty: Tap): void {
    const without = <T extends Tap>(taps: readonly T[]): readonly T[] => taps.filter((tap) => tap !== faulty);
    this.#frames = without(this.#frames);
    this.#sampled = without(this.#sampled);
    this.#heard = without(this.#heard);
    this.#hears = this.#heard.length > 0;
    this.#event = without(this.#event);
    this.#stepped = without(this.#stepped);
    this.#command = without(this.#command);
    this.#played = without(this.#played);
    this.#state = without(this.#state);
  }
}
