/** Who is in a phonebook group, changed against the simulated account. */
import { describe, expect, it } from 'vitest';
import { ConfigError, UpstreamError, UserInputError } from '../../../src/errors.ts';
import type { Group } from '../../../src/simulator/voipms/state.ts';
import { changesAt, office, refusal, type TestOffice } from './office.ts';

const NEW = '+1 (415) 555-0150';
const ADA = '4155550123';

const groupOf = ({ account }: TestOffice, name: string): Group | undefined =>
  account.state.groups.find((group) => group.name === name);
const membersOf = (office: TestOffice, name: string): readonly string[] => groupOf(office, name)?.members ?? [];
const entriesOf = ({ account }: TestOffice, number: string) =>
  account.state.entries.filter((entry) => entry.number === number);
const add = (to: TestOffice, fields: { number?: string; group?: string; name?: string; dryRun?: boolean } = {}) =>
  to.voipms.addToGroup({ number: NEW, group: 'Family', dryRun: false, ...fields });
const remove = (from: TestOffice, fields: { number?: string; group?: string; dryRun?: boolean } = {}) =>
  from.voipms.removeFromGroup({ number: ADA, group: 'Family', dryRun: false, ...fields });

describe('a number that joins a group', () => {
  it('gets an entry, and the group keeps its others in their order', async () => {
    const one = await office();
    const change = await add(one, { name: 'Dora Example' });
    const [entry] = entriesOf(one, '4155550150');
    expect(membersOf(one, 'Family')).toEqual(['32208', '32209', entry?.phonebook]);
    expect(entry?.name).toBe('Dora Example');
    expect(change).toEqual({
      dryRun: false,
      changed: true,
      verified: true,
      calls: [
        { method: 'setPhonebook', params: { name: 'Dora Example', number: '4155550150' } },
        {
          method: 'setPhonebookGroup',
          params: { group: '16389', name: 'Family', members: `32208;32209;${entry?.phonebook}` },
        },
      ],
      message: '4155550150 was added to the group Family; a new entry was made for it.',
      warnings: [],
    });
    expect(one.account.requests.filter(({ method }) => method.startsWith('set'))).toEqual(change.calls);
  });

  it('is shown first what would be done, and nothing is done', async () => {
    const one = await office();
    const before = structuredClone(one.account.state);
    const change = await add(one, { dryRun: true });
    expect(change).toMatchObject({
      dryRun: true,
      changed: false,
      verified: null,
      message: '4155550150 would be added to the group Family; a new entry would be made for it.',
    });
    expect(change.calls).toEqual([
      { method: 'setPhonebook', params: { name: 'Number 4155550150', number: '4155550150' } },
      {
        method: 'setPhonebookGroup',
        params: { group: '16389', name: 'Family', members: '32208;32209;<id of the new entry>' },
      },
    ]);
    expect(changesAt(one.account)).toEqual([]);
    expect(one.account.state).toEqual(before);
  });

  it('of which there is an entry uses that, the oldest of several', async () => {
    const one = await office();
    const change = await add(one, { number: '415-555-0125', group: '16389' });
    expect(membersOf(one, 'Family')).toEqual(['32208', '32209', '32210']);
    expect(change.calls.map(({ method }) => method)).toEqual(['setPhonebookGroup']);
    expect(change.warnings).toEqual([
      'The number is in the phonebook several times: entry 32210 is used, 32211 left as they are.',
      expect.stringMatching(/The entry is in Customers as well/),
    ]);
    expect(membersOf(one, 'Customers')).toEqual(['32210']);
  });

  it('and is in it already changes nothing, however often it is asked', async () => {
    const one = await office();
    await add(one);
    const before = structuredClone(one.account.state);
    for (const number of [NEW, '14155550150', '4155550150']) {
      const again = await add(one, { number });
      expect(again).toMatchObject({ changed: false, calls: [], verified: null, warnings: [] });
      expect(again.message).toMatch(/is in the group Family already/);
    }
    expect(one.account.state).toEqual(before);
  });

  it('has one entry when it is asked for twice at the same time', async () => {
    const one = await office();
    const changes = await Promise.all([add(one), add(one), add(one, { group: 'Suppliers' })]);
    expect(changes.map(({ calls }) => calls.length)).toEqual([2, 0, 1]);
    expect(entriesOf(one, '4155550150')).toHaveLength(1);
    expect(membersOf(one, 'Family')).toHaveLength(3);
    expect(membersOf(one, 'Suppliers')).toHaveLength(1);
  });

  it('needs a group that is there, and one alone', async () => {
    const one = await office();
    const error = await refusal(add(one, { group: 'Friends' }));
    expect(error).toBeInstanceOf(UserInputError);
    expect(error.message).toBe(
      'There is no phonebook group "Friends". There are Family (16389), Customers (16390), Spam (16391), Suppliers (16392).',
    );
    one.account.state.groups.push({ phonebook_group: '16399', name: 'family', members: [] });
    expect((await refusal(add(one))).message).toMatch(/give the id of one, 16389 or 16399/);
    expect((await add(one, { group: '16399', dryRun: true })).calls.at(-1)?.params.group).toBe('16399');
    expect(await refusal(add(one, { number: 'Ada' }))).toBeInstanceOf(UserInputError);
  });

  it('has a name that VoIP.ms takes', async () => {
    const one = await office();
    const { warnings } = await add(one, { name: ' Zoë & Søn, "Ltd." ' });
    expect(entriesOf(one, '4155550150')[0]?.name).toBe('Zoe S n Ltd');
    expect(warnings).toEqual([expect.stringMatching(/letters, digits and spaces only/)]);
    await add(one, { number: '4155550151', name: '!!!' });
    expect(entriesOf(one, '4155550151')[0]?.name).toBe('Number 4155550151');
  });

  it('may be a SIP address or an extension', async () => {
    const one = await office();
    const { calls } = await add(one, { number: 'sip:2563' });
    expect(calls).toHaveLength(1);
    expect(membersOf(one, 'Family').at(-1)).toBe('32212');
  });
});

