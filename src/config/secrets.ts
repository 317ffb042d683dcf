import { type Config, secretsOf } from './config.ts';

/** Shorter ones are words that stand in any log. */
const LEAST_LENGTH = 4;

/**
 * Every secret of the settings in each form in which it could stand in a text: as it is, in JSON, in a URL, and inside the header of
 * HTTP's basic authentication, which Twilio's REST API takes. Longest first, so that a part never hides a whole.
 */
export function secretForms(config: Config): readonly string[] {
  const secrets = secretsOf(config).filter((secret) => secret.length >= LEAST_LENGTH);
  const { twilioAccountSid, twilioApiKey } = config;
  const users = [twilioAccountSid, twilioApiKey].filter((user) => user !== null);
  const forms = secrets.flatMap((secret) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    ...users.map((user) => Buffer.from(`${user}:${secret}`).toString('base64').replace(/=+$/, '')),
  ]);
  return [...new Set([...forms, ...queryValues(config.openaiWebsocketUrl)])].toSorted((a, b) => b.length - a.length);
}

/** Some compatible servers take their key in the address. Ordinary words of an address are let stand. */
function queryValues(address: string): readonly string[] {
  if (!URL.canParse(address)) return [];
  const { searchParams, password } = new URL(address);
  const keys = [...searchParams].filter(([name]) => /key|token|secret|sig/i.test(name)).map(([, value]) => value);
  return [...keys, password].filter((value) => value.length >= LEAST_LENGTH);
}
