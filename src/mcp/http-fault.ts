/** What a request of MCP over HTTP is answered that is not passed on to a session. */
import type { ServerResponse } from 'node:http';
import { type Access, permits, type Scope, scopeRefusal } from '../config/access.ts';
import { errorMessage, type Id, INVALID_PARAMS, idOf, PARSE_ERROR } from './json-rpc.ts';
import { complaintAbout } from './stdio.ts';

/** The scope that a request needs; null for none. */
export type ScopeOf = (method: string, params: unknown) => Scope | null;

/** With 200 it is an answer like others: to a request that can be read, but not be done. */
export interface HttpFault {
  readonly status: 200 | 400 | 403 | 404 | 503;
  readonly code: number;
  readonly message: string;
  readonly id?: Id | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the SDK's own transport answers for the same. */
const NO_SESSION = -32001;
const REFUSED = -32000;

const UNKNOWN = 'There is no such session (any more).';

export const NO_ID: HttpFault = {
  status: 400,
  code: REFUSED,
  message: 'There is no Mcp-Session-Id. Begin with initialize, and send the one that its answer gives.',
};

export const TOO_MANY: HttpFault = {
  status: 503,
  code: REFUSED,
  message: 'There are too many sessions already. End one, or try again later.',
  headers: { 'retry-after': '30' },
};

/** What is no message of the protocol, cannot be done as it stands, or needs a scope that its sender does not have. */
export function faultOf(body: unknown, access: Access, scopeOf: ScopeOf): HttpFault | null {
  if (body === undefined) return { status: 400, code: PARSE_ERROR, message: 'The body is not JSON.' };
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  for (const message of messages) {
    const complaint = complaintAbout(message);
    if (complaint !== null) {
      const isReadable = complaint.code === INVALID_PARAMS && !Array.isArray(body);
      return { status: isReadable ? 200 : 400, ...complaint, id: idOf(message) };
    }
    const { method, params } = message as { method?: unknown; params?: unknown };
    const scope = typeof method === 'string' ? scopeOf(method, params) : null;
    if (scope === null || permits(access, scope)) continue;
    const { message: sentence, challenge } = scopeRefusal(scope);
    const headers = { 'www-authenticate': challenge };
    return { status: 403, code: REFUSED, message: sentence, id: idOf(message), headers };
  }
  return null;
}

export function gone(advice: string): HttpFault {
  return { status: 404, code: NO_SESSION, message: `${UNKNOWN} ${advice}` };
}

export function refuse(response: ServerResponse, fault: HttpFault): void {
  response.writeHead(fault.status, { ...fault.headers, 'content-type': 'application/json' });
  response.end(JSON.stringify({ id: null, ...errorOf(fault) }));
}

export function errorOf({ code, message, id }: Pick<HttpFault, 'code' | 'message' | 'id'>) {
  return errorMessage(id, code, message);
}
