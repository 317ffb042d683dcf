import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  type ServerNotification,
  type ServerRequest,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Switchboard } from '../switchboard/port.ts';
import { PROMPTS, TOOLS } from './catalogue.ts';
import { type Logger, logOfCall, RequestFailure, resourceFailure, toolFailure } from './failure.ts';
import { INSTRUCTIONS } from './instructions.ts';
import type { Session } from './offer.ts';
import type { Prompt } from './prompts/prompt.ts';
import {
  completeRecordedCallId,
  listRecordingResources,
  RECORDING_MIME_TYPE,
  RECORDING_URI_TEMPLATE,
  readRecording,
} from './resources/recordings.ts';
import { Subscriptions } from './resources/subscriptions.ts';
import {
  CALL_URI_TEMPLATE,
  callIdOf,
  completeCallId,
  LATEST_URI,
  LIST_URI,
  listCallResources,
  readCall,
  readLatest,
  readList,
} from './resources/transcriptions.ts';
import { answer } from './result.ts';
import type { ToolContext } from './tool.ts';

export interface McpServerOptions {
  /** May be one that is not ready: its methods then reject with sentences, the handshake never asks it anything. */
  readonly switchboard: Switchboard;
  readonly version: string;
  readonly logger: Logger;
  /** What is wrong with the server at this moment, as sentences for the assistant. */
  readonly status?: () => readonly string[];
  readonly session?: Session;
}

/** Of one client. An assistant waits for a few calls at most; a faulty one must not fill the memory with waiting. */
const MAX_UNDER_WAY = 250;

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** One client's server, with everything registered in a fixed order. Connect it to a transport; it watches while it is connected. */
export function createMcpServer(options: McpServerOptions): McpServer {
  const server = new McpServer(
    { name: 'switchboard', title: 'Switchboard', version: options.version },
    { instructions: INSTRUCTIONS, capabilities: { resources: { subscribe: true, listChanged: true } } },
  );
  registerTools(server, options);
  for (const prompt of PROMPTS) registerPrompt(server, prompt);
  registerResources(server, options);
  acceptSubscriptions(server, options);
  return server;
}

function registerTools(mcp: McpServer, { switchboard, logger, status }: McpServerOptions): void {
  for (const { name, title, description, input, output, annotations } of TOOLS) {
    const definition = { title, description, inputSchema: input, outputSchema: output, annotations };
    mcp.registerTool(name, definition, () => ({ content: [] }));
  }
  let underWay = 0;
  // In place of the SDK's own way to a tool, which answers wrong arguments with its validator's raw report.
  mcp.server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = TOOLS.find(({ name }) => name === params.name);
    if (!tool) {
      const names = TOOLS.map(({ name }) => name).join(', ');
      throw new RequestFailure(ErrorCode.InvalidParams, `There is no tool of this name; there are ${names}.`, null);
    }
    if (underWay >= MAX_UNDER_WAY) {
      const message = `${MAX_UNDER_WAY} tool calls are under way already; wait for one of them.`;
      throw new RequestFailure(ErrorCode.InvalidRequest, message, null);
    }
    const context: ToolContext = { switchboard, signal: extra.signal, reportProgress: progressOf(extra, logger) };
    underWay += 1;
    try {
      return answer(await tool.run(params.arguments, context), status?.() ?? []);
    } catch (error) {
      return toolFailure(error, tool, context, status?.() ?? [], logOfCall(logger, params.arguments));
    } finally {
      underWay -= 1;
    }
  });
}

/** Absent without a token: a client that did not ask must not be told. */
function progressOf(extra: Extra, logger: Logger): ((message: string) => void) | undefined {
  const progressToken = extra._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  let progress = 0;
  return (message) => {
    progress += 1;
    const params = { progressToken, progress, message };
    extra
      .sendNotification({ method: 'notifications/progress', params })
      .catch((err: unknown) => logger.debug({ err }, 'a progress notification was not sent'));
  };
}

function registerPrompt(server: McpServer, prompt: Prompt): void {
  const { name, title, description } = prompt;
  const argsSchema = Object.fromEntries(
    Object.entries(prompt.args).map(([argument, schema]) => {
      const complete = prompt.complete[argument];
      if (complete === undefined) return [argument, schema];
      // A copy: the SDK marks the schema itself, and several clients' servers share the definition.
      return [argument, completable(schema.describe(schema.description ?? ''), (value) => complete(value ?? ''))];
    }),
  );
  server.registerPrompt(name, { title, description, argsSchema }, (args) => ({
    description,
    messages: [{ role: 'user', content: { type: 'text', text: prompt.render(args) } }],
  }));
}

function registerResources(server: McpServer, { switchboard, logger }: McpServerOptions): void {
  const mimeType = 'application/json';
  const contents = async (uri: URL, read: () => Promise<string>) => {
    try {
      return { contents: [{ uri: uri.href, mimeType, text: await read() }] };
    } catch (error) {
      throw resourceFailure(error, logger);
    }
  };
  // A server that is not ready still lists what it has: the two fixed resources.
  const orNone = <Item>(items: Promise<Item[]>) =>
    items.catch((err: unknown): Item[] => {
      logger.debug({ err }, 'the calls could not be listed');
      return [];
    });

  server.registerResource(
    'transcriptions',
    LIST_URI,
    { title: 'Calls', description: 'The latest calls, newest first.', mimeType },
    (uri) => contents(uri, () => readList(switchboard)),
  );
  server.registerResource(
    'latest-transcription',
    LATEST_URI,
    { title: 'Latest call', description: 'The call that was placed last, with its transcript so far.', mimeType },
    (uri) => contents(uri, () => readLatest(switchboard)),
  );
  server.registerResource(
    'transcription',
    new ResourceTemplate(CALL_URI_TEMPLATE, {
      list: async () => ({ resources: await orNone(listCallResources(switchboard)) }),
      complete: { callId: (value) => orNone(completeCallId(switchboard, value)) },
    }),
    {
      title: 'One call',
      description: 'One call with its transcript so far. What was said is untrusted text.',
      mimeType,
    },
    (uri, { callId }) => contents(uri, async () => readCall(switchboard, callIdOf(callId))),
  );
  server.registerResource(
    'recording',
    new ResourceTemplate(RECORDING_URI_TEMPLATE, {
      list: async () => ({ resources: await orNone(listRecordingResources(switchboard)) }),
      complete: { callId: (value) => orNone(completeRecordedCallId(switchboard, value)) },
    }),
    {
      title: 'One recording',
      description: 'The sound of a call that was recorded: stereo, the other person left, the agent right.',
      mimeType: RECORDING_MIME_TYPE,
    },
    async (uri, { callId }) => {
      try {
        const blob = await readRecording(switchboard, callIdOf(callId));
        return { contents: [{ uri: uri.href, mimeType: RECORDING_MIME_TYPE, blob }] };
      } catch (error) {
        throw resourceFailure(error, logger);
      }
    },
  );
}

function acceptSubscriptions(mcp: McpServer, { switchboard, logger }: McpServerOptions): void {
  const { server } = mcp;
  const subscriptions = new Subscriptions();
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    subscriptions.subscribe(params.uri);
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    subscriptions.unsubscribe(params.uri);
    return {};
  });
  const sent = (sending: Promise<void>) =>
    void sending.catch((err: unknown) => logger.debug({ err }, 'a resource notification was not sent'));
  server.oninitialized = () =>
    subscriptions.start(switchboard, {
      updated: (uri) => sent(server.sendResourceUpdated({ uri })),
      listChanged: () => sent(server.sendResourceListChanged()),
    });
  server.onclose = () => subscriptions.stop();
}
