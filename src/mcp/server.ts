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
import type { Scope } from '../config/access.ts';
import { ConfigError } from '../errors.ts';
import type { Switchboard } from '../switchboard/port.ts';
import { type Audit, short } from './audit.ts';
import { PROMPTS, RESOURCES, TOOLS } from './catalogue.ts';
import { type Logger, RequestFailure, resourceFailure } from './failure.ts';
import { instructionsFor } from './instructions.ts';
import { LOCAL_SESSION, offeredResources, offeredTools, offerNotices, type Session, variantFor } from './offer.ts';
import type { Prompt } from './prompts/prompt.ts';
import type { Resource } from './resources/resource.ts';
import { Subscriptions } from './resources/subscriptions.ts';
import { runTool } from './run-tool.ts';
import type { Sources, Systems, Tool, ToolContext } from './tool.ts';

/** A system that is absent is none: whoever asks is told what to set. */
export interface McpServerOptions extends Partial<Systems> {
  /** May be one that is not ready: its methods then reject with sentences, the handshake never asks it anything. */
  readonly switchboard: Switchboard;
  readonly version: string;
  readonly logger: Logger;
  /** What is wrong with the server at this moment, as sentences for the assistant. */
  readonly status?: (() => readonly string[]) | undefined;
  /** Absent: a program of this user, to which everything is offered. */
  readonly session?: Session | undefined;
  /** Absent: nothing is put down. */
  readonly audit?: Audit | undefined;
}

/** Of one client. An assistant waits for a few calls at most; a faulty one must not fill the memory with waiting. */
const MAX_UNDER_WAY = 250;
/** As long as a client waits for a tool at best. */
const ASK_MS = 120_000;

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** One client's server, with what it is offered registered in a fixed order. Connect it to a transport; it watches while it is connected. */
export function createMcpServer(options: McpServerOptions): McpServer {
  const session = options.session ?? LOCAL_SESSION;
  const tools = offeredTools(TOOLS, session);
  const names = tools.map(({ name }) => name);
  const resources = offeredResources(RESOURCES, session);
  const server = new McpServer(
    { name: 'switchboard', title: 'Switchboard', version: options.version },
    {
      instructions: instructionsFor(names),
      capabilities: resources.length === 0 ? {} : { resources: { subscribe: true, listChanged: true } },
    },
  );
  registerTools(server, tools, options, session);
  // Each prompt leads to a call.
  if (names.includes('trigger-call')) for (const prompt of PROMPTS) registerPrompt(server, prompt);
  for (const resource of resources) registerResource(server, resource, options);
  if (resources.length > 0) acceptSubscriptions(server, resources, options);
  return server;
}

/** What one must be allowed for a request of the protocol; null where nothing. */
export function scopeOfRequest(method: string, params: unknown): Scope | null {
  const {
    name,
    arguments: args,
    ref,
    uri,
  } = (params ?? {}) as { uri?: unknown; name?: unknown; arguments?: object; ref?: { type?: unknown } };
  // The words of a prompt are no secret.
  if (method === 'completion/complete') return ref?.type === 'ref/prompt' ? null : 'calls:read';
  if (method.startsWith('resources/')) return method.endsWith('/list') ? null : scopeOfResource(uri);
  if (method !== 'tools/call') return null;
  const tool = TOOLS.find((one) => one.name === name);
  const changes = tool?.audited({ ...args }) !== null;
  return (changes ? tool?.scope : (tool?.readOnlyTwin?.scope ?? tool?.scope)) ?? null;
}

function scopeOfResource(uri: unknown): Scope {
  const scheme = String(uri).split(':')[0];
  return RESOURCES.find((resource) => resource.uri.startsWith(`${scheme}:`))?.scope ?? 'calls:read';
}

function sourcesOf({ switchboard, asterisk, threecx, voipms }: McpServerOptions): Sources {
  const none =
    (system: string, ...settings: readonly string[]) =>
    (): never => {
      throw new ConfigError(`No ${system} is configured.`, { settings });
    };
  return {
    switchboard,
    asterisk: asterisk ?? none('Asterisk', 'AMI_HOST', 'AMI_USERNAME', 'AMI_SECRET'),
    threecx: threecx ?? none('3CX', 'PBX_FQDN', 'PBX_CLIENT_ID', 'PBX_CLIENT_SECRET'),
    voipms: voipms ?? none('VoIP.ms', 'VOIPMS_API_USERNAME', 'VOIPMS_API_PASSWORD'),
  };
}

