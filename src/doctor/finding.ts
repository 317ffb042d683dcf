/** What one check of `switchboard doctor` found. */
export interface Finding {
  /** What was looked at, in a word or two: `settings`, `public URL` … */
  readonly check: string;
  readonly verdict: Verdict;
  /** One sentence, without a secret in it. */
  readonly message: string;
  /** What to do about it; null when nothing is. */
  readonly advice: string | null;
}

/** `warn`: calls work, but something deserves a look. `skipped`: not looked at, and the message says why. */
export type Verdict = 'ok' | 'warn' | 'fail' | 'skipped';

export function ok(check: string, message: string): Finding {
  return { check, verdict: 'ok', message, advice: null };
}

export function warn(check: string, message: string, advice: string): Finding {
  return { check, verdict: 'warn', message, advice };
}

export function fail(check: string, message: string, advice: string | null = null): Finding {
  return { check, verdict: 'fail', message, advice };
}

export function skipped(check: string, message: string): Finding {
  return { check, verdict: 'skipped', message, advice: null };
}
