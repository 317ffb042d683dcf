import type { Understood } from '../speech/understanding.ts';
import type { Json } from './schema.ts';

/** Times are of `performance.now()`. The audio of an append or a delta is left out; `bytes` says how much it was. */
export interface RecordedEvent {
  readonly type: string;
  readonly event: Json;
  readonly bytes: number;
  readonly atMs: number;
}

/** A truncation that the client asked for. `generatedMs` is what there was of the item then. */
export interface RecordedTruncation {
  readonly itemId: string;
  readonly phraseId: string | null;
  readonly audioEndMs: number;
  readonly generatedMs: number;
  readonly accepted: boolean;
  readonly atMs: number;
}

export interface RecordedResponse {
  readonly id: string;
  /** Begun by the server itself. */
  readonly own: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  status: 'in_progress' | 'completed' | 'cancelled' | 'failed' | 'incomplete';
  reason: string | null;
  phraseIds: readonly string[];
  itemIds: string[];
  calls: readonly string[];
  doneAtMs: number | null;
}

/** One turn of the caller as the simulated model heard it. Times in milliseconds of input audio. */
export interface RecordedTurn {
  readonly itemId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly heard: readonly Understood[];
  readonly atMs: number;
}

/** An assistant's item: which clip it speaks and how much of it was sent. */
export interface SpokenItem {
  readonly itemId: string;
  readonly responseId: string;
  readonly phraseId: string;
  sentBytes: number;
}

export interface Closing {
  readonly code: number;
  readonly reason: string;
  readonly by: 'client' | 'server';
  readonly atMs: number;
}

interface Waiter {
  readonly check: () => boolean;
  readonly resolve: () => void;
}

/** Everything that happened in one session, for tests and demonstrations to read. */
export class SessionRecord {
  readonly openedAtMs = performance.now();
  readonly received: RecordedEvent[] = [];
  readonly sent: RecordedEvent[] = [];
  readonly truncations: RecordedTruncation[] = [];
  readonly responses: RecordedResponse[] = [];
  readonly turns: RecordedTurn[] = [];
  readonly spoken = new Map<string, SpokenItem>();
  inputBytes = 0;
  closed: Closing | null = null;
  private waiters: Waiter[] = [];

  /** Types of the events that were sent, in order. */
  sentTypes(): string[] {
    return this.sent.map((one) => one.type);
  }

  /** Codes of the `error` events that were sent, in order. */
  errorCodes(): string[] {
    const errors = this.sent.filter((one) => one.type === 'error');
    return errors.map((one) => String((one.event.error as Json | undefined)?.code));
  }

  /** Something was written to the record. */
  changed(): void {
    const ready = this.waiters.filter((waiter) => waiter.check());
    if (ready.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.resolve();
  }

  /** Resolves as soon as the record satisfies `check`; rejects after `timeoutMs`, naming `what`. */
  until(check: (record: SessionRecord) => boolean, what = 'the expected event', timeoutMs = 10_000): Promise<void> {
    if (check(this)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter((one) => one !== waiter);
        reject(
          new Error(`${what} did not come within ${timeoutMs} ms; sent: ${this.sentTypes().slice(-12).join(', ')}`),
        );
      }, timeoutMs);
      const waiter: Waiter = {
        check: () => check(this),
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.waiters.push(waiter);
    });
  }
}
