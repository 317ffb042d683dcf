/** `switchboard voipms`: one call of the VoIP.ms API, for a person at a terminal or a script. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Config, complaintsError, processSources, readConfig } from '../config/config.ts';
import { secretForms } from '../config/secrets.ts';
import { keptApart } from '../config/simulated.ts';
import { ConfigError, UpstreamError, UserInputError } from '../errors.ts';
import { masked, short } from '../mcp/audit.ts';
import { claimStdout } from '../mcp/stdout.ts';
import { createVoipMsClient, type VoipMsAnswer } from '../pbx/voipms/client.ts';
import { startVoipMsSimulator } from '../simulator/voipms/account.ts';
import { type AuditFile, openAuditFile } from '../store/files/audit-file.ts';
import { systemClock } from '../switchboard/clock.ts';
import { VERSION } from '../version.ts';
import { createLogger } from './log.ts';
import { BLOTTED, blottedValue, isSecretName, without } from './voipms/blot.ts';
import { bashCompletion } from './voipms/completion.ts';
import { FORMATS, type Format, shown } from './voipms/format.ts';
import { helpFor, methodList } from './voipms/help.ts';
import { type ApiRequest, readApiRequest } from './voipms/request.ts';

interface Command {
  readonly words: readonly string[];
  readonly format: Format;
  readonly dryRun: boolean;
  readonly rawParams: boolean;
  readonly help: boolean;
}

/** The account that is asked. */
interface Access {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  close(): Promise<void>;
}

/** Exit code 0: done; 1: not done, or not known whether it was; 2: the command has to be changed. */
export async function run(words: readonly string[]): Promise<number> {
  const { config, complaints } = readConfig(processSources());
  const secrets = [...secretForms(config), ...typedSecrets(words)];
  const tell = (text: string): void => void claimStdout().write(without(text, secrets));
  try {
    const command = readCommand(words);
    const text = textFor(command);
    if (text !== null) {
      tell(text);
      return 0;
    }
    const reading = { nowMs: systemClock.wall(), rawParams: command.rawParams };
    const request = readApiRequest(command.words, reading);
    for (const note of request.notes) process.stderr.write(`switchboard: ${without(note, secrets)}\n`);
    if (complaints.length > 0 && !command.dryRun) throw complaintsError(complaints);
    tell(command.dryRun ? planOf(request, config, command.format) : await answerOf(request, config, command.format));
    return 0;
  } catch (error) {
    const message = without(error instanceof Error ? error.message : 'it failed.', secrets);
    process.stderr.write(`switchboard: ${message}\n`);
    if (words.includes('json') || words.includes('--format=json')) tell(`${JSON.stringify({ error: message })}\n`);
    return error instanceof UserInputError ? 2 : 1;
  }
}

/** Values of the command line that must not come back. */
function typedSecrets(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    const equals = word.indexOf('=');
    return equals > 0 && isSecretName(word.slice(0, equals)) ? [word.slice(equals + 1)] : [];
  });
}

