/** Every call of the PBX, whoever's it is, as the configuration API lists them. */
import { type UpstreamError, UserInputError } from '../../errors.ts';
import type { CallControlClock } from './call-control.ts';
import { numberOf, textOf } from './json.ts';
import { seenWhen } from './live-calls.ts';
import type { ActiveCall, Done } from './operations.ts';
import { isRefusal, isUncertain, uncertain } from './refusals.ts';
import type { Xapi } from './xapi.ts';

const FIELDS = ['Id', 'Caller', 'Callee', 'Status', 'EstablishedAt'];
const MOST_CALLS = 500;

export async function activeCalls(xapi: Xapi): Promise<readonly ActiveCall[]> {
  const { rows } = await xapi.list(
    '/ActiveCalls',
    { select: FIELDS, offset: 0, limit: MOST_CALLS },
    'to list the active calls',
  );
  return rows.flatMap((row) => {
    const id = numberOf(row.Id);
    if (id === null) return [];
    return [
      {
        id,
        caller: textOf(row.Caller) ?? '',
        callee: textOf(row.Callee) ?? '',
        // The words are 3CX's own; they are not documented.
        status: textOf(row.Status) ?? 'unknown',
        establishedAt: textOf(row.EstablishedAt),
      },
    ];
  });
}

/** Exactly one that is up at this moment. The swagger has 200 for an answer, clients have seen 204. */
export async function dropActiveCall(xapi: Xapi, clock: CallControlClock, id: number): Promise<Done> {
  const isGone = (calls: readonly ActiveCall[]): boolean => !calls.some((call) => call.id === id);
  const calls = await activeCalls(xapi);
  if (isGone(calls))
    throw new UserInputError(
      `No active call has the id ${id}. ${calls.length === 0 ? 'There is none at all.' : `There are ${calls.map((call) => call.id).join(', ')}.`}`,
    );
  let doubt: UpstreamError | null = null;
  try {
    await xapi.post(`/ActiveCalls(${id})/Pbx.DropCall`, {}, 'to end the call');
  } catch (error) {
    // It ended by itself meanwhile.
    if (isRefusal(error, 404)) return ended(id);
    if (!isUncertain(error)) throw error;
    doubt = error;
  }
  const now = await seenWhen(clock, () => activeCalls(xapi), isGone).catch((error: unknown) => {
    throw uncertain(`Whether the call ${id} has ended is not known: the list of calls cannot be read.`, error);
  });
  if (isGone(now)) return ended(id);
  if (doubt !== null) throw uncertain(`${doubt.message} The call ${id} is still listed.`, doubt);
  return { call: null, message: `3CX took it on to end the call ${id}, but still lists it.`, untested: [] };
}

function ended(id: number): Done {
  return { call: null, message: `The call ${id} has ended.`, untested: [] };
}
