export const BLOTTED = '[secret]';

/** Fields and parameters of the API that let somebody in, or a number out. `skip_password` is a yes or no, `sound_get_pin` an announcement. */
const SECRET_NAME = /^(?!skip_|sound_)(\w*(password|passwd|secret)|(\w+_)?(pass|pin)|security_code)$/i;
const SECRET_FIELD = /("([A-Za-z0-9_]{1,60})"\s*:\s*)("(?:\\.|[^"\\])*"|[^\s,}\]"[{]+)/g;
/** Shorter ones stand in any text. */
const LEAST_LENGTH = 4;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** The same with every secret field blotted out, however deep; empty ones stay. */
export function blottedValue(value: unknown, name = ''): unknown {
  if (isSecretName(name) && typeof value !== 'object') return value === '' || value === undefined ? value : BLOTTED;
  if (Array.isArray(value)) return value.map((one) => blottedValue(one, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, blottedValue(inner, key)]));
}

/** A text of JSON with its secret fields blotted out, and not changed otherwise; also where it is no whole JSON. */
export function blottedText(text: string): string {
  return text.replace(SECRET_FIELD, (all, before: string, name: string, value: string) =>
    isSecretName(name) && value !== '""' ? `${before}"${BLOTTED}"` : all,
  );
}

/** Replaces each of these wherever it stands. */
export function without(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= LEAST_LENGTH)
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, BLOTTED), text);
}
