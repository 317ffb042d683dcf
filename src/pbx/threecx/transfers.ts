/**
 * Handing a call over. 3CX's API has a blind transfer alone: a consultation is a second call from the same telephone, and completing it is
 * ending that call and transferring the first one blindly. Parking is the nearest thing to holding.
 */
import { UpstreamError, UserInputError } from '../../errors.ts';
import { activeCalls } from './active-calls.ts';
import type { CallControl, Participant } from './call-control.ts';
import { chosen, doAndSee, liveCallOf, partyOf, type Seen } from './live-calls.ts';
import { type Placing, placeCall } from './make-call.ts';
import type { CallChoice, Done, ThreeCxOptions, TransferRequest } from './operations.ts';
import { isRefusal, isUncertain } from './refusals.ts';
import { extensionOf, parkingPlaces, targetOf } from './targets.ts';

export interface Transferring extends Placing {
  readonly options: ThreeCxOptions;
  /** @throws UserInputError */
  mayChange(): void;
}

const RING_SECONDS = 30;
/** No hold is in the API: that a telephone holds its first call while it places a second one is how telephones are, not what 3CX says. */
const CONSULT_IS_GUESS =
  'That the telephone holds the first call by itself while it calls the target was not tried on a real 3CX.';
/** The API has a transfer to a destination; that a parking place is one is not documented. */
const PARKING_IS_GUESS = 'Parking a call by transferring it to a parking place was not tried on a real 3CX.';
const PICKING_UP_IS_GUESS = 'Taking a parked call back by calling its parking place was not tried on a real 3CX.';

export async function transfer(office: Transferring, request: TransferRequest): Promise<Done> {
  switch (request.mode) {
    case 'blind':
      return await blind(office, request);
    case 'consult':
      return await consult(office, request);
    case 'complete':
      return await complete(office, request);
    case 'cancel':
      return await cancel(office, request);
    default:
      return request satisfies never;
  }
}

async function blind(office: Transferring, request: CallChoice & { readonly to: string }): Promise<Done> {
  const { callControl, options, xapi } = office;
  const call = await chosen(callControl, request, { fallback: options.defaultExtension });
  const to = await targetOf(xapi, request.to, options);
  if (call.status !== 'Connected' && call.status !== 'Ringing') throw notReady(call, 'transferred');
  office.mayChange();
  return await handOver(office, call, to);
}

/** A call that is up is transferred, one that rings is sent on; 3CX has an action for each. */
async function handOver({ callControl, options }: Transferring, call: Participant, to: string): Promise<Done> {
  const action = call.status === 'Ringing' ? 'divert' : 'transferto';
  const { now, isDone, isSure } = await doAndSee(
    callControl,
    options.clock,
    call,
    () => callControl.act(call.dn, call.id, action, { destination: to }),
    (seen) => seen === null,
  );
  const after = isDone
    ? `The call has left extension ${call.dn}.${isSure ? '' : ` Whether it went to ${to} or just ended is not known.`}`
    : `3CX is ringing ${to}; if nobody answers there, it gives the call back to extension ${call.dn}.`;
  return {
    call: now === null ? null : liveCallOf(now, options.clientId),
    message: `${isSure ? '3CX took on' : '3CX did not say whether it took on'} ${action === 'divert' ? 'sending the ringing call' : 'the blind transfer of the call'} of ${partyOf(call)} to ${to}. ${after}`,
    untested: [],
  };
}

async function consult(office: Transferring, request: CallChoice & { readonly to: string }): Promise<Done> {
  const { callControl, options, xapi } = office;
  const call = await chosen(callControl, request, { fallback: options.defaultExtension, statuses: ['Connected'] });
  if (call.status !== 'Connected') throw notReady(call, 'left waiting for a consultation');
  const destination = await targetOf(xapi, request.to, options);
  office.mayChange();
  const { dn: from, deviceId } = call;
  const done = await placeCall(office, { from, destination, ringSeconds: RING_SECONDS, deviceId });
  const consultId = done.call === null ? '' : ` Its consultId is ${done.call.participantId}.`;
  return {
    call: done.call,
    message: `${done.message} It is the consultation; ${partyOf(call)} (participantId ${call.id}) waits as the telephone of extension ${call.dn} holds calls, as 3CX itself has no hold.${consultId}`,
    untested: [...done.untested, CONSULT_IS_GUESS],
  };
}

