/** A caller ID filter that hangs up on one number. Patterns, which are of many numbers, are never touched. */
import { check, type Job, write } from './changing.ts';
import { ALL_NUMBERS, filtersOf, HANG_UP, readCertainFilters, turnsAway } from './filters.ts';

const NOTE = 'Spam';

/** Resolves with a sentence of what was done, or would be. `number` as `checkNumber` has it. */
export async function blockNumber(job: Job, number: string): Promise<string> {
  const before = await readCertainFilters(job.client);
  const mine = filtersOf(before, number);
  const blocking = mine.find((filter) => filter.did === ALL_NUMBERS && turnsAway(filter));
  if (blocking !== undefined) return `The filter ${blocking.id} turns calls from ${number} away already.`;
  if (mine.length > 0)
    job.warnings.push(
      `There are other filters of this number (${mine.map(({ id }) => id).join(', ')}), which are left as they are; which of them counts is up to VoIP.ms.`,
    );
  // An id, under whatever name, is left out on purpose: without one a filter is made.
  const params = { callerid: number, did: ALL_NUMBERS, routing: HANG_UP, note: NOTE };
  const there = new Set(before.map(({ id }) => id));
  const made = async () => (await readCertainFilters(job.client)).filter(({ id }) => !there.has(id));
  const isMine = async (): Promise<boolean> =>
    filtersOf(await made(), number).some(({ did, routing }) => did === ALL_NUMBERS && routing === HANG_UP);
  const written = await write(job, { method: 'setCallerIDFiltering', params }, { isDone: isMine });
  if (written === 'planned') return `A filter would be made that hangs up on every call from ${number}.`;
  await check(job, async () => {
    const after = await made();
    if (after.length !== 1)
      job.warnings.push(`One filter was to be made, and ${after.length} are new. Look at the filters.`);
    return filtersOf(after, number).length === 1;
  });
  return `A filter was made that hangs up on every call from ${number}.`;
}

/** Deletes the filters that turn away exactly this number. */
export async function unblockNumber(job: Job, number: string): Promise<string> {
  const mine = filtersOf(await readCertainFilters(job.client), number);
  const blocking = mine.filter(turnsAway);
  const others = mine.filter((filter) => !turnsAway(filter));
  if (others.length > 0)
    job.warnings.push(
      `The filters ${others.map(({ id }) => id).join(', ')} of this number send its calls elsewhere and are left as they are.`,
    );
  if (blocking.length === 0) return `No filter turns calls from exactly ${number} away.`;
  for (const { id } of blocking) {
    const isGone = async (): Promise<boolean> =>
      (await readCertainFilters(job.client)).every((filter) => filter.id !== id);
    const written = await write(job, { method: 'delCallerIDFiltering', params: { filtering: id } }, { isDone: isGone });
    if (written !== 'planned') await check(job, isGone);
  }
  const ids = blocking.map(({ id }) => id).join(', ');
  return `The ${blocking.length === 1 ? 'filter' : 'filters'} ${ids} of ${number} ${job.dryRun ? 'would be' : blocking.length === 1 ? 'was' : 'were'} deleted.`;
}
