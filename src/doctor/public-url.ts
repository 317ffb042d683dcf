import { ConfigError } from '../errors.ts';
import { type Finding, fail, ok, skipped } from './finding.ts';

/** The ways to look through the public URL, as the carrier's own preflight looks. */
export interface PublicLook {
  /** Passes when `/health` there is answered by the process that listens here; rejects with a ConfigError. */
  readonly health: () => Promise<void>;
  /** The same for the upgrade of a stream; null where it cannot be tried, and then why. */
  readonly stream: (() => Promise<string>) | null;
  readonly noStream: string;
}

const URL_CHECK = 'public URL';
const STREAM_CHECK = 'audio stream';

/** Does the public URL lead to this machine, for a request and for a stream? */
export async function checkPublicUrl(publicUrl: string, look: PublicLook): Promise<readonly Finding[]> {
  try {
    await look.health();
  } catch (error) {
    return [told(URL_CHECK, error), skipped(STREAM_CHECK, 'The public URL has to lead here first.')];
  }
  const url = ok(URL_CHECK, `${publicUrl} leads here.`);
  if (look.stream === null) return [url, skipped(STREAM_CHECK, look.noStream)];
  try {
    return [url, ok(STREAM_CHECK, await look.stream())];
  } catch (error) {
    return [url, told(STREAM_CHECK, error)];
  }
}

/** All that is looked at through it, its certificate first. */
export function skippedPublicUrl(why: string): readonly Finding[] {
  return ['certificate', URL_CHECK, STREAM_CHECK].map((check) => skipped(check, why));
}

/** Our sentences say first what is wrong, then what to do. */
function told(check: string, error: unknown): Finding {
  if (!(error instanceof ConfigError)) return fail(check, 'It could not be looked at.', 'Try again.');
  const end = error.message.indexOf('. ');
  return end < 0
    ? fail(check, error.message)
    : fail(check, error.message.slice(0, end + 1), error.message.slice(end + 2));
}
