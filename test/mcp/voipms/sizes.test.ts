/** What a large account answers: as much as a client can take, and how to get at the rest. */
import { countTokens } from 'gpt-tokenizer';
import { expect, it } from 'vitest';
import { seen } from '../watched-pair.ts';
import { account } from './account.ts';

const MOST_TOKENS = 10_000;
const NUMBER = '4155550123';

/** One number often in a large phonebook, in a group of a thousand. */
async function largeAccount() {
  const one = await account();
  const { state } = one.simulator;
  const [entry] = state.entries;
  if (entry === undefined) throw new Error('the phonebook is empty');
  state.entries = Array.from({ length: 1_000 }, (_, index) => ({
    ...entry,
    phonebook: String(40_000 + index),
    name: `Ada Example ${index} of the very large phonebook`,
    number: index % 2 === 0 ? NUMBER : `41555501${String(index % 100).padStart(2, '0')}`,
    note: 'Writes long notes about everybody who calls'.slice(0, 49),
  }));
  const members = state.entries.map(({ phonebook }) => phonebook);
  state.groups = state.groups.map((group) => ({ ...group, members }));
  state.filters = Array.from({ length: 300 }, (_, index) => ({
    ...(state.filters[0] ?? {
      callerid: '',
      did: '',
      routing: '',
      failover_unreachable: '',
      failover_busy: '',
      failover_noanswer: '',
      note: '',
    }),
    filtering: String(20_000 + index),
    callerid: NUMBER,
  }));
  return one;
}

it.each([
  ['voipms_get_phonebook_entries', { limit: 200 }],
  ['voipms_get_phonebook_groups', {}],
  ['voipms_get_callerid_filters', { limit: 200 }],
  ['voipms_get_recent_cdr', { limit: 100 }],
  ['voipms_inspect_number', { number: NUMBER, days: 30 }],
  ['voipms_add_number_to_phonebook_group', { number: '4155550188', group: 'Family' }],
  ['voipms_remove_number_from_phonebook_group', { number: NUMBER, group: 'Family' }],
])('%s answers a large account in what a client can take', async (name, args) => {
  const { tool } = await largeAccount();
  const answer = await tool(name, args);
  expect(answer.isError).toBeFalsy();
  expect(countTokens(seen(answer))).toBeLessThan(MOST_TOKENS);
});

it('the long list of a group’s members is written whole, and shown cut with its length', async () => {
  const { tool, writes } = await largeAccount();
  const args = { number: '4155550188', group: 'Family', dry_run: false };
  const { structured } = await tool('voipms_add_number_to_phonebook_group', args);
  const members = (structured.calls as { params: Record<string, string> }[]).at(-1)?.params.members ?? '';
  const written = writes().at(-1)?.params.members ?? '';
  expect(written.split(';')).toHaveLength(1_001);
  expect(members).toBe(`${written.slice(0, 3_000)}… (cut here: ${written.length} characters)`);
});

it('a large phonebook is read whole, page by page', async () => {
  const { tool } = await largeAccount();
  const ids: string[] = [];
  for (let cursor: string | undefined, more = true; more; ) {
    const { structured } = await tool('voipms_get_phonebook_entries', { limit: 200, cursor });
    const page = structured as { entries: { id: string }[]; cursor: string | null };
    ids.push(...page.entries.map(({ id }) => id));
    more = page.cursor !== null;
    cursor = page.cursor ?? undefined;
  }
  expect(ids).toEqual(Array.from({ length: 1_000 }, (_, index) => String(40_000 + index)));
});

it.each([
  [{}, 'save it with saveTo.'],
  [{ readOnly: true }, 'listen to it in the portal of VoIP.ms.'],
])('a recording too long for a resource is told so, with a way that whoever asks has: %j', async (who, way) => {
  const { tool, simulator } = await account(who);
  const { state } = simulator;
  const [first, ...others] = state.recordings;
  if (first === undefined) throw new Error('there is no recording');
  state.recordings = [{ ...first, seconds: 9_000 }, ...others];
  const args = { account: first.account, recording: first.callrecording };
  const { text } = await tool('voipms_get_call_recording', args);
  expect(text).toContain(`It is too large to be read as a resource: ${way}`);
});
