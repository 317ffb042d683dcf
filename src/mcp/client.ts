import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ErrorCode, McpError, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { ProtocolError, UpstreamError } from '../errors.ts';

/** Above the longest wait that a tool allows, so that the tool always answers first. */
const REQUEST_TIMEOUT_MS = 70_000;

export interface ClientOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to a few harmless variables (PATH, HOME …); the child sees nothing else of our environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly version: string;
  /** `inherit` shows the child's log on our stderr; a function gets it in pieces. Default `ignore`. */
  readonly stderr?: 'inherit' | 'ignore' | ((text: string) => void);
}

/** Our own server, as an MCP client sees it. Failures are rejected as UpstreamError with the server's sentence. */
export interface StdioClient {
  readonly pid: number | null;
  readonly instructions: string;
  /** Resolves when the child has gone. */
  readonly closed: Promise<void>;
  listTools(): Promise<readonly string[]>;
  /** The tool's structured result. */
  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<Record<string, unknown>>;
  /** The same, with what a reader is shown. */
  callToolAloud(name: string, args: Readonly<Record<string, unknown>>): Promise<ToolAnswerAloud>;
  /** The prompt's messages as one text. */
  getPrompt(name: string, args: Readonly<Record<string, string>>): Promise<string>;
  /** The resource's text. */
  readResource(uri: string): Promise<string>;
  /** Returns the way to stop it. */
  subscribe(uri: string, onUpdated: () => void): Promise<() => Promise<void>>;
  /** Ends the child's stdin, waits 2 s, then ends the child. */
  close(): Promise<void>;
}

export interface ToolAnswerAloud {
  readonly structured: Record<string, unknown>;
  readonly text: string;
}

/** Starts a server as a child process and shakes hands with it over its stdin and stdout. */
export async function connectStdioClient(options: ClientOptions): Promise<StdioClient> {
  const { command, args, env, cwd, version, stderr = 'ignore' } = options;
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...env },
    cwd,
    stderr: typeof stderr === 'function' ? 'pipe' : stderr,
  });
  if (typeof stderr === 'function') transport.stderr?.on('data', (chunk: Buffer) => stderr(chunk.toString('utf8')));
  const client = new Client({ name: 'switchboard-client', version });
  const closed = new Promise<void>((resolve) => {
    client.onclose = resolve;
  });
  await translated(client.connect(transport, { timeout: REQUEST_TIMEOUT_MS }));
  return {
    pid: transport.pid,
    instructions: client.getInstructions() ?? '',
    closed,
    listTools: async () => (await translated(client.listTools())).tools.map(({ name }) => name),
    callTool: async (name, toolArgs, signal) => (await callTool(client, name, toolArgs, signal)).structured,
    callToolAloud: (name, toolArgs) => callTool(client, name, toolArgs),
    getPrompt: (name, promptArgs) => getPrompt(client, name, promptArgs),
    readResource: (uri) => readResource(client, uri),
    subscribe: subscriber(client),
    close: () => client.close(),
  };
}

async function callTool(
  client: Client,
  name: string,
  args: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<ToolAnswerAloud> {
  const request = { name, arguments: { ...args } };
  const result = await translated(client.callTool(request, undefined, { timeout: REQUEST_TIMEOUT_MS, signal }));
  if (result.isError === true) throw new UpstreamError(textOf(result.content), { retryable: false });
  const structured: unknown = result.structuredContent;
  if (typeof structured !== 'object' || structured === null) {
    throw new ProtocolError(`The tool ${name} gave no structured result.`);
  }
  return { structured: { ...structured }, text: textOf(result.content) };
}

async function getPrompt(client: Client, name: string, args: Readonly<Record<string, string>>): Promise<string> {
  const { messages } = await translated(client.getPrompt({ name, arguments: { ...args } }));
  return textOf(messages.map(({ content }) => content));
}

async function readResource(client: Client, uri: string): Promise<string> {
  const { contents } = await translated(client.readResource({ uri }));
  return textOf(contents);
}

function subscriber(client: Client): StdioClient['subscribe'] {
  const listeners = new Map<string, Set<() => void>>();
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    for (const onUpdated of listeners.get(params.uri) ?? []) onUpdated();
  });
  return async (uri, onUpdated) => {
    const those = listeners.get(uri) ?? new Set();
    listeners.set(uri, those.add(onUpdated));
    await translated(client.subscribeResource({ uri }));
    return async () => {
      those.delete(onUpdated);
      if (those.size > 0) return;
      listeners.delete(uri);
      await translated(client.unsubscribeResource({ uri }));
    };
  };
}

function textOf(parts: unknown): string {
  if (!Array.isArray(parts)) return '';
  return parts.map((part: { text?: unknown }) => (typeof part.text === 'string' ? part.text : '')).join('\n');
}

/** The SDK's rejections as ours. Only a request that timed out or lost its connection may work again. */
async function translated<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (cause) {
    const code = cause instanceof McpError ? cause.code : null;
    const retryable = code === ErrorCode.RequestTimeout || code === ErrorCode.ConnectionClosed;
    throw new UpstreamError(cause instanceof Error ? cause.message : 'The server did not answer.', {
      cause,
      retryable,
    });
  }
}
