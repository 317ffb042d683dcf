import { stat } from 'node:fs/promises';
import { type ConfigReading, missingForCalls } from '../config/config.ts';
import { type Finding, fail, ok, skipped, warn } from './finding.ts';

const CHECK = 'settings';

/** Everything that is wrong with the settings, and everything that is missing, a finding each. */
export function checkSettings({ config, complaints }: ConfigReading): readonly Finding[] {
  const complained = complaints.map(({ setting, message }) => fail(CHECK, message, `Set ${setting} anew.`));
  const named = new Set(complaints.map(({ setting }) => setting));
  const { toolsets, inboundContext } = config;
  if (toolsets.length > 0 && !toolsets.includes('voice') && inboundContext === null && complained.length === 0)
    return [skipped(CHECK, 'All can be read. What calls need was not looked for: TOOLSETS leaves them out.')];
  const missing = missingForCalls(config).filter((name) => !named.has(name));
  const absent = missing.map((name) => fail(CHECK, `${name} is not set.`, WHERE[name] ?? `Set ${name}.`));
  if (complained.length + absent.length > 0) return [...complained, ...absent];
  const whose = config.simulate ? 'the simulators stand in for accounts' : 'everything that a call needs is set';
  return [ok(CHECK, `All can be read, and ${whose}.`)];
}

const PLACE = 'in the environment of the server or in its .env file';
const WHERE: Readonly<Record<string, string>> = {
  PUBLIC_URL: `Set it ${PLACE}: the https address that leads to this server, such as https://calls.example.com.`,
  TWILIO_ACCOUNT_SID: `Set it ${PLACE}; the Twilio console shows it under Account info.`,
  TWILIO_AUTH_TOKEN: `Set it ${PLACE}; the Twilio console shows it under Account info.`,
  TWILIO_NUMBER: `Set it ${PLACE}: a voice number of the Twilio account, such as +14155550100.`,
  AMI_HOST: `Set it ${PLACE}: the address of Asterisk’s manager; docs/asterisk.md.`,
  AMI_USERNAME: `Set it ${PLACE}: the account of manager.conf that docs/asterisk.md shows.`,
  AMI_SECRET: `Set it ${PLACE}: the secret of that account.`,
  ASTERISK_MEDIA_USERNAME: `Set it ${PLACE}: what websocket_client.conf has as username; docs/asterisk.md.`,
  ASTERISK_MEDIA_PASSWORD: `Set it ${PLACE}: what websocket_client.conf has as password; docs/asterisk.md.`,
  PBX_FQDN: `Set it ${PLACE}: the address of the 3CX; docs/3cx.md.`,
  PBX_CLIENT_ID: `Set it ${PLACE}: the Client ID of the API client; docs/3cx.md.`,
  PBX_CLIENT_SECRET: `Set it ${PLACE}: the API key that 3CX shows once.`,
  OPENAI_API_KEY: `Set it ${PLACE}; OpenAI's platform makes one under API keys.`,
};

/** A price table that cannot be used spoils figures, not calls. */
export function checkPrices(complaint: string | null): readonly Finding[] {
  if (complaint === null) return [];
  return [warn('prices', complaint, 'Mend the file, or unset PRICES_FILE for the built-in prices.')];
}

/** A file with secrets in it is for its owner alone. Null when there is no such file, or no such thing as modes. */
export async function checkDotenv(path: string): Promise<Finding | null> {
  if (process.platform === 'win32') return null;
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile()) return null;
  const mode = found.mode & 0o777;
  if ((mode & 0o077) === 0) return ok('.env', 'The file .env is for its owner alone.');
  return warn(
    '.env',
    `The file .env holds secrets, and others on this machine may read it (mode ${modeText(mode)}).`,
    'chmod 600 .env',
  );
}

export function modeText(mode: number): string {
  return `0${mode.toString(8).padStart(3, '0')}`;
}
