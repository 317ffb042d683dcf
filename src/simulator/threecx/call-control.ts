import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Leg } from './call.ts';
import type { Exchange } from './exchange.ts';
import type { ThreeCxFaults } from './faults.ts';
import type { Device, Office } from './office.ts';
import { Refused, type Reply, recordOf, type ThreeCxRequest } from './reply.ts';

export interface CallControlWorld {
  readonly office: Office;
  readonly exchange: Exchange;
  readonly faults: ThreeCxFaults;
  violated(sentence: string): void;
}

const ACTIONS = ['answer', 'drop', 'divert', 'routeto', 'transferto', 'attach_participant_data', 'attach_party_data'];
const FOREIGN_DEVICE = 'sip:unlisted@127.0.0.1:5999';
const NUMERIC_STATUS: Readonly<Record<string, number>> = { Success: 1, Rejected: 0, Failed: -1 };

/** Answers `/callcontrol…` but for its streams and events (3CX, Call Control API). */
export function answerCallControl(request: ThreeCxRequest, world: CallControlWorld): Reply {
  return orRefused(() => route(request, world));
}

function orRefused<Done>(work: () => Done): Done | Reply {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { status: error.status, body: { error: error.message } };
  }
}

/** Joins an audio connection, or says why not; the connection then lives as long as both ends want it. */
export function joinStream(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  world: CallControlWorld,
): Reply | null {
  return orRefused(() => {
    const [, , dn = '', , id = ''] = path.split('/').map(decodeURIComponent);
    checkDn(dn, world.office);
    const leg = legAt(dn, id, world.exchange);
    // 3CX, call-control-examples, issue 3.
    if (leg.audio === null) throw new Refused(424, 'Only the app’s own route point has audio.');
    // That it is 422 here is a guess.
    if (leg.status !== 'Connected') throw new Refused(422, 'The participant is not connected.');
    if (request.method === 'GET') leg.audio.listen(response);
    else leg.audio.speak(request, response);
    return null;
  });
}

/** The envelope of what was asked to be done. */
export function envelope(
  faults: ThreeCxFaults,
  status: 'Success' | 'Failed',
  reason: string,
  reasonText: string,
  result: object | null,
): object {
  const finalstatus = faults.numericFinalStatus ? NUMERIC_STATUS[status] : status;
  return { finalstatus, reason, reasontext: reasonText, ...(result === null ? {} : { result }) };
}

/** A participant as a v20 shows it: what is absent is an empty text, or the type `None`. */
export function participantOf(leg: Leg, faults: ThreeCxFaults): object {
  const { station, party, referredBy } = leg;
  return {
    id: leg.id,
    status: leg.status,
    dn: station.dn,
    party_caller_name: party.name,
    party_dn: party.dn,
    party_caller_id: party.number,
    party_did: '',
    device_id: faults.foreignDevices ? FOREIGN_DEVICE : station.deviceId,
    party_dn_type: party.dnType,
    direct_control: station.directControl,
    originated_by_dn: '',
    originated_by_type: 'None',
    referred_by_dn: referredBy?.dn ?? '',
    referred_by_type: referredBy?.dnType ?? 'None',
    on_behalf_of_dn: '',
    on_behalf_of_type: 'None',
    callid: leg.call.id,
    legid: leg.legId,
  };
}

