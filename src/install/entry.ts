import { SETTINGS } from '../config/schema.ts';
import type { Input, McpClient, ServerEntry } from './clients.ts';

export interface EntryWish {
  /** How this program is started. */
  readonly program: { readonly command: string; readonly args: readonly string[] };
  /** Settings of the command line, which go into the arguments; none of them is a secret. */
  readonly flags: readonly string[];
  /** Absolute path of a file with settings; null where there is none. */
  readonly settingsFile: string | null;
  /** The address of a server that runs already; then it is not started. */
  readonly url: string | null;
  /** Names of settings that the environment has. */
  readonly inEnvironment: readonly string[];
  readonly valueOf: (name: string) => string | undefined;
  /** Names of settings without which no call can be placed and which are nowhere. */
  readonly missing: readonly string[];
  readonly copySecrets: boolean;
}

export interface EntryPlan {
  readonly entry: ServerEntry;
  readonly inputs: readonly Input[];
  /** What is left to the user, in sentences. */
  readonly notes: readonly string[];
}

/** The variable that holds the token of a server that is reached over HTTP. */
export const TOKEN_VARIABLE = 'SWITCHBOARD_TOKEN';

/** What to put into a client's file so that no secret stands there unless that was asked for. */
export function planEntry(client: McpClient, wish: EntryWish): EntryPlan {
  return wish.url === null ? stdioPlan(client, wish) : remotePlan(client, wish, wish.url);
}

function stdioPlan(client: McpClient, wish: EntryWish): EntryPlan {
  const notes: string[] = [];
  const env: Record<string, string> = {};
  const inputs: Input[] = [];
  const left: string[] = [];
  for (const name of wish.inEnvironment) {
    const value = wish.valueOf(name);
    if (client.reference) env[name] = client.reference(name);
    else if (value !== undefined && (wish.copySecrets || !isSecret(name))) env[name] = value;
    else left.push(name);
  }
  if (client.reference && wish.inEnvironment.length > 0)
    notes.push(
      `${client.title} takes ${wish.inEnvironment.join(', ')} from its own environment: start it where they are set.`,
    );
  if (left.length > 0)
    notes.push(
      `${left.join(', ')} of your environment ${left.length === 1 ? 'is a secret' : 'are secrets'} and ${client.title} cannot refer to variables: put ${left.length === 1 ? 'it' : 'them'} into a file and name it with --settings, or use --copy-secrets.`,
    );
  const ask = client.input;
  if (ask) {
    for (const name of wish.missing) {
      const id = `switchboard-${name.toLowerCase().replaceAll('_', '-')}`;
      env[name] = ask(id);
      inputs.push({ id, description: `Switchboard: ${aboutOf(name)}`, secret: isSecret(name) });
    }
  } else if (wish.missing.length > 0)
    notes.push(
      `Calls cannot be placed before ${wish.missing.join(', ')} ${wish.missing.length === 1 ? 'is' : 'are'} set: write ${wish.missing.length === 1 ? 'it' : 'them'} into a file (see .env.example) and run this again with --settings FILE, or add --simulate to try it without accounts.`,
    );
  const settingsFile = wish.settingsFile === null ? [] : ['--settings', wish.settingsFile];
  const args = [...wish.program.args, ...settingsFile, ...wish.flags];
  return { entry: { kind: 'stdio', command: wish.program.command, args, env }, inputs, notes };
}

function remotePlan(client: McpClient, wish: EntryWish, url: string): EntryPlan {
  const token = wish.valueOf(TOKEN_VARIABLE);
  const bearer = (value: string) => ({ Authorization: `Bearer ${value}` });
  const plan = (
    headers: Record<string, string>,
    notes: readonly string[],
    inputs: readonly Input[] = [],
  ): EntryPlan => ({
    entry: { kind: 'remote', url, headers },
    inputs,
    notes,
  });
  if (client.input) {
    const id = 'switchboard-token';
    return plan(bearer(client.input(id)), [], [{ id, description: 'Switchboard: token of the server', secret: true }]);
  }
  if (client.reference)
    return plan(bearer(client.reference(TOKEN_VARIABLE)), [
      `Set ${TOKEN_VARIABLE} in the environment of ${client.title} to a token of the server.`,
    ]);
  if (token !== undefined && wish.copySecrets) return plan(bearer(token), []);
  return plan({}, [
    `${client.title} cannot refer to variables: add the header Authorization with a token of the server to the entry by hand, or set ${TOKEN_VARIABLE} and use --copy-secrets.`,
  ]);
}

/** Names of the settings that `env` has, in the schema's order. */
export function settingsIn(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.values(SETTINGS)
    .map(({ name }) => name)
    .filter((name) => (env[name] ?? '').trim() !== '');
}

function isSecret(name: string): boolean {
  return Object.values(SETTINGS).some((setting) => setting.name === name && setting.secret);
}

function aboutOf(name: string): string {
  return Object.values(SETTINGS).find((setting) => setting.name === name)?.about ?? name;
}
