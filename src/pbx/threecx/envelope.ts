/** What 3CX wraps the results of its actions in: in lower case by Call Control, in upper camel case by the configuration API. */
import { rowOf, textOf } from './json.ts';
import { refusalOf } from './refusals.ts';

/** The result within; null where there is none, as an answer may be empty although all went well. @throws ThreeCxRefusal */
export function checkEnvelope(body: unknown, what: string): unknown {
  const envelope = rowOf(body);
  if (envelope === null) return null;
  const status = envelope.finalstatus ?? envelope.FinalStatus;
  // A word in the samples, a number in the types of 3CX's own example: -1 failed, 0 rejected, 1 success.
  const isGood = status === undefined || status === null || status === 1 || textOf(status)?.toLowerCase() === 'success';
  if (!isGood) throw refusalOf(200, body, what);
  return envelope.result ?? envelope.Result ?? null;
}
