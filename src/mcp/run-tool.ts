import { randomUUID } from 'node:crypto';
import { UpstreamError } from '../errors.ts';
import { type Audit, short } from './audit.ts';
import { type Logger, logOfCall, toolFailure } from './failure.ts';
import type { Session } from './offer.ts';
import { answer, type ToolAnswer } from './result.ts';
import type { Audited, Tool, ToolContext } from './tool.ts';

export interface Run {
  readonly tool: Tool;
  readonly args: Readonly<Record<string, unknown>> | undefined;
  readonly context: ToolContext;
  readonly session: Session;
  /** Name and version of the client's program, as it says. */
  readonly client: string;
  readonly audit: Audit | undefined;
  readonly notices: () => readonly string[];
  readonly logger: Logger;
}

/** Runs one tool and answers whatever comes of it. What changes something is put down before and after; without the first it is not done. */
export async function runTool(run: Run): Promise<ToolAnswer> {
  const { tool, args, context, audit, notices } = run;
  const logger = logOfCall(run.logger, args);
  const request = audit === undefined || tool.annotations.readOnlyHint ? null : tool.audited(args ?? {});
  const id = randomUUID();
  const startedAtMs = performance.now();
  let result: ToolAnswer;
  try {
    if (audit && request) await putDown(audit, id, request, { ...run, logger });
    result = answer(await tool.run(args, context), notices());
  } catch (error) {
    result = toolFailure(error, tool, context, notices(), logger);
  }
  if (audit && request) {
    const entry = {
      at: new Date().toISOString(),
      id,
      phase: 'done' as const,
      outcome: result.isError === true ? ('failure' as const) : ('success' as const),
      callId: short(result.structuredContent?.callId) || null,
      durationMs: Math.round(performance.now() - startedAtMs),
    };
    // What was done cannot be undone for want of a line.
    await audit.write(entry).catch((err: unknown) => logger.error({ err }, 'the audit lacks the end of a tool call'));
  }
  return result;
}

async function putDown(audit: Audit, id: string, request: Audited, run: Run): Promise<void> {
  const { tool, session, client, logger } = run;
  const entry = {
    at: new Date().toISOString(),
    id,
    phase: 'started' as const,
    tool: tool.name,
    transport: session.transport,
    who: session.access.name,
    client,
    request,
  };
  try {
    await audit.write(entry);
  } catch (error) {
    // To end a call must always be possible; what can be repeated without harm does no harm.
    if (tool.annotations.idempotentHint) return logger.error({ err: error }, 'the audit lacks a tool call');
    const why = error instanceof UpstreamError ? error.message : 'The audit log cannot be written.';
    throw new UpstreamError(`${why} Nothing was done, as nothing is changed without an entry there.`, {
      cause: error,
      retryable: false,
    });
  }
}
