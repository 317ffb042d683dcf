import { callOperations } from './calls.ts';
import type { Database } from './database.ts';
import { describeFailure } from './failure.ts';
import { leaseOperations } from './leases.ts';
import { purgeOperations } from './purge.ts';
import { recordingOperations } from './recordings.ts';
import type { OperationName, Operations, Reply, Request } from './requests.ts';
import { searchOperations } from './search.ts';
import { transcriptOperations } from './transcript.ts';

const WRITES: ReadonlySet<OperationName> = new Set<OperationName>([
  'createCall',
  'updateCall',
  'putLine',
  'addNote',
  'addUsage',
  'putRecording',
  'purgeCalls',
  'heartbeat',
  'claimStranded',
  'markStranded',
  'endStranded',
  'releaseLease',
]);

export function operationsOf(database: Database): Operations {
  return {
    ...callOperations(database),
    ...transcriptOperations(database),
    ...leaseOperations(database),
    ...searchOperations(database),
    ...recordingOperations(database),
    ...purgeOperations(database),
  };
}

/**
 * Answers requests in their order. Neighbouring writes share one transaction, so that one wait for the disk serves them all; a
 * request that fails takes no other with it, and reads are answered also while another process holds the write lock.
 */
export function runBatch(database: Database, operations: Operations, requests: readonly Request[]): readonly Reply[] {
  const replies: Reply[] = [];
  let writes: Request[] = [];
  const flush = (): void => {
    if (writes.length > 0) replies.push(...runWrites(database, operations, writes));
    writes = [];
  };
  for (const request of requests) {
    if (WRITES.has(request.name)) {
      writes.push(request);
    } else {
      flush();
      replies.push(attempt(() => perform(operations, request)));
    }
  }
  flush();
  return replies;
}

function runWrites(database: Database, operations: Operations, writes: readonly Request[]): readonly Reply[] {
  let isPerforming = false;
  try {
    return database.immediately(() => {
      isPerforming = true;
      const replies = writes.map((request) => ({ ok: true, value: perform(operations, request) }) as const);
      isPerforming = false;
      return replies;
    });
  } catch (error) {
    // Savepoints are only worth their cost where a request has failed; to begin or to commit they are no help.
    return isPerforming ? runApart(database, operations, writes) : allFailed(writes, error);
  }
}

function runApart(database: Database, operations: Operations, writes: readonly Request[]): readonly Reply[] {
  try {
    return database.immediately(() =>
      writes.map((request) => {
        const reply = attempt(() => database.apart(() => perform(operations, request)));
        // A full disk or an unreachable one ends the whole transaction: then nothing of it is kept.
        if (!reply.ok && !database.inTransaction) throw new Abandoned(reply);
        return reply;
      }),
    );
  } catch (error) {
    return allFailed(writes, error);
  }
}

function allFailed(writes: readonly Request[], error: unknown): readonly Reply[] {
  const reply: Reply = error instanceof Abandoned ? error.reply : { ok: false, failure: describeFailure(error) };
  return writes.map(() => reply);
}

class Abandoned extends Error {
  readonly reply: Reply;
  constructor(reply: Reply) {
    super('the transaction was abandoned');
    this.reply = reply;
  }
}

function attempt(work: () => unknown): Reply {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, failure: describeFailure(error) };
  }
}

/** The proxy builds requests from the same interface, so the arguments fit the operation. */
function perform(operations: Operations, request: Request): unknown {
  const operation = operations[request.name] as (...args: readonly unknown[]) => unknown;
  return operation(...request.args);
}
