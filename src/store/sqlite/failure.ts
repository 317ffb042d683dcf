import { ConfigError, UpstreamError } from '../../errors.ts';
import type { Failure } from './requests.ts';

/** Thrown by our own SQL code for a refusal that is not the database's. */
export class StoreRefusal extends Error {
  readonly failure: Failure;
  constructor(failure: Omit<Failure, 'detail'>) {
    super(failure.message);
    this.failure = { ...failure, detail: failure.message };
  }
}

/** Primary result codes, from sqlite.org/rescode.html. */
const SENTENCES: Readonly<
  Record<number, { readonly message: string; readonly retryable: boolean; readonly kind?: 'config' }>
> = {
  5: { message: 'The store is busy: another process is writing to it. Try again in a moment.', retryable: true },
  6: { message: 'The store is busy: another process is writing to it. Try again in a moment.', retryable: true },
  8: { message: 'The store cannot be written: its files are read-only. Make DATA_DIR writable.', retryable: false },
  10: { message: 'The store could not reach its disk. Check the disk that holds DATA_DIR.', retryable: false },
  11: {
    message: 'The store’s file in DATA_DIR is damaged. Move it away, or restore a copy.',
    retryable: false,
    kind: 'config',
  },
  13: { message: 'The disk that holds DATA_DIR is full. Free some space.', retryable: false },
  14: {
    message: 'The store’s file cannot be opened. Check that DATA_DIR is writable.',
    retryable: false,
    kind: 'config',
  },
  26: { message: 'The store’s file in DATA_DIR is not a database. Move it away.', retryable: false, kind: 'config' },
};

/** Says in a sentence of ours what went wrong; the original words stay in `detail`. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof StoreRefusal) return error.failure;
  const detail = error instanceof Error ? error.message : String(error);
  const code = resultCode(error);
  const known = code === undefined ? undefined : SENTENCES[code & 0xff];
  if (known)
    return {
      kind: known.kind ?? 'upstream',
      message: known.message,
      retryable: known.retryable,
      code: `sqlite-${code}`,
      detail,
    };
  const message = 'The store refused the request.';
  return {
    kind: 'upstream',
    message,
    retryable: false,
    ...codeOf(code),
    detail,
  };
}

/** Too big, a constraint, a wrong type, a range; or not the database's error at all: it is about what was asked, not about the store. */
const OF_THE_REQUEST: ReadonlySet<number> = new Set([18, 19, 20, 25]);

function codeOf(code: number | undefined): { readonly code: string } {
  if (code === undefined) return { code: 'refused' };
  return { code: OF_THE_REQUEST.has(code & 0xff) ? `refused-sqlite-${code}` : `sqlite-${code}` };
}

/** A failure at work is the store's; the one at opening may be the operator's to mend. */
export function toRequestError(failure: Failure): UpstreamError {
  const code = failure.code === undefined ? {} : { code: failure.code };
  return new UpstreamError(failure.message, { retryable: failure.retryable, cause: failure.detail, ...code });
}

export function toOpeningError(failure: Failure): ConfigError | UpstreamError {
  if (failure.kind === 'upstream') return toRequestError(failure);
  return new ConfigError(failure.message, { settings: ['DATA_DIR'], cause: failure.detail });
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}
