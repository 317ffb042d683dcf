/** A program that logs, as the server does, errors that carry secrets in every place where an error can hold something. */
import { createLogger } from '../../../src/cli/log.ts';
import { processSources, readConfig } from '../../../src/config/config.ts';
import { UpstreamError } from '../../../src/errors.ts';

const { config } = readConfig(processSources());
const logger = createLogger(config);
const secret = config.twilioApiSecret ?? '';
const authorization = `Basic ${Buffer.from(`${config.twilioApiKey}:${secret}`).toString('base64')}`;

class ClientError extends Error {
  readonly config = { headers: { authorization }, auth: { username: config.twilioApiKey, password: secret } };
  readonly url = `https://api.example.com/?secret=${encodeURIComponent(secret)}`;
}

const deep = new ClientError(`refused: ${secret}`);
const cause = new Error('one level up', { cause: deep });
const err = new UpstreamError('The service refused.', { retryable: false, cause });
logger.error({ err, note: process.env.CANARY }, 'a failure with a cause');
logger.error({ err: deep }, `in the message: ${secret}`);
logger.warn({ nested: { deep: [secret, config.openaiApiKey] } }, 'in a field');
logger.debug({ twice: JSON.stringify({ text: JSON.stringify(config.twilioAuthToken) }) }, 'in JSON within JSON');
logger.error({ said: '\u009b31m\u202Eturned' }, 'what a terminal would obey');
