import type { Line } from '../../call/words.ts';
import { UserInputError } from '../../errors.ts';
import type { Switchboard } from '../../switchboard/port.ts';
import { callFacts, isoTime, lineFacts } from '../facts.ts';
import { CAUTION, clean } from '../quotation.ts';

/** `call://transcriptions…`: the same story as the tools tell, for clients that read and subscribe. All are JSON texts. */

export const LIST_URI = 'call://transcriptions';
export const LATEST_URI = 'call://transcriptions/latest';
export const CALL_URI_TEMPLATE = 'call://transcriptions/{callId}';

/** Calls in the list, in `resources/list` and in completions; older ones are found with the tools. */
const LISTED_CALLS = 50;
const PAGE_LINES = 500;

export function callUri(callId: string): string {
  return `${LIST_URI}/${callId}`;
}

export function isTranscriptionUri(uri: string): boolean {
  return uri === LIST_URI || /^call:\/\/transcriptions\/[^/?#]{1,64}$/.test(uri);
}

/** {`simulated`, `caution`, `calls`}, newest first. */
export async function readList(switchboard: Switchboard): Promise<string> {
  const { calls } = await switchboard.calls({ limit: LISTED_CALLS });
  return jsonText({ simulated: switchboard.simulated, caution: CAUTION, calls: calls.map(callFacts) });
}

/** The call that was placed last, as `readCall`; {`call`: null} before the first. */
export async function readLatest(switchboard: Switchboard): Promise<string> {
  const { calls } = await switchboard.calls({ limit: 1 });
  const latest = calls[0];
  if (latest === undefined) {
    return jsonText({
      simulated: switchboard.simulated,
      caution: CAUTION,
      call: null,
      untrusted: { result: null, lines: [] },
    });
  }
  return readCall(switchboard, latest.callId);
}

/** {`simulated`, `caution`, `call`, `untrusted`: {`result`, `lines`}}. Rejects with a UserInputError when there is no such call. */
export async function readCall(switchboard: Switchboard, callId: string): Promise<string> {
  const call = await switchboard.call(callId);
  return jsonText({
    simulated: call.simulated,
    caution: CAUTION,
    call: { ...callFacts(call), context: clean(call.context), language: call.language },
    untrusted: {
      result: call.result === null ? null : clean(call.result),
      lines: (await allLines(switchboard, callId)).map(lineFacts),
    },
  });
}

export interface ListedCall {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
}

/** The newest calls as single resources. */
export async function listCallResources(switchboard: Switchboard): Promise<ListedCall[]> {
  const { calls } = await switchboard.calls({ limit: LISTED_CALLS });
  return calls.map(({ callId, to, createdAtMs }) => ({
    uri: callUri(callId),
    name: callId,
    title: `Call to ${to}, ${isoTime(createdAtMs)}`,
  }));
}

/** Ids of calls that begin with `value`, newest first. */
export async function completeCallId(switchboard: Switchboard, value: string): Promise<string[]> {
  const { calls } = await switchboard.calls({ limit: LISTED_CALLS });
  return calls.map(({ callId }) => callId as string).filter((callId) => callId.startsWith(value));
}

/** The one call id that a URI of the template names. Throws a UserInputError on anything else. */
export function callIdOf(variable: string | string[] | undefined): string {
  if (typeof variable !== 'string' || variable === '')
    throw new UserInputError(`Read ${CALL_URI_TEMPLATE} with the id of a call.`);
  return variable;
}

async function allLines(switchboard: Switchboard, callId: string): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for (let cursor = 0; ; ) {
    const page = await switchboard.lines(callId, { cursor, limit: PAGE_LINES });
    lines.push(...page.lines);
    if (page.lines.length < PAGE_LINES || page.cursor <= cursor) return lines;
    cursor = page.cursor;
  }
}

function jsonText(value: object): string {
  return JSON.stringify(value, null, 1);
}
