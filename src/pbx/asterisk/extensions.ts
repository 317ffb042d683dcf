/**
 * Extensions and their phones. Which there are is told by the dial plan's hints (ExtensionStateList), so one without a hint is not
 * seen. Details come through Getvar and the PJSIP_… functions, under names that are put together here from checked parts: the
 * PJSIPShow… actions need the class `system`, and some of them tell passwords.
 */
import { UserInputError } from '../../errors.ts';
import { type AmiClient, AmiRefusal } from './ami/client.ts';
import { orEmpty } from './conferences.ts';
import { checkExtension, countOf, isEndpoint, known } from './names.ts';

export type ExtensionStatus = 'idle' | 'in-use' | 'busy' | 'unavailable' | 'ringing' | 'on-hold' | 'unknown';

export interface Extension {
  readonly extension: string;
  readonly context: string;
  readonly status: ExtensionStatus;
  /** Several at once, as when one line talks and another rings. */
  readonly states: readonly string[];
  /** Its phones, such as PJSIP/1001, and other devices such as Custom:DND1001. */
  readonly devices: readonly Device[];
}

export interface Device {
  readonly device: string;
  readonly state: string | null;
}

export interface ExtensionDetail extends Extension {
  readonly callerId: string | null;
  readonly registered: boolean | null;
}

export interface Contact {
  readonly uri: string | null;
  readonly userAgent: string | null;
  readonly address: string | null;
  readonly status: string | null;
  /** Milliseconds; null where Asterisk does not ask the phone (`qualify_frequency`). */
  readonly roundTripMs: number | null;
  readonly expiresAt: string | null;
}

export interface Registration {
  readonly extension: string;
  readonly endpoint: string;
  readonly aors: readonly string[];
  readonly registered: boolean;
  readonly contacts: readonly Contact[];
  readonly maxContacts: number | null;
  readonly defaultExpirySeconds: number | null;
  readonly qualifySeconds: number | null;
  readonly context: string | null;
  readonly codecs: string | null;
  readonly transport: string | null;
  readonly mediaEncryption: string | null;
}

/** Bits of `Status` (Asterisk's AST_EXTENSION_… in pbx.h): 1 in use, 2 busy, 4 unavailable, 8 ringing, 16 on hold. */
const BITS: readonly (readonly [bit: number, status: ExtensionStatus])[] = [
  [8, 'ringing'],
  [16, 'on-hold'],
  [2, 'busy'],
  [1, 'in-use'],
  [4, 'unavailable'],
];

export async function listExtensions(ami: AmiClient): Promise<readonly Extension[]> {
  const [hints, devices] = await Promise.all([ami.list('ExtensionStateList'), deviceStates(ami)]);
  const extensions = hints.map((hint) => ({
    extension: hint.get('Exten'),
    context: hint.get('Context'),
    ...statusOf(Number(hint.get('Status'))),
    devices: hint
      .get('Hint')
      .split(/[&,]/)
      .filter((device) => device !== '')
      .map((device) => ({ device, state: devices.get(device) ?? null })),
  }));
  if (extensions.length > 0) return sorted(extensions);
  return await oldSipPeers(ami);
}

/** Before Asterisk 21 there was chan_sip, whose phones can be listed without hints. */
async function oldSipPeers(ami: AmiClient): Promise<readonly Extension[]> {
  const peers = await orEmpty(ami.list('SIPpeers'), /unknown command|permission denied/i);
  return sorted(
    peers.map((peer) => {
      const isThere = /^(OK|Unmonitored)/i.test(peer.get('Status')) && peer.get('IPaddress') !== '-none-';
      const status: ExtensionStatus = isThere ? 'idle' : 'unavailable';
      const device = { device: `SIP/${peer.get('ObjectName')}`, state: known(peer.get('Status')) };
      return { extension: peer.get('ObjectName'), context: '', status, states: [status], devices: [device] };
    }),
  );
}

async function deviceStates(ami: AmiClient): Promise<ReadonlyMap<string, string>> {
  // res_manager_devicestate may not be loaded; the list of extensions is of use without it.
  const items = await orEmpty(ami.list('DeviceStateList'), /./);
  return new Map(items.map((item) => [item.get('Device'), item.get('State')]));
}

export function statusOf(bits: number): { readonly status: ExtensionStatus; readonly states: readonly string[] } {
  if (!Number.isInteger(bits) || bits < 0) return { status: 'unknown', states: [] };
  const states = BITS.filter(([bit]) => (bits & bit) !== 0).map(([, status]) => status);
  return { status: states[0] ?? 'idle', states: states.length === 0 ? ['idle'] : states };
}

export async function extensionDetail(ami: AmiClient, given: string): Promise<ExtensionDetail> {
  const extension = await findExtension(ami, given);
  const endpoint = endpointOf(extension);
  if (endpoint === null) return { ...extension, callerId: null, registered: null };
  const [callerId, aors] = await Promise.all([
    variable(ami, `PJSIP_ENDPOINT(${endpoint},callerid)`),
    variable(ami, `PJSIP_ENDPOINT(${endpoint},aors)`),
  ]);
  const contacts = await Promise.all(listed(aors).map((aor) => variable(ami, `PJSIP_AOR(${aor},contact)`)));
  return { ...extension, callerId, registered: aors === null ? null : contacts.some((contact) => contact !== null) };
}

