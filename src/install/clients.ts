import { posix, win32 } from 'node:path';
import type { Machine } from '../config/data-folder.ts';

/** A server as a client starts it or reaches it, before it is put in the client's own form. */
export type ServerEntry = StdioEntry | RemoteEntry;

export interface StdioEntry {
  readonly kind: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface RemoteEntry {
  readonly kind: 'remote';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Something that the client asks its user for and keeps to itself. */
export interface Input {
  readonly id: string;
  readonly description: string;
  readonly secret: boolean;
}

export type ClientScope = 'user' | 'project';

/** Where an MCP client keeps its servers, and in which form. */
export interface McpClient {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly title: string;
  /** Absolute; null where it has none. */
  userFile(machine: Machine, env: Readonly<Record<string, string | undefined>>): string;
  /** From the project's folder; null where it has none. */
  readonly projectFile: string | null;
  /** The key of the servers in the file. */
  readonly key: 'mcpServers' | 'servers';
  /** How a value refers to a variable of the client's environment; null where it cannot. */
  readonly reference: ((name: string) => string) | null;
  /** How a value refers to an input; null where the client asks for nothing. */
  readonly input: ((id: string) => string) | null;
  /** Null where a server that is reached over HTTP cannot be put into the file; then `remoteAdvice` says what can be done. */
  readonly form: (entry: ServerEntry) => Record<string, unknown> | null;
  readonly remoteAdvice: string;
  /** What to do for the change to be seen. */
  readonly next: string;
}

/**
 * From the clients' own documentation, as far as it could be read in November 2026: certain for Claude Code, Cursor, VS Code and
 * Gemini CLI; Claude Desktop for Linux has no official build, and its place there is what others use; of Rovo Dev only the file and
 * its `mcpServers` are certain, the `transport` key is what its examples show, and that it expands nothing is assumed.
 */
export const MCP_CLIENTS: readonly McpClient[] = [
  {
    id: 'claude-desktop',
    aliases: ['claude'],
    title: 'Claude Desktop',
    userFile: (machine, env) => appFile(machine, env, 'Claude', 'claude_desktop_config.json'),
    projectFile: null,
    key: 'mcpServers',
    reference: null,
    input: null,
    form: (entry) => (entry.kind === 'stdio' ? plainStdio(entry) : null),
    remoteAdvice:
      'Claude Desktop reaches servers over HTTP as connectors, which are added in its settings (Connectors), not in this file. Leave --url out to have it start the server itself.',
    next: 'Quit Claude Desktop completely and start it again.',
  },
  {
    id: 'claude-code',
    aliases: [],
    title: 'Claude Code',
    userFile: ({ home, platform }) => pathOf(platform).join(home, '.claude.json'),
    projectFile: '.mcp.json',
    key: 'mcpServers',
    reference: (name) => `\${${name}}`,
    input: null,
    form: (entry) => (entry.kind === 'stdio' ? { type: 'stdio', ...plainStdio(entry) } : typedRemote(entry)),
    remoteAdvice: '',
    next: 'Start Claude Code anew; /mcp shows the server.',
  },
  {
    id: 'cursor',
    aliases: [],
    title: 'Cursor',
    userFile: ({ home, platform }) => pathOf(platform).join(home, '.cursor', 'mcp.json'),
    projectFile: '.cursor/mcp.json',
    key: 'mcpServers',
    reference: (name) => `\${env:${name}}`,
    input: null,
    form: (entry) => (entry.kind === 'stdio' ? plainStdio(entry) : plainRemote(entry)),
    remoteAdvice: '',
    next: 'Reload Cursor, and look at the server in its settings.',
  },
  {
    id: 'vscode',
    aliases: ['vs-code', 'copilot', 'code'],
    title: 'VS Code (GitHub Copilot)',
    userFile: (machine, env) => appFile(machine, env, 'Code', 'User', 'mcp.json'),
    projectFile: '.vscode/mcp.json',
    key: 'servers',
    reference: (name) => `\${env:${name}}`,
    input: (id) => `\${input:${id}}`,
    form: (entry) => (entry.kind === 'stdio' ? { type: 'stdio', ...plainStdio(entry) } : typedRemote(entry)),
    remoteAdvice: '',
    next: 'Run "MCP: List Servers" in VS Code and start it there.',
  },
  {
    id: 'rovo-dev',
    aliases: ['rovo', 'rovodev'],
    title: 'Rovo Dev',
    userFile: ({ home, platform }) => pathOf(platform).join(home, '.rovodev', 'mcp.json'),
    projectFile: null,
    key: 'mcpServers',
    reference: null,
    input: null,
    form: (entry) =>
      entry.kind === 'stdio'
        ? { ...plainStdio(entry), transport: 'stdio' }
        : { ...plainRemote(entry), transport: 'http' },
    remoteAdvice: '',
    next: 'Start Rovo Dev anew.',
  },
  {
    id: 'gemini',
    aliases: ['gemini-cli'],
    title: 'Gemini CLI',
    userFile: ({ home, platform }) => pathOf(platform).join(home, '.gemini', 'settings.json'),
    projectFile: '.gemini/settings.json',
    key: 'mcpServers',
    reference: (name) => `\${${name}}`,
    input: null,
    form: (entry) =>
      entry.kind === 'stdio' ? plainStdio(entry) : { httpUrl: entry.url, ...present('headers', entry.headers) },
    remoteAdvice: '',
    next: 'Start Gemini CLI anew; /mcp shows the server.',
  },
];

export function clientOf(word: string): McpClient | null {
  const wanted = word.toLowerCase();
  return MCP_CLIENTS.find(({ id, aliases }) => id === wanted || aliases.includes(wanted)) ?? null;
}

function plainStdio({ command, args, env }: StdioEntry): Record<string, unknown> {
  return { command, args: [...args], ...present('env', env) };
}

function plainRemote({ url, headers }: RemoteEntry): Record<string, unknown> {
  return { url, ...present('headers', headers) };
}

function typedRemote(entry: RemoteEntry): Record<string, unknown> {
  return { type: 'http', ...plainRemote(entry) };
}

function present(key: string, values: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.keys(values).length === 0 ? {} : { [key]: { ...values } };
}

/** Where programs of this platform keep their users' settings. */
function appFile(
  { platform, home }: Machine,
  env: Readonly<Record<string, string | undefined>>,
  ...parts: readonly string[]
): string {
  if (platform === 'win32') return win32.join(env.APPDATA || win32.join(home, 'AppData', 'Roaming'), ...parts);
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support', ...parts);
  return posix.join(env.XDG_CONFIG_HOME || posix.join(home, '.config'), ...parts);
}

function pathOf(platform: NodeJS.Platform): typeof posix {
  return platform === 'win32' ? win32 : posix;
}
