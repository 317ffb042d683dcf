import { type Context, fault, given, list, type Method, ok, type Params } from './reply.ts';
import { type Entry, type Group, newId } from './state.ts';

/** Letters, digits and spaces (status `invalid_name`: "Alphanumeric Only"). */
const NAME = /^[A-Za-z0-9 ]{1,40}$/;
const NUMBER = /^(sip:[\w.@:-]{1,80}|\+?\d{3,20})$/;
const SPEED_DIAL = /^\*75\d{2}$/;
const MOST_NOTE = 49;
/** The vendor's list of statuses names none for a group that is not there. */
const UNKNOWN_GROUP = 'invalid_phonebook';

export const PHONEBOOK_METHODS: Readonly<Record<string, Method>> = {
  getPhonebook: { changes: false, params: 'phonebook name group group_name', answer: getPhonebook },
  setPhonebook: { changes: true, params: 'phonebook speed_dial name number callerid note group', answer: setPhonebook },
  delPhonebook: { changes: true, params: 'phonebook', answer: delPhonebook },
  getPhonebookGroups: { changes: false, params: 'name group', answer: getPhonebookGroups },
  setPhonebookGroup: { changes: true, params: 'group name members phonebook', answer: setPhonebookGroup },
  delPhonebookGroup: { changes: true, params: 'group', answer: delPhonebookGroup },
};

function getPhonebook(params: Params, context: Context) {
  const { entries, groups } = context.state;
  const [id, name] = [given(params, 'phonebook'), given(params, 'name')];
  const [group, groupName] = [given(params, 'group'), given(params, 'group_name')];
  const nameOf = (one: Entry): string => groups.find((each) => each.phonebook_group === one.group)?.name ?? '';
  const rows = entries
    .filter((one) => id === null || one.phonebook === id)
    .filter((one) => name === null || one.name.toLowerCase().includes(name.toLowerCase()))
    .filter((one) => group === null || one.group === group)
    .filter((one) => groupName === null || nameOf(one).toLowerCase() === groupName.toLowerCase())
    .map((one) => ({ ...one, group_name: nameOf(one) }));
  return list('phonebooks', rows, 'no_phonebook', context);
}

/** Replaces every field: what is left out of an update is empty afterwards. */
function setPhonebook(params: Params, context: Context) {
  const { state, faults } = context;
  const id = given(params, 'phonebook');
  const existing = state.entries.find((one) => one.phonebook === id);
  if (id !== null && existing === undefined) return fault('invalid_phonebook');
  const refusal = refusalOfEntry(params, context, id);
  if (refusal !== null) return fault(refusal);
  const group = given(params, 'group') ?? '';
  const fields = {
    speed_dial: given(params, 'speed_dial') ?? '',
    name: given(params, 'name') ?? '',
    number: given(params, 'number') ?? '',
    callerid: given(params, 'callerid') ?? '',
    note: given(params, 'note') ?? '',
    group,
  };
  const saved = existing ?? { phonebook: newId(state), ...fields };
  if (existing === undefined) state.entries.push(saved);
  Object.assign(saved, fields);
  for (const one of state.groups) {
    const isMember = one.members.includes(saved.phonebook);
    if (one.phonebook_group === group && !isMember) one.members.push(saved.phonebook);
    if (one.phonebook_group !== group && isMember) one.members = one.members.filter((each) => each !== saved.phonebook);
  }
  return ok(faults.withoutId ? {} : { phonebook: saved.phonebook });
}

function refusalOfEntry(params: Params, { state }: Context, id: string | null): string | null {
  const [name, number] = [given(params, 'name'), given(params, 'number')];
  const [speedDial, group] = [given(params, 'speed_dial'), given(params, 'group')];
  if (name === null) return 'missing_name';
  if (!NAME.test(name)) return 'invalid_name';
  if (number === null) return 'missing_number';
  if (!NUMBER.test(number)) return 'invalid_number';
  if ((params.note ?? '').length > MOST_NOTE) return 'invalid_note';
  if (speedDial !== null && !SPEED_DIAL.test(speedDial)) return 'invalid_speed_dial';
  if (speedDial !== null && state.entries.some((one) => one.speed_dial === speedDial && one.phonebook !== id))
    return 'used_speed_dial';
  return group !== null && groupOf(group, state.groups) === undefined ? UNKNOWN_GROUP : null;
}

function delPhonebook(params: Params, { state }: Context) {
  const id = given(params, 'phonebook');
  if (id === null) return fault('missing_phonebook');
  if (!state.entries.some((one) => one.phonebook === id)) return fault('invalid_phonebook');
  state.entries = state.entries.filter((one) => one.phonebook !== id);
  for (const group of state.groups) group.members = group.members.filter((one) => one !== id);
  return ok();
}

function getPhonebookGroups(params: Params, context: Context) {
  const [name, id] = [given(params, 'name'), given(params, 'group')];
  const rows = context.state.groups
    .filter((one) => name === null || one.name.toLowerCase() === name.toLowerCase())
    .filter((one) => id === null || one.phonebook_group === id)
    .map(({ phonebook_group, name: called, members }) => ({
      phonebook_group,
      name: called,
      members: ordered(members, context).join(';'),
    }));
  return list(context.faults.groupsListKey, rows, 'no_phonebook_group', context);
}

function ordered(members: readonly string[], { faults }: Context): readonly string[] {
  if (faults.membersOrder === 'reversed') return members.toReversed();
  return faults.membersOrder === 'sorted' ? members.toSorted() : members;
}

/** Replaces the whole list of members: a list that is left out is an empty one. */
function setPhonebookGroup(params: Params, context: Context) {
  const { state, faults, violate } = context;
  const [id, name] = [given(params, 'group'), given(params, 'name')];
  const existing = id === null ? undefined : groupOf(id, state.groups);
  if (id !== null && existing === undefined) return fault(UNKNOWN_GROUP);
  if (name === null) return fault('missing_name');
  if (!NAME.test(name)) return fault('invalid_name');
  if (state.groups.some((one) => one.name.toLowerCase() === name.toLowerCase() && one !== existing))
    return fault('used_name');
  const members = (params.members ?? '').split(';').filter((one) => one !== '');
  if (new Set(members).size < members.length) violate('setPhonebookGroup was given a member twice');
  if (members.some((one) => !state.entries.some((entry) => entry.phonebook === one))) return fault('invalid_member');
  if (members.length === 0 && existing !== undefined && faults.emptyMembers === 'missing_member')
    return fault('missing_member');
  const saved = existing ?? { phonebook_group: newId(state), name, members };
  if (existing === undefined) state.groups.push(saved);
  Object.assign(saved, { name, members });
  if (!faults.entriesLag) tellEntries(saved, context);
  return ok(faults.withoutId ? {} : { group: saved.phonebook_group });
}

/** An entry tells of one group; it tells of this one as long as it is in it. */
function tellEntries({ phonebook_group: id, members }: Group, { state }: Context): void {
  for (const entry of state.entries) {
    if (members.includes(entry.phonebook)) entry.group = id;
    else if (entry.group === id) entry.group = '';
  }
}

function delPhonebookGroup(params: Params, { state }: Context) {
  const id = given(params, 'group');
  if (id === null) return fault('missing_id');
  if (groupOf(id, state.groups) === undefined) return fault(UNKNOWN_GROUP);
  state.groups = state.groups.filter((one) => one.phonebook_group !== id);
  for (const entry of state.entries) if (entry.group === id) entry.group = '';
  return ok();
}

function groupOf(id: string, groups: readonly Group[]): Group | undefined {
  return groups.find((one) => one.phonebook_group === id);
}
