import type { ModelEvent, ModelFailure, ModelObjection } from '../../call/events.ts';

/** Why a session is over. `code` is the server's own word, for the record only. */
export interface Failure {
  readonly kind: ModelFailure;
  readonly retryable: boolean;
  readonly code?: string;
}

export function failedEvent(failure: Failure): ModelEvent {
  return { type: 'model.failed', ...failure };
}

/** Error codes after which a session is of no more use (OpenAI Realtime docs, "Errors"; Azure's spelling of one of them). */
const FATAL: Readonly<Record<string, Omit<Failure, 'code'>>> = {
  invalid_api_key: { kind: 'refused-key', retryable: false },
  missing_model: { kind: 'refused-model', retryable: false },
  invalid_model: { kind: 'refused-model', retryable: false },
  model_not_found: { kind: 'refused-model', retryable: false },
  DeploymentNotFound: { kind: 'refused-model', retryable: false },
  OpperationNotSupported: { kind: 'refused-model', retryable: false },
  OperationNotSupported: { kind: 'refused-model', retryable: false },
  beta_api_shape_disabled: { kind: 'configuration', retryable: false },
  session_expired: { kind: 'expired', retryable: true },
  insufficient_quota: { kind: 'quota', retryable: false },
  credit_balance_exhausted: { kind: 'quota', retryable: false },
};

/** Null when the session lives on after an error with this code. */
export function failureOfCode(code: string): Failure | null {
  const known = Object.hasOwn(FATAL, code) ? FATAL[code] : undefined;
  return known === undefined ? null : { ...known, code };
}

/** A failed reply with one of these is worth asking for once more. */
export function isRetryableReplyCode(code: string): boolean {
  return code === 'rate_limit_exceeded' || code === 'server_error';
}

/** The server (or a gateway before it) answered the upgrade with an HTTP status; `body` is the beginning of what it said. */
export function failureOfHandshake(status: number, body: string): Failure {
  for (const code of Object.keys(FATAL)) {
    const failure = body.includes(`"${code}"`) ? failureOfCode(code) : null;
    if (failure !== null) return failure;
  }
  const code = `http-${status}`;
  if (status === 401 || status === 403) return { kind: 'refused-key', retryable: false, code };
  if (status === 404) return { kind: 'refused-model', retryable: false, code };
  if (status === 408 || status === 429 || status >= 500) return { kind: 'unreachable', retryable: true, code };
  return { kind: 'configuration', retryable: false, code };
}

/** The socket closed without an error event that said why. The server writes `<type>.<code>` as the reason of a refusal. */
export function failureOfClose(closeCode: number, reason: string): Failure {
  const named = failureOfCode(reason.slice(reason.lastIndexOf('.') + 1));
  if (named !== null) return named;
  const code = `close-${closeCode}`;
  switch (closeCode) {
    case 3000:
      return { kind: 'refused-key', retryable: false, code };
    case 4000:
    case 1008:
      return { kind: 'configuration', retryable: false, code };
    case 1002:
    case 1003:
    case 1007:
    case 1009:
      return { kind: 'protocol', retryable: true, code };
    default:
      return { kind: 'dropped', retryable: true, code };
  }
}

/** What ws threw on connecting or in the middle of a session. `opened`: the upgrade had succeeded. */
export function failureOfSocketError(error: Error, opened: boolean): Failure {
  const raw = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const code = raw ?? 'socket-error';
  if (code.startsWith('WS_ERR_')) return { kind: 'protocol', retryable: true, code };
  if (opened) return { kind: 'dropped', retryable: true, code };
  // A certificate that is refused now is refused in a second as well.
  if (/CERT|SIGNATURE|ERR_TLS|ERR_SSL/.test(code)) return { kind: 'untrusted', retryable: false, code };
  return { kind: 'unreachable', retryable: true, code };
}

/** Which of our requests an error that is not fatal speaks of, judged by its code and words alone. */
export function objectionOf(code: string, message: string, param: string): ModelObjection {
  if (code === 'conversation_already_has_active_response') return 'reply-active';
  if (code === 'response_cancel_not_active') return 'nothing-to-cancel';
  if (code.startsWith('item_truncate') || param.includes('audio_end_ms')) return 'truncate-refused';
  if (/already shorter than|Only model output audio messages can be truncated/.test(message)) return 'truncate-refused';
  return 'other';
}
