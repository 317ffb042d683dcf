/** What of JSON-RPC 2.0 stands in more than one place here: its codes ("Error object"), and reading and writing what has an id. */

export type Id = string | number;

export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;

/** Undefined when it is not JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isId(value: unknown): value is Id {
  return typeof value === 'string' || typeof value === 'number';
}

/** Undefined when it has none that can be one. */
export function idOf(message: unknown): Id | undefined {
  return typeof message === 'object' && message !== null && 'id' in message && isId(message.id)
    ? message.id
    : undefined;
}

/** MCP 2025-11-25: an error has the id of its request, or none where that cannot be read. */
export function errorMessage(id: Id | undefined, code: number, message: string) {
  return { jsonrpc: '2.0' as const, ...(id === undefined ? {} : { id }), error: { code, message } };
}
