import { SETTINGS } from './schema.ts';

const HEADER = `# Settings of Switchboard. Copy this file to .env and fill in what you need; what stays commented out keeps the value shown.
# Generated from src/config/schema.ts by scripts/env-example.ts.
`;

/** The text of `.env.example`: every setting with what it does and what it is when nobody sets it. */
export function envExample(): string {
  const entries = Object.values(SETTINGS).map(
    ({ name, about, fallback }) => `# ${about}\n# ${name}=${written(fallback)}\n`,
  );
  return [HEADER, ...entries].join('\n');
}

function written(fallback: unknown): string {
  if (fallback === null) return '';
  return Array.isArray(fallback) ? fallback.join(',') : String(fallback);
}