async function complete(
  office: Transferring,
  request: CallChoice & { readonly to: string; readonly consultId: number },
): Promise<Done> {
  const { callControl, options, xapi } = office;
  const { caller, consultation } = await bothCalls(office, request);
  if (caller.status !== 'Connected') throw notReady(caller, 'handed over');
  const to = await targetOf(xapi, request.to, options);
  office.mayChange();
  const ending =
    consultation === null
      ? 'The consultation had ended already.'
      : await endConsultation(office, consultation, 'so the caller was not handed over');
  try {
    const done = await handOver(office, caller, to);
    return {
      ...done,
      message: `${ending} 3CX cannot join two calls, so the telephone of ${to} rings once more. ${done.message}`,
    };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    // Where nothing can be seen, nothing is said of the caller.
    const seen = await callControl.participant(caller.dn, caller.id).catch(() => undefined);
    const where =
      seen === null ? ' The caller is not there any more.' : ` The caller is still at extension ${caller.dn}.`;
    throw new UpstreamError(
      `${ending} Then the caller was to be transferred: ${error.message}${seen === undefined || isUncertain(error) ? '' : where}`,
      { retryable: false, ...(error.code === undefined ? {} : { code: error.code }), cause: error },
    );
  }
}

async function cancel(office: Transferring, request: CallChoice & { readonly consultId: number }): Promise<Done> {
  const { options } = office;
  const { caller, consultation } = await bothCalls(office, request);
  const back = `${partyOf(caller)} (participantId ${caller.id}) is at extension ${caller.dn}; if its telephone holds the call, a person takes it back there, as 3CX cannot.`;
  const call = liveCallOf(caller, options.clientId);
  if (consultation === null)
    return { call, message: `The consultation had ended already. ${back}`, untested: [CONSULT_IS_GUESS] };
  office.mayChange();
  const ending = await endConsultation(office, consultation, 'so the caller may still be waiting');
  return { call, message: `${ending} ${back}`, untested: [CONSULT_IS_GUESS] };
}

/** The caller, and the consultation (null when it is gone). */
async function bothCalls(
  { callControl, options }: Transferring,
  request: CallChoice & { readonly consultId: number },
): Promise<{ readonly caller: Participant; readonly consultation: Participant | null }> {
  const dn = extensionOf(request.extension, options.defaultExtension);
  if (request.participantId === request.consultId)
    throw new UserInputError('The consultation is another call than the caller’s: consultId and participantId differ.');
  const all = await callControl.participants(dn);
  const others = all.filter((one) => one.id !== request.consultId);
  const named = others.filter((one) => request.participantId === undefined || one.id === request.participantId);
  const [caller, ...more] = named;
  if (caller === undefined)
    throw new UserInputError(`The caller is not at extension ${dn} any more, so there is nobody to hand over.`);
  if (more.length > 0)
    throw new UserInputError(
      `Extension ${dn} has several other calls: say by participantId which one is the caller’s (${named.map((one) => `${one.id}, ${partyOf(one)}`).join('; ')}).`,
    );
  return { caller, consultation: all.find((one) => one.id === request.consultId) ?? null };
}

async function endConsultation(
  { callControl, options }: Transferring,
  consultation: Participant,
  soThat: string,
): Promise<string> {
  const { isDone } = await doAndSee(
    callControl,
    options.clock,
    consultation,
    () => dropOnce(callControl, consultation),
    (now) => now === null,
  );
  if (!isDone)
    throw new UpstreamError(`3CX took it on to end the consultation, but it is still up, ${soThat}.`, {
      retryable: false,
      code: 'not-done',
    });
  return 'The consultation was ended.';
}

/** It may end by itself at the same moment, which is what was wanted. */
export async function dropOnce(callControl: CallControl, call: Participant): Promise<void> {
  await callControl.act(call.dn, call.id, 'drop').catch(async (error: unknown) => {
    if (isUncertain(error) || (await callControl.participant(call.dn, call.id)) !== null) throw error;
  });
}

