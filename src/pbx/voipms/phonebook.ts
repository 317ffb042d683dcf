/** Entries of the phonebook, and its groups. An entry names a group, and a group lists its entries: they may disagree. */
import { UserInputError } from '../../errors.ts';
import type { VoipMsClient } from './client.ts';
import type { PhonebookEntry, PhonebookGroup } from './operations.ts';
import { certainRowsOf, isSameNumber, known, quoted, type Row, rowsOf, textOf } from './values.ts';

export interface Phonebook {
  readonly groups: readonly PhonebookGroup[];
  readonly entries: readonly PhonebookEntry[];
}

/** The vendor's page has the list of groups under the first key, another client of the API under the second. */
const GROUP_KEYS = ['phonebooks', 'phonebook_groups'] as const;
const ENTRY_KEY = 'phonebooks';
const MOST_NAMED = 20;

export async function readGroups(client: VoipMsClient, name?: string): Promise<readonly PhonebookGroup[]> {
  const params: Record<string, string> = name === undefined ? {} : { name };
  return rowsOf(await client.call('getPhonebookGroups', params, { changes: false }), ...GROUP_KEYS).map(groupOf);
}

/** `group`: digits are an id, text is a name. */
export async function readEntries(client: VoipMsClient, group?: string): Promise<readonly PhonebookEntry[]> {
  const which = group?.trim() ?? '';
  const params: Record<string, string> =
    which === '' ? {} : /^\d+$/.test(which) ? { group: which } : { group_name: which };
  const entries = rowsOf(await client.call('getPhonebook', params, { changes: false }), ENTRY_KEY).map(entryOf);
  // VoIP.ms answers alike for a group that nobody is in and for one that there is not.
  if (entries.length === 0 && which !== '') requireGroup(await readGroups(client), which);
  return entries;
}

/** All of it, for a change. @throws ProtocolError when VoIP.ms leaves open what is there */
export async function readPhonebook(client: VoipMsClient): Promise<Phonebook> {
  const [groups, entries] = await Promise.all([
    client.call('getPhonebookGroups', {}, { changes: false }),
    client.call('getPhonebook', {}, { changes: false }),
  ]);
  return {
    groups: certainRowsOf(groups, { id: 'phonebook_group', keys: GROUP_KEYS }).map(groupOf),
    entries: certainRowsOf(entries, { id: 'phonebook', keys: [ENTRY_KEY] }).map(entryOf),
  };
}

function groupOf(row: Row): PhonebookGroup {
  const members = textOf(row.members).split(';');
  return {
    id: textOf(row.phonebook_group),
    name: textOf(row.name),
    members: members.map((id) => id.trim()).filter((id) => id !== ''),
  };
}

function entryOf(row: Row): PhonebookEntry {
  return {
    id: textOf(row.phonebook),
    name: textOf(row.name),
    number: textOf(row.number),
    speedDial: known(row.speed_dial),
    callerId: known(row.callerid),
    note: known(row.note),
    groupId: idOf(row.group),
    groupName: known(row.group_name),
  };
}

/** An entry without a group has group 0 or none. */
function idOf(value: unknown): string | null {
  const id = known(value);
  return id === '0' ? null : id;
}

/** By id or by name; null when there is none. @throws UserInputError when several have this name */
export function findGroup(groups: readonly PhonebookGroup[], given: string): PhonebookGroup | null {
  const wanted = given.trim();
  const byId = groups.find((group) => group.id === wanted);
  if (byId) return byId;
  const [first, ...others] = groups.filter((group) => group.name.toLowerCase() === wanted.toLowerCase());
  if (first !== undefined && others.length > 0)
    throw new UserInputError(
      `Several phonebook groups have the name ${quoted(wanted)}: give the id of one, ${[first, ...others].map(({ id }) => id).join(' or ')}.`,
    );
  return first ?? null;
}

/** @throws UserInputError that names those that are there */
export function requireGroup(groups: readonly PhonebookGroup[], given: string): PhonebookGroup {
  const group = findGroup(groups, given);
  if (group) return group;
  const names = groups.slice(0, MOST_NAMED).map(({ id, name }) => `${name} (${id})`);
  const there = names.length === 0 ? 'There is none at all.' : `There are ${names.join(', ')}.`;
  throw new UserInputError(`There is no phonebook group ${quoted(given)}. ${there}`);
}

/** Those of a number, the oldest first: one number may be there several times. */
export function entriesOf(entries: readonly PhonebookEntry[], number: string): readonly PhonebookEntry[] {
  return entries.filter((entry) => isSameNumber(entry.number, number)).toSorted((a, b) => Number(a.id) - Number(b.id));
}

/** Whom the group lists, in its order, and then whom it does not list though the entry names the group: neither side is documented to be the one that counts. */
export function membersOf(group: PhonebookGroup, entries: readonly PhonebookEntry[]): readonly string[] {
  const naming = entries.filter((entry) => entry.groupId === group.id).map(({ id }) => id);
  return [...new Set([...group.members, ...naming])];
}
