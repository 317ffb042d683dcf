import type { ModelEvent } from '../../src/call/events.ts';
import type { CallId } from '../../src/call/words.ts';
import type { Audio } from '../../src/media/audio.ts';
import type { Model, ModelSession, SessionSpec } from '../../src/models/model.ts';
import type { Clock } from '../../src/models/openai/socket.ts';

export type EventOf<T extends ModelEvent['type']> = Extract<ModelEvent, { type: T }>;

export interface RecordedSession {
  readonly session: ModelSession;
  readonly events: readonly ModelEvent[];
  readonly types: () => readonly string[];
  /** The audio of each `model.spoke`, by chunk. */
  readonly audio: ReadonlyMap<number, Audio>;
  /** The first event of the type, past or future, that the test accepts. Rejects after the deadline, saying what came instead. */
  until<T extends ModelEvent['type']>(type: T, accept?: (event: EventOf<T>) => boolean): Promise<EventOf<T>>;
}

export const SPEC: SessionSpec = {
  callId: 'call_test' as CallId,
  instructions: 'You book tables.',
  voice: 'sage',
  language: 'en-GB',
  tools: [
    {
      name: 'end_call',
      description: 'Hang up.',
      parameters: { type: 'object', properties: { outcome: { type: 'string' } }, required: ['outcome'] },
    },
  ],
  seed: [],
  turn: { create: true, interrupt: true, silenceMs: 500, guarded: false },
};

/** A session whose every event is kept. */
export function recordSession(model: Model, spec: Partial<SessionSpec> = {}, deadlineMs = 8_000): RecordedSession {
  const events: ModelEvent[] = [];
  const audio = new Map<number, Audio>();
  const listeners = new Set<() => void>();
  const session = model.open({ ...SPEC, ...spec }, (event, sound) => {
    events.push(event);
    if (event.type === 'model.spoke' && sound !== undefined) audio.set(event.chunkId, sound);
    for (const listener of [...listeners]) listener();
  });
  const until: RecordedSession['until'] = (type, accept = () => true) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = events.find(
          (event): event is EventOf<typeof type> => event.type === type && accept(event as never),
        );
        if (found === undefined) return;
        clearTimeout(timer);
        listeners.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        listeners.delete(look);
        reject(new Error(`no ${type} in ${deadlineMs} ms; events: ${events.map((event) => event.type).join(', ')}`));
      }, deadlineMs);
      listeners.add(look);
      look();
    });
  return { session, events, audio, until, types: () => events.map((event) => event.type) };
}

/** The real clock. With `pace` above 1 its timers, not its time, run that many times faster. */
export function clockOf(pace = 1): Clock {
  return {
    now: () => performance.now(),
    setTimer: (fn, ms) => {
      const timer = setTimeout(fn, ms / pace);
      return () => clearTimeout(timer);
    },
  };
}
