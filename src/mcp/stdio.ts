import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { ClientRequestSchema, ErrorCode, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import { type Complaint, createLineGuard } from './lines.ts';
import { createMcpServer, type McpServerOptions } from './server.ts';
import { claimStdout } from './stdout.ts';

export interface StdioSession {
  /** Resolves once with the reason when the client has gone; calls that live are the caller's to end. Never rejects. */
  readonly closed: Promise<string>;
  /** Aborts what is under way and stops listening to stdin. */
  close(): Promise<void>;
}

export interface StdioOptions extends McpServerOptions {
  readonly input?: Readable;
  /** Normally the real stdout, which `claimStdout` keeps free of anything else. */
  readonly output?: Writable;
}

/** Serves one client over stdin and stdout. Resolves as soon as requests are read, whatever state the switchboard is in. */
export async function serveStdio(options: StdioOptions): Promise<StdioSession> {
  const { logger } = options;
  const output = options.output ?? claimStdout();
  const input = options.input ?? process.stdin;
  const server = createMcpServer(options);
  // The SDK's transport says nothing to what it cannot read, and closes for good on a long line.
  const onFault = (err: unknown): void => logger.error({ err }, 'A line of stdin could not be looked at');
  const guard = createLineGuard({ output, complaintAbout, onFault });
  const transport = new StdioServerTransport(input.pipe(guard), output);
  const closed = new Promise<string>((resolve) => {
    // The SDK's transport does not notice the end of stdin.
    input.once('end', () => resolve('stdin ended'));
    input.once('close', () => resolve('stdin closed'));
    output.once('error', () => resolve('stdout cannot be written to'));
    output.once('close', () => resolve('stdout closed'));
    transport.onclose = () => resolve('the connection was closed');
  });
  transport.onerror = (err) => logger.debug({ err }, 'stdin carried something that is not a message');
  await server.connect(transport);
  return {
    closed,
    close: async () => {
      input.unpipe(guard);
      input.pause();
      await server.close();
    },
  };
}

const REQUESTS = new Map(ClientRequestSchema.options.map((request) => [request.shape.method.value as string, request]));

/**
 * What is wrong with a message of a client's; null when it may pass. In place of the SDK's own answer to params of a wrong form: its
 * validator's raw report, as an internal error.
 */
export function complaintAbout(value: unknown): Complaint | null {
  const message = JSONRPCMessageSchema.safeParse(value);
  if (!message.success) return { code: ErrorCode.InvalidRequest, message: 'This is not a JSON-RPC 2.0 message.' };
  if (!('method' in message.data) || !('id' in message.data)) return null;
  const { method, params } = message.data;
  const read = REQUESTS.get(method)?.safeParse({ method, params });
  if (read?.success === false) {
    const places = new Set(read.error.issues.map(({ path }) => path.map(String).join('.').slice(0, 100)));
    return {
      code: ErrorCode.InvalidParams,
      message: `${method} is not well-formed: look at ${[...places].join(', ')}.`,
    };
  }
  const isUnreadable = method === 'resources/read' && !URL.canParse(String(params?.uri));
  return isUnreadable ? { code: ErrorCode.InvalidParams, message: 'The uri is none.' } : null;
}
