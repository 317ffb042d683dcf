import type { Brief, Limits } from '../call/words.ts';
import type { Carrier } from '../carriers/carrier.ts';
import { ConfigError } from '../errors.ts';

/** A call that rings with us, and whose line `carrier` makes. */
export interface Ringing {
  readonly carrier: Carrier;
  /** The carrier's id of it. */
  readonly uniqueId: string;
  /** Who calls, and what was dialled, as the telephone system tells it: text of strangers. */
  readonly from: string;
  readonly to: string;
}

interface InboundSettings {
  readonly voice: string;
  readonly language: string;
  readonly disclose: boolean;
  readonly record?: boolean;
  readonly limits: Limits;
  readonly inboundContext?: string | null;
  readonly transferTo?: readonly string[];
}

const WITHHELD = 'anonymous';

/** What the agent is to do in a call that comes in. @throws ConfigError where no such call is to be taken */
export function inboundBrief(
  call: Ringing,
  settings: InboundSettings,
): { readonly brief: Brief; readonly limits: Limits } {
  const { voice, language, disclose, record = false, limits, inboundContext = null, transferTo = [] } = settings;
  if (inboundContext === null)
    throw new ConfigError('INBOUND_CONTEXT is not set, so no call that comes in is taken.', {
      settings: ['INBOUND_CONTEXT'],
    });
  const caller = call.from.replace(/[^\dA-Za-z+*#_-]/g, '').slice(0, 40);
  return {
    brief: {
      to: caller === '' ? WITHHELD : caller,
      context: inboundContext,
      language,
      voice,
      disclose,
      record,
      inbound: true,
      ...(transferTo.length > 0 ? { transferTo } : {}),
    },
    // Whoever calls expects to be greeted.
    limits: { ...limits, firstSpeechMs: 0 },
  };
}