function registerTools(mcp: McpServer, tools: readonly Tool[], options: McpServerOptions, session: Session): void {
  const { logger, status, audit } = options;
  for (const { name, title, description, input, output, annotations } of tools) {
    const definition = { title, description, inputSchema: input, outputSchema: output, annotations };
    mcp.registerTool(name, definition, () => ({ content: [] }));
  }
  if (tools.length === 0) mcp.server.registerCapabilities({ tools: {} });
  const notices = offerNotices(TOOLS, session.offer);
  let underWay = 0;
  // In place of the SDK's own way to a tool, which answers wrong arguments with its validator's raw report.
  mcp.server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (!tool) throw new RequestFailure(ErrorCode.InvalidParams, whyNot(params.name, tools, session), null);
    if (underWay >= MAX_UNDER_WAY) {
      const message = `${MAX_UNDER_WAY} tool calls are under way already; wait for one of them.`;
      throw new RequestFailure(ErrorCode.InvalidRequest, message, null);
    }
    const context: ToolContext = {
      ...sourcesOf(options),
      signal: extra.signal,
      reportProgress: progressOf(extra, logger),
      ask: askOf(mcp, extra, logger),
      confirmCalls: session.offer.confirmCalls,
    };
    underWay += 1;
    try {
      const client = clientOf(mcp);
      const all = () => [...notices, ...(status?.() ?? [])];
      return await runTool({ tool, args: params.arguments, context, session, client, audit, notices: all, logger });
    } finally {
      underWay -= 1;
    }
  });
}

function whyNot(name: string, offered: readonly Tool[], session: Session): string {
  const tool = TOOLS.find((one) => one.name === name);
  const why = tool === undefined ? null : variantFor(tool, session);
  if (typeof why === 'string') return why;
  return `There is no tool of this name; there are ${offered.map((one) => one.name).join(', ')}.`;
}

function clientOf({ server }: McpServer): string {
  const { name, version } = server.getClientVersion() ?? {};
  return `${short(name)} ${short(version)}`.trim();
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

/** Absent when the client said at its handshake that it cannot show a form. */
function askOf({ server }: McpServer, extra: Extra, logger: Logger): ToolContext['ask'] {
  const elicitation = server.getClientCapabilities()?.elicitation;
  // Before 2025-11-25 there were forms only, and no word for them.
  if (elicitation === undefined || (elicitation.url !== undefined && elicitation.form === undefined)) return undefined;
  return async (message) => {
    try {
      const { action, content } = await server.elicitInput(
        {
          mode: 'form',
          message,
          requestedSchema: {
            type: 'object',
            properties: { confirm: { type: 'boolean', title: 'Yes, go ahead', default: true } },
          },
        },
        { relatedRequestId: extra.requestId, timeout: ASK_MS, signal: extra.signal },
      );
      return action === 'accept' && content?.confirm === false ? 'decline' : action;
    } catch (err) {
      logger.debug({ err }, 'the client did not answer for its user');
      return 'cancel';
    }
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

function registerResource(server: McpServer, resource: Resource, options: McpServerOptions): void {
  const { logger } = options;
  const sources = sourcesOf(options);
  const { name, uri, title, description, mimeType, list, complete } = resource;
  const read = async (url: URL, variable?: string | string[]) => {
    try {
      return { contents: [{ uri: url.href, mimeType, ...(await resource.read(sources, variable)) }] };
    } catch (error) {
      throw resourceFailure(error, logger);
    }
  };
  // A server that is not ready still lists what it has.
  const orNone = <Item>(items: Promise<Item[]>) =>
    items.catch((err: unknown): Item[] => {
      logger.debug({ err }, 'what there is could not be listed');
      return [];
    });
  const metadata = { title, description, mimeType };
  if (!uri.includes('{')) {
    server.registerResource(name, uri, metadata, (url) => read(url));
    return;
  }
  const variable = /\{(\w+)\}/.exec(uri)?.[1] ?? '';
  const template = new ResourceTemplate(uri, {
    list: list && (async () => ({ resources: await orNone(list(sources)) })),
    ...(complete ? { complete: { [variable]: (value) => orNone(complete(sources, value)) } } : {}),
  });
  server.registerResource(name, template, metadata, (url, variables) => read(url, variables[variable]));
}

function acceptSubscriptions(mcp: McpServer, offered: readonly Resource[], options: McpServerOptions): void {
  const { server } = mcp;
  const { logger } = options;
  const toolsets = new Set(offered.map(({ toolset }) => toolset));
  const subscriptions = new Subscriptions(sourcesOf(options), toolsets);
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    try {
      subscriptions.subscribe(params.uri);
    } catch (error) {
      throw resourceFailure(error, logger);
    }
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    subscriptions.unsubscribe(params.uri);
    return {};
  });
  const sent = (sending: Promise<void>) =>
    void sending.catch((err: unknown) => logger.debug({ err }, 'a resource notification was not sent'));
  server.oninitialized = () =>
    subscriptions.start({
      updated: (uri) => sent(server.sendResourceUpdated({ uri })),
      listChanged: () => sent(server.sendResourceListChanged()),
    });
  server.onclose = () => subscriptions.stop();
}
