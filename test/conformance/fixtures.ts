import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  CreateMessageResultSchema,
  type ElicitRequestFormParams,
  ElicitResultSchema,
  ListToolsRequestSchema,
  type ServerNotification,
  type ServerRequest,
  SubscribeRequestSchema,
  type Tool,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;
type Content = CallToolResult['content'];
type Properties = ElicitRequestFormParams['requestedSchema']['properties'];

/** A tool that the runner asks for by name; the schema is sent as it stands here. */
interface FixtureTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema?: Tool['inputSchema'];
  run(args: Readonly<Record<string, unknown>>, extra: Extra): Content | Promise<Content>;
}

/** One red pixel, and eight silent samples. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const WAV = Buffer.concat([
  Buffer.from('RIFF\u002c\0\0\0WAVEfmt \u0010\0\0\0\u0001\0\u0001\0', 'latin1'),
  Buffer.from([0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0]),
  Buffer.from('data\u0008\0\0\0', 'latin1'),
  Buffer.alloc(8, 0x80),
]).toString('base64');
const IMAGE = { type: 'image' as const, data: PNG, mimeType: 'image/png' };
const NO_ARGUMENTS: Tool['inputSchema'] = { type: 'object', properties: {} };
/** The scenarios ask for about this much between two messages, so that they come one by one. */
const PAUSE_MS = 50;

/** What the scenarios of the conformance runner want of a server: nothing of it is the product's. */
export function createFixtureServer(): McpServer {
  const server = new McpServer(
    { name: 'switchboard-conformance-fixtures', version: '0' },
    { capabilities: { tools: {}, logging: {}, resources: { subscribe: true } } },
  );
  addTools(server);
  addResources(server);
  addPrompts(server);
  return server;
}

/** Below the level of `registerTool`, which would send its own reading of a schema. */
function addTools({ server }: McpServer): void {
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: TOOLS.map(({ name, description, inputSchema = NO_ARGUMENTS }) => ({ name, description, inputSchema })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra): Promise<CallToolResult> => {
    const tool = TOOLS.find(({ name }) => name === params.name);
    if (tool === undefined) throw new Error(`There is no tool ${params.name}.`);
    try {
      return { content: await tool.run(params.arguments ?? {}, extra) };
    } catch (error) {
      return { isError: true, content: text(error instanceof Error ? error.message : String(error)) };
    }
  });
}

const TOOLS: readonly FixtureTool[] = [
  {
    name: 'test_simple_text',
    description: 'Returns text.',
    run: () => text('This is a simple text response for testing.'),
  },
  { name: 'test_image_content', description: 'Returns an image.', run: () => [IMAGE] },
  {
    name: 'test_audio_content',
    description: 'Returns sound.',
    run: () => [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }],
  },
  {
    name: 'test_embedded_resource',
    description: 'Returns a resource.',
    run: () => [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  },
  {
    name: 'test_multiple_content_types',
    description: 'Returns text, an image and a resource.',
    run: () => [
      ...text('Multiple content types test:'),
      IMAGE,
      embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  },
  {
    name: 'test_error_handling',
    description: 'Always fails.',
    run: () => {
      throw new Error('This tool intentionally returns an error for testing');
    },
  },
  { name: 'test_tool_with_logging', description: 'Logs three times.', run: logThrice },
  { name: 'test_tool_with_progress', description: 'Reports its progress.', run: reportProgress },
  {
    name: 'test_sampling',
    description: 'Asks the client’s model.',
    inputSchema: stringArgument('prompt', 'What to ask'),
    run: sample,
  },
  {
    name: 'test_elicitation',
    description: 'Asks the client’s user.',
    inputSchema: stringArgument('message', 'What the user reads'),
    run: async ({ message }, extra) => {
      const properties: Properties = {
        username: { type: 'string', description: "User's response" },
        email: { type: 'string', description: "User's email address" },
      };
      return text(`User response: ${await elicit(extra, String(message), properties, ['username', 'email'])}`);
    },
  },
  {
    name: 'test_elicitation_sep1034_defaults',
    description: 'Asks the client’s user with defaults of each kind.',
    run: async (_args, extra) =>
      text(`Elicitation completed: ${await elicit(extra, 'Please look at the defaults.', DEFAULTS)}`),
  },
  {
    name: 'test_elicitation_sep1330_enums',
    description: 'Asks the client’s user to choose in each of the five ways.',
    run: async (_args, extra) => text(`Elicitation completed: ${await elicit(extra, 'Please choose.', CHOICES)}`),
  },
  { name: 'test_reconnection', description: 'Closes its stream before it answers.', run: answerAfterTheStream },
  {
    name: 'json_schema_2020_12_tool',
    description: 'Tool with JSON Schema 2020-12 features',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
      },
      properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
      additionalProperties: false,
    },
    run: (args) => text(JSON.stringify(args)),
  },
];