describe('a number that leaves a group', () => {
  it('leaves the others and its entry where they are', async () => {
    const one = await office();
    const change = await remove(one, { number: '+14155550123' });
    expect(change).toMatchObject({ changed: true, verified: true, warnings: [] });
    expect(change.calls).toEqual([
      { method: 'setPhonebookGroup', params: { group: '16389', name: 'Family', members: '32209' } },
    ]);
    expect(membersOf(one, 'Family')).toEqual(['32209']);
    expect(entriesOf(one, ADA)).toHaveLength(1);
    expect(await remove(one)).toMatchObject({ changed: false, calls: [] });
  });

  it('has not left for certain while its entry still names the group', async () => {
    const one = await office();
    one.account.faults.entriesLag = true;
    const change = await remove(one);
    expect(membersOf(one, 'Family')).toEqual(['32209']);
    expect(change).toMatchObject({ changed: true, verified: false });
    expect(change.warnings).toEqual([expect.stringMatching(/Family and the phonebook disagree about entry 32208:/)]);
  });

  it('leaves it with all of its entries', async () => {
    const one = await office();
    groupOf(one, 'Customers')?.members.push('32211', '32208');
    const change = await remove(one, { number: '4155550125', group: 'Customers' });
    expect(membersOf(one, 'Customers')).toEqual(['32208']);
    expect(change.warnings).toContain('4155550125 is in the group 2 times; all of these leave it.');
  });

  it('as the last one leaves it empty, where VoIP.ms takes that', async () => {
    const one = await office();
    const change = await remove(one, { number: '4155550197', group: 'Spam' });
    expect(change).toMatchObject({ changed: true, verified: true });
    expect(change.warnings).toEqual([expect.stringMatching(/empty group is not documented/)]);
    expect(groupOf(one, 'Spam')?.members).toEqual([]);
  });

  it('as the last one stays where VoIP.ms takes no empty group, and the group is not deleted', async () => {
    const one = await office();
    one.account.faults.emptyMembers = 'missing_member';
    const error = await refusal(remove(one, { number: '4155550197', group: 'Spam' }));
    expect(error).toBeInstanceOf(UserInputError);
    expect(error.message).toMatch(/wants at least one member in a phonebook group/);
    expect(membersOf(one, 'Spam')).toEqual(['32213']);
  });
});

