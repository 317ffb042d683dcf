import { type Config, secretsOf } from './config.ts';

/** Shorter ones are words that stand in any log. */
const LEAST_LENGTH = 4;
/** A log line is one, an error's details in it may be another, and what a vendor answered a third. */
const JSON_LEVELS = 3;

/**
 * Every secret of the settings in each form in which it could stand in a text: as it is, in JSON, in a URL, and inside the header of
 * HTTP's basic authentication, which Twilio's REST API takes and Asterisk shows. Longest first, so that a part never hides a whole.
 */
export function secretForms(config: Config): readonly string[] {
  const secrets = secretsOf(config).filter((secret) => secret.length >= LEAST_LENGTH);
  const { twilioAccountSid, twilioApiKey, asteriskMediaUsername } = config;
  const users = [twilioAccountSid, twilioApiKey, asteriskMediaUsername].filter((user) => user !== null);
  const forms = secrets.flatMap((secret) => [
    secret,
    ...escaped(secret, JSON_LEVELS),
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    ...users.map((user) => Buffer.from(`${user}:${secret}`).toString('base64').replace(/=+$/, '')),
  ]);
  const inAddresses = [config.openaiWebsocketUrl, config.cdrDatabaseUrl].flatMap(secretsInAddress);
  return [...new Set([...forms, ...inAddresses])].toSorted((a, b) => b.length - a.length);
}

/** As it stands in a JSON text, in a JSON text within one, and so on. */
function escaped(text: string, levels: number): readonly string[] {
  if (levels === 0) return [];
  const inJson = JSON.stringify(text).slice(1, -1);
  return [inJson, ...escaped(inJson, levels - 1)];
}

/** Some compatible servers take their key in the address, databases their password. Ordinary words of an address are let stand. */
function secretsInAddress(address: string | null): readonly string[] {
  if (address === null || !URL.canParse(address)) return [];
  const { searchParams, password } = new URL(address);
  const keys = [...searchParams]
    .filter(([name]) => /key|token|secret|sig|password/i.test(name))
    .map(([, value]) => value);
  return [...keys, password, decoded(password)].filter((value) => value.length >= LEAST_LENGTH);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