function route({ method, path, body }: ThreeCxRequest, world: CallControlWorld): Reply {
  const { office, exchange, faults } = world;
  const [, , dn, kind, id, last] = path.split('/').map(decodeURIComponent);
  const isRead = method === 'GET';
  if (dn === undefined && isRead)
    return list(
      office.listed.map((one) => dnOf(one.number, world)),
      faults,
    );
  checkDn(dn ?? '', office);
  const at = dn ?? '';
  if (kind === undefined && isRead) return { status: 200, body: dnOf(at, world) };
  if (kind === 'makecall' && id === undefined && !isRead) return makeCall(at, body, world);
  if (kind === 'devices') {
    const devices = devicesOf(at, world);
    if (id === undefined && isRead) return list(devices, faults);
    const device = devices.find((one) => one.device_id === id);
    if (id !== undefined && device === undefined) throw new Refused(404, 'There is no such device.');
    if (last === undefined && isRead) return { status: 200, body: device };
    if (last === 'makecall' && !isRead) return makeCall(at, body, world, device?.device_id);
  }
  if (kind === 'participants') {
    if (id === undefined && isRead)
      return list(
        exchange.legsAt(at).map((leg) => participantOf(leg, faults)),
        faults,
      );
    if (id !== undefined && last === undefined && isRead)
      return { status: 200, body: participantOf(legAt(at, id, exchange), faults) };
    if (id !== undefined && last !== undefined && !isRead) return act(at, id, last, body, world);
  }
  throw new Refused(404, 'There is no such address.');
}

function act(dn: string, id: string, action: string, body: unknown, world: CallControlWorld): Reply {
  // That it is 404 is a guess.
  if (!ACTIONS.includes(action)) {
    world.violated(`The action ${action} was asked for, which 3CX does not have.`);
    throw new Refused(404, 'There is no such action.');
  }
  const leg = legAt(dn, id, world.exchange);
  world.exchange.act(leg, action, checkedBody(body, world));
  return done(world, participantOf(leg, world.faults));
}

function makeCall(dn: string, body: unknown, world: CallControlWorld, deviceId?: string): Reply {
  const { destination, timeout } = checkedBody(body, world);
  if (typeof destination !== 'string' || destination === '') throw new Refused(422, 'A destination is needed.');
  const ringMs = typeof timeout === 'number' ? timeout * 1_000 : undefined;
  const placed = world.exchange.place(dn, destination, ringMs, deviceId);
  if ('leg' in placed) return done(world, participantOf(placed.leg, world.faults));
  return { status: 200, body: envelope(world.faults, 'Failed', placed.reason, placed.reasonText, null) };
}

function done({ faults }: CallControlWorld, result: object): Reply {
  return faults.emptyBodies ? { status: 200 } : { status: 200, body: envelope(faults, 'Success', 'None', '', result) };
}

function checkedBody(body: unknown, world: CallControlWorld): Readonly<Record<string, unknown>> {
  const fields = recordOf(body);
  for (const name of Object.keys(fields))
    if (!['reason', 'destination', 'timeout', 'attacheddata'].includes(name))
      world.violated(`The field ${name} was sent, which 3CX does not know.`);
  const { timeout } = fields;
  if (timeout !== undefined && (typeof timeout !== 'number' || timeout <= 0))
    throw new Refused(422, 'The timeout is a number of seconds.');
  return fields;
}

/** A DN that exists but is not listed for the app is 403, one that does not is 404. */
function checkDn(dn: string, office: Office): void {
  if (office.peer(dn) === null) throw new Refused(404, 'There is no such number.');
  if (!office.isListed(dn)) throw new Refused(403, 'The app may not see this number.');
}

function legAt(dn: string, id: string, exchange: Exchange): Leg {
  const leg = exchange.legsAt(dn).find((one) => String(one.id) === id);
  if (leg === undefined) throw new Refused(404, 'There is no such participant.');
  return leg;
}

function devicesOf(dn: string, { office, faults }: CallControlWorld): readonly Device[] {
  return faults.withoutDevices?.includes(dn) ? [] : office.devices(dn);
}

function dnOf(dn: string, world: CallControlWorld): object {
  return {
    dn,
    type: world.office.peer(dn)?.dnType ?? 'None',
    devices: devicesOf(dn, world),
    participants: world.exchange.legsAt(dn).map((leg) => participantOf(leg, world.faults)),
  };
}

function list(rows: readonly object[], faults: ThreeCxFaults): Reply {
  return { status: 200, body: faults.oneRowAsObject && rows.length === 1 ? rows[0] : rows };
}
