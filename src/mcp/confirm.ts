import { ConfigError, UserInputError } from '../errors.ts';
import type { ToolContext } from './tool.ts';

/** What the user is asked about, and what has happened where they do not say yes. */
export interface Subject {
  readonly what: string;
  readonly undone: string;
}

const CALL: Subject = { what: 'this call', undone: 'nothing was dialled' };

/** Has the user asked about a call, or another subject, where that is wanted. @throws UserInputError unless the answer is yes, and is still waited for. */
export async function confirm(
  question: string,
  { ask, confirmCalls, signal }: Pick<ToolContext, 'ask' | 'confirmCalls' | 'signal'>,
  { what, undone }: Subject = CALL,
): Promise<void> {
  if (confirmCalls === 'never' || (confirmCalls === 'when-possible' && ask === undefined)) return;
  if (ask === undefined) {
    throw new ConfigError(
      `CONFIRM_CALLS is always, and this client cannot ask its user (it does not support MCP elicitation), so ${undone}. Use a client that can, or set CONFIRM_CALLS to when-possible.`,
      { settings: ['CONFIRM_CALLS'] },
    );
  }
  const answer = await ask(question);
  if (signal.aborted) throw new UserInputError(`The request was given up before the user answered; ${undone}.`);
  if (answer === 'accept') return;
  throw new UserInputError(
    answer === 'decline'
      ? `The user does not want ${what}; ${undone}. Do not try again without being asked to.`
      : `The user did not answer about ${what}; ${undone}. Ask them.`,
  );
}
