import { z } from 'zod';
import { PROMPTS, TOOLS } from '../src/mcp/catalogue.ts';
import type { Prompt } from '../src/mcp/prompts/prompt.ts';
import { RECORDING_URI_TEMPLATE } from '../src/mcp/resources/recordings.ts';
import { CALL_URI_TEMPLATE, LATEST_URI, LIST_URI } from '../src/mcp/resources/transcriptions.ts';
import type { Tool } from '../src/mcp/tool.ts';

/** What the tables use of JSON Schema. */
const schemaKind = z.object({
  properties: z.record(
    z.string(),
    z.object({
      type: z.union([z.string(), z.array(z.string())]).optional(),
      enum: z.array(z.string()).optional(),
      anyOf: z.array(z.object({ type: z.string().optional(), enum: z.array(z.string()).optional() })).optional(),
      default: z.unknown().optional(),
      description: z.string().optional(),
      minimum: z.number().optional(),
      maximum: z.number().optional(),
      maxLength: z.number().optional(),
    }),
  ),
  required: z.array(z.string()).default([]),
});
type Property = z.output<typeof schemaKind>['properties'][string];

const HEADER = `# Tools, prompts and resources

<!-- Generated from src/mcp by scripts/tools-table.ts (\`npm run docs\`). Do not edit. -->

What an assistant gets over MCP. Arguments that a tool does not know are refused, not ignored. What people said on the
telephone is untrusted text: it comes marked as a quotation, with a caution, and never as an instruction.
`;

const RESOURCES = `## Resources

| address | what it is |
|---|---|
| \`${LIST_URI}\` | the calls, newest first |
| \`${LATEST_URI}\` | the call that was placed last, with its lines |
| \`${CALL_URI_TEMPLATE}\` | one call with its lines; the id can be completed |
| \`${RECORDING_URI_TEMPLATE}\` | the sound of a call that was recorded, up to 8 MB; the id can be completed |
| \`asterisk://channels\` | the channels of the office telephone system that are up |
| \`asterisk://conferences\` | its conferences, with who is in them |
| \`asterisk://extensions\` | its extensions, with the state of their phones |
| \`threecx://active-calls\` | the calls of the 3CX |
| \`threecx://call-history\` | its calls of the last seven days |
| \`threecx://extensions\` | its extensions, with their state |
| \`threecx://messages\` | its chats, which can only be read |
| \`threecx://recordings/{recording}\`, \`voipms://recordings/…\` | the sound of a recording of theirs |

The transcriptions and what is going on in the office are JSON, a recording is a WAV. A client that subscribes to a transcription hears of each new line (\`notifications/resources/updated\`), one that subscribes to the office of each change.
`;

/** The text of `docs/tools.md`. */
export function toolsPage(): string {
  return [
    HEADER,
    '## Tools\n',
    ...TOOLS.map(toolSection),
    '## Prompts\n',
    ...PROMPTS.map(promptSection),
    RESOURCES,
  ].join('\n');
}

function toolSection(tool: Tool): string {
  const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = tool.annotations;
  const hints = [
    readOnlyHint ? 'only reads' : 'changes something',
    ...(destructiveHint ? ['ask before it is run'] : []),
    ...(idempotentHint ? ['safe to repeat'] : []),
    ...(openWorldHint ? ['reaches the outside world'] : []),
  ];
  const results = Object.keys(propertiesOf(tool.output, 'output').properties).map((name) => `\`${name}\``);
  return `### ${tool.name}

${cell(tool.description)}

${argumentTable(propertiesOf(tool.input, 'input'))}

Answers with ${results.join(', ')}. Hints: ${hints.join(', ')}. Toolset \`${tool.toolset}\`, scope \`${tool.scope}\`.${twinNote(tool)}
`;
}

/** What is left of it for who may not do all of it. */
function twinNote({ input, readOnlyTwin }: Tool): string {
  if (readOnlyTwin === null) return '';
  const missing = Object.keys(input.shape).filter((name) => !(name in readOnlyTwin.input.shape));
  return ` Without ${missing.map((name) => `\`${name}\``).join(', ')} it only reads: so it is offered with \`READ_ONLY\`, and to the scope \`${readOnlyTwin.scope}\`.`;
}

function promptSection(prompt: Prompt): string {
  const schema = propertiesOf(z.object(prompt.args), 'input');
  return `### ${prompt.name}\n\n${cell(prompt.description)}\n\n${argumentTable(schema)}\n`;
}

function propertiesOf(schema: z.ZodObject, io: 'input' | 'output'): z.output<typeof schemaKind> {
  return schemaKind.parse(z.toJSONSchema(schema, { io }));
}

function argumentTable({ properties, required }: z.output<typeof schemaKind>): string {
  const rows = Object.entries(properties).map(
    ([name, property]) =>
      `| \`${name}\`${required.includes(name) ? '' : ' (optional)'} | ${kindOf(property)} | ${cell(property.description ?? '')} |`,
  );
  return ['| argument | | |', '|---|---|---|', ...rows].join('\n');
}

function kindOf({ type, enum: words, default: fallback, minimum, maximum, maxLength }: Property): string {
  const kind = words === undefined ? [type].flat().join(' or ') : words.map((word) => `\`${word}\``).join(', ');
  const range = minimum !== undefined && maximum !== undefined ? ` ${minimum}–${maximum}` : '';
  const length = maxLength === undefined ? '' : `, up to ${maxLength} characters`;
  return `${kind}${range}${length}${fallback === undefined ? '' : `; \`${String(fallback)}\` when left out`}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('{', '\\{');
}
