import type { CallId } from '../call/words.ts';
import type { Switchboard } from './port.ts';

type Listener = Parameters<Switchboard['watch']>[0];

/** Tells whoever listens what has been written down. */
export interface News {
  tell(change: Parameters<Listener>[0]): void;
  listen(listener: Listener): () => void;
  /** Resolves at the next change of this call. */
  next(callId: CallId): { readonly promise: Promise<void>; cancel(): void };
}

export function createNews(): News {
  const listeners = new Set<Listener>();
  const listen = (listener: Listener): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    listen,
    tell(change) {
      for (const listener of [...listeners]) listener(change);
    },
    next(callId) {
      let cancel = (): void => undefined;
      const promise = new Promise<void>((resolve) => {
        cancel = listen((change) => {
          if (change.callId === callId) resolve();
        });
      });
      return { promise, cancel };
    },
  };
}
