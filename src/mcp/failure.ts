import { ConfigError, ProtocolError, UpstreamError, UserInputError } from '../errors.ts';
import { INTERNAL_ERROR } from './json-rpc.ts';
import { failedAnswer, type ToolAnswer } from './result.ts';
import type { Problem, Tool, ToolContext } from './tool.ts';

/** What this edge needs of a logger; pino's fits. */
export interface Logger {
  error(details: object, message: string): void;
  debug(details: object, message: string): void;
}

/** A UUID (RFC 9562), as our calls have. */
const CALL_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const UNKNOWN: Problem = {
  message: 'Something went wrong inside Switchboard; the details are in its log.',
  advice: 'Tell the user. Before any new call, look with list-calls at what has happened.',
};

/** The four errors as sentences that an assistant may read; of anything else nothing is passed on. */
export function problemOf(error: unknown): Problem {
  if (error instanceof UserInputError) {
    return { message: error.message, advice: 'Correct the arguments, or ask the user.' };
  }
  if (error instanceof ConfigError) {
    const unnamed = error.settings.filter((setting) => !error.message.includes(setting));
    const settings = unnamed.length === 0 ? '' : ` (settings: ${unnamed.join(', ')})`;
    return {
      message: `${error.message}${settings}`,
      advice: 'Ask the user to change the settings of Switchboard; trying again before that is of no use.',
    };
  }
  if (error instanceof UpstreamError) {
    const advice = error.retryable ? 'It may work in a little while.' : 'Do not try again; tell the user.';
    return { message: error.message, advice };
  }
  if (error instanceof ProtocolError) return { message: error.message, advice: 'Tell the user.' };
  return UNKNOWN;
}

/** Translates what a tool rejected with, once, and logs what the assistant does not get to read. */
export function toolFailure(
  error: unknown,
  tool: Tool,
  context: ToolContext,
  notices: readonly string[],
  logger: Logger,
): ToolAnswer {
  const problem = problemOf(error);
  note(error, `tool ${tool.name} failed`, logger, context.signal);
  const news = notices.filter((notice) => !problem.message.includes(notice));
  const structured = tool.failure({ ...problem, message: [problem.message, ...news].join(' ') }, context);
  return failedAnswer(`${problem.message}\n${problem.advice}`, structured, news);
}

/** JSON-RPC's error where a result has no `isError` (resources), or there is none (a tool that does not exist): the SDK reads `code` and `message`. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
  /** JSON-RPC error code. */
  readonly code: number;
  constructor(code: number, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** MCP 2025-11-25, "Resources, Error Handling". */
const RESOURCE_NOT_FOUND = -32002;

export function resourceFailure(error: unknown, logger: Logger): RequestFailure {
  if (error instanceof RequestFailure) return error;
  note(error, 'reading a resource failed', logger);
  const code = error instanceof UserInputError ? RESOURCE_NOT_FOUND : INTERNAL_ERROR;
  return new RequestFailure(code, problemOf(error).message, error);
}

/** The log with the id of the call that a tool is asked about, where the arguments name one in the form of ours. */
export function logOfCall(logger: Logger, args: unknown): Logger {
  const callId = typeof args === 'object' && args !== null && 'callId' in args ? args.callId : undefined;
  if (typeof callId !== 'string' || !CALL_ID.test(callId)) return logger;
  return {
    debug: (fields, message) => logger.debug({ callId, ...fields }, message),
    error: (fields, message) => logger.error({ callId, ...fields }, message),
  };
}

/** What the caller got wrong or cancelled is no news for the operator's log. */
function note(error: unknown, message: string, logger: Logger, signal?: AbortSignal): void {
  const expected = error instanceof UserInputError || error instanceof ConfigError || signal?.aborted === true;
  if (expected) logger.debug({ err: error }, message);
  else logger.error({ err: error }, message);
}
