/** How something is changed at VoIP.ms: looked at first, asked once, and looked at again. Nothing is ever asked twice. */
import { ProtocolError, UpstreamError } from '../../errors.ts';
import type { VoipMsClient } from './client.ts';
import type { ApiCall, Change } from './operations.ts';
import { LOOK_FIRST, UNCERTAIN } from './statuses.ts';
import { known } from './values.ts';

/** What one change does, as it comes about. */
export interface Job {
  readonly client: VoipMsClient;
  readonly dryRun: boolean;
  /** Made, or to be made. */
  readonly calls: ApiCall[];
  /** Methods of those that were made for certain. */
  readonly done: string[];
  readonly warnings: string[];
  /** Each part of it that was read again: whether it is as it should be. */
  readonly checks: boolean[];
  /** @throws UserInputError when too much was changed within the last minute */
  readonly allow: () => void;
}

/** One after another, so that nobody changes what another has just read. */
export type Queue = <T>(work: () => Promise<T>) => Promise<T>;

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

export function changeOf({ dryRun, calls, checks, warnings }: Job, message: string): Change {
  const isDone = !dryRun && calls.length > 0;
  return {
    dryRun,
    changed: isDone,
    calls,
    verified: isDone && checks.length > 0 ? checks.every((isRight) => isRight) : null,
    message,
    warnings: [...new Set(warnings)],
  };
}

/** `id` is null where VoIP.ms did not say it. */
export type Written = { readonly id: string | null } | 'planned';

/**
 * Makes a call that changes something, or notes it where this is a dry run. Where it stays open whether VoIP.ms did it, `isDone` looks:
 * if it was, all goes on. @throws UpstreamError, code `uncertain`, where it cannot be seen
 */
export async function write(
  job: Job,
  call: ApiCall,
  { idKey, isDone }: { readonly idKey?: string; readonly isDone: () => Promise<boolean> },
): Promise<Written> {
  const { dryRun, calls, done, warnings } = job;
  if (!dryRun && calls.length === 0) job.allow();
  calls.push(call);
  if (dryRun) return 'planned';
  let id: string | null = null;
  try {
    const { body } = await job.client.call(call.method, call.params, { changes: true });
    id = idKey === undefined ? null : known(body[idKey]);
  } catch (error) {
    if (!isUncertain(error)) throw error;
    await settle(error, isDone);
    warnings.push(`VoIP.ms gave no clear answer to ${call.method}; a look afterwards showed that it was done.`);
  }
  done.push(call.method);
  return { id };
}

/** Looks whether what was done is as it should be. That it cannot be looked at undoes nothing. */
export async function check(job: Job, look: () => Promise<boolean>): Promise<void> {
  try {
    job.checks.push(await look());
  } catch (error) {
    job.checks.push(false);
    const why = error instanceof Error ? ` ${error.message}` : '';
    job.warnings.push(`It was done, but could not be read again to make sure.${why}`);
  }
}

/** What `error` is where something was done before it. */
export function failureAfter({ done }: Job, error: unknown): unknown {
  if (done.length === 0 || !(error instanceof Error)) return error;
  return new UpstreamError(`${error.message} Done before that: ${done.join(', ')}; asking again builds on it.`, {
    retryable: false,
    code: error instanceof UpstreamError && error.code !== undefined ? error.code : 'half_done',
    cause: error,
  });
}

/** Returns where a look shows that it was done. */
async function settle(error: Error, isDone: () => Promise<boolean>): Promise<void> {
  const seen = await isDone().catch(() => null);
  if (seen === true) return;
  const what =
    seen === null
      ? 'A look afterwards failed as well.'
      : 'A look right afterwards did not show it, though it may still come about.';
  throw new UpstreamError(`${error.message.replace(` ${LOOK_FIRST}`, '')} ${what} ${LOOK_FIRST}`, {
    retryable: false,
    code: UNCERTAIN,
    cause: error,
  });
}

/** An answer to a change that is not the API's leaves it as open as none does. */
function isUncertain(error: unknown): error is Error {
  return error instanceof ProtocolError || (error instanceof UpstreamError && error.code === UNCERTAIN);
}
