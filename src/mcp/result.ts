import type { ToolResult } from './tool.ts';

/** The wire form of a tool's result. A type, not an interface: the SDK's result type wants an index signature. */
export type ToolAnswer = {
  content: { type: 'text'; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
};

/**
 * The one place where both forms of a result are put together: clients differ in which of the two they show.
 * `notices` are sentences of ours about the server's own state, such as a port that is taken.
 */
export function answer(result: ToolResult<Record<string, unknown>>, notices: readonly string[]): ToolAnswer {
  const simulated = result.structured.simulated === true ? 'Simulated: no real telephone is involved.\n' : '';
  return { content: [textOf(`${simulated}${result.text}`, notices)], structuredContent: result.structured };
}

/** `structured` must satisfy the tool's output schema: clients check it on failures too (the SDK's client does). */
export function failedAnswer(
  text: string,
  structured: Record<string, unknown> | null,
  notices: readonly string[],
): ToolAnswer {
  const content = [textOf(text, notices)];
  return structured === null ? { content, isError: true } : { content, structuredContent: structured, isError: true };
}

function textOf(text: string, notices: readonly string[]): { type: 'text'; text: string } {
  return { type: 'text', text: [text, ...notices.map((notice) => `Notice: ${notice}`)].join('\n') };
}
