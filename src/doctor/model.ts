import type { ModelFailure } from '../call/events.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** What a look at the speech model gave; `code` is for people who ask the vendor. */
export type ModelLook =
  | { readonly admitted: true; readonly without: 'noiseReduction' | 'transcriptionLanguage' | 'transcription' | null }
  | { readonly admitted: false; readonly kind: ModelFailure; readonly code: string | null };

type RefusedPart = NonNullable<Extract<ModelLook, { readonly admitted: true }>['without']>;

const CHECK = 'speech model';

const TROUBLES: Readonly<Record<ModelFailure, readonly [message: string, advice: string]>> = {
  'refused-key': [
    'The service did not accept OPENAI_API_KEY.',
    'Make a new key on OpenAI’s platform, in a project that may use the Realtime API.',
  ],
  'refused-model': [
    'The service does not know OPENAI_REALTIME_MODEL.',
    'Set it to a model that the account may use, or unset it for the default.',
  ],
  quota: ['The account has no credit left.', 'Top it up on OpenAI’s platform, under Billing.'],
  untrusted: [
    'The certificate at OPENAI_WEBSOCKET_URL is not trusted.',
    'Check the address and the clock, or give the file of its authority as NODE_EXTRA_CA_CERTS.',
  ],
  unreachable: [
    'The service could not be reached, or did not answer in time.',
    'Check the network, the firewall and OPENAI_WEBSOCKET_URL.',
  ],
  configuration: [
    'The service refused the session.',
    'Check OPENAI_REALTIME_MODEL, OPENAI_REALTIME_DIALECT and OPENAI_WEBSOCKET_URL.',
  ],
  protocol: ['What answers is no Realtime server that we understand.', 'Check OPENAI_WEBSOCKET_URL.'],
  dropped: [
    'The connection broke off before the session began.',
    'Try again; if it stays so, check OPENAI_WEBSOCKET_URL.',
  ],
  expired: ['The session ended as soon as it began.', 'Try again; if it stays so, check OPENAI_WEBSOCKET_URL.'],
};

const REFUSED_PARTS: Readonly<Record<RefusedPart, readonly [message: string, advice: string]>> = {
  noiseReduction: [
    'The service refuses the noise reduction; calls go without it.',
    'Set OPENAI_NOISE_REDUCTION=off for such a server.',
  ],
  transcriptionLanguage: [
    'The service refuses the language of the transcription; calls go without it.',
    'Set OPENAI_TRANSCRIPTION_MODEL to a model that takes one.',
  ],
  transcription: [
    'The service refuses the transcription; calls go without the callee’s words.',
    'Set OPENAI_TRANSCRIPTION_MODEL to a model that the service has.',
  ],
};

export function checkModel(look: ModelLook): Finding {
  if (look.admitted && look.without !== null) return warn(CHECK, ...REFUSED_PARTS[look.without]);
  if (look.admitted)
    return ok(CHECK, 'The key, the model and the settings of a session are accepted; credit shows only in a call.');
  const [message, advice] = TROUBLES[look.kind];
  // A bare word of the vendor's; anything else stays away from the terminal.
  const code = look.code !== null && /^[\w.-]{1,64}$/.test(look.code) ? ` (${look.code})` : '';
  return fail(CHECK, message.replace(/\.$/, `${code}.`), advice);
}
