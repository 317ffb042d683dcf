import { createServer } from 'node:net';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Who has a port: nobody, a Switchboard, another program; or why it cannot be had at all. */
export type Holder = 'nobody' | 'us' | 'another' | { readonly code: string };

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A server that listens everywhere is asked on loopback. */
export function localUrl({ host, port }: Address): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

export function checkPublicPort({ host, port }: Address, holder: Holder): Finding {
  const check = 'public port';
  if (holder === 'nobody') return ok(check, `Port ${port} on ${host} is free.`);
  if (holder === 'us') return ok(check, `A Switchboard listens on port ${port} of ${host}.`);
  if (holder === 'another')
    return fail(
      check,
      `Port ${port} on ${host} is taken by another program.`,
      'Stop that program, or set PORT to a free one and let the proxy in front forward to that.',
    );
  return cannot(check, { host, port }, holder.code, ['HOST', 'PORT']);
}

/** Of interest to `serve` and `--http` only, so another program there is no fault of every call. */
export function checkPrivatePort({ host, port }: Address, holder: Holder): Finding {
  const check = 'private port';
  if (holder === 'nobody') return ok(check, `Port ${port} on ${host} is free.`);
  if (holder === 'us') return ok(check, `A Switchboard listens on port ${port} of ${host}.`);
  if (holder === 'another')
    return warn(
      check,
      `Port ${port} on ${host} is taken by another program; switchboard serve and --http need it.`,
      'Stop that program, or set MCP_PORT to a free one.',
    );
  return cannot(check, { host, port }, holder.code, ['MCP_HOST', 'MCP_PORT']);
}

function cannot(check: string, { host, port }: Address, code: string, [hostName, portName]: [string, string]): Finding {
  if (code === 'EACCES')
    return fail(check, `This user may not listen on port ${port}.`, `Set ${portName} to one above 1023.`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return fail(
      check,
      `This machine has no address ${host}.`,
      `Set ${hostName} to 127.0.0.1 or to an address of this machine.`,
    );
  return fail(check, `Port ${port} on ${host} cannot be opened (${code}).`, `Check ${hostName} and ${portName}.`);
}

/** Listens for a moment. `isOurs` is asked when somebody else does. */
export async function holderOf({ host, port }: Address, isOurs: () => Promise<boolean>): Promise<Holder> {
  const code = await new Promise<string | null>((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    probe.listen(port, host, () => probe.close(() => resolve(null)));
  });
  if (code === null) return 'nobody';
  if (code !== 'EADDRINUSE') return { code };
  return (await isOurs()) ? 'us' : 'another';
}

/** Whether what answers there is the private listener of a Switchboard: only that says so of itself. */
export async function isPrivateListener(
  address: Address,
  authToken: string | null,
  timeoutMs: number,
): Promise<boolean> {
  try {
    const headers: Record<string, string> = authToken === null ? {} : { authorization: `Bearer ${authToken}` };
    const response = await fetch(`${localUrl(address)}/ready`, {
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body: unknown = await response.json();
    if (typeof body !== 'object' || body === null) return false;
    if ('status' in body && (body.status === 'ready' || body.status === 'not-ready')) return true;
    // With another token than the server's it is still one of ours.
    return response.status === 401 && 'error' in body && String(body.error).includes('MCP_AUTH_TOKEN');
  } catch {
    return false;
  }
}
