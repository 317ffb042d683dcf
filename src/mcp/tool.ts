import type { z } from 'zod';
import type { Scope } from '../config/access.ts';
import type { Toolset } from '../config/schema.ts';
import type { AsteriskOperations } from '../pbx/asterisk/operations.ts';
import type { ThreeCxOperations } from '../pbx/threecx/operations.ts';
import type { VoipMsOperations } from '../pbx/voipms/operations.ts';
import type { Switchboard } from '../switchboard/port.ts';
import { readArguments } from './arguments.ts';

/** The hints of the MCP specification, all four: an absent one means its pessimistic default to a client. */
export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** The telephone systems of the office. Each throws a ConfigError while it is not configured. */
export interface Systems {
  readonly asterisk: () => AsteriskOperations;
  readonly threecx: () => ThreeCxOperations;
  readonly voipms: () => VoipMsOperations;
}

/** What tools and resources speak of. */
export interface Sources extends Systems {
  readonly switchboard: Switchboard;
}

export interface ToolContext extends Sources {
  /** Aborted when the client cancels the request or leaves. */
  readonly signal: AbortSignal;
  /** Absent when the client did not ask for progress. */
  readonly reportProgress?: (message: string) => void;
  /** Has the client ask its user a yes-or-no question. Absent when it cannot. */
  readonly ask?: (question: string) => Promise<'accept' | 'decline' | 'cancel'>;
  /** Whether its user is to be asked before a call. */
  readonly confirmCalls: 'never' | 'when-possible' | 'always';
}

/** What the audit tells of a request: nothing that identifies a person, and no words of a brief. */
export type Audited = Readonly<Record<string, string | number | boolean>>;

/** What a tool answers: data for programs, and the same as text for a reader. */
export interface ToolResult<Structured> {
  readonly structured: Structured;
  readonly text: string;
}

interface ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> {
  /** `[a-z0-9_-]`, at most 41 characters: clients prefix it, and many take 64. */
  readonly name: string;
  readonly toolset: Toolset;
  /** What its caller must be allowed. */
  readonly scope: Scope;
  readonly title: string;
  readonly description: string;
  /** Strict, so that a misspelt argument is refused instead of dropped. */
  readonly input: Input;
  readonly output: Output;
  readonly annotations: ToolAnnotations;
  /** Rejects with one of the four errors; `failure.ts` translates them. */
  handler(args: z.output<Input>, context: ToolContext): Promise<ToolResult<z.output<Output>>>;
  /** The structured form of a failure, for a tool whose output has one. */
  failure?(problem: Problem, context: ToolContext): z.output<Output>;
  /** Of a tool that changes something; null for arguments with which it changes nothing. They may be of any form. */
  audited?(args: Readonly<Record<string, unknown>>): Audited | null;
  /** Takes its place where nothing may be changed. */
  readonly readOnlyTwin?: Tool;
}

/** A failure in our words: `message` says what is wrong, `advice` what the assistant should do about it. */
export interface Problem {
  readonly message: string;
  readonly advice: string;
}

/** A tool as the server registers it, whatever its schemas. Knows no SDK. */
export interface Tool {
  readonly name: string;
  readonly toolset: Toolset;
  readonly scope: Scope;
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  readonly annotations: ToolAnnotations;
  run(
    args: Readonly<Record<string, unknown>> | undefined,
    context: ToolContext,
  ): Promise<ToolResult<Record<string, unknown>>>;
  failure(problem: Problem, context: ToolContext): Record<string, unknown> | null;
  audited(args: Readonly<Record<string, unknown>>): Audited | null;
  readonly readOnlyTwin: Tool | null;
}

/** Checks a definition's types against each other and hides them behind `Tool`. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ToolDefinition<Input, Output>,
): Tool {
  const { name, toolset, scope, title, description, input, output, annotations, readOnlyTwin = null } = definition;
  return {
    name,
    toolset,
    scope,
    title,
    description,
    input,
    output,
    annotations,
    run: async (args, context) => definition.handler(readArguments(input, args), context),
    failure: (problem, context) => definition.failure?.(problem, context) ?? null,
    audited: (args) => definition.audited?.(args) ?? null,
    readOnlyTwin,
  };
}
