/** `switchboard`: without a command it serves one MCP client over stdin and stdout. Each command is a file of its own. */
import { processSources, readConfig } from '../config/config.ts';
import { claimStdout } from '../mcp/stdout.ts';
import { VERSION } from '../version.ts';

const HELP = `switchboard ${VERSION} – lets an assistant use the telephone

  switchboard                        serve one MCP client over stdin and stdout   [--http: with the private listener]
  switchboard serve                  serve clients over HTTP, and those of other processes, until a signal comes
  switchboard call NUMBER CONTEXT    place one call and follow it here   [--language TAG] [--via WAY] [--record] [--json]
  switchboard install CLIENT         put it into an MCP client's configuration   [--dry-run] [--remove] [--json]
  switchboard demo                   a simulated call with real speech   [--scenario NAME] [--carrier NAME] [--pbx NAME] [--json]
  switchboard doctor                 look at everything that a call needs [--offline] [--json]
  switchboard voipms METHOD          ask the API of VoIP.ms   [list] [help METHOD] [--dry-run] [--format F]
  switchboard purge                  forget calls that have ended    [--older-than 30d] [--call ID] [--dry-run] [--json]
  switchboard bench                  measure it against a bare relay     [--only PARTS] [--soak TIME] [--json]

  --simulate    anywhere: the simulators stand in for the telephone and the model
  --help, --version

  --settings    anywhere: read the settings from this file instead of .env

Every setting can be given as a flag (PORT is --port), except secrets; .env.example lists them.
`;

const COMMANDS: Readonly<Record<string, () => Promise<{ run(words: readonly string[]): Promise<number> }>>> = {
  bench: () => import('./bench.ts'),
  call: () => import('./call.ts'),
  demo: () => import('./demo.ts'),
  doctor: () => import('./doctor.ts'),
  install: () => import('./install.ts'),
  purge: () => import('./purge.ts'),
  serve: () => import('./serve.ts'),
  voipms: () => import('./voipms.ts'),
};

/** Runs the command that the command line names, and ends the process with its exit code. */
export async function main(): Promise<void> {
  try {
    const code = await runCommand();
    // What was written to a pipe may still be on its way.
    await new Promise<void>((resolve) => claimStdout().write('', () => resolve()));
    process.exit(code);
  } catch (error) {
    await fail(error instanceof Error ? error.message : 'it failed.');
    process.exit(1);
  }
}

/** Who asked for JSON reads stdout only, and finds one object there whatever happens. */
async function fail(message: string): Promise<void> {
  process.stderr.write(`switchboard: ${message}\n`);
  const object = process.argv.includes('--json') ? `${JSON.stringify({ error: message })}\n` : '';
  await new Promise<void>((resolve) => claimStdout().write(object, () => resolve()));
}

async function runCommand(): Promise<number> {
  // Nothing of ours or of a library's may reach stdout, which belongs to JSON-RPC or to one-shot commands' own output.
  const stdout = claimStdout();
  const { rest } = readConfig(processSources());
  const [command, ...words] = rest;
  if (command === '--help' || command === '-h' || command === 'help') return print(stdout, HELP);
  if (command === '--version') return print(stdout, `${VERSION}\n`);
  // Its methods have help of their own.
  if (command !== 'voipms' && command !== undefined && asksForHelp(words)) return print(stdout, HELP);
  if (command === undefined || command === 'stdio') return (await import('./stdio.ts')).run();
  const load = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (load) return (await load()).run(words);
  await fail(`there is no command "${command}". Try switchboard --help.`);
  return 2;
}

/** What stands behind `--` is meant as it is. */
function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return (end < 0 ? words : words.slice(0, end)).some((word) => word === '--help' || word === '-h');
}

function print(stdout: NodeJS.WritableStream, text: string): number {
  stdout.write(text);
  return 0;
}
