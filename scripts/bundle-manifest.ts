import { readFileSync } from 'node:fs';
import { SETTINGS, type SettingKey } from '../src/config/schema.ts';
import { PROMPTS, TOOLS } from '../src/mcp/catalogue.ts';

/** What the bundle's settings page asks for; the rest can be set in a file of settings. */
const ASKED: readonly (readonly [key: SettingKey, title: string])[] = [
  ['publicUrl', 'Public address'],
  ['twilioAccountSid', 'Twilio account SID'],
  ['twilioAuthToken', 'Twilio auth token'],
  ['twilioNumber', 'Your Twilio number'],
  ['openaiApiKey', 'OpenAI API key'],
  ['openaiVoice', 'Voice'],
  ['allowedNumbers', 'Allowed numbers'],
  ['maxCallsPerHour', 'Calls an hour'],
  ['confirmCalls', 'Ask before each call'],
  ['readOnly', 'Only read'],
  ['amiHost', 'Asterisk: address of its manager'],
  ['amiUsername', 'Asterisk: manager account'],
  ['amiSecret', 'Asterisk: secret of that account'],
  ['asteriskContext', 'Asterisk: context of calls'],
];

/** `manifest.json` of the MCP bundle (manifest version 0.3). The program stands in `server/`. */
export function bundleManifest(): object {
  const { version, license, description } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return {
    manifest_version: '0.3',
    name: 'switchboard',
    display_name: 'Switchboard',
    version,
    description,
    long_description:
      'An AI voice agent that calls people for you and hands back what was said. Needs a Twilio account, an OpenAI key and an https address that leads to this computer; without them it starts and says what is missing.',
    author: { name: 'The Switchboard authors' },
    license,
    keywords: ['telephone', 'voice', 'calls', 'twilio'],
    server: {
      type: 'node',
      entry_point: 'server/dist/cli.js',
      mcp_config: {
        command: 'node',
        args: ['${' + '__dirname}/server/dist/cli.js'],
        env: Object.fromEntries(ASKED.map(([key]) => [SETTINGS[key].name, placeholder(key)])),
      },
    },
    user_config: Object.fromEntries(ASKED.map(([key, title]) => [nameOf(key), asked(key, title)])),
    // Those that everybody gets; the settings of an office bring more.
    tools: TOOLS.filter(({ toolset }) => toolset === 'voice').map(({ name, description: about }) => ({
      name,
      description: about,
    })),
    tools_generated: true,
    prompts: PROMPTS.map(({ name, description: about, args }) => ({
      name,
      description: about,
      arguments: Object.keys(args),
      text: about,
    })),
    prompts_generated: true,
    compatibility: { platforms: ['darwin', 'win32', 'linux'], runtimes: { node: '>=22.18' } },
  };
}

function asked(key: SettingKey, title: string): object {
  const { about, secret, fallback } = SETTINGS[key];
  const type = typeof fallback === 'boolean' || typeof fallback === 'number' ? typeof fallback : 'string';
  const isEmpty = fallback === null || (Array.isArray(fallback) && fallback.length === 0);
  return {
    type,
    title,
    description: about,
    required: false,
    sensitive: secret,
    ...(isEmpty ? {} : { default: fallback }),
  };
}

function nameOf(key: SettingKey): string {
  return SETTINGS[key].name.toLowerCase();
}

/** What a host puts the user's answer in place of. */
function placeholder(key: SettingKey): string {
  return `\${user_config.${nameOf(key)}}`;
}