describe('a group is the same afterwards', () => {
  it('whichever way VoIP.ms writes lists and answers', async () => {
    const one = await office();
    const { faults, state } = one.account;
    Object.assign(faults, { groupsListKey: 'phonebook_groups', emptySuccess: true });
    expect(await add(one)).toMatchObject({ verified: true });
    expect(entriesOf(one, '4155550150')).toHaveLength(1);
    Object.assign(faults, { emptySuccess: false, withoutId: true });
    expect(await add(one, { number: '4155550151' })).toMatchObject({ verified: true });
    Object.assign(faults, { oneRowAsObject: true, membersOrder: 'reversed' });
    state.groups = state.groups.filter(({ name }) => name === 'Family');
    expect(await add(one, { number: '4155550152' })).toMatchObject({ verified: true });
    expect(membersOf(one, 'Family')).toHaveLength(5);
  });

  it('when nothing at all was in the phonebook', async () => {
    const one = await office();
    one.account.state.entries = [];
    one.account.state.groups = [{ phonebook_group: '1', name: 'Family', members: [] }];
    one.account.faults.oneRowAsObject = true;
    expect(await add(one)).toMatchObject({ changed: true, verified: true, warnings: [] });
    expect(membersOf(one, 'Family')).toHaveLength(1);
  });

  it('and is not written at all where it cannot be told what is there', async () => {
    const one = await office();
    for (const method of ['getPhonebook', 'getPhonebookGroups']) {
      one.account.faults.trouble = { [method]: 'empty' };
      expect((await refusal(add(one))).message, method).toMatch(/nothing was changed/);
    }
    expect(changesAt(one.account)).toEqual([]);
  });

  it('with whoever somebody else has added just before', async () => {
    const one = await office();
    one.account.faults.beforeWrite = (method, _, state) => {
      // While our entry is made, before the group is read again.
      if (method === 'setPhonebook') state.groups[0]?.members.push('32212');
    };
    const change = await add(one);
    expect(membersOf(one, 'Family').slice(0, 3)).toEqual(['32208', '32209', '32212']);
    expect(change.verified).toBe(true);
    expect(change.warnings).toContainEqual(expect.stringMatching(/Somebody else changed the group meanwhile/));
  });

  it('unless somebody else changes it right after, which is told', async () => {
    const one = await office();
    one.account.faults.beforeWrite = (method) => {
      if (method === 'setPhonebookGroup')
        setImmediate(() => Object.assign(groupOf(one, 'Family') ?? {}, { members: ['32212'] }));
    };
    const change = await add(one);
    expect(change.verified).toBe(false);
    expect(change.warnings).toContainEqual(expect.stringMatching(/has the members 32212 in place of 32208, 32209/));
  });

  it('and so are the other groups, or it is told', async () => {
    const one = await office();
    one.account.faults.beforeWrite = (method) => {
      if (method === 'setPhonebookGroup') groupOf(one, 'Suppliers')?.members.push('32211');
    };
    const { verified, warnings } = await add(one);
    expect([verified, warnings]).toEqual([true, ['The group Suppliers changed at the same time; look at it.']]);
  });

  it('and where entries tell another story, that is told', async () => {
    const one = await office();
    one.account.faults.entriesLag = true;
    const change = await add(one);
    expect(change.verified).toBe(true);
    expect(change.warnings).toContainEqual(expect.stringMatching(/Family and the phonebook disagree about entry \d+:/));
    // It is believed to be in the group, so nothing is done twice.
    expect(await add(one)).toMatchObject({ changed: false });
  });

  it('with those as well whom only their entry has in it', async () => {
    const one = await office();
    Object.assign(one.account.state.entries.find(({ phonebook }) => phonebook === '32212') ?? {}, { group: '16389' });
    const { calls, warnings } = await add(one);
    expect(calls.at(-1)?.params.members).toMatch(/^32208;32209;32212;\d+$/);
    expect(warnings).toContainEqual(expect.stringMatching(/disagree about entry 32212/));
  });

  it('when VoIP.ms refuses it, with what was done before that in the error', async () => {
    const one = await office();
    groupOf(one, 'Family')?.members.push('999');
    const error = await refusal(add(one));
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error.message).toMatch(
      /no phonebook entry of one of these ids.*Done before that: setPhonebook; asking again/,
    );
    expect(membersOf(one, 'Family')).toEqual(['32208', '32209', '999']);
    expect(await refusal(add(one))).toBeInstanceOf(UserInputError);
    expect(entriesOf(one, '4155550150')).toHaveLength(1);
  });

  it('and where it cannot be read again, what was done is told', async () => {
    const one = await office();
    const { faults } = one.account;
    faults.beforeWrite = (method) => {
      if (method === 'setPhonebookGroup') faults.trouble = { getPhonebook: 'html' };
    };
    const change = await add(one);
    expect(change).toMatchObject({ changed: true, verified: false });
    expect(change.warnings).toEqual([expect.stringMatching(/It was done, but could not be read again to make sure/)]);
    faults.beforeWrite = (method) => {
      if (method === 'setPhonebook') faults.trouble = { getPhonebook: 'html' };
    };
    faults.trouble = {};
    const error = await refusal(add(one, { number: '4155550151' }));
    expect(error.message).toMatch(/a web page.*Done before that: setPhonebook; asking again builds on it/);
  });

  it('of which a member is listed twice has it once afterwards', async () => {
    const one = await office();
    groupOf(one, 'Family')?.members.push('32208');
    await add(one, { number: 'sip:2563' });
    expect(membersOf(one, 'Family')).toEqual(['32208', '32209', '32212']);
  });

  it('and no more are changed within a minute than is allowed', async () => {
    const one = await office({ changesPerMinute: 1 });
    await add(one);
    const error = await refusal(add(one, { number: '4155550151' }));
    expect(error.message).toMatch(/1 changes were made .* raise VOIPMS_CHANGES_PER_MINUTE/);
    expect(await add(one, { number: '4155550151', dryRun: true })).toMatchObject({ dryRun: true });
    expect(await add(one)).toMatchObject({ changed: false });
    expect(entriesOf(one, '4155550151')).toEqual([]);
  });

  it('and a refusal of the account is one of the settings', async () => {
    const one = await office();
    one.account.faults.refuse = 'api_not_enabled';
    expect(await refusal(add(one))).toBeInstanceOf(ConfigError);
  });
});

