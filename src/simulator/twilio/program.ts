import type { StreamEnd } from './stream.ts';
import type { StreamNoun, Verb } from './twiml.ts';

/** What running TwiML needs of a call. */
export interface ProgramHost {
  say(text: string, language: string | null, voice: string | null): number;
  /** Resolves when the stream is over. */
  connect(noun: StreamNoun): Promise<StreamEnd>;
  /** Asks for the next document; null when it could not be had, and the call is over. */
  fetch(url: string, method: 'GET' | 'POST', kind: 'voice' | 'action'): Promise<readonly Verb[] | null>;
}

/** `replaced`: other TwiML runs now. `interrupted`: that, or the call is over. */
export interface ProgramSignals {
  readonly replaced: AbortSignal;
  readonly interrupted: AbortSignal;
}

/** Runs verbs one after the other until they end, the call is over or other TwiML takes their place. */
export async function runProgram(verbs: readonly Verb[], host: ProgramHost, signals: ProgramSignals): Promise<void> {
  const queue = [...verbs];
  for (let verb = queue.shift(); verb !== undefined && !signals.interrupted.aborted; verb = queue.shift()) {
    const next = await runVerb(verb, host, signals);
    if (next === 'stop') return;
    if (next !== 'next') queue.splice(0, queue.length, ...next);
  }
}

async function runVerb(
  verb: Verb,
  host: ProgramHost,
  signals: ProgramSignals,
): Promise<'next' | 'stop' | readonly Verb[]> {
  switch (verb.verb) {
    case 'Say':
      await pause(host.say(verb.text, verb.language, verb.voice), signals.interrupted);
      return 'next';
    case 'Pause':
      await pause(verb.durationMs, signals.interrupted);
      return 'next';
    case 'Hangup':
      return 'stop';
    case 'Redirect':
      return (await host.fetch(verb.url, verb.method, 'voice')) ?? 'stop';
    case 'Connect': {
      await host.connect(verb.stream);
      if (signals.replaced.aborted) return 'stop';
      // The action is asked also when the person has hung up; its answer then has nobody to run for.
      if (verb.action !== null) return (await host.fetch(verb.action, verb.method, 'action')) ?? 'stop';
      return 'next';
    }
    default: {
      const never: never = verb;
      return never;
    }
  }
}

/** Resolves after so long, or as soon as `signal` is aborted. */
export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, durationMs);
    signal.addEventListener('abort', done);
  });
}
