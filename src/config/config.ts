import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import type { Via } from '../call/words.ts';
import { ConfigError } from '../errors.ts';
import { defaultDataFolder, type Machine } from './data-folder.ts';
import { readFlags } from './flags.ts';
import { isLoopback } from './kinds.ts';
import { SETTINGS, type Setting, type SettingKey } from './schema.ts';

type Values = {
  readonly [Key in SettingKey]: (typeof SETTINGS)[Key] extends Setting<infer T> ? T : never;
};

/** Every setting by its key in the schema; frozen. Unset optional ones are null. */
export interface Config extends Omit<Values, 'dataDir'> {
  /** Absolute. */
  readonly dataDir: string;
  /** The simulators stand in for the telephone and the model; only ever by the flag `--simulate`. */
  readonly simulate: boolean;
}

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv?: readonly string[];
  /** Read when it exists; the real environment wins over it. */
  readonly dotenvFile?: string;
  readonly machine?: Machine;
}

/** Something that the operator must change; `message` is a sentence that names the setting, and never a secret. */
export interface Complaint {
  readonly setting: string;
  readonly message: string;
}

export interface ConfigReading {
  readonly config: Config;
  readonly complaints: readonly Complaint[];
  /** Names of the settings that somebody gave. */
  readonly given: readonly string[];
  /** The words of the command line that are no settings. */
  readonly rest: readonly string[];
}

/** The environment of this process, for the few who need more of it than settings. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** The sources of this process: its environment, its command line, and `.env` in the current folder. */
export function processSources(): ConfigSources {
  return { env: process.env, argv: process.argv.slice(2), dotenvFile: resolve('.env') };
}

/**
 * Reads the settings and never throws: a bad value falls back to its default, and is complained of. For a server that must
 * answer whatever its settings are. Flags win over the environment, which wins over the file.
 */
export function readConfig(sources: ConfigSources): ConfigReading {
  const flags = readFlags(sources.argv ?? []);
  const file = readDotenv(flags.settingsFile ?? sources.dotenvFile, flags.settingsFile !== null);
  const complaints: Complaint[] = [...file.complaints, ...flags.complaints];
  const given = (name: string): string | undefined =>
    [flags.values[name], sources.env[name], file.values[name]].map((value) => value?.trim()).find(isSet);

  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(SETTINGS)) {
    const read = readSetting(setting as Setting<unknown>, given(setting.name));
    values[key] = read.value;
    if (read.complaint) complaints.push(read.complaint);
  }
  const machine = sources.machine ?? { platform: process.platform, home: homedir() };
  const dataDir = dataFolder(values.dataDir as string | null, sources.env, machine);
  const draft = { ...(values as unknown as Values), dataDir, simulate: flags.simulate };
  const { config, complaints: crossed } = crossCheck(draft, complaints);
  const names = Object.values(SETTINGS).map(({ name }) => name);
  return {
    config: freeze(config),
    complaints: [...complaints, ...crossed],
    given: names.filter((name) => given(name) !== undefined),
    rest: flags.rest,
  };
}

/** Hosts of bundles pass on the name of an answer that nobody gave. Any other reference was meant to say something: it is read, and complained of. */
function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '' && !/^\$\{user_config\.[^}]*\}$/.test(value);
}

/**
 * Reads the settings for a command that cannot go on without good ones.
 * @throws ConfigError that lists every complaint at once.
 */
export function loadConfig(sources: ConfigSources): Config {
  const { config, complaints } = readConfig(sources);
  if (complaints.length > 0) throw complaintsError(complaints);
  return config;
}

/** The complaints as the one error that tells them all. */
export function complaintsError(complaints: readonly Complaint[]): ConfigError {
  const settings = [...new Set(complaints.map((complaint) => complaint.setting))];
  return new ConfigError(complaints.map((complaint) => complaint.message).join('\n'), { settings });
}

