import type { Tap } from './tap.ts';

type Hook = Exclude<keyof Tap, 'ended'>;

/** By hook, the taps that have it: most have few, and these are called for every frame and every step. */
export type Taps = { readonly [Name in Hook]-?: readonly NonNullable<Tap[Name]>[] } & {
  /** Resolves when every tap has put away what it has; null when none has anything. */
  ended(): Promise<unknown> | null;
};

export function gatherTaps(taps: readonly Tap[]): Taps {
  const having = <Name extends Hook>(name: Name): readonly NonNullable<Tap[Name]>[] =>
    taps.flatMap((tap) => {
      const hook = tap[name];
      return hook ? [hook.bind(tap) as NonNullable<Tap[Name]>] : [];
    });
  return {
    frames: having('frames'),
    sampled: having('sampled'),
    heard: having('heard'),
    event: having('event'),
    stepped: having('stepped'),
    command: having('command'),
    played: having('played'),
    state: having('state'),
    ended: () => {
      const putAway = taps.map((tap) => tap.ended?.()).filter((pending) => pending !== undefined);
      return putAway.length === 0 ? null : Promise.allSettled(putAway);
    },
  };
}
