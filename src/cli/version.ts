import { readFileSync } from 'node:fs';

/** The package's version; package.json stands one folder above dist/, and two above src/cli/. */
export const VERSION = readVersion();

function readVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const parsed: unknown = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'));
      if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
    } catch {
      // The other place, then.
    }
  }
  return '0.0.0';
}
