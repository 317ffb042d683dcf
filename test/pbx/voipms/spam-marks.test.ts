/** Marking a number as spam, and taking that back, against the simulated account. */
import { describe, expect, it } from 'vitest';
import { UserInputError } from '../../../src/errors.ts';
import { ROBOT } from '../../../src/simulator/voipms/seed.ts';
import { changesAt, office, refusal, type TestOffice } from './office.ts';

const mark = ({ voipms }: TestOffice, fields: Partial<Parameters<typeof voipms.markAsSpam>[0]> = {}) =>
  voipms.markAsSpam({ number: ROBOT, createGroup: false, block: false, dryRun: false, ...fields });
const unmark = ({ voipms }: TestOffice, fields: Partial<Parameters<typeof voipms.unmarkAsSpam>[0]> = {}) =>
  voipms.unmarkAsSpam({ number: ROBOT, unblock: false, dryRun: false, ...fields });
const filtersOf = ({ account }: TestOffice, number: string = ROBOT) =>
  account.state.filters.filter(({ callerid }) => callerid === number);
const spamGroup = ({ account }: TestOffice) => account.state.groups.find(({ name }) => name === 'Spam');

describe('marking as spam', () => {
  it('puts the number into the group, and says that this blocks nothing', async () => {
    const one = await office();
    const change = await mark(one);
    expect(change).toMatchObject({ changed: true, verified: true });
    expect(change.calls[0]?.params).toEqual({ name: `Spam ${ROBOT}`, number: ROBOT });
    expect(change.warnings).toEqual([expect.stringMatching(/A phonebook group alone blocks nothing/)]);
    expect(spamGroup(one)?.members).toHaveLength(2);
    expect(filtersOf(one)).toEqual([]);
  });

  it('also makes a filter of this number where it is asked to, once', async () => {
    const one = await office();
    const change = await mark(one, { block: true });
    expect(change).toMatchObject({ changed: true, verified: true, warnings: [] });
    expect(change.calls.at(-1)).toEqual({
      method: 'setCallerIDFiltering',
      params: { callerid: ROBOT, did: 'all', routing: 'sys:hangup', note: 'Spam' },
    });
    expect(change.message).toMatch(/A filter was made that hangs up on every call from 4155550199/);
    const again = await mark(one, { block: true });
    expect(again).toMatchObject({ changed: false, calls: [] });
    expect(again.message).toMatch(/is in the group Spam already.*turns calls from 4155550199 away already/);
    expect(filtersOf(one)).toHaveLength(1);
  });

  it('is shown first, and nothing is done', async () => {
    const one = await office();
    const before = structuredClone(one.account.state);
    const change = await mark(one, { block: true, dryRun: true });
    expect(change.calls.map(({ method }) => method)).toEqual([
      'setPhonebook',
      'setPhonebookGroup',
      'setCallerIDFiltering',
    ]);
    expect(one.account.state).toEqual(before);
    expect(changesAt(one.account)).toEqual([]);
    const real = await mark(one, { block: true });
    expect(real.calls.map(({ method }) => method)).toEqual(change.calls.map(({ method }) => method));
    expect(real.calls.at(-1)).toEqual(change.calls.at(-1));
  });

  it('tells by whose entry the number is known, before anything is done', async () => {
    const change = await mark(await office(), { number: '4155550126', block: true, dryRun: true });
    expect(change.message).not.toMatch(/Example/);
    const known = await mark(await office(), { number: '4155550123', block: true, dryRun: true });
    expect(known.message).toMatch(/its entry 32208 \(Ada Example\) is used/);
  });

  it('makes the group only where it is asked to', async () => {
    const one = await office();
    one.account.state.groups = one.account.state.groups.filter(({ name }) => name !== 'Spam');
    expect(await refusal(mark(one))).toBeInstanceOf(UserInputError);
    for (const group of ['Bad; people', '4711'])
      expect(await refusal(mark(one, { group, createGroup: true })), group).toBeInstanceOf(UserInputError);
    expect(changesAt(one.account)).toEqual([]);
    const planned = await mark(one, { createGroup: true, dryRun: true });
    expect(planned.calls.at(-1)).toEqual({
      method: 'setPhonebookGroup',
      params: { name: 'Spam', members: '<id of the new entry>' },
    });
    const change = await mark(one, { createGroup: true });
    expect(change).toMatchObject({ changed: true, verified: true });
    expect(change.message).toMatch(/was added to the new group Spam/);
    expect(spamGroup(one)?.members).toHaveLength(1);
  });

  it('that is not answered has made one entry and one filter all the same', async () => {
    const one = await office({ patienceMs: 300 });
    one.account.faults.trouble = { setPhonebook: ['drop-after'], setCallerIDFiltering: ['hang-after'] };
    const change = await mark(one, { block: true });
    expect(change).toMatchObject({ changed: true, verified: true });
    expect(change.warnings).toHaveLength(2);
    expect(one.account.state.entries.filter(({ number }) => number === ROBOT)).toHaveLength(1);
    expect(filtersOf(one)).toHaveLength(1);
  });

  it('tells of more filters than were made', async () => {
    const one = await office();
    const [twin] = one.account.state.filters;
    one.account.faults.beforeWrite = (method, _, state) => {
      if (method === 'setCallerIDFiltering' && twin) state.filters.push({ ...twin, filtering: '1', callerid: ROBOT });
    };
    const change = await mark(one, { block: true });
    expect(change.verified).toBe(false);
    expect(change.warnings).toEqual(['One filter was to be made, and 2 are new. Look at the filters.']);
  });

  it('blocks whole numbers only', async () => {
    const one = await office();
    for (const number of ['911', '1001', 'sip:2563'])
      expect((await refusal(mark(one, { number, block: true }))).message).toMatch(/cannot be blocked/);
    expect(changesAt(one.account)).toEqual([]);
    expect(await mark(one, { number: 'sip:2563' })).toMatchObject({ changed: true });
  });

  it('that fails half-way tells what was done', async () => {
    const one = await office();
    one.account.faults.trouble = { setCallerIDFiltering: { status: 'invalid_callerid' } };
    const error = await refusal(mark(one, { block: true }));
    expect(error).toMatchObject({ name: 'UpstreamError', code: 'half_done' });
    expect(error.message).toMatch(/value of callerid.*Done before that: setPhonebook, setPhonebookGroup;/);
    one.account.faults.trouble = { setCallerIDFiltering: { status: 'api_limit_exceeded' } };
    const late = await refusal(mark(one, { number: '4155550196', block: true }));
    expect(late.message).toMatch(/this one was not carried out.*Done before that: setPhonebook, setPhonebookGroup;/);
    expect(late.message).not.toMatch(/Nothing was done/);
  });

  it('leaves other filters of the number as they are', async () => {
    const one = await office();
    const [some] = one.account.state.filters;
    if (some) one.account.state.filters.push({ ...some, filtering: '1', callerid: `1${ROBOT}`, routing: 'vm:101' });
    const change = await mark(one, { block: true });
    expect(change.warnings).toEqual([expect.stringMatching(/other filters of this number \(1\)/)]);
    one.account.faults.refuseTwins = true;
    expect(filtersOf(one, `1${ROBOT}`)[0]?.routing).toBe('vm:101');
  });
});

