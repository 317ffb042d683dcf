/** 3CX, out of the settings alone. */
import type { Config } from '../config/config.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkThreeCx } from '../doctor/threecx.ts';
import { ConfigError } from '../errors.ts';
import { createThreeCx, type SmsSent, type ThreeCx } from '../pbx/threecx/operations.ts';
import type { Clock } from '../switchboard/clock.ts';
import type { Logger } from '../switchboard/logger.ts';
import { isEmergencyIn } from '../switchboard/numbers.ts';
import { checkNumber } from '../switchboard/policy.ts';
import { examined, notConfigured } from './late.ts';

export type SendSms = (request: { readonly to: string; readonly text: string }) => Promise<SmsSent>;

const NO_LOGINS =
  'PBX_USERNAME and PBX_PASSWORD are not used: a person’s own login in a settings file would carry all their rights, and stop working with two-factor sign-in or a new password. Make an API client in 3CX (Admin Console, Integrations, API), and set PBX_CLIENT_ID and PBX_CLIENT_SECRET; docs/3cx.md.';

/** Connects when it is first used. `sendSms`: null where no carrier of text messages is set up. @throws ConfigError that says what is missing */
export function requireThreeCx(config: Config, clock: Clock, logger: Logger, sendSms: SendSms | null): ThreeCx {
  const { pbxFqdn, pbxClientId, pbxClientSecret, allowedNumbers, blockedNumbers } = config;
  if (pbxFqdn === null || pbxClientId === null || pbxClientSecret === null) throw whyNone(config);
  return createThreeCx({
    baseUrl: pbxFqdn,
    clientId: pbxClientId,
    clientSecret: pbxClientSecret,
    defaultExtension: config.pbxDefaultExtension,
    changesPerMinute: config.pbxChangesPerMinute,
    country: config.pbxCountry.toUpperCase(),
    numbers: {
      isEmergency: (dialled, country) => isEmergencyIn(country, dialled),
      verdictOf: (number) => checkNumber(number, { allowed: allowedNumbers, blocked: blockedNumbers }),
    },
    sendSms,
    clock,
    logger,
  });
}

function whyNone({ pbxFqdn, pbxClientId, pbxClientSecret, pbxUsername, pbxPassword, simulate }: Config): ConfigError {
  if (simulate && pbxFqdn === null)
    return new ConfigError(
      'With --simulate the telephones of the office are left alone, whatever is set. Add --toolsets voice,3cx to try a simulated 3CX, or start Switchboard without --simulate.',
      { settings: [] },
    );
  if (pbxUsername !== null || pbxPassword !== null)
    return new ConfigError(NO_LOGINS, { settings: ['PBX_USERNAME', 'PBX_PASSWORD'] });
  return notConfigured(
    '3CX',
    { PBX_FQDN: pbxFqdn, PBX_CLIENT_ID: pbxClientId, PBX_CLIENT_SECRET: pbxClientSecret },
    'docs/3cx.md says how to make the API client.',
  );
}

/** For `switchboard doctor`: nothing where no 3CX is configured. Never rejects for what it finds. */
export async function examineThreeCx(config: Config, clock: Clock, logger: Logger): Promise<readonly Finding[]> {
  const { pbxFqdn, pbxClientId, pbxClientSecret, pbxUsername, pbxPassword } = config;
  const given = [pbxFqdn, pbxClientId, pbxClientSecret, pbxUsername, pbxPassword];
  if (given.every((value) => value === null)) return [];
  const wishes = {
    routePoint: pbxClientId ?? '',
    defaultExtension: config.pbxDefaultExtension,
    hasLogin: pbxUsername !== null || pbxPassword !== null,
    takesCalls: config.inboundContext !== null,
  };
  return await examined(
    '3cx',
    () => requireThreeCx(config, clock, logger, null),
    async (threecx) => checkThreeCx(await threecx.look(), wishes),
  );
}
