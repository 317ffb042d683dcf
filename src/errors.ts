/** The four errors, by who must act. Their messages are sentences of ours that an assistant or a web client may read. */

interface Details {
  readonly cause?: unknown;
}

/** The caller of a tool or a command gave something that cannot be used; the message says what to give instead. */
export class UserInputError extends Error {
  override readonly name = 'UserInputError';
  constructor(message: string, details: Details = {}) {
    super(message, details);
  }
}

/** The operator must change a setting; `settings` names the ones concerned. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly settings: readonly string[];
  constructor(message: string, details: Details & { readonly settings?: readonly string[] } = {}) {
    super(message, details);
    this.settings = details.settings ?? [];
  }
}

/** A service outside refused or did not answer. `code` is the vendor's own code, when it gave one. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly retryable: boolean;
  readonly code: string | undefined;
  constructor(message: string, details: Details & { readonly retryable: boolean; readonly code?: string }) {
    super(message, details);
    this.retryable = details.retryable;
    this.code = details.code;
  }
}

/** A peer broke the protocol that it claims to speak. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  constructor(message: string, details: Details = {}) {
    super(message, details);
  }
}
