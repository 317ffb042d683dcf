import { type Finding, fail, ok, warn } from './finding.ts';

/** What was seen of the 3CX; troubles are sentences of ours. */
export interface ThreeCxFacts {
  readonly version: string | null;
  readonly licence: string | null;
  readonly controls: readonly { readonly dn: string; readonly type: string }[] | null;
  readonly callControlTrouble: string | null;
  readonly xapiTrouble: string | null;
  readonly callLogTrouble: string | null;
}

export interface ThreeCxWishes {
  readonly routePoint: string;
  readonly defaultExtension: string | null;
  /** A person's login is set as well. */
  readonly hasLogin: boolean;
  readonly takesCalls: boolean;
}

const CHECK = '3cx';

export function checkThreeCx(facts: ThreeCxFacts, wishes: ThreeCxWishes): readonly Finding[] {
  const findings = [checkApi(facts), ...checkControl(facts, wishes)];
  // Where nothing of that API can be read, the role is not what is missing.
  if (facts.callLogTrouble !== null && facts.xapiTrouble === null)
    findings.push(
      warn(CHECK, facts.callLogTrouble, 'Give the API client the role System Owner, or do without the call log.'),
    );
  if (wishes.hasLogin)
    findings.push(
      warn(
        CHECK,
        'A person’s login (PBX_USERNAME, PBX_PASSWORD) is set and never used.',
        'Take it out of the settings.',
      ),
    );
  return findings;
}

function checkApi({ xapiTrouble, version, licence }: ThreeCxFacts): Finding {
  const shown = [version, licence].filter((text) => text !== null && /^[\w .+()-]{1,60}$/.test(text)).join(', ');
  if (xapiTrouble !== null)
    return fail(
      CHECK,
      xapiTrouble,
      'In 3CX: Integrations, API, the client: tick Configuration API (XAPI), and give it a department and a role.',
    );
  return ok(CHECK, `3CX answers${shown === '' ? '' : ` (${shown})`}.`);
}

function checkControl({ controls, callControlTrouble }: ThreeCxFacts, wishes: ThreeCxWishes): readonly Finding[] {
  const { routePoint, defaultExtension, takesCalls } = wishes;
  if (controls === null)
    return [
      fail(
        CHECK,
        callControlTrouble ?? 'Calls cannot be controlled.',
        'In 3CX: Integrations, API, the client: tick Call Control; it needs an 8SC+ Enterprise licence (AI Edition).',
      ),
    ];
  const has = (dn: string): boolean => controls.some((one) => one.dn === dn);
  const findings: Finding[] = [];
  if (defaultExtension !== null && !has(defaultExtension))
    findings.push(
      warn(
        CHECK,
        `PBX_DEFAULT_EXTENSION is ${defaultExtension}, which the API client may not control.`,
        'Add it to the extensions that the client may monitor and control.',
      ),
    );
  if (takesCalls && !has(routePoint))
    findings.push(
      warn(
        CHECK,
        `The route point ${routePoint} is not among what 3CX shows, so calls to it will not be heard of.`,
        'PBX_CLIENT_ID must be the Client ID of the API client, which is its route point.',
      ),
    );
  if (findings.length > 0) return findings;
  return [ok(CHECK, `${controls.length} extensions and route points can be controlled.`)];
}
