import { UpstreamError, UserInputError } from '../../errors.ts';
import type { LineSetUp } from './set-up.ts';
import { isListedExtension } from './transfer.ts';

/**
 * Digits without + may be an extension, or by 3CX's outbound rules a number outside, past the lists of numbers that may be called: only
 * what 3CX itself lists is dialled. Rejects with one of the four errors, which comes into logs and so does not name the number.
 */
export async function checkExtension(
  { exchange, checkExtension: ask }: Pick<LineSetUp, 'exchange' | 'checkExtension'>,
  to: string,
): Promise<void> {
  if (to.startsWith('+') || (await isListedExtension(exchange, to))) return;
  await ask(to).catch((error: unknown) => {
    if (error instanceof UserInputError) throw new UserInputError(NOT_LISTED);
    if (error instanceof UpstreamError && error.code === 'forbidden')
      throw new UpstreamError(MAY_NOT_LOOK, { retryable: false, code: error.code });
    throw error;
  });
}

const MAY_NOT_LOOK =
  '3CX does not let this app look up whether that is a number of the office, so it is not called. List the extension in the app’s settings, or give the app access to the Configuration API (Admin Console, Integrations, API).';
const NOT_LISTED =
  '3CX lists no extension, queue or the like of that number that can be called. Numbers outside are written with + and the country code.';

export async function mayDial(setUp: Pick<LineSetUp, 'exchange' | 'checkExtension'>, to: string): Promise<void> {
  // Without its events nobody would hear of the answer.
  await setUp.exchange.ready();
  await checkExtension(setUp, to);
}
