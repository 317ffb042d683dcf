import type { Tap } from './tap.ts';

/** Every method of a tap, so that none is forgotten here. */
type Methods = { readonly [Name in keyof Required<Tap>]: Tap[Name] };

/**
 * A tap that keeps its promise not to throw: at its first mistake `fault` is told, and from then on it is not called any more. The
 * call goes on without what listens to it.
 */
export function guardTap(tap: Tap, fault: (error: unknown) => void): Tap {
  let faulty = false;

  function guarded<Args extends unknown[], Result>(
    method: ((this: Tap, ...args: Args) => Result) | undefined,
    always = false,
  ): ((...args: Args) => Result | undefined) | undefined {
    if (!method) return undefined;
    return (...args) => {
      if (faulty && !always) return undefined;
      try {
        return method.apply(tap, args);
      } catch (error) {
        faulty = true;
        fault(error);
        return undefined;
      }
    };
  }

  const methods: Methods = {
    hearing: guarded(tap.hearing),
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
