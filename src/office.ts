/** The office telephone system, out of the settings alone. */
import { readFileSync } from 'node:fs';
import type { Config } from './config/config.ts';
import { ConfigError } from './errors.ts';
import { type Asterisk, createAsterisk } from './pbx/asterisk/operations.ts';
import type { Clock } from './switchboard/clock.ts';
import type { Logger } from './switchboard/logger.ts';
import { countryFacts, isEmergencyIn, suggestE164 } from './switchboard/numbers.ts';
import { checkNumber } from './switchboard/policy.ts';

/** Null while settings are missing. Connects when it is first used. @throws ConfigError */
export function createOffice(config: Config, clock: Clock, logger: Logger): Asterisk | null {
  const { amiHost, amiUsername, amiSecret, amiTlsCa, allowedNumbers, blockedNumbers } = config;
  if (amiHost === null || amiUsername === null || amiSecret === null) return null;
  return createAsterisk({
    address: {
      host: amiHost,
      port: config.amiPort,
      tls: config.amiTls,
      ca: amiTlsCa === null ? undefined : readCa(amiTlsCa),
    },
    username: amiUsername,
    secret: amiSecret,
    context: config.asteriskContext,
    country: config.asteriskCountry.toUpperCase(),
    plus: config.asteriskPlus,
    changesPerMinute: config.asteriskChangesPerMinute,
    numbers: {
      isEmergency: (dialled, country) => isEmergencyIn(country, dialled),
      refusalOf: (number) => {
        const verdict = checkNumber(number, { allowed: allowedNumbers, blocked: blockedNumbers });
        return verdict.ok ? null : verdict.reason;
      },
      e164: (number, country) => suggestE164(number, country.toUpperCase()),
      country: countryFacts,
    },
    clock,
    logger,
  });
}

/** What is missing for it, as names of settings; empty when it is complete, or when nobody wants it. */
export function missingForOffice({ amiHost, amiUsername, amiSecret }: Config): readonly string[] {
  const needed = { AMI_HOST: amiHost, AMI_USERNAME: amiUsername, AMI_SECRET: amiSecret };
  const missing = Object.entries(needed).filter(([, value]) => value === null);
  return missing.length === Object.keys(needed).length ? [] : missing.map(([name]) => name);
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`The file of AMI_TLS_CA (${file}) could not be read.`, {
      cause: error,
      settings: ['AMI_TLS_CA'],
    });
  }
}
