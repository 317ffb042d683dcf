/**
 * Who is in a phonebook group. The API knows no transaction: a group's whole list is written at once, so it is read right before and
 * right after, and others that are in it stay, in their order.
 */
import { ProtocolError, UserInputError } from '../../errors.ts';
import { check, type Job, type Written, write } from './changing.ts';
import type { ApiCall, PhonebookEntry, PhonebookGroup } from './operations.ts';
import { entriesOf, findGroup, membersOf, type Phonebook, readPhonebook, requireGroup } from './phonebook.ts';

/** In a dry run, for the id that VoIP.ms would give. */
const NEW_ENTRY = '<id of the new entry>';
/** How a group is written that nobody is in any more; whether VoIP.ms takes it is not documented. */
const NO_MEMBERS = '';
const LONGEST_NAME = 40;

interface Addition {
  /** As `checkNumber` has it. */
  readonly number: string;
  readonly group: string;
  /** Of a new entry. */
  readonly name: string;
  /** Where there is no such group. */
  readonly createGroup: boolean;
}

/** Resolves with a sentence of what was done, or would be. @throws UserInputError when there is no such group */
export async function addMember(job: Job, addition: Addition): Promise<string> {
  const { number } = addition;
  const book = await readPhonebook(job.client);
  const group = addition.createGroup
    ? findGroup(book.groups, addition.group)
    : requireGroup(book.groups, addition.group);
  const name = group?.name ?? newName(addition.group);
  const mine = entriesOf(book.entries, number);
  if (group !== null) {
    const inside = mine.find(({ id }) => membersOf(group, book.entries).includes(id));
    if (inside !== undefined) {
      warnOfDisagreement(job, group, book, [inside]);
      return `${number} is in the group ${group.name} already (entry ${inside.id}), so there is nothing to do.`;
    }
  }
  warnOfTwins(job, mine);
  warnOfOtherGroups(job, mine[0], book.groups);
  const entry = mine[0]?.id ?? (await createEntry(job, addition, book));
  if (group === null) await createGroup(job, name, entry);
  else await changeMembers(job, group.id, { before: book, change: (members) => [...members, entry] });
  const [how, what] = job.dryRun ? ['would be', ' would be made for it'] : ['was', ' was made for it'];
  // By the name it is seen that it is somebody who is known.
  const by = mine[0] === undefined ? `a new entry${what}` : `its entry ${entry} (${mine[0].name}) is used`;
  return `${number} ${how} added to the ${group === null ? 'new group' : 'group'} ${name}; ${by}.`;
}

/** All entries of the number leave the group; none is deleted. `isSoft`: a group that is not there is no mistake. */
export async function removeMember(job: Job, number: string, given: string, isSoft = false): Promise<string> {
  const book = await readPhonebook(job.client);
  const group = isSoft ? findGroup(book.groups, given) : requireGroup(book.groups, given);
  if (group === null) return `There is no group ${given}, so ${number} is not in it.`;
  const mine = entriesOf(book.entries, number).map(({ id }) => id);
  const inside = membersOf(group, book.entries).filter((id) => mine.includes(id));
  if (inside.length === 0) return `${number} is not in the group ${group.name}, so there is nothing to do.`;
  if (inside.length > 1) job.warnings.push(`${number} is in the group ${inside.length} times; all of these leave it.`);
  await changeMembers(job, group.id, {
    before: book,
    change: (members) => members.filter((id) => !mine.includes(id)),
  });
  const how = job.dryRun ? 'would be' : 'was';
  return `${number} ${how} taken out of the group ${group.name} (${inside.length === 1 ? 'entry' : 'entries'} ${inside.join(', ')}); what stands in the phonebook stays there.`;
}

async function createEntry(job: Job, { number, name }: Addition, before: Phonebook): Promise<string> {
  const newOnes = async (): Promise<readonly PhonebookEntry[]> => {
    const there = new Set(before.entries.map(({ id }) => id));
    const { entries } = await readPhonebook(job.client);
    return entriesOf(entries, number).filter(({ id }) => !there.has(id));
  };
  const call = { method: 'setPhonebook', params: { name: nameFor(job, name, number), number } };
  const written = await write(job, call, { idKey: 'phonebook', isDone: async () => (await newOnes()).length > 0 });
  return idOf(written, async () => (await newOnes()).map(({ id }) => id));
}

async function createGroup(job: Job, name: string, entry: string): Promise<void> {
  const call = { method: 'setPhonebookGroup', params: { name, members: entry } };
  const isThere = async (): Promise<boolean> => {
    const { groups } = await readPhonebook(job.client);
    return findGroup(groups, name)?.members.includes(entry) ?? false;
  };
  const written = await write(job, call, { isDone: isThere });
  if (written !== 'planned') await check(job, isThere);
}

/** VoIP.ms may leave out the id of what it made: then it is the one that was not there before. */
async function idOf(written: Written, find: () => Promise<readonly string[]>): Promise<string> {
  if (written === 'planned') return NEW_ENTRY;
  if (written.id !== null) return written.id;
  const [id, ...others] = await find();
  if (id === undefined || others.length > 0)
    throw new ProtocolError(
      `VoIP.ms made an entry and did not say which, and it cannot be told from what is there now. Look at the phonebook before anything is added again.`,
    );
  return id;
}

