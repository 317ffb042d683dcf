/** VoIP.ms, out of the settings alone. */
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { type Finding, fail, ok } from '../doctor/finding.ts';
import { ConfigError } from '../errors.ts';
import { createTranscriber } from '../models/openai/transcribe.ts';
import { createVoipMs, type VoipMs } from '../pbx/voipms/operations.ts';
import { openTranscriptFolder } from '../store/files/transcripts.ts';
import type { Clock } from '../switchboard/clock.ts';
import type { Logger } from '../switchboard/logger.ts';
import { examined, notConfigured } from './late.ts';
import type { SendSms } from './threecx.ts';

/** A recording is a file of minutes. */
const TRANSCRIBE_MS = 120_000;

/** @throws ConfigError that says what is missing */
export function requireVoipMs(config: Config, clock: Clock, logger: Logger): VoipMs {
  const { voipmsApiUsername, voipmsApiPassword, openaiApiKey } = config;
  if (voipmsApiUsername === null || voipmsApiPassword === null) throw whyNone(config);
  return createVoipMs({
    url: config.voipmsApiUrl,
    username: voipmsApiUsername,
    password: voipmsApiPassword,
    changesPerMinute: config.voipmsChangesPerMinute,
    emailRecipients: config.voipmsEmailRecipients,
    transcribe:
      openaiApiKey === null
        ? null
        : createTranscriber({
            apiKey: openaiApiKey,
            baseUrl: config.openaiApiUrl,
            model: config.openaiRecordingModel,
            timeoutMs: TRANSCRIBE_MS,
          }),
    transcripts: openTranscriptFolder(join(config.dataDir, 'transcripts')),
    clock,
    logger,
  });
}

function whyNone({ voipmsApiUsername, voipmsApiPassword, simulate }: Config): ConfigError {
  if (simulate && voipmsApiUsername === null)
    return new ConfigError(
      'With --simulate the account at VoIP.ms is left alone, whatever is set. Add --toolsets voice,voipms to try a simulated one, or start Switchboard without --simulate.',
      { settings: [] },
    );
  return notConfigured(
    'VoIP.ms',
    { VOIPMS_API_USERNAME: voipmsApiUsername, VOIPMS_API_PASSWORD: voipmsApiPassword },
    'docs/voipms.md says how to enable the API.',
  );
}

/** Text messages by VoIP.ms, for systems that cannot send any; null while settings are missing. */
export function smsOf(config: Config, voipms: () => VoipMs): SendSms | null {
  const { voipmsSmsNumber: from, voipmsApiUsername, voipmsApiPassword } = config;
  if (from === null || voipmsApiUsername === null || voipmsApiPassword === null) return null;
  return async ({ to, text }) => {
    const { id } = await voipms().sendSms({ from, to, text });
    return { from, to, carrier: 'VoIP.ms', id };
  };
}

/** For `switchboard doctor`: nothing where no account is configured. Never rejects for what it finds. */
export async function examineVoipMs(config: Config, clock: Clock, logger: Logger): Promise<readonly Finding[]> {
  if (config.voipmsApiUsername === null && config.voipmsApiPassword === null) return [];
  return await examined(
    'voipms',
    () => requireVoipMs(config, clock, logger),
    async (voipms) => {
      const { trouble } = await voipms.look();
      return [trouble === null ? ok('voipms', 'The API of VoIP.ms answers.') : fail('voipms', trouble)];
    },
  );
}