const NEEDED = {
  twilio: ['publicUrl', 'twilioAccountSid', 'twilioAuthToken', 'twilioNumber', 'openaiApiKey'],
  // Asterisk connects to us by itself, so no public address is needed.
  asterisk: ['amiHost', 'amiUsername', 'amiSecret', 'asteriskMediaUsername', 'asteriskMediaPassword', 'openaiApiKey'],
  // Nor for 3CX, which we connect to.
  '3cx': ['pbxFqdn', 'pbxClientId', 'pbxClientSecret', 'openaiApiKey'],
} as const satisfies Record<Via, readonly SettingKey[]>;

/** The telephone systems of an office that carry calls, by what they are called. */
const OFFICES = { asterisk: 'Asterisk', '3cx': '3CX' } as const satisfies Partial<Record<Via, string>>;

/** How calls go that do not say it: over Twilio, unless only a telephone system of the office is set up, or has been begun to be. */
export function usualVia(config: Config): Via {
  const isSet = (keys: readonly SettingKey[]): boolean => keys.every((key) => config[key] !== null);
  if (config.simulate || isSet(NEEDED.twilio)) return 'twilio';
  const hasAccount = config.twilioAccountSid !== null || config.twilioNumber !== null;
  const isBegun = config.amiHost !== null && config.asteriskMediaUsername !== null;
  if (isSet(NEEDED.asterisk) || (isBegun && !hasAccount)) return 'asterisk';
  return isSet(NEEDED['3cx']) ? '3cx' : 'twilio';
}

/** Names of the settings without which no call can be placed that way; none on the simulated telephone network. */
export function missingForCalls(config: Config, via: Via = usualVia(config)): readonly string[] {
  if (config.simulate && via === 'twilio') return [];
  const needed = NEEDED[via].filter((key) => !(config.simulate && key === 'openaiApiKey'));
  return needed.filter((key) => config[key] === null).map((key) => SETTINGS[key].name);
}

/**
 * Passes when calls can be placed with these settings.
 * @throws ConfigError that says what is missing, and repeats the complaints of the reading.
 */
export function requireForCalls(
  config: Config,
  complaints: readonly Complaint[] = [],
  via: Via = usualVia(config),
): void {
  const complainedOf = new Set(complaints.map((complaint) => complaint.setting));
  const office = via === 'twilio' ? null : OFFICES[via];
  const address = { twilio: null, asterisk: config.amiHost, '3cx': config.pbxFqdn }[via];
  if (office !== null && config.simulate && address === null)
    throw new ConfigError(
      `With --simulate the telephones of the office are left alone, so no call goes over ${office}. Leave via out to place a simulated call.`,
      { settings: [] },
    );
  const missing = missingForCalls(config, via).filter((name) => !complainedOf.has(name));
  if (missing.length === 0 && complaints.length === 0) return;
  const sentences = complaints.map((complaint) => complaint.message);
  if (missing.length > 0) {
    const verb = missing.length === 1 ? 'is not set' : 'are not set';
    const advice =
      'Set what is missing in the environment of the server or in its .env file, then restart it; or start it with --simulate to try it without accounts.';
    const way = office === null ? '' : `over ${office} `;
    sentences.push(`Calls ${way}cannot be placed yet: ${missing.join(', ')} ${verb}. ${advice}`);
  }
  throw new ConfigError(sentences.join('\n'), { settings: [...complainedOf, ...missing] });
}

/** Every secret in the settings, for a log to blot out. */
export function secretsOf(config: Config): readonly string[] {
  return Object.entries(SETTINGS)
    .filter(([, setting]) => setting.secret)
    .map(([key]) => config[key as SettingKey])
    .filter((value): value is string => typeof value === 'string');
}

function readSetting(
  setting: Setting<unknown>,
  given: string | undefined,
): { readonly value: unknown; readonly complaint?: Complaint } {
  if (given === undefined) return { value: setting.fallback };
  const parsed = setting.kind.safeParse(given);
  if (parsed.success) return { value: parsed.data };
  const message = firstMessage(parsed.error);
  const shown = setting.secret ? '' : `; it is ${JSON.stringify(withoutUserInfo(given).slice(0, 80))}`;
  return {
    value: setting.fallback,
    complaint: { setting: setting.name, message: `${setting.name} ${message}${shown}.` },
  };
}