/** Where its phone is, by which program, until when. */
export async function registrationOf(ami: AmiClient, given: string): Promise<Registration> {
  const extension = await findExtension(ami, given);
  const endpoint = endpointOf(extension);
  if (endpoint === null)
    throw new UserInputError(
      `Extension ${extension.extension} has no PJSIP phone, so there is no registration to show.`,
    );
  const ask = (name: string) => variable(ami, `PJSIP_ENDPOINT(${endpoint},${name})`);
  const [aorList, context, codecs, transport, mediaEncryption] = await Promise.all(
    ['aors', 'context', 'allow', 'transport', 'media_encryption'].map(ask),
  );
  const aors = listed(aorList ?? null);
  const [first] = aors;
  const askAor = (aor: string, name: string) => variable(ami, `PJSIP_AOR(${aor},${name})`);
  const found = await Promise.all(aors.map((aor) => askAor(aor, 'contact')));
  const contacts = await Promise.all(found.flatMap((names) => contactNames(names)).map((name) => contactOf(ami, name)));
  const number = async (name: string): Promise<number | null> => {
    const value = first === undefined ? null : await askAor(first, name);
    return value === null ? null : countOf(value);
  };
  const [maxContacts, defaultExpirySeconds, qualifySeconds] = await Promise.all(
    ['max_contacts', 'default_expiration', 'qualify_frequency'].map(number),
  );
  return {
    extension: extension.extension,
    endpoint,
    aors,
    registered: contacts.length > 0,
    contacts,
    maxContacts: maxContacts ?? null,
    defaultExpirySeconds: defaultExpirySeconds ?? null,
    qualifySeconds: qualifySeconds ?? null,
    context: context ?? null,
    codecs: codecs ?? null,
    transport: transport ?? null,
    mediaEncryption: mediaEncryption ?? null,
  };
}

/** One that the server lists, and nothing else: what has an endpoint may as well be a trunk. @throws UserInputError */
export async function listedExtension(ami: AmiClient, given: string): Promise<Extension> {
  const name = checkExtension(given);
  const found = (await listExtensions(ami)).find(({ extension }) => extension === name);
  if (found) return found;
  throw new UserInputError(
    `${name} is no extension that Asterisk lists. Give one that asterisk_list_extensions shows, or as the destination a number with + and its country code.`,
  );
}

/** To be looked at only: one without a hint is found by its endpoint. */
async function findExtension(ami: AmiClient, given: string): Promise<Extension> {
  const name = checkExtension(given);
  const extensions = await listExtensions(ami);
  const found = extensions.find(({ extension }) => extension === name);
  if (found) return found;
  if (isEndpoint(name) && (await variable(ami, `PJSIP_ENDPOINT(${name},aors)`)) !== null) {
    const state = await variable(ami, `DEVICE_STATE(PJSIP/${name})`);
    const status = state === null ? 'unknown' : (DEVICE_STATUS[state] ?? 'unknown');
    const device = { device: `PJSIP/${name}`, state };
    return { extension: name, context: '', status, states: [status], devices: [device] };
  }
  const some = extensions.slice(0, 20).map(({ extension }) => extension);
  const there =
    some.length === 0
      ? 'None has a hint in the dial plan.'
      : `There are ${some.join(', ')}${extensions.length > 20 ? ' and others' : ''}.`;
  throw new UserInputError(`There is no extension ${name}. ${there}`);
}

const DEVICE_STATUS: Readonly<Record<string, ExtensionStatus>> = {
  NOT_INUSE: 'idle',
  INUSE: 'in-use',
  BUSY: 'busy',
  UNAVAILABLE: 'unavailable',
  INVALID: 'unavailable',
  RINGING: 'ringing',
  RINGINUSE: 'ringing',
  ONHOLD: 'on-hold',
};

/** The PJSIP endpoint that rings for an extension; null where it has none. */
export function endpointOf({ devices }: Extension): string | null {
  const name = devices.map(({ device }) => /^PJSIP\/(.+)$/.exec(device)?.[1]).find((found) => found !== undefined);
  return name !== undefined && isEndpoint(name) ? name : null;
}

/** Only of names that this file has put together. An unknown object has an empty value, not an error. */
async function variable(ami: AmiClient, name: string): Promise<string | null> {
  try {
    return known((await ami.send('Getvar', { Variable: name })).get('Value'));
  } catch (error) {
    // The function's module is not loaded.
    if (error instanceof AmiRefusal) return null;
    throw error;
  }
}

async function contactOf(ami: AmiClient, name: string): Promise<Contact> {
  const ask = (part: string) => variable(ami, `PJSIP_CONTACT(${name},${part})`);
  const [uri, userAgent, address, port, status, roundTrip, expires] = await Promise.all(
    ['uri', 'user_agent', 'via_addr', 'via_port', 'status', 'rtt', 'expiration_time'].map(ask),
  );
  const micros = Number(roundTrip);
  const seconds = Number(expires);
  return {
    uri: uri ?? null,
    userAgent: userAgent ?? null,
    address: address ? `${address}${port ? `:${port}` : ''}` : null,
    status: status ?? null,
    roundTripMs: roundTrip && Number.isFinite(micros) ? micros / 1_000 : null,
    expiresAt: expires && Number.isFinite(seconds) && seconds > 0 ? new Date(seconds * 1_000).toISOString() : null,
  };
}

/** Asterisk's own names of contacts: an AOR, `;@` (registered) or `@@` (written into pjsip.conf), and a hash. Anything else is left alone. */
function contactNames(value: string | null): readonly string[] {
  return (value ?? '').split(',').filter((name) => /^[A-Za-z0-9_-]+[;@]@[0-9a-f]{1,64}$/.test(name));
}

function listed(value: string | null): readonly string[] {
  return (value ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(isEndpoint);
}

function sorted(extensions: readonly Extension[]): readonly Extension[] {
  return extensions.toSorted((a, b) => a.extension.localeCompare(b.extension, 'en', { numeric: true }));
}