function readCommand(words: readonly string[]): Command {
  const { values, positionals } = parsed(words);
  const format = FORMATS.find((one) => one === values.format);
  if (format === undefined) throw new UserInputError(`--format is one of ${FORMATS.join(', ')}.`);
  return {
    words: positionals,
    format,
    dryRun: values['dry-run'],
    rawParams: values['raw-params'],
    help: values.help,
  };
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        'dry-run': { type: 'boolean', default: false },
        'raw-params': { type: 'boolean', default: false },
        format: { type: 'string', default: 'pretty' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch {
    // What the parser says repeats the words, among which a secret may be.
    throw new UserInputError('There is an option that switchboard voipms does not have. See: switchboard voipms help');
  }
}

/** Help and the like, which need no account; null for a call of the API. */
function textFor({ words: [first, second], help }: Command): string | null {
  if (first === undefined) return helpFor(undefined);
  if (first === 'help') return helpFor(second);
  if (help) return helpFor(first);
  if (first === 'list') return methodList(second);
  if (first !== 'completion') return null;
  if (second !== 'bash') throw new UserInputError('Completion is there for bash: switchboard voipms completion bash');
  return bashCompletion();
}

/** The call that would be made. */
function planOf({ method, params, changes }: ApiRequest, config: Config, format: Format): string {
  const { origin, pathname } = new URL(config.voipmsApiUrl);
  const url = `${origin}${pathname}`;
  const visible = blottedValue(params) as Readonly<Record<string, string>>;
  if (format === 'json') return `${JSON.stringify({ dryRun: true, method, params: visible, changes, url }, null, 2)}\n`;
  if (format === 'raw') return `${url}?${new URLSearchParams({ method, ...visible })}\n`;
  const lines = Object.entries(visible).map(([name, value]) => `  ${name} = ${value}`);
  const effect = changes ? 'It changes something. ' : '';
  return [`Would call ${method} at ${url}`, ...lines, `${effect}Nothing was called.`, ''].join('\n');
}

async function answerOf(request: ApiRequest, given: Config, format: Format): Promise<string> {
  const config = keptApart(given);
  const access = given.simulate ? await simulated() : accessOf(config);
  const logger = createLogger(config.logLevel === 'info' ? { ...config, logLevel: 'warn' } : config);
  const client = createVoipMsClient({ ...access, clock: systemClock, logger });
  try {
    const call = (): Promise<VoipMsAnswer> => client.call(request.method, request.params, { changes: request.changes });
    const answer = request.changes ? await audited(request, join(config.dataDir, 'audit.jsonl'), call) : await call();
    return without(shown(answer, format, request.changes), [access.password]);
  } finally {
    client.close();
    await access.close();
  }
}

function accessOf({ voipmsApiUrl: url, voipmsApiUsername: username, voipmsApiPassword: password }: Config): Access {
  if (username !== null && password !== null) return { url, username, password, close: async () => undefined };
  const settings = [
    ...(username === null ? ['VOIPMS_API_USERNAME'] : []),
    ...(password === null ? ['VOIPMS_API_PASSWORD'] : []),
  ];
  throw new ConfigError(
    `${settings.join(' and ')} must be set in the environment or in .env; --simulate tries it without an account.`,
    { settings },
  );
}

async function simulated(): Promise<Access> {
  const { url, username, password, stop } = await startVoipMsSimulator();
  process.stderr.write(
    'switchboard: this is a SIMULATED account; nothing that it says is real, and nothing is kept.\n',
  );
  return { url, username, password, close: stop };
}

/** What is changed is put down before and after; without the first line it is not done. */
async function audited(request: ApiRequest, path: string, call: () => Promise<VoipMsAnswer>): Promise<VoipMsAnswer> {
  const audit = openAuditFile(path);
  const id = randomUUID();
  const startedAtMs = systemClock.now();
  const at = (): string => new Date(systemClock.wall()).toISOString();
  await begin(audit, {
    at: at(),
    id,
    phase: 'started',
    tool: `switchboard voipms ${request.method}`,
    transport: 'cli',
    who: 'local',
    client: `switchboard ${VERSION}`,
    request: Object.fromEntries(
      Object.entries(request.params).map(([name, value]) => [name, auditedValue(name, value)]),
    ),
  });
  let outcome = 'failure';
  let code: string | null = null;
  try {
    const answer = await call();
    outcome = 'success';
    return answer;
  } catch (error) {
    code = error instanceof UpstreamError ? (error.code ?? null) : null;
    throw error;
  } finally {
    const durationMs = Math.round(systemClock.now() - startedAtMs);
    // What was done cannot be undone for want of a line.
    await audit.write({ at: at(), id, phase: 'done', outcome, code, callId: null, durationMs }).catch(() => {
      process.stderr.write('switchboard: the audit lacks the end of this call.\n');
    });
    await audit.close();
  }
}

async function begin(audit: AuditFile, entry: object): Promise<void> {
  try {
    await audit.write(entry);
  } catch (cause) {
    const why = cause instanceof UpstreamError ? cause.message : 'The audit log cannot be written.';
    throw new UpstreamError(`${why} Nothing was called, as nothing is changed without an entry there.`, {
      cause,
      retryable: false,
    });
  }
}

const NUMBERS: ReadonlySet<string> = new Set([
  'callerid',
  'contact',
  'dst',
  'number',
  'phone_number',
  'sms_forward',
  'to_number',
]);
/** What people write, and files: only how much of it there was. */
const TEXTS: ReadonlySet<string> = new Set(['file', 'media1', 'media2', 'media3', 'message']);

/** As the audit of the tools has it: numbers can be recognised, not looked up. */
function auditedValue(name: string, value: string): string {
  if (isSecretName(name)) return BLOTTED;
  if (TEXTS.has(name)) return `${value.length} characters`;
  if (NUMBERS.has(name) && value.length >= 7) return masked(value);
  if (name === 'email') return short(value).replace(/^.*@/, '…@');
  return name === 'did' ? short(value) : short(value).replace(/\+?\d{10,15}/g, masked);
}
