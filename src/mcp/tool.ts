import type { z } from 'zod';
import type { Switchboard } from '../switchboard/port.ts';
import { readArguments } from './arguments.ts';

/** The hints of the MCP specification, all four: an absent one means its pessimistic default to a client. */
export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

export interface ToolContext {
  readonly switchboard: Switchboard;
  /** Aborted when the client cancels the request or leaves. */
  readonly signal: AbortSignal;
  /** Absent when the client did not ask for progress. */
  readonly reportProgress?: (message: string) => void;
}

/** What a tool answers: data for programs, and the same as text for a reader. */
export interface ToolResult<Structured> {
  readonly structured: Structured;
  readonly text: string;
}

interface ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> {
  /** `[a-z0-9-]`, at most 40 characters: clients prefix it. */
  readonly name: string;
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
}

/** A failure in our words: `message` says what is wrong, `advice` what the assistant should do about it. */
export interface Problem {
  readonly message: string;
  readonly advice: string;
}

/** A tool as the server registers it, whatever its schemas. Knows no SDK. */
export interface Tool {
  readonly name: string;
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
}

/** Checks a definition's types against each other and hides them behind `Tool`. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ToolDefinition<Input, Output>,
): Tool {
  const { name, title, description, input, output, annotations } = definition;
  return {
    name,
    title,
    description,
    input,
    output,
    annotations,
    run: async (args, context) => definition.handler(readArguments(input, args), context),
    failure: (problem, context) => definition.failure?.(problem, context) ?? null,
  };
}
