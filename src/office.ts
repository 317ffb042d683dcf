/** The office telephone system, out of the settings alone. */
import { readFileSync } from 'node:fs';
import type { Config } from './config/config.ts';
import { checkAsterisk } from './doctor/asterisk.ts';
import { type Finding, fail, ok, warn } from './doctor/finding.ts';
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

/** The office of settings that may change until it is first asked for. */
export interface LateOffice {
  /** @throws ConfigError that says what is missing */
  asterisk(): Asterisk;
  close(): void;
}

export function lateOffice(config: () => Config, clock: Clock, logger: Logger): LateOffice {
  let office: Asterisk | null = null;
  return {
    asterisk() {
      office ??= createOffice(config(), clock, logger);
      if (office !== null) return office;
      const { amiHost, amiUsername, amiSecret, simulate } = config();
      if (simulate && amiHost === null)
        throw new ConfigError(
          'With --simulate the telephones of the office are left alone, whatever is set. Start Switchboard without it to use Asterisk.',
          { settings: [] },
        );
      const needed = { AMI_HOST: amiHost, AMI_USERNAME: amiUsername, AMI_SECRET: amiSecret };
      const settings = Object.entries(needed).flatMap(([name, value]) => (value === null ? [name] : []));
      const verb = settings.length === 1 ? 'is' : 'are';
      throw new ConfigError(
        `Asterisk is not configured: ${settings.join(', ')} ${verb} not set. docs/asterisk.md says how to make the account.`,
        { settings },
      );
    },
    close: () => office?.close(),
  };
}

/** For `switchboard doctor`: nothing where no Asterisk is configured. Never rejects for what it finds. */
export async function examineOffice(config: Config, clock: Clock, logger: Logger): Promise<readonly Finding[]> {
  if ([config.amiHost, config.amiUsername, config.amiSecret].every((value) => value === null)) return [];
  const office = lateOffice(() => config, clock, logger);
  try {
    const asterisk = office.asterisk();
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
  } catch (error) {
    return [fail('asterisk', error instanceof Error ? error.message : 'Asterisk could not be looked at.')];
  } finally {
    office.close();
  }
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
