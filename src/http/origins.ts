/** Who may address the private listener, by the names in a request: pure decisions. */
import { isIP } from 'node:net';
import { isLoopback } from '../config/kinds.ts';

export interface AddressRules {
  /** Without any token only programs of this machine may come, which name it as such. */
  readonly needsToken: boolean;
  readonly mcpHost: string;
  readonly mcpUrl: string | null;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}

/**
 * A web page may send requests to this machine too: by its own name, which it had made to lead here (DNS rebinding). An address in
 * digits cannot be made to lead elsewhere.
 */
export function mayNameHost(rules: AddressRules, host: string | undefined): boolean {
  const url = `http://${host ?? ''}`;
  if (host === undefined || !URL.canParse(url)) return false;
  const name = new URL(url).hostname.toLowerCase();
  if (isLoopback(name)) return true;
  if (!rules.needsToken) return false;
  const known = [rules.mcpHost, rules.mcpUrl === null ? '' : new URL(rules.mcpUrl).hostname, ...rules.allowedHosts];
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0 || known.some((one) => one.toLowerCase() === name);
}

/** A page says where it is from (Fetch standard); a program says nothing. */
export function mayComeFrom(rules: AddressRules, origin: string | undefined): boolean {
  if (origin === undefined) return true;
  return isListed(rules, origin) || (URL.canParse(origin) && isLoopback(new URL(origin).hostname));
}

/** Whether the answers may be read by that page: only where somebody has said so. */
export function corsHeaders(rules: AddressRules, origin: string | undefined): Readonly<Record<string, string>> {
  if (origin === undefined || !isListed(rules, origin)) return { vary: 'Origin' };
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'Mcp-Session-Id, WWW-Authenticate',
  };
}

export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
  'access-control-allow-headers':
    'Authorization, Content-Type, Accept, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID',
  'access-control-max-age': '600',
};

function isListed({ mcpUrl, allowedOrigins }: AddressRules, origin: string): boolean {
  return allowedOrigins.includes(origin) || (mcpUrl !== null && new URL(mcpUrl).origin === origin);
}
