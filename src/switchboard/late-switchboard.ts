import type { Switchboard } from './port.ts';

/**
 * A switchboard that can be handed out before there is one: an MCP client gets its handshake at once, whatever state the settings,
 * the disk or the network are in. Its methods wait for the real one, or reject with `trouble()` as soon as there is one.
 */
export function lateSwitchboard(
  simulated: boolean,
  trouble: () => Error | null,
): { readonly switchboard: Switchboard; ready(switchboard: Switchboard): void; changed(): void } {
  let real: Switchboard | null = null;
  const waiting = new Set<() => void>();
  const changed = (): void => {
    for (const look of [...waiting]) look();
  };

  function wait(): Promise<Switchboard> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const error = real ? null : trouble();
        if (!real && !error) return;
        waiting.delete(look);
        if (real) resolve(real);
        else reject(error);
      };
      waiting.add(look);
      look();
    });
  }

  const switchboard: Switchboard = {
    simulated,
    place: async (request) => (await wait()).place(request),
    end: async (callId, mode) => (await wait()).end(callId, mode),
    call: async (callId) => (await wait()).call(callId),
    lines: async (callId, query) => (await wait()).lines(callId, query),
    calls: async (query) => (await wait()).calls(query),
    search: async (query) => (await wait()).search(query),
    waitFor: async (callId, query) => (await wait()).waitFor(callId, query),
    recordings: {
      list: async (query) => (await wait()).recordings.list(query),
      of: async (callId) => (await wait()).recordings.of(callId),
      audio: async (callId, mostBytes) => (await wait()).recordings.audio(callId, mostBytes),
      save: async (callId, toPath) => (await wait()).recordings.save(callId, toPath),
    },
    watch(listener) {
      let stop = (): void => undefined;
      let stopped = false;
      const begin = (): void => {
        if (!real) return;
        waiting.delete(begin);
        if (!stopped) stop = real.watch(listener);
      };
      waiting.add(begin);
      begin();
      return () => {
        stopped = true;
        waiting.delete(begin);
        stop();
      };
    },
  };
  return {
    switchboard,
    ready(running) {
      real = running;
      changed();
    },
    changed,
  };
}
