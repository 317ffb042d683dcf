import { pino } from 'pino';
import type { Config } from '../config/config.ts';
import { secretForms } from '../config/secrets.ts';

/** JSON escapes the control characters below U+0020 only; these too can steer a terminal or hide text in it. */
const UNSEEN = /[\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g;

/** Structured log to stderr, one JSON object a line, with every secret of the settings blotted out wherever it stands. */
export function createLogger(config: Config): pino.Logger {
  const secrets = secretForms(config);
  const destination = {
    write(line: string): void {
      const visible = line.replace(
        UNSEEN,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
      process.stderr.write(secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), visible));
    },
  };
  return pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
