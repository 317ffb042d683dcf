import { pino } from 'pino';
import { type Config, secretsOf } from '../config/config.ts';

/** Structured log to stderr, one JSON object a line, with every secret of the settings blotted out wherever it stands. */
export function createLogger(config: Config): pino.Logger {
  const secrets = secretsOf(config).filter((secret) => secret.length >= 4);
  const destination = {
    write(line: string): void {
      process.stderr.write(secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), line));
    },
  };
  return pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
