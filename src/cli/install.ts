import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { missingForCalls, processEnvironment, processSources, readConfig, secretsOf } from '../config/config.ts';
import { flagOf, readFlags } from '../config/flags.ts';
import { UserInputError } from '../errors.ts';
import { type ClientScope, clientOf, MCP_CLIENTS, type McpClient } from '../install/clients.ts';
import { shownDiff } from '../install/diff.ts';
import { type EntryPlan, planEntry, settingsIn, TOKEN_VARIABLE } from '../install/entry.ts';
import { mergeEntry } from '../install/merge.ts';
import { type ClientFile, readClientFile, replaceClientFile } from '../install/write-file.ts';
import { claimStdout } from '../mcp/stdout.ts';
import { VERSION } from '../version.ts';

const OPTIONS = {
  name: { type: 'string', default: 'switchboard' },
  scope: { type: 'string', default: 'user' },
  url: { type: 'string' },
  config: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  remove: { type: 'boolean', default: false },
  force: { type: 'boolean', default: false },
  npx: { type: 'boolean', default: false },
  'copy-secrets': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

const machine = { platform: process.platform, home: homedir() };

/** Puts this server into the configuration of an MCP client, or takes it out. Settings on the command line go into the entry. */
export async function run(words: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...words], allowPositionals: true, options: OPTIONS });
  const [word] = positionals;
  if (word === undefined) return list(values.json);
  const client = clientOf(word);
  if (client === null)
    throw new UserInputError(
      `there is no client "${word}" here; there are ${MCP_CLIENTS.map(({ id }) => id).join(', ')}.`,
    );
  const path = fileOf(client, values.scope, values.config);
  const file = await readClientFile(path);
  const plan = values.remove ? null : planFor(client, values);
  const form = plan === null ? null : client.form(plan.entry);
  if (plan !== null && form === null) throw new UserInputError(client.remoteAdvice);
  const { name, force } = values;
  const after = merge(file, {
    key: client.key,
    name,
    entry: form,
    inputs: plan?.inputs ?? [],
    program: entryPath(),
    force,
  });
  const changed = after !== file.text;
  const write = changed && !values['dry-run'];
  const backup = write ? await replaceClientFile(file, after, values.scope === 'project') : null;
  const next = [...(plan?.notes ?? []), ...(changed ? [client.next] : [])];
  const report = { client: client.id, file: file.path, backup, changed, dryRun: values['dry-run'], entry: form, next };
  tell(report, values.json, shownDiff(file.text, after));
  return 0;
}

interface Report {
  readonly client: string;
  readonly file: string;
  readonly backup: string | null;
  readonly changed: boolean;
  readonly dryRun: boolean;
  readonly entry: object | null;
  readonly next: readonly string[];
}

function tell(report: Report, json: boolean, diff: string): void {
  const secrets = secretsOf(readConfig(processSources()).config);
  const token = processEnvironment()[TOKEN_VARIABLE];
  const hidden = [...secrets, ...(token ? [token] : [])].toSorted((one, other) => other.length - one.length);
  const masked = (text: string): string => hidden.reduce((left, secret) => left.replaceAll(secret, '…'), text);
  const stdout = claimStdout();
  if (json) {
    stdout.write(`${masked(JSON.stringify(report))}\n`);
    return;
  }
  const { file, backup, changed, dryRun, next } = report;
  const lines = changed
    ? [
        `${dryRun ? 'Would change' : 'Changed'} ${file}:`,
        masked(diff),
        ...(backup === null ? [] : [`What was there is in ${backup}`]),
      ]
    : [`${file} is right already; nothing was changed.`];
  stdout.write(`${[...lines, ...next].join('\n')}\n`);
}

function merge(file: ClientFile, change: Parameters<typeof mergeEntry>[1]): string {
  try {
    return mergeEntry(file.text, change);
  } catch (error) {
    if (error instanceof UserInputError) throw new UserInputError(`${file.path} ${error.message}.`, { cause: error });
    throw error;
  }
}

function fileOf(client: McpClient, scope: string, given: string | undefined): string {
  if (scope !== 'user' && scope !== 'project') throw new UserInputError('--scope is user or project.');
  if (given !== undefined) return resolve(given);
  if ((scope satisfies ClientScope) === 'user') return client.userFile(machine, processEnvironment());
  if (client.projectFile !== null) return resolve(client.projectFile);
  throw new UserInputError(`${client.title} has no file for a project; leave --scope out.`);
}

function planFor(client: McpClient, values: { url?: string; npx: boolean; 'copy-secrets': boolean }): EntryPlan {
  const env = processEnvironment();
  const sources = processSources();
  const flags = readFlags(sources.argv ?? []);
  const reading = readConfig(sources);
  if (values.url !== undefined && !/^https?:\/\/\S+$/.test(values.url))
    throw new UserInputError('--url is the address of the server’s /mcp, such as https://mcp.example.com/mcp.');
  const found = flags.settingsFile ?? (existsSync('.env') ? '.env' : null);
  if (flags.settingsFile !== null && !existsSync(flags.settingsFile))
    throw new UserInputError(
      `there is no file ${flags.settingsFile}; write the settings there first (see .env.example).`,
    );
  return planEntry(client, {
    program: programOf(values.npx),
    flags: [
      ...Object.entries(flags.values).flatMap(([name, value]) => [flagOf(name), value]),
      ...(flags.simulate ? ['--simulate'] : []),
    ],
    settingsFile: found === null ? null : resolve(found),
    url: values.url ?? null,
    inEnvironment: settingsIn(env),
    valueOf: (name) => env[name],
    missing: missingForCalls(reading.config),
    copySecrets: values['copy-secrets'],
  });
}

function entryPath(): string {
  return realpathSync(process.argv[1] ?? '');
}

/** What npx has fetched is gone one day, so then npx starts it again. */
function programOf(npx: boolean): { readonly command: string; readonly args: readonly string[] } {
  const entry = entryPath();
  if (npx || /[\\/]_npx[\\/]/.test(entry)) return { command: 'npx', args: ['-y', `switchboard-mcp@${VERSION}`] };
  return { command: process.execPath, args: [entry] };
}

function list(json: boolean): number {
  const env = processEnvironment();
  const clients = MCP_CLIENTS.map((client) => {
    const file = client.userFile(machine, env);
    return { client: client.id, title: client.title, file, present: existsSync(file) };
  });
  const lines = clients.map(
    ({ client, title, file, present }) =>
      `  ${client.padEnd(16)}${title.padEnd(26)}${present ? '' : '(not there yet) '}${file}`,
  );
  claimStdout().write(
    json
      ? `${JSON.stringify({ clients })}\n`
      : `${['switchboard install CLIENT, which is one of', ...lines].join('\n')}\n`,
  );
  return 0;
}