describe('a change that is not answered', () => {
  it.each(['hang-after', 'drop-after', 'empty-html'] as const)(
    'and was made (%s) is found by a look, made once, and told',
    async (trouble) => {
      const one = await office({ patienceMs: 300 });
      one.account.faults.trouble = { setPhonebook: [trouble], setPhonebookGroup: [trouble] };
      const change = await add(one);
      expect(entriesOf(one, '4155550150')).toHaveLength(1);
      expect(membersOf(one, 'Family')).toEqual(['32208', '32209', entriesOf(one, '4155550150')[0]?.phonebook]);
      expect(changesAt(one.account)).toEqual(['setPhonebook', 'setPhonebookGroup']);
      expect(change).toMatchObject({ changed: true, verified: true });
      expect(change.warnings).toEqual([
        expect.stringMatching(/no clear answer to setPhonebook; a look afterwards showed that it was done/),
        expect.stringMatching(/no clear answer to setPhonebookGroup; a look afterwards/),
      ]);
    },
  );

  it('and was not made is told, and not made again', async () => {
    const one = await office({ patienceMs: 300 });
    one.account.faults.trouble = { setPhonebook: 'hang-before' };
    const error = await refusal(add(one));
    expect(error).toMatchObject({ name: 'UpstreamError', code: 'uncertain', retryable: false });
    expect(error.message).toBe(
      'VoIP.ms did not answer setPhonebook in time. A look right afterwards did not show it, though it may still come about. Whether the change was made is not known: look at what is there before doing it again.',
    );
    expect(changesAt(one.account)).toEqual(['setPhonebook']);
    expect(entriesOf(one, '4155550150')).toEqual([]);
  });

  it('is told with what was done before it', async () => {
    const one = await office({ patienceMs: 300 });
    one.account.faults.trouble = { setPhonebookGroup: 'html' };
    const error = await refusal(add(one));
    expect(error).toMatchObject({
      code: 'uncertain',
      message: expect.stringContaining('Done before that: setPhonebook'),
    });
    one.account.faults.trouble = {};
    expect((await add(one)).calls.map(({ method }) => method)).toEqual(['setPhonebookGroup']);
    expect(entriesOf(one, '4155550150')).toHaveLength(1);
  });

  it('and cannot be looked at is told so', async () => {
    const one = await office();
    const { faults } = one.account;
    faults.trouble = { setPhonebookGroup: 'empty-html' };
    faults.beforeWrite = () => Object.assign(faults.trouble, { getPhonebook: 'html' });
    expect((await refusal(remove(one))).message).toMatch(/A look afterwards failed as well/);
  });
});
