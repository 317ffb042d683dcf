import { join } from 'node:path';
import type { Config } from './config.ts';
import { isLoopback } from './kinds.ts';
import { SETTINGS } from './schema.ts';

/** The simulators never leave this machine: whatever is set besides, an address elsewhere is a real service. */
export function leadsToSimulators({ twilioApiBaseUrl, openaiWebsocketUrl }: Config): boolean {
  return [twilioApiBaseUrl, openaiWebsocketUrl].every((url) => url !== null && isLoopback(new URL(url).hostname));
}

/**
 * The settings with what is meant for real calls taken out when simulated ones are placed: the account, the address, the model,
 * the office telephone system, and the store, in which an idempotency key, the hourly limit or a stranded call of the one would count for the other.
 */
export function keptApart(given: Config): Config {
  if (!given.simulate) return given;
  const config = { ...given, ...officesApart(given) };
  if (leadsToSimulators(config)) return config;
  const isLocal = config.publicUrl !== null && isLoopback(new URL(config.publicUrl).hostname);
  return {
    ...config,
    dataDir: join(config.dataDir, 'simulated'),
    host: SETTINGS.host.fallback,
    publicUrl: isLocal ? config.publicUrl : null,
    twilioAuthTokenSecondary: null,
    twilioApiKey: null,
    twilioApiSecret: null,
    // Its telephones would ring.
    ...{ amiHost: null, amiUsername: null, amiSecret: null, cdrDatabaseUrl: null },
    ...{ asteriskMediaUsername: null, asteriskMediaPassword: null, asteriskAudioSocket: null, inboundContext: null },
    openaiRealtimeDialect: SETTINGS.openaiRealtimeDialect.fallback,
    openaiRealtimeModel: SETTINGS.openaiRealtimeModel.fallback,
    openaiTranscriptionModel: SETTINGS.openaiTranscriptionModel.fallback,
  };
}

/** A 3CX and a VoIP.ms elsewhere than on this machine are real, and so is a 3CX that has a certificate. */
function officesApart({ pbxFqdn, voipmsApiUrl, openaiApiUrl }: Config): Partial<Config> {
  const isHere = (url: string | null): boolean => url !== null && isLoopback(new URL(url).hostname);
  return {
    ...(isHere(pbxFqdn) && pbxFqdn?.startsWith('http:')
      ? {}
      : { pbxFqdn: null, pbxClientId: null, pbxClientSecret: null, pbxDefaultExtension: null }),
    ...(isHere(voipmsApiUrl) && isHere(openaiApiUrl)
      ? {}
      : { voipmsApiUsername: null, voipmsApiPassword: null, voipmsSmsNumber: null }),
  };
}
