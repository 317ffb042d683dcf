import { Client as NewClient } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

/** What is asked of every client, whichever program it is. */
export interface Caller {
  tools(): Promise<readonly string[]>;
  server(): string;
  /** The structured content of the answer, with its `isError`. */
  call(name: string, args: Record<string, unknown>, options?: CallOptions): Promise<Record<string, unknown>>;
  subscribe(uri: string, onUpdated: (uri: string) => void): Promise<void>;
  complete(value: string): Promise<readonly string[]>;
  /** From now on its user answers like this when a call is to be placed. */
  answer(action: 'accept' | 'decline'): void;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: () => void;
  /** Told of each event that the client could come back to. */
  readonly onresumptiontoken?: (token: string) => void;
}

const CAPABILITIES = { capabilities: { elicitation: { form: {} } } };
const INFO = { name: 'somebody', version: '1' };
const LONG = { timeout: 70_000, resetTimeoutOnProgress: true };
const ref = { type: 'ref/resource' as const, uri: 'call://transcriptions/{callId}' };

/** What its user answers. */
function answers() {
  let action: 'accept' | 'decline' = 'accept';
  return {
    answer: (next: 'accept' | 'decline') => {
      action = next;
    },
    result: () => ({ action, ...(action === 'accept' ? { content: { confirm: true } } : {}) }),
  };
}

/** The v1 line of the SDK. */
export async function older(transport: Parameters<Client['connect']>[0]): Promise<Caller> {
  const client = new Client(INFO, CAPABILITIES);
  const { answer, result } = answers();
  client.setRequestHandler(ElicitRequestSchema, result);
  await client.connect(transport);
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    server: () => client.getServerVersion()?.name ?? '',
    call: async (name, args, options) => {
      const reply = await client.callTool({ name, arguments: args }, undefined, { ...LONG, ...options });
      return { ...(reply.structuredContent as object), isError: reply.isError === true };
    },
    subscribe: async (uri, onUpdated) => {
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => onUpdated(params.uri));
      await client.subscribeResource({ uri });
    },
    complete: async (value) => (await client.complete({ ref, argument: { name: 'callId', value } })).completion.values,
    answer,
    close: () => client.close(),
  };
}

/** The v2 line of the SDK, which asks for a newer protocol first and falls back by itself. */
export async function newer(transport: Parameters<NewClient['connect']>[0]): Promise<Caller> {
  const client = new NewClient(INFO, { ...CAPABILITIES, versionNegotiation: { mode: 'auto' } });
  const { answer, result } = answers();
  client.setRequestHandler('elicitation/create', result);
  await client.connect(transport);
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    server: () => client.getServerVersion()?.name ?? '',
    call: async (name, args, options) => {
      const reply = await client.callTool({ name, arguments: args }, { ...LONG, ...options });
      return { ...(reply.structuredContent as object), isError: reply.isError === true };
    },
    subscribe: async (uri, onUpdated) => {
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => onUpdated(params.uri));
      await client.subscribeResource({ uri });
    },
    complete: async (value) => (await client.complete({ ref, argument: { name: 'callId', value } })).completion.values,
    answer,
    close: () => client.close(),
  };
}
