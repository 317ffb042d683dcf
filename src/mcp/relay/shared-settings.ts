import type { Config, ConfigReading } from '../../config/config.ts';
import { SETTINGS, type SettingKey } from '../../config/schema.ts';
import { settingDigest } from './handshake.ts';

/** What each client's own process decides for its client; and the listener's own, which only its owner has. */
const OWN: ReadonlySet<SettingKey> = new Set<SettingKey>([
  'toolsets',
  'tools',
  'excludeTools',
  'readOnly',
  'confirmCalls',
  'logLevel',
  'dataDir',
]);

/** Whom a call may reach, who pays for it, how long and how often, and what is said and kept: with other values it is another call. */
const BINDING: ReadonlySet<SettingKey> = new Set<SettingKey>([
  'twilioAccountSid',
  'twilioNumber',
  'openaiApiKey',
  'openaiWebsocketUrl',
  'allowedNumbers',
  'blockedNumbers',
  'maxConcurrentCalls',
  'maxCallsPerHour',
  'maxCallSeconds',
  'aiDisclosure',
  'recordCalls',
  'twilioRecording',
  'amiHost',
  'asteriskContext',
  'asteriskPlus',
  'pbxFqdn',
  'pbxClientId',
  'voipmsApiUsername',
  'voipmsApiUrl',
]);

const SIMULATE = '--simulate';
/** In place of a digest. */
const UNREADABLE = 'unreadable';

export interface Differences {
  /** Settings with which this client's calls would be other calls than it was told; none may be placed then. */
  readonly binding: readonly string[];
  /** Settings of the client that could not be read, so that nobody knows what they were meant to forbid; no call either. */
  readonly unreadable: readonly string[];
  /** Settings whose values here have no effect. */
  readonly others: readonly string[];
}

/** Digests of the settings that somebody gave, by name. */
export function digestsOf(
  { config, given, complaints }: ConfigReading,
  token: string,
): Readonly<Record<string, string>> {
  const digests: Record<string, string> = { [SIMULATE]: settingDigest(token, SIMULATE, config.simulate) };
  for (const [key, name] of shared()) {
    if (given.includes(name)) digests[name] = settingDigest(token, name, config[key]);
  }
  for (const { setting } of complaints) digests[setting] = UNREADABLE;
  return digests;
}

/** Which of a client's settings are not those of the owner of the telephone. What a client was not given it takes as it is. */
export function differencesTo(config: Config, digests: Readonly<Record<string, string>>, token: string): Differences {
  const differs = (name: string, value: unknown): boolean =>
    digests[name] !== undefined && digests[name] !== UNREADABLE && digests[name] !== settingDigest(token, name, value);
  const different = shared().filter(([key, name]) => differs(name, config[key]));
  const simulate = differs(SIMULATE, config.simulate) ? [SIMULATE] : [];
  return {
    binding: [...simulate, ...different.filter(([key]) => BINDING.has(key)).map(([, name]) => name)],
    unreadable: Object.keys(digests).filter((name) => digests[name] === UNREADABLE),
    others: different.filter(([key]) => !BINDING.has(key)).map(([, name]) => name),
  };
}

function shared(): readonly (readonly [SettingKey, string])[] {
  return Object.entries(SETTINGS)
    .map(([key, { name }]) => [key as SettingKey, name] as const)
    .filter(([key]) => !OWN.has(key));
}
