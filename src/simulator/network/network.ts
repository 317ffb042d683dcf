import { DelayLine, type DelayLineOptions } from './delay-line.ts';

/**
 * The way between a simulated service and our server. `up` carries what the service sends to us, `down` what we send to it;
 * the simulated person is on the service's side.
 */
export interface NetworkOptions {
  readonly up?: Omit<DelayLineOptions, 'seed'>;
  readonly down?: Omit<DelayLineOptions, 'seed'>;
  readonly seed?: number;
}

export interface Link {
  readonly up: DelayLine;
  readonly down: DelayLine;
  /** Drops whatever is under way, both ways. */
  cut(): void;
}

/** A fresh pair of lines, one pair a connection; `salt` keeps two connections of one seed apart. */
export function openLink(options: NetworkOptions = {}, salt = 0): Link {
  const seed = (options.seed ?? 1) * 7919 + salt * 2;
  const up = new DelayLine({ ...options.up, seed });
  const down = new DelayLine({ ...options.down, seed: seed + 1 });
  return {
    up,
    down,
    cut: () => {
      up.cut();
      down.cut();
    },
  };
}

/** Half of the round trip each way, in milliseconds. */
export function roundTrip(
  roundTripMs: number,
  more: { readonly jitterMs?: number; readonly seed?: number } = {},
): NetworkOptions {
  const way = { delayMs: roundTripMs / 2, jitterMs: more.jitterMs ?? 0 };
  return { up: way, down: way, seed: more.seed };
}
