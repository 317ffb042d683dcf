import { readFileSync } from 'node:fs';

/** The package's version. package.json stands one folder above this file, in the sources and in dist/. */
export const VERSION = readVersion();

function readVersion(): string {
  try {
    const parsed: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  } catch {
    // Somebody took it away.
  }
  return '0.0.0';
}
