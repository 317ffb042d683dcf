/** Asterisk, out of the settings alone. */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { checkAsterisk } from '../doctor/asterisk.ts';
import { type Finding, fail, ok, warn } from '../doctor/finding.ts';
import { ConfigError } from '../errors.ts';
import { type Asterisk, createAsterisk } from '../pbx/asterisk/operations.ts';
import type { Clock } from '../switchboard/clock.ts';
import type { Logger } from '../switchboard/logger.ts';
import { countryFacts, isEmergencyIn, suggestE164 } from '../switchboard/numbers.ts';
import { checkNumber } from '../switchboard/policy.ts';
import { examined, notConfigured } from './late.ts';

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
    cdr: config.cdrDatabaseUrl === null ? null : { url: config.cdrDatabaseUrl, table: config.cdrTable },
    recordingsFolder: config.asteriskRecordingsDir,
    numbers: {
      isEmergency: (dialled, country) => isEmergencyIn(country, dialled),
      verdictOf: (number) => checkNumber(number, { allowed: allowedNumbers, blocked: blockedNumbers }),
      e164: (number, country) => suggestE164(number, country.toUpperCase()),
      country: countryFacts,
    },
    clock,
    logger,
  });
}

/** @throws ConfigError that says what is missing */
export function requireAsterisk(config: Config, clock: Clock, logger: Logger): Asterisk {
  const office = createOffice(config, clock, logger);
  if (office !== null) return office;
  const { amiHost, amiUsername, amiSecret, simulate } = config;
  if (simulate && amiHost === null)
    throw new ConfigError(
      'With --simulate the telephones of the office are left alone, whatever is set. Start Switchboard without it to use Asterisk.',
      { settings: [] },
    );
  throw notConfigured(
    'Asterisk',
    { AMI_HOST: amiHost, AMI_USERNAME: amiUsername, AMI_SECRET: amiSecret },
    'docs/asterisk.md says how to make the account.',
  );
}

/** For `switchboard doctor`: nothing where no Asterisk is configured. Never rejects for what it finds. */
export async function examineAsterisk(config: Config, clock: Clock, logger: Logger): Promise<readonly Finding[]> {
  if ([config.amiHost, config.amiUsername, config.amiSecret].every((value) => value === null)) return [];
  return await examined(
    'asterisk',
    () => requireAsterisk(config, clock, logger),
    async (asterisk) => {
      const facts = await asterisk.look(config.asteriskAgentContext);
      const wishes = {
        context: config.asteriskContext,
        agentContext: config.asteriskAgentContext,
        readOnly: config.readOnly,
        carriesCalls: config.asteriskMediaUsername !== null,
        hasAudioSocket: config.asteriskAudioSocket !== null,
        takesCalls: config.inboundContext !== null,
      };
      return [
        ...checkAsterisk(facts, wishes),
        ...(await examineRecords(asterisk)),
        ...(await examineRecordings(asterisk)),
      ];
    },
  );
}

async function examineRecords(asterisk: Asterisk): Promise<readonly Finding[]> {
  try {
    const warnings = await asterisk.lookAtRecords();
    if (warnings === null) return [];
    if (warnings.length === 0) return [ok('call records', 'The call records can be read, and not be changed.')];
    return warnings.map((warning) => warn('call records', warning, 'docs/asterisk.md says how to set them up.'));
  } catch (error) {
    return [fail('call records', error instanceof Error ? error.message : 'The call records cannot be read.')];
  }
}

async function examineRecordings(asterisk: Asterisk): Promise<readonly Finding[]> {
  try {
    const page = await asterisk.recordings({ limit: 1, offset: 0 });
    return page === null ? [] : [ok('recordings', `${page.total} recordings of Asterisk can be read.`)];
  } catch (error) {
    return [fail('recordings', error instanceof Error ? error.message : 'The recordings cannot be read.')];
  }
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
