import { countTokens } from 'gpt-tokenizer';
import { describe, expect, it } from 'vitest';
import { LOCAL_ACCESS } from '../src/config/access.ts';
import { PROMPTS } from '../src/mcp/catalogue.ts';
import { instructionsFor } from '../src/mcp/instructions.ts';
import { LOCAL_SESSION } from '../src/mcp/offer.ts';
import { linkedPair } from './fixtures/mcp-pair.ts';
import { SmallSwitchboard } from './fixtures/small-switchboard.ts';

const { client } = await linkedPair(new SmallSwitchboard());
const { tools } = await client.listTools();
/** A client that is offered this set alone. */
async function officeOf(toolset: 'asterisk' | '3cx' | 'voipms') {
  const offer = { ...LOCAL_SESSION.offer, toolsets: [toolset] };
  const pair = await linkedPair(new SmallSwitchboard(), { session: { ...LOCAL_SESSION, access: LOCAL_ACCESS, offer } });
  return { client: pair.client, tools: (await pair.client.listTools()).tools };
}
const offices = {
  asterisk: await officeOf('asterisk'),
  '3cx': await officeOf('3cx'),
  voipms: await officeOf('voipms'),
};
const officeTools = Object.values(offices).flatMap((one) => one.tools);
const isOfOffice = (name: string): boolean => /^(asterisk|threecx|voipms)_/.test(name);