/** Parks it: where, is said. */
export async function park(
  office: Transferring,
  request: CallChoice & { readonly slot?: string | undefined },
): Promise<Done & { readonly slot: string }> {
  const { callControl, options } = office;
  const call = await chosen(callControl, request, { fallback: options.defaultExtension, statuses: ['Connected'] });
  if (call.status !== 'Connected') throw notReady(call, 'parked');
  const slots = await placesToPark(office, request.slot);
  office.mayChange();
  const { slot, now, isDone, isSure } = await parkAtFirst(office, call, slots);
  const parked = isDone
    ? `The call of ${partyOf(call)} has left extension ${call.dn} for the parking place ${slot}, where it waits until somebody calls that place.`
    : `3CX took it on to park the call of ${partyOf(call)} at ${slot}, but still shows it at extension ${call.dn}.`;
  return {
    call: now === null ? null : liveCallOf(now, options.clientId),
    message: isSure
      ? `3CX’s API has no hold, so the call was parked. ${parked}`
      : `3CX’s API has no hold, so the call was to be parked. 3CX did not say whether it parked the call of ${partyOf(call)} at ${slot}. It has left extension ${call.dn}; it may as well have ended.`,
    untested: [PARKING_IS_GUESS],
    slot,
  };
}

export async function takeBack(
  office: Transferring,
  request: { readonly extension?: string | undefined; readonly slot: string },
): Promise<Done> {
  const from = extensionOf(request.extension, office.options.defaultExtension);
  const [slot = request.slot] = await placesToPark(office, request.slot);
  office.mayChange();
  const done = await placeCall(office, { from, destination: slot, ringSeconds: RING_SECONDS });
  return {
    ...done,
    message: `To take the parked call back, extension ${from} calls the parking place ${slot}. ${done.message}`,
    untested: [...done.untested, PICKING_UP_IS_GUESS],
  };
}

/** A place that is taken is refused, and then nothing was done: the next may be free. */
async function parkAtFirst(
  { callControl, options }: Transferring,
  call: Participant,
  slots: readonly string[],
): Promise<Seen & { readonly slot: string }> {
  for (const [at, slot] of slots.entries()) {
    try {
      const park = () => callControl.act(call.dn, call.id, 'transferto', { destination: slot });
      return { slot, ...(await doAndSee(callControl, options.clock, call, park, (seen) => seen === null)) };
    } catch (error) {
      if (!isRefusal(error, 422) || at === slots.length - 1) throw error;
    }
  }
  throw new UserInputError(ALL_TAKEN);
}

const ALL_TAKEN = 'All parking places of 3CX seem to be taken. Name one to use it anyway.';
const MOST_PLACES_TRIED = 3;

/** The one that is named, or some that no call is at, as far as the list of calls tells. */
async function placesToPark({ xapi }: Transferring, named: string | undefined): Promise<readonly string[]> {
  const places = (await parkingPlaces(xapi)).map((place) => place.number);
  if (places.length === 0)
    throw new UpstreamError(
      '3CX lists no parking place, and has no other way to hold a call: it has to be held at the telephone.',
      { retryable: false, code: 'unsupported' },
    );
  if (named !== undefined) {
    if (places.includes(named.trim())) return [named.trim()];
    throw new UserInputError(
      `${JSON.stringify(named.slice(0, 40))} is no parking place. There are ${places.slice(0, 20).join(', ')}.`,
    );
  }
  const words = new Set((await activeCalls(xapi)).flatMap((call) => `${call.caller} ${call.callee}`.split(/\W+/)));
  const free = places.filter((place) => !words.has(place));
  if (free.length === 0) throw new UserInputError(ALL_TAKEN);
  return free.slice(0, MOST_PLACES_TRIED);
}

function notReady(call: Participant, done: string): UserInputError {
  return new UserInputError(
    `The call ${call.id} of extension ${call.dn} is ${call.status}; it can be ${done} only when it is up.`,
  );
}
