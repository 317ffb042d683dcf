/** A VoIP.ms office that talks to the simulated account over loopback. */
import { inspect } from 'node:util';
import { afterEach, expect } from 'vitest';
import { createVoipMsClient, type VoipMsClient } from '../../../src/pbx/voipms/client.ts';
import { createVoipMs, type VoipMs, type VoipMsClock, type VoipMsOptions } from '../../../src/pbx/voipms/operations.ts';
import { startVoipMsSimulator, type VoipMsSimulator } from '../../../src/simulator/voipms/account.ts';

/** A Friday at noon. */
export const NOW_MS = Date.UTC(2026, 10, 27, 12);
/** For so long answers are waited for, that of a sound as well; whatever is of another length is a pause. */
const [ANSWER_MS, SOUND_MS] = [15_000, 60_000];

export interface TestOffice {
  readonly voipms: VoipMs;
  readonly client: VoipMsClient;
  readonly account: VoipMsSimulator;
  readonly clock: VoipMsClock;
  /** Everything that was logged, as text. */
  readonly logs: readonly string[];
  /** What was kept, by key. */
  readonly kept: Map<string, string>;
  /** Methods asked since the last call of it. */
  asked(): readonly string[];
}

interface Knobs extends Partial<VoipMsOptions> {
  /** Real milliseconds that are waited for an answer. */
  readonly patienceMs?: number;
}

const open: { stop(): Promise<void>; readonly account: VoipMsSimulator }[] = [];

/** After each test: everything is closed, and the account saw nothing that the vendor would not have wanted. */
afterEach(async () => {
  for (const { stop, account } of open.splice(0)) {
    await stop();
    expect(account.violations).toEqual([]);
  }
});

export async function office({ patienceMs = ANSWER_MS, ...options }: Knobs = {}): Promise<TestOffice> {
  const clock = jumpingClock(patienceMs);
  const account = await startVoipMsSimulator({ wall: () => clock.wall() });
  const logs: string[] = [];
  const kept = new Map<string, string>();
  const log = (fields: object, message: string): void => void logs.push(inspect({ fields, message }, { depth: 20 }));
  const all: VoipMsOptions = {
    url: account.url,
    username: account.username,
    password: account.password,
    changesPerMinute: 100,
    emailRecipients: [],
    transcribe: null,
    transcripts: {
      load: async (key) => kept.get(key) ?? null,
      save: async (key, text) => void kept.set(key, text),
    },
    clock,
    logger: { debug: log, info: log, warn: log },
    ...options,
  };
  const [voipms, client] = [createVoipMs(all), createVoipMsClient(all)];
  open.push({
    account,
    stop: async () => {
      voipms.close();
      client.close();
      await account.stop();
    },
  });
  let seen = 0;
  return {
    voipms,
    client,
    account,
    clock,
    logs,
    kept,
    asked: () => {
      const since = account.requests.slice(seen).map(({ method }) => method);
      seen = account.requests.length;
      return since;
    },
  };
}

/** Pauses are over at once, and then as much time has passed. An answer is waited for `patienceMs` in truth. */
function jumpingClock(patienceMs: number): VoipMsClock {
  const startMs = performance.now();
  let aheadMs = 0;
  const now = (): number => performance.now() - startMs + aheadMs;
  return {
    now,
    wall: () => NOW_MS + Math.floor(now()),
    setTimer: (fire, delayMs) => {
      const dueMs = now() + delayMs;
      const timer = setTimeout(
        () => {
          aheadMs += Math.max(0, dueMs - now());
          fire();
        },
        [ANSWER_MS, SOUND_MS].includes(delayMs) ? patienceMs : 0,
      );
      return () => clearTimeout(timer);
    },
  };
}

/** The error that a promise rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<Error & { code?: string; retryable?: boolean }> {
  return promise.then(
    (value) => {
      throw new Error(`It resolved with ${inspect(value)}`);
    },
    (error: Error) => error,
  );
}

/** The changes that reached the account. */
export function changesAt(account: VoipMsSimulator): readonly string[] {
  return account.requests.map(({ method }) => method).filter((method) => /^(set|del|send)/.test(method));
}
