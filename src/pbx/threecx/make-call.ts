/** Placing a call from an extension: once, whatever comes of it. */
import { type UpstreamError, UserInputError } from '../../errors.ts';
import { activeCalls } from './active-calls.ts';
import type { CallControl, Participant } from './call-control.ts';
import { checkEnvelope } from './envelope.ts';
import { numberOf, rowOf, textOf } from './json.ts';
import { liveCallOf, partyOf } from './live-calls.ts';
import type { Done, ThreeCxOptions } from './operations.ts';
import { isUncertain, nullOn, uncertain } from './refusals.ts';
import { peerOf } from './targets.ts';
import type { Xapi } from './xapi.ts';

export interface Placing {
  readonly callControl: CallControl;
  readonly xapi: Xapi;
  readonly options: Pick<ThreeCxOptions, 'clientId'>;
}

export interface PlaceRequest {
  readonly from: string;
  /** Judged before. */
  readonly destination: string;
  readonly ringSeconds: number;
  /** The telephone that is meant, where one is. */
  readonly deviceId?: string | null;
}

const OTHER_TELEPHONE =
  'The telephone that has the first call is not among those that 3CX lists, so another telephone of the extension may be calling.';

/** By the extension's own telephone where one is registered, which 3CX recommends; else 3CX rings what the extension has (an app, a mobile). */
export async function placeCall(placing: Placing, request: PlaceRequest): Promise<Done> {
  const { callControl } = placing;
  const { from, destination, ringSeconds, deviceId } = request;
  if (from === placing.options.clientId)
    throw new UserInputError(
      `${from} is the route point, at which only the agent speaks: trigger-call with via 3cx has it call. Name an extension to call from.`,
    );
  const before = await readFrom(placing, from);
  if (before === null) return await placeByXapi(placing, request);
  const [first] = before.deviceIds;
  const meant = before.deviceIds.find((one) => one === deviceId);
  const device = meant ?? first;
  try {
    const participant = await callControl.makeCall({
      dn: from,
      destination,
      timeoutSeconds: ringSeconds,
      deviceId: device,
    });
    return {
      call: liveCallOf(participant, placing.options.clientId),
      message: `3CX is placing the call from extension ${from} to ${destination}, ${device === undefined ? 'without a telephone of the extension, as none is registered' : 'by its registered telephone'}. Its status is ${participant.status}.`,
      untested: deviceId !== undefined && meant === undefined ? [OTHER_TELEPHONE] : [],
    };
  } catch (error) {
    if (!isUncertain(error)) throw error;
    return await seenAfter(placing, request, before.ids, error);
  }
}

/** Null: the app may not look at this extension. */
async function readFrom(
  { callControl }: Placing,
  from: string,
): Promise<{ readonly deviceIds: readonly string[]; readonly ids: readonly number[] } | null> {
  const asked = Promise.all([callControl.devices(from), callControl.participants(from)]);
  const answer = await asked.catch(nullOn(403, 404));
  if (answer === null) return null;
  const [devices, participants] = answer;
  return { deviceIds: devices.map((one) => one.deviceId), ids: participants.map((one) => one.id) };
}

/** Whether a new call is seen at the extension is all that can be said; a second one is never placed. */
async function seenAfter(
  { callControl, options }: Placing,
  { from, destination }: PlaceRequest,
  before: readonly number[],
  doubt: Error,
): Promise<Done> {
  let now: readonly Participant[];
  try {
    now = await callControl.participants(from);
  } catch {
    throw unknown(from, 'and its calls cannot be looked at', doubt);
  }
  const news = now.filter((one) => !before.includes(one.id));
  const fresh = news.find((one) => isTo(one, destination));
  // Somebody may have called the extension at that moment.
  const others = news.map((one) => `participantId ${one.id}, ${one.status}`).join('; ');
  if (fresh === undefined)
    throw unknown(
      from,
      news.length === 0 ? 'and no new call is seen there' : `and a new call there need not be it (${others})`,
      doubt,
    );
  return {
    call: liveCallOf(fresh, options.clientId),
    message: `3CX did not say whether it placed the call to ${destination}. A new call is seen at extension ${from} (${fresh.status}, ${partyOf(fresh)}), which will be it. It was not placed again.`,
    untested: [],
  };
}

/** Numbers outside may be shown without their country code. */
function isTo({ partyNumber, partyDn }: Participant, destination: string): boolean {
  const dialled = destination.replace(/^\+/, '');
  return [partyNumber, partyDn].some((party) => {
    const shown = party?.replace(/^\+/, '') ?? '';
    return shown === dialled || (shown.length >= LEAST_DIGITS && dialled.endsWith(shown));
  });
}

/** So many last digits make a number outside. */
const LEAST_DIGITS = 7;

function unknown(from: string, andWhat: string, cause: unknown): UpstreamError {
  return uncertain(
    `3CX did not say whether it placed the call from extension ${from}, ${andWhat}. It may still have been placed: look at threecx://active-calls, and ask the user, before trying again.`,
    cause,
  );
}

/** `POST /Users/Pbx.MakeCall` (3CX, XAPI swagger) reaches extensions that the app does not list, and tells nothing of the call afterwards. */
async function placeByXapi({ xapi, options }: Placing, { from, destination }: PlaceRequest): Promise<Done> {
  if ((await peerOf(xapi, from))?.type !== 'Extension')
    throw new UserInputError(`3CX has no extension ${from} to call from. threecx_get_extensions lists them.`);
  const before = (await activeCalls(xapi)).map((call) => call.id);
  try {
    const answer = await xapi.post('/Users/Pbx.MakeCall', { dn: from, destination }, 'to place the call');
    const placed = placedOf(checkEnvelope(answer, 'to place the call'), from);
    return {
      call: placed === null ? null : liveCallOf(placed, options.clientId),
      message: `3CX is placing the call from extension ${from} to ${destination}. Extension ${from} is not among those that the app may watch, so the Configuration API was used: what becomes of the call shows only in threecx://active-calls.`,
      untested: [],
    };
  } catch (error) {
    if (!isUncertain(error)) throw error;
    const fresh = (await activeCalls(xapi).catch(() => [])).find(
      (call) => !before.includes(call.id) && call.caller.split(/\W+/).includes(from),
    );
    if (fresh === undefined) throw unknown(from, 'and no new call of it is seen', error);
    return {
      call: null,
      message: `3CX did not say whether it placed the call to ${destination}. Its list has a new call of extension ${from} (activeCallId ${fresh.id}), which will be it. It was not placed again.`,
      untested: [],
    };
  }
}

/** As the configuration API spells a participant. */
function placedOf(value: unknown, from: string): Participant | null {
  const result = rowOf(value);
  const id = numberOf(result?.Id);
  if (result === null || id === null) return null;
  return {
    id,
    dn: textOf(result.DN) ?? from,
    status: textOf(result.Status) ?? 'unknown',
    callId: numberOf(result.CallId),
    legId: numberOf(result.LegId),
    deviceId: textOf(result.DeviceId),
    partyNumber: textOf(result.PartyCallerId),
    partyName: textOf(result.PartyCallerName),
    partyDn: textOf(result.PartyDn),
    partyDnType: textOf(result.PartyDnType),
    partyDid: null,
    directControl: result.DirectControl === true,
  };
}