const reads = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };
const ANNOTATIONS: Record<string, object> = {
  'trigger-call': { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  'wait-for-call': reads,
  'get-call': reads,
  'list-calls': reads,
  'end-call': { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  'search-transcripts': reads,
  'get-recording': { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
};
const sets = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false };
const ends = { ...sets, destructiveHint: true };
const reaches = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };
/** What changes something; everything else only reads. */
const OFFICE_CHANGES: Record<string, object> = {
  asterisk_kick_participant: ends,
  asterisk_mute_participant: sets,
  asterisk_unmute_participant: sets,
  asterisk_lock_conference: sets,
  asterisk_unlock_conference: sets,
  asterisk_originate_call: reaches,
  asterisk_hangup_channel: ends,
  threecx_make_call: reaches,
  threecx_answer_call: ends,
  threecx_transfer_call: reaches,
  threecx_hold_call: { ...ends, idempotentHint: false },
  threecx_drop_call: ends,
  threecx_send_message: reaches,
  threecx_record_call: sets,
  voipms_get_call_recording: { ...sets, idempotentHint: false },
  voipms_get_call_transcript: { ...reads, openWorldHint: true },
  voipms_send_call_recording_email: reaches,
  voipms_add_number_to_phonebook_group: sets,
  voipms_remove_number_from_phonebook_group: sets,
  voipms_mark_number_as_spam: ends,
  voipms_unmark_number_as_spam: ends,
};
/** Of Asterisk the twenty, and what is offered where the server offers it. */
const OFFICE_NAMES = {
  asterisk: [
    ...['list_conferences', 'list_participants', 'kick_participant', 'mute_participant', 'unmute_participant'],
    ...['lock_conference', 'unlock_conference', 'list_extensions', 'get_extension_status', 'get_registration'],
    ...['get_dial_rules', 'list_feature_codes', 'validate_number', 'query_cdr', 'get_call_statistics'],
    ...['get_extension_summary', 'get_system_status', 'list_channels', 'originate_call', 'hangup_channel'],
    ...['list_queues', 'list_mailboxes', 'list_parked_calls', 'list_recordings'],
  ].map((name) => `asterisk_${name}`),
  '3cx': [
    ...['make_call', 'answer_call', 'transfer_call', 'hold_call', 'drop_call', 'send_message', 'get_call_logs'],
    ...['get_extensions', 'get_presence', 'record_call'],
  ].map((name) => `threecx_${name}`),
  voipms: [
    ...['get_balance', 'get_phonebook_groups', 'get_phonebook_entries', 'get_callerid_filters', 'get_accounts'],
    ...['get_call_accounts', 'get_call_recordings', 'get_call_recording', 'send_call_recording_email'],
    ...['get_call_transcript', 'get_recent_cdr', 'add_number_to_phonebook_group'],
    ...['remove_number_from_phonebook_group', 'inspect_number', 'suggest_spam_numbers', 'mark_number_as_spam'],
    ...['unmark_number_as_spam'],
  ].map((name) => `voipms_${name}`),
};

/** Every schema inside a JSON Schema that describes something of this type. */
function schemasOfType(schema: unknown, type: string): Record<string, unknown>[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const here = (schema as { type?: unknown }).type === type ? [schema as Record<string, unknown>] : [];
  return [...here, ...Object.values(schema).flatMap((part) => schemasOfType(part, type))];
}

describe('the catalogue', () => {
  it('lists exactly the tools of the voice face, always in the same order', () => {
    expect(tools.map(({ name }) => name)).toEqual(Object.keys(ANNOTATIONS));
  });

  it.each([
    ['asterisk', 4_500],
    ['3cx', 2_500],
    ['voipms', 3_500],
  ] as const)('lists the tools of %s, and tells in the instructions that people are on the lines', (set, most) => {
    const { client: of, tools: those } = offices[set];
    expect(those.map(({ name }) => name)).toEqual(OFFICE_NAMES[set]);
    expect(of.getInstructions()).toContain('ask the user before you change anything');
    const seen = those.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
    expect(countTokens(JSON.stringify(seen))).toBeLessThan(most);
  });

  it('costs little to begin with: names, descriptions and input schemas take under 3,000 tokens', () => {
    const seen = tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
    expect(countTokens(JSON.stringify(seen))).toBeLessThan(3_000);
  });

  it('tells the workflow in at most 1,500 bytes of instructions that name every tool, and little more with the offices', () => {
    const instructions = instructionsFor(tools.map(({ name }) => name));
    expect(client.getInstructions()).toBe(instructions);
    expect(Buffer.byteLength(instructions)).toBeLessThanOrEqual(1500);
    for (const { name } of tools) expect(instructions).toContain(name);
    const all = [...tools, ...officeTools].map(({ name }) => name);
    expect(Buffer.byteLength(instructionsFor(all))).toBeLessThanOrEqual(2_000);
  });

  it('names prompts as it names tools, and describes each of their arguments', async () => {
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(PROMPTS.map(({ name }) => name));
    for (const prompt of prompts) {
      expect(prompt.name).toMatch(/^[a-z0-9-]{1,40}$/);
      expect(prompt.description?.length).toBeGreaterThan(10);
      for (const argument of prompt.arguments ?? []) expect(argument.description?.length).toBeGreaterThan(5);
    }
  });
});

describe.each([...tools, ...officeTools].map((tool) => [tool.name, tool] as const))('the tool %s', (name, tool) => {
  it('has a name that every client takes with its prefix, a title and a description of useful length', () => {
    expect(name).toMatch(/^[a-z0-9_-]{1,41}$/);
    expect(tool.title?.length).toBeGreaterThan(3);
    expect(tool.description?.length).toBeGreaterThan(60);
    expect(tool.description?.length).toBeLessThan(600);
  });

  it('states all four hints, and the right ones', () => {
    expect(tool.annotations).toEqual(isOfOffice(name) ? (OFFICE_CHANGES[name] ?? reads) : ANNOTATIONS[name]);
  });

  it('describes its result, which always says whether it is simulated and what to do next', () => {
    expect(tool.outputSchema?.type).toBe('object');
    // The office's tools never act on a simulated one by themselves.
    const always = isOfOffice(name) ? ['next'] : ['simulated', 'next'];
    expect(tool.outputSchema?.required).toEqual(expect.arrayContaining(always));
  });

  it('takes no argument that it does not know', () => {
    expect(tool.inputSchema.additionalProperties).toBe(false);
  });

  it('bounds every number and every text that it takes', () => {
    const numbers = [...schemasOfType(tool.inputSchema, 'integer'), ...schemasOfType(tool.inputSchema, 'number')];
    for (const schema of numbers) {
      expect(schema.minimum).toBeTypeOf('number');
      expect(schema.maximum).toBeTypeOf('number');
    }
    for (const schema of schemasOfType(tool.inputSchema, 'string')) {
      expect(schema.maxLength ?? schema.enum ?? schema.pattern).toBeDefined();
    }
    expect(JSON.stringify(tool)).not.toContain('9007199254740991');
  });
});
