/** What `switchboard doctor` sees of the telephone system. Changes nothing. */
import type { CallControlClock } from './call-control.ts';
import { textOf } from './json.ts';
import { callLogs } from './logs.ts';
import type { ThreeCxLook } from './operations.ts';
import { controlledDnsOf } from './participants.ts';
import { hasCode, isRefusal } from './refusals.ts';
import type { Rest } from './rest.ts';
import type { Tokens } from './token.ts';
import type { Xapi } from './xapi.ts';

/** Rejects with one of the four errors when 3CX cannot be reached, or refuses the login. */
export async function lookAtThreeCx(parts: {
  readonly tokens: Tokens;
  readonly rest: Rest;
  readonly xapi: Xapi;
  readonly clock: CallControlClock;
}): Promise<ThreeCxLook> {
  const { tokens, rest, xapi, clock } = parts;
  await tokens.get();
  const nowMs = clock.wall();
  const hour = { from: new Date(nowMs - 3_600_000).toISOString(), to: new Date(nowMs).toISOString() };
  const [calls, system, log] = await Promise.all([
    tried(async () => (await rest.get('/callcontrol', 'to list the calls that the app may see')).body),
    tried(() => xapi.one('/SystemStatus', ['Version', 'ProductCode'], 'to show its version')),
    tried(() => callLogs(xapi, { ...hour, limit: 1, offset: 0 })),
  ]);
  return {
    version: textOf(system.value?.Version),
    licence: textOf(system.value?.ProductCode),
    controls: calls.trouble === null ? controlledDnsOf(calls.value).map(({ dn, type }) => ({ dn, type })) : null,
    callControlTrouble: calls.trouble,
    xapiTrouble: system.trouble,
    callLogTrouble: log.trouble,
  };
}

async function tried<T>(
  ask: () => Promise<T>,
): Promise<{ readonly value: T; readonly trouble: null } | { readonly value: null; readonly trouble: string }> {
  try {
    return { value: await ask(), trouble: null };
  } catch (error) {
    if (isRefusal(error) || hasCode(error, 'forbidden')) return { value: null, trouble: error.message };
    throw error;
  }
}