function firstMessage(error: z.ZodError): string {
  return error.issues[0]?.message ?? 'cannot be read';
}

/** A password in a URL is a secret, whatever the setting is, and so may be what stands in its query. */
function withoutUserInfo(value: string): string {
  return value.replace(/\/\/[^/?#]*@/, '//…@').replace(/([?&][^=&#\s]*=)[^&#\s]+/g, '$1…');
}

/** Rules between settings. A setting that breaks one falls back to what is safe. */
function crossCheck(
  draft: Config,
  earlier: readonly Complaint[],
): { readonly config: Config; readonly complaints: readonly Complaint[] } {
  const complaints: Complaint[] = [];
  let config = draft;
  const complainedOf = (name: string): boolean => earlier.some((complaint) => complaint.setting === name);
  if ((draft.twilioApiKey === null) !== (draft.twilioApiSecret === null)) {
    const [present, absent] =
      draft.twilioApiKey === null ? ['TWILIO_API_SECRET', 'TWILIO_API_KEY'] : ['TWILIO_API_KEY', 'TWILIO_API_SECRET'];
    if (!complainedOf(absent))
      complaints.push({ setting: absent, message: `${absent} must be set as well when ${present} is set.` });
    config = { ...config, twilioApiKey: null, twilioApiSecret: null };
  }
  const audience = draft.oauthAudience ?? (draft.mcpUrl === null ? null : `${draft.mcpUrl}/mcp`);
  if (draft.oauthIssuer !== null && audience === null) {
    const message = 'OAUTH_ISSUER needs to know for whom its tokens are meant: set MCP_URL, or OAUTH_AUDIENCE.';
    complaints.push({ setting: 'OAUTH_ISSUER', message });
    config = { ...config, oauthIssuer: null };
  } else config = { ...config, oauthAudience: audience };
  const hasTokens = draft.mcpAuthToken !== null || draft.mcpTokensFile !== null || config.oauthIssuer !== null;
  if (!isLoopback(draft.mcpHost) && !hasTokens) {
    const message = `MCP_HOST is ${JSON.stringify(draft.mcpHost)}, which other machines can reach: set MCP_AUTH_TOKEN to a random text of 16 characters or more, or leave MCP_HOST at 127.0.0.1.`;
    complaints.push({ setting: 'MCP_HOST', message });
    config = { ...config, mcpHost: SETTINGS.mcpHost.fallback };
  }
  if (draft.mcpUrl !== null && !isLoopback(new URL(draft.mcpUrl).hostname) && !hasTokens) {
    const message =
      'MCP_URL leads other machines to the private listener, which would let all of them in: set MCP_AUTH_TOKEN, MCP_TOKENS_FILE or OAUTH_ISSUER.';
    complaints.push({ setting: 'MCP_URL', message });
    config = { ...config, mcpUrl: null };
  }
  return { config, complaints };
}

function dataFolder(given: string | null, env: ConfigSources['env'], machine: Machine): string {
  if (given === null) return defaultDataFolder(env, machine);
  // A shell would have replaced the tilde; a .env file has no shell.
  return resolve(given === '~' || given.startsWith('~/') ? join(machine.home, given.slice(1)) : given);
}

/** One that was named must be there. */
function readDotenv(
  file: string | undefined,
  named: boolean,
): {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly complaints: readonly Complaint[];
} {
  if (file === undefined) return { values: {}, complaints: [] };
  try {
    return { values: parseEnv(readFileSync(file, 'utf8')), complaints: [] };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT' && !named) return { values: {}, complaints: [] };
    const which = named ? `The file of --settings (${file})` : 'The file .env';
    return {
      values: {},
      complaints: [
        {
          setting: '.env',
          message: `${which} could not be read (${code}). Make it readable, or ${named ? 'name another one' : 'remove it'}.`,
        },
      ],
    };
  }
}

function freeze(config: Config): Config {
  for (const value of Object.values(config)) {
    if (typeof value === 'object' && value !== null) Object.freeze(value);
  }
  return Object.freeze(config);
}
