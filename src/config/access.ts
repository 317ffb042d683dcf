/** What who has been let in may do. Each tool names the scope that it needs. */
export const SCOPES = ['calls:read', 'calls:place', 'pbx:read', 'pbx:write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Somebody who has been let in. `name` is for logs, limits and the audit: never a secret. */
export interface Access {
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Programs of this user on this machine, which could read the settings and the store as well. */
export const LOCAL_ACCESS: Access = { name: 'local', scopes: new Set(['admin']) };

/** What an answer says to who may not: a sentence, and the challenge of RFC 6750. */
export function scopeRefusal(scope: Scope): { readonly message: string; readonly challenge: string } {
  return {
    message: `This needs a token with the scope ${scope}.`,
    challenge: `Bearer realm="switchboard", error="insufficient_scope", scope="${scope}"`,
  };
}

/** `admin` may do everything; no other scope contains another. */
export function permits({ scopes }: Access, scope: Scope): boolean {
  return scopes.has('admin') || scopes.has(scope);
}
