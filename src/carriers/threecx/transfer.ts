/** How long a hand-over may take, and whether it has come to anything. */
import type { ThreeCxClock, ThreeCxExchange } from './exchange.ts';

/** Whoever is handed over hears music meanwhile, and is given back when nobody answers. */
export const TRANSFER_RING_SECONDS = 25;
export const TRANSFER_MS = 28_000;
/** With what it takes to look whether they are still with us. */
export const LONGEST_TRANSFER_MS = TRANSFER_MS + 4_000;
/** 3CX may show a moment later that the other has taken the call. */
const LOOKS_MS = [0, 200, 400];

/**
 * A participant that is gone has been handed over, or has hung up while it waited: then nobody talks there. Where 3CX does not show the
 * calls of the other, it counts as handed over.
 */
export async function arrivalOf(
  { exchange, clock }: { readonly exchange: ThreeCxExchange; readonly clock: ThreeCxClock },
  extension: string,
): Promise<'done' | 'failed'> {
  if (!(await isListedExtension(exchange, extension))) return 'done';
  for (const waitMs of LOOKS_MS) {
    if (waitMs > 0) await new Promise<void>((resolve) => void clock.setTimer(resolve, waitMs));
    const participants = await exchange.participants(extension).catch(() => null);
    if (participants?.some(({ status }) => status === 'Connected') ?? true) return 'done';
  }
  return 'failed';
}

/** One whose calls the app may see. */
export async function isListedExtension(exchange: Pick<ThreeCxExchange, 'state'>, extension: string): Promise<boolean> {
  const dns = await exchange.state().catch(() => []);
  return dns.some(({ dn, type }) => dn === extension && type === 'Wextension');
}
