/** Who may be called: a number that the operator allows, or what 3CX itself lists. */
import { ConfigError, UpstreamError, UserInputError } from '../../errors.ts';
import { textOf } from './json.ts';
import type { ThreeCxOptions } from './operations.ts';
import { isRefusal } from './refusals.ts';
import { quoted, type Xapi } from './xapi.ts';

export interface Peer {
  readonly number: string;
  /** As 3CX names it: `Extension`, `Queue`, `Parking` … */
  readonly type: string;
}

/** The default where none is given. @throws UserInputError, ConfigError */
export function extensionOf(given: string | undefined, fallback: string | null): string {
  const extension = given?.trim() || fallback;
  if (extension === null)
    throw new ConfigError('Say which extension is meant: PBX_DEFAULT_EXTENSION is not set.', {
      settings: ['PBX_DEFAULT_EXTENSION'],
    });
  if (!isDn(extension))
    throw new UserInputError(`${JSON.stringify(extension.slice(0, 40))} is no extension, such as 101.`);
  return extension;
}

/** Numbers of extensions and the like; parking places have letters. */
function isDn(text: string): boolean {
  return /^[0-9A-Za-z*#_-]{1,32}$/.test(text);
}

/** What can be called within the office; outside lines are no targets, and parking places have a way of their own. */
const CALLABLE: readonly string[] = [
  'Extension',
  'Queue',
  'RingGroup',
  'IVR',
  'Fax',
  'Conference',
  'SpecialMenu',
  'RoutePoint',
];

/** What 3CX is given as a destination. @throws UserInputError when it must not be called */
export async function targetOf(
  xapi: Xapi,
  to: string,
  { numbers, country }: Pick<ThreeCxOptions, 'numbers' | 'country'>,
): Promise<string> {
  const written = to.trim();
  if (numbers.isEmergency(written.replace(/[\s().-]/g, ''), country))
    throw new UserInputError(
      `${written} is an emergency number. Switchboard never calls those: in an emergency a person has to call.`,
    );
  if (written.startsWith('+')) {
    const verdict = numbers.verdictOf(written);
    if (!verdict.ok) throw new UserInputError(verdict.reason);
    return verdict.e164;
  }
  const peer = isDn(written) ? await peerOf(xapi, written) : null;
  if (peer === null)
    throw new UserInputError(
      `3CX lists no extension, queue or the like of the number ${JSON.stringify(written.slice(0, 40))}. Numbers outside are written with + and the country code.`,
    );
  if (!CALLABLE.includes(peer.type))
    throw new UserInputError(
      peer.type === 'Parking'
        ? `${written} is a parking place of 3CX: threecx_hold_call puts calls there and takes them back.`
        : `${written} is nothing that can be called within the office.`,
    );
  return peer.number;
}

const PEER_FIELDS = ['Number', 'Type'];

/** Null: 3CX has none of this number. */
export async function peerOf(xapi: Xapi, number: string): Promise<Peer | null> {
  try {
    const row = await xapi.one(`/Peers(Number=${quoted(number)})`, PEER_FIELDS, 'to look a number of the office up');
    const peer = row === null ? null : toPeer(row);
    // Whoever else it might be is not called.
    return peer?.number === number ? peer : null;
  } catch (error) {
    if (!isRefusal(error, 403)) throw error;
    throw new UpstreamError(
      `3CX does not let this app look up whether ${number} is a number of the office, so it is not called. Give the app access to the Configuration API (Admin Console, Integrations, API).`,
      { retryable: false, code: 'forbidden', cause: error },
    );
  }
}

const MOST_PEERS = 2_000;

/** The enumeration in a `$filter` of OData is a guess, so all are read and looked through. */
export async function parkingPlaces(xapi: Xapi): Promise<readonly Peer[]> {
  const query = { select: PEER_FIELDS, orderby: 'Number', offset: 0, limit: MOST_PEERS };
  const { rows } = await xapi.list('/Peers', query, 'to list the parking places');
  return rows.map(toPeer).filter((peer) => peer.type === 'Parking');
}

function toPeer(row: Readonly<Record<string, unknown>>): Peer {
  return { number: textOf(row.Number) ?? '', type: textOf(row.Type) ?? 'None' };
}