const DEFAULTS: Properties = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const OPTIONS = ['option1', 'option2', 'option3'];
const CHOICES: Properties = {
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: titled('Option') },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
  titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
};

function titled(word: string): { const: string; title: string }[] {
  return ['First', 'Second', 'Third'].map((which, index) => ({
    const: `value${index + 1}`,
    title: `${which} ${word}`,
  }));
}

function stringArgument(name: string, description: string): Tool['inputSchema'] {
  return { type: 'object', properties: { [name]: { type: 'string', description } }, required: [name] };
}

function text(words: string): Content {
  return [{ type: 'text', text: words }];
}

function embedded(uri: string, mimeType: string, words: string): Content[number] {
  return { type: 'resource', resource: { uri, mimeType, text: words } };
}

async function logThrice(_args: unknown, extra: Extra): Promise<Content> {
  for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
    await pause();
  }
  return text('It logged.');
}

async function reportProgress(_args: unknown, extra: Extra): Promise<Content> {
  const progressToken = extra._meta?.progressToken;
  for (const progress of [0, 50, 100]) {
    if (progressToken !== undefined) {
      const params = { progressToken, progress, total: 100 };
      await extra.sendNotification({ method: 'notifications/progress', params });
    }
    await pause();
  }
  return text('It went on.');
}

async function sample({ prompt }: Readonly<Record<string, unknown>>, extra: Extra): Promise<Content> {
  const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: String(prompt) } }];
  const request = { method: 'sampling/createMessage' as const, params: { messages, maxTokens: 100 } };
  const { content } = await extra.sendRequest(request, CreateMessageResultSchema);
  return text(`LLM response: ${content.type === 'text' ? content.text : content.type}`);
}

async function elicit(extra: Extra, message: string, properties: Properties, required: string[] = []): Promise<string> {
  const requestedSchema = { type: 'object' as const, properties, required };
  const request = { method: 'elicitation/create' as const, params: { message, requestedSchema } };
  const { action, content } = await extra.sendRequest(request, ElicitResultSchema);
  return `action=${action}, content=${JSON.stringify(content ?? {})}`;
}

async function answerAfterTheStream(_args: unknown, extra: Extra): Promise<Content> {
  extra.closeSSEStream?.();
  await pause();
  return text('It answered on the stream that was opened again.');
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

function addResources(server: McpServer): void {
  const plain = { description: 'A text.', mimeType: 'text/plain' };
  const contents = (uri: URL, words: string) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: words }],
  });
  server.registerResource('static-text', 'test://static-text', plain, (uri) =>
    contents(uri, 'This is the content of the static text resource.'),
  );
  server.registerResource('watched-resource', 'test://watched-resource', plain, (uri) => contents(uri, 'Watched.'));
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'An image.', mimeType: 'image/png' },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: 'image/png', blob: PNG }] }),
  );
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'One of many.', mimeType: 'application/json' },
    (uri, { id }) => {
      const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
      return { contents: [{ uri: uri.href, mimeType: 'application/json', text: data }] };
    },
  );
  // Nothing here ever changes, so nobody is told of a change.
  server.server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
}

function addPrompts(server: McpServer): void {
  const said = (words: string) => ({ role: 'user' as const, content: { type: 'text' as const, text: words } });
  server.registerPrompt('test_simple_prompt', { description: 'A prompt without arguments.' }, () => ({
    messages: [said('This is a simple prompt for testing.')],
  }));
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'A prompt with two arguments.',
      argsSchema: { arg1: completable(z.string(), (value) => [`${value}1`, `${value}2`]), arg2: z.string() },
    },
    ({ arg1, arg2 }) => ({ messages: [said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A prompt with a resource.', argsSchema: { resourceUri: z.string() } },
    ({ resourceUri: uri }) => {
      const resource = { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' };
      return {
        messages: [
          { role: 'user', content: { type: 'resource', resource } },
          said('Please process the embedded resource above.'),
        ],
      };
    },
  );
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt with an image.' }, () => ({
    messages: [{ role: 'user', content: IMAGE }, said('Please analyze the image above.')],
  }));
}
