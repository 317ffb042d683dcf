import { ConfigError, UpstreamError, UserInputError } from '../../errors.ts';

export interface Refusal {
  readonly code: string;
  readonly reason: string;
}

export const ENDED: Refusal = { code: 'ended', reason: 'The call was ended before it was placed.' };

export const UNREACHABLE: Refusal = { code: '3cx', reason: '3CX cannot be reached, so the call was not placed.' };

/** Code of what was taken on and not done, by 3CX's own word: less certain than what it shows of the call. */
export const FAILED = 'failed';

/** 3CX said no, or was not asked. Null: it may have done what was asked for. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof ConfigError || error instanceof UserInputError) return { code: '3cx', reason: error.message };
  if (!(error instanceof UpstreamError)) return null;
  const { code = '3cx', message: reason } = error;
  return code === 'uncertain' ? null : { code, reason };
}