interface Members {
  readonly before: Phonebook;
  readonly change: (members: readonly string[]) => readonly string[];
}

async function changeMembers(job: Job, groupId: string, { before, change }: Members): Promise<void> {
  // Read again: somebody may have changed the group since, and a whole list is written.
  const now = job.dryRun ? before : await readPhonebook(job.client);
  const group = now.groups.find(({ id }) => id === groupId);
  if (group === undefined) throw new UserInputError('The group was deleted meanwhile. Look at the groups again.');
  const members = membersOf(group, now.entries);
  warnOfDisagreement(job, group, now, now.entries);
  if (!isSameList(members, membersIn(before, groupId)))
    job.warnings.push('Somebody else changed the group meanwhile; what was there at the last moment is kept.');
  // Somebody else may have added the same entry meanwhile.
  const wanted = [...new Set(change(members))];
  if (wanted.length === 0)
    job.warnings.push('Nobody is left in the group then. Whether VoIP.ms takes an empty group is not documented.');
  const call: ApiCall = {
    method: 'setPhonebookGroup',
    params: { group: group.id, name: group.name, members: wanted.join(';') || NO_MEMBERS },
  };
  const isDone = async (): Promise<boolean> => {
    const book = await readPhonebook(job.client);
    return isSameSet(listed(book, groupId), wanted);
  };
  if ((await write(job, call, { isDone })) !== 'planned') await check(job, () => isAsWanted(job, group, wanted, now));
}

async function isAsWanted(
  job: Job,
  group: PhonebookGroup,
  wanted: readonly string[],
  before: Phonebook,
): Promise<boolean> {
  const after = await readPhonebook(job.client);
  const members = listed(after, group.id);
  const isRight = isSameSet(members, wanted);
  if (!isRight)
    job.warnings.push(
      `Read again, the group ${group.name} has the members ${members.join(', ') || 'none'} in place of ${wanted.join(', ') || 'none'}: somebody else may have changed it at the same moment.`,
    );
  warnOfDisagreement(job, { ...group, members }, after, after.entries);
  for (const other of before.groups)
    if (other.id !== group.id && !isSameList(other.members, listed(after, other.id)))
      job.warnings.push(`The group ${other.name} changed at the same time; look at it.`);
  const left = membersIn(before, group.id).filter((id) => !wanted.includes(id));
  // Whom its entry still has in the group would be written into it again with the next change.
  return isRight && !after.entries.some(({ id, groupId }) => left.includes(id) && groupId === group.id);
}

function listed({ groups }: Phonebook, groupId: string): readonly string[] {
  return groups.find(({ id }) => id === groupId)?.members ?? [];
}

function membersIn(book: Phonebook, groupId: string): readonly string[] {
  const group = book.groups.find(({ id }) => id === groupId);
  return group === undefined ? [] : membersOf(group, book.entries);
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.join(';') === other.join(';');
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return isSameList(one.toSorted(), other.toSorted());
}

/** Only of `entries`; which side counts for VoIP.ms is not documented. */
function warnOfDisagreement(
  job: Job,
  group: PhonebookGroup,
  { groups }: Phonebook,
  entries: readonly PhonebookEntry[],
): void {
  const isElsewhere = (id: string): boolean => groups.some((one) => one.id !== group.id && one.members.includes(id));
  const differing = entries.filter(({ id, groupId }) =>
    groupId === group.id ? !group.members.includes(id) : group.members.includes(id) && !isElsewhere(id),
  );
  if (differing.length > 0)
    job.warnings.push(
      `The group ${group.name} and the phonebook disagree about ${differing.map(({ id }) => `entry ${id}`).join(', ')}: one says that it is in the group, the other does not.`,
    );
}

function warnOfTwins(job: Job, [first, ...others]: readonly PhonebookEntry[]): void {
  if (first === undefined || others.length === 0) return;
  job.warnings.push(
    `The number is in the phonebook several times: entry ${first.id} is used, ${others.map(({ id }) => id).join(', ')} left as they are.`,
  );
}

function warnOfOtherGroups(job: Job, entry: PhonebookEntry | undefined, groups: readonly PhonebookGroup[]): void {
  const others = groups.filter(({ id, members }) => entry && (entry.groupId === id || members.includes(entry.id)));
  if (others.length > 0)
    job.warnings.push(
      `The entry is in ${others.map(({ name }) => name).join(', ')} as well, and an entry names one group only: look whether it is still there afterwards.`,
    );
}

/** Letters, digits and spaces, as VoIP.ms takes no others (`invalid_name`). */
function nameFor(job: Job, given: string, number: string): string {
  const name = plain(given);
  if (name !== given.trim())
    job.warnings.push('VoIP.ms takes letters, digits and spaces only, so the name was cut down.');
  return name === '' ? plain(`Number ${number}`) : name;
}

function newName(given: string): string {
  const name = plain(given);
  if (name !== given.trim() || !/[A-Za-z]/.test(name))
    throw new UserInputError('The name of a new group needs letters, and may hold digits and spaces beside them.');
  return name;
}

function plain(text: string): string {
  const letters = text.normalize('NFKD').replace(/[\u0300-\u036f]/g, '');
  return letters
    .replace(/[^A-Za-z0-9 ]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, LONGEST_NAME)
    .trim();
}
