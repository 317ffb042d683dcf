import type { Tap } from './tap.ts';

/** Every method of a tap, so that none is forgotten here. */
type Methods = { readonly [Name in keyof Required<Tap>]: Tap[Name] };

/**
 * A tap that keeps its promise not to throw: at its first mistake `fault` is told, and from then on it is not called any more. The
 * call goes on without what listens to it.
 */
export function guardTap(tap: Tap, fault: (error: unknown) => void): Tap {
  let faulty = false;

  function guarded<Args extends readonly unknown[], Result>(
    method: ((this: Tap, ...args: Args) => Result) | undefined,
    always = false,
  ): ((...args: Args) => Result | undefined) | undefined {
    if (!method) return undefined;
    // Three arguments are the most, and a rest parameter would be a new array for every frame and command.
    const plain = method as unknown as (this: Tap, a: unknown, b: unknown, c: unknown) => Result;
    const safe = (a: unknown, b: unknown, c: unknown): Result | undefined => {
      if (faulty && !always) return undefined;
      try {
        return plain.call(tap, a, b, c);
      } catch (error) {
        faulty = true;
        fault(error);
        return undefined;
      }
    };
    return safe as unknown as (...args: Args) => Result | undefined;
  }

  const methods: Methods = {
    frames: guarded(tap.frames),
    sampled: guarded(tap.sampled),
    heard: guarded(tap.heard),
    event: guarded(tap.event),
    stepped: guarded(tap.stepped),
    command: guarded(tap.command),
    played: guarded(tap.played),
    state: guarded(tap.state),
    // What it has is put away all the same.
    ended: guarded(tap.ended, true),
  };
  return methods as Tap;
}