describe('taking that back', () => {
  it('takes the number out of the group, and deletes its filters where it is asked to', async () => {
    const one = await office();
    await mark(one, { block: true });
    const planned = await unmark(one, { unblock: true, dryRun: true });
    expect(filtersOf(one)).toHaveLength(1);
    const change = await unmark(one, { unblock: true });
    expect(change).toMatchObject({ changed: true, verified: true, calls: planned.calls });
    expect(spamGroup(one)?.members).toEqual(['32213']);
    expect(filtersOf(one)).toEqual([]);
    expect(one.account.state.filters).toHaveLength(3);
    expect(await unmark(one, { unblock: true })).toMatchObject({ changed: false, calls: [] });
  });

  it('leaves the filter where it is not asked to delete it', async () => {
    const one = await office();
    await mark(one, { block: true });
    await unmark(one);
    expect(filtersOf(one)).toHaveLength(1);
  });

  it('never deletes a pattern, or a filter that sends calls elsewhere', async () => {
    const one = await office();
    const [some] = one.account.state.filters;
    if (some)
      one.account.state.filters.push(
        { ...some, filtering: '1', callerid: `${ROBOT}*` },
        { ...some, filtering: '3', callerid: `${ROBOT}.` },
        { ...some, filtering: '2', callerid: ROBOT, routing: 'vm:101' },
      );
    const change = await unmark(one, { unblock: true });
    expect(change.calls).toEqual([]);
    expect(change.warnings).toEqual([expect.stringMatching(/The filters 2 of this number send its calls elsewhere/)]);
    expect(one.account.state.filters).toHaveLength(6);
  });

  it('where there is no such group does what is left to do', async () => {
    const one = await office();
    one.account.state.groups = [];
    const change = await unmark(one, { number: '4155550197', unblock: true });
    expect(change.message).toBe(
      'There is no group Spam, so 4155550197 is not in it. The filter 18915 of 4155550197 was deleted.',
    );
    expect(await refusal(unmark(one, { group: 'Unwanted' }))).toBeInstanceOf(UserInputError);
  });

  it('lets the calls through also where VoIP.ms does not let the last one out of the group', async () => {
    const one = await office();
    one.account.faults.emptyMembers = 'missing_member';
    const error = await refusal(unmark(one, { number: '4155550197', unblock: true }));
    expect(error).toMatchObject({ name: 'UpstreamError', code: 'half_done' });
    expect(error.message).toMatch(/at least one member.*Done before that: delCallerIDFiltering;/);
    expect(filtersOf(one, '4155550197')).toEqual([]);
    expect(spamGroup(one)?.members).toEqual(['32213']);
  });

  it('does nothing at all where the group that is named is not there', async () => {
    const one = await office();
    const error = await refusal(unmark(one, { number: '4155550197', group: 'Spamm', unblock: true }));
    expect(error).toBeInstanceOf(UserInputError);
    expect(changesAt(one.account)).toEqual([]);
  });

  it('that is not answered is done once', async () => {
    const one = await office({ patienceMs: 300 });
    one.account.faults.trouble = { delCallerIDFiltering: ['hang-after'] };
    const change = await unmark(one, { number: '4155550197', unblock: true });
    expect(change).toMatchObject({ changed: true, verified: true });
    expect(changesAt(one.account)).toEqual(['delCallerIDFiltering', 'setPhonebookGroup']);
  });
});
