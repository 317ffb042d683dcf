/** What an assistant changes at VoIP.ms: shown first, done once, and put down. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FRONT_DESK, ROBOT } from '../../../src/simulator/voipms/seed.ts';
import { seen } from '../watched-pair.ts';
import { account } from './account.ts';

const RECORDING = { account: FRONT_DESK, recording: 'cmVjb3JkaW5nLTE9MQ==' };
const EMAIL = { ...RECORDING, email: 'ada@example.com' };

/** Everything that changes something, with arguments with which there is something to change. */
const CHANGES: readonly (readonly [name: string, args: Record<string, unknown>])[] = [
  ['voipms_add_number_to_phonebook_group', { number: '+14155550126', group: 'Suppliers', name: 'Paper' }],
  ['voipms_remove_number_from_phonebook_group', { number: '4155550123', group: 'Family' }],
  ['voipms_mark_number_as_spam', { number: ROBOT, block: true }],
  ['voipms_unmark_number_as_spam', { number: '4155550197', unblock: true }],
  ['voipms_send_call_recording_email', EMAIL],
];

interface Told {
  readonly dry_run: boolean;
  readonly changed: boolean;
  readonly calls: readonly { readonly method: string; readonly params: Readonly<Record<string, string>> }[];
  readonly verified: boolean | null;
}

describe.each(CHANGES)('%s', (name, args) => {
  it('only shows the exact calls where dry_run is not false: nothing is changed, asked or put down', async () => {
    const { tool, writes, audited, asked, simulator } = await account({ confirmCalls: 'always', answer: 'decline' });
    const before = JSON.stringify(simulator.state);
    const answer = await tool(name, args);
    const { dry_run, changed, calls, verified } = answer.structured as unknown as Told;
    expect({ dry_run, changed, verified }).toEqual({ dry_run: true, changed: false, verified: null });
    expect(calls.length).toBeGreaterThan(0);
    expect(answer.structured.next).toMatch(/after their yes call this again with dry_run=false/);
    for (const { params } of calls) expect(Object.keys(params)).not.toContain('api_password');
    expect(seen(answer)).not.toContain(simulator.password);
    expect(writes()).toEqual([]);
    expect(JSON.stringify(simulator.state)).toBe(before);
    expect(audited()).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('makes exactly those calls with dry_run=false, and is put down without a whole number or address', async () => {
    const { tool, writes, audited } = await account();
    const planned = ((await tool(name, args)).structured as unknown as Told).calls;
    const { structured } = await tool(name, { ...args, dry_run: false });
    const done = structured as unknown as Told;
    expect(done).toMatchObject({ dry_run: false, changed: true });
    expect(done.verified).not.toBe(false);
    expect(writes().map(({ method }) => method)).toEqual(planned.map(({ method }) => method));
    expect(writes().map(({ method, params }) => ({ method, params }))).toEqual(done.calls);
    const [entry, ...others] = audited();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ tool: name });
    expect(JSON.stringify(entry)).not.toMatch(/4155550|ada/);
  });

  it('takes no other word for no than false', async () => {
    const { tool, writes, audited } = await account();
    for (const dry_run of ['false', 0, null])
      expect(await tool(name, { ...args, dry_run })).toMatchObject({ isError: true });
    expect(await tool(name, { ...args, dryRun: false })).toMatchObject({
      isError: true,
      text: expect.stringMatching(/no argument "dryRun"/),
    });
    expect(writes()).toEqual([]);
    expect(audited()).toEqual([]);
  });
});

describe('what is done already', () => {
  it.each(CHANGES.slice(0, 4))('by %s is not done again', async (name, args) => {
    const { tool, writes } = await account();
    await tool(name, { ...args, dry_run: false });
    const before = writes().length;
    const { structured } = await tool(name, { ...args, dry_run: false });
    expect(structured).toMatchObject({ changed: false, calls: [], next: 'There is nothing to do; tell the user.' });
    expect(writes()).toHaveLength(before);
  });
});

describe('marking a number as spam', () => {
  it('says that a group blocks nothing, and makes a filter only where it is told to', async () => {
    const { tool, simulator, client } = await account();
    const { tools } = await client.listTools();
    for (const name of CHANGES.slice(0, 4).map(([each]) => each))
      expect(tools.find((one) => one.name === name)?.description).toContain('A group blocks nothing by itself');
    await tool('voipms_mark_number_as_spam', { number: ROBOT, dry_run: false });
    expect(simulator.state.filters).toHaveLength(3);
    await tool('voipms_mark_number_as_spam', { number: ROBOT, block: true, dry_run: false });
    expect(simulator.state.filters.filter(({ callerid }) => callerid === ROBOT)).toMatchObject([
      { routing: 'sys:hangup', did: 'all' },
    ]);
  });

  it('does not make a group that there is not unless it is told to', async () => {
    const { tool, writes, simulator } = await account();
    const args = { number: ROBOT, group: 'Pests', dry_run: false };
    expect(await tool('voipms_mark_number_as_spam', args)).toMatchObject({ isError: true });
    expect(writes()).toEqual([]);
    await tool('voipms_mark_number_as_spam', { ...args, createGroup: true });
    expect(simulator.state.groups.map(({ name }) => name)).toContain('Pests');
  });
});

describe('a change of which it stays open whether it was made', () => {
  it('is not made again, and the answer does not say to try again', async () => {
    const { tool, writes, simulator } = await account();
    simulator.faults.trouble = { setPhonebookGroup: 'drop-before' };
    const args = { number: '4155550123', group: 'Family', dry_run: false };
    const { isError, text } = await tool('voipms_remove_number_from_phonebook_group', args);
    expect(isError).toBe(true);
    expect(text).not.toMatch(/may work in a little while/);
    expect(writes()).toHaveLength(1);
  });
});

describe('an e-mail with a recording', () => {
  it('is sent after the user’s yes, and not against their will', async () => {
    const willing = await account({ confirmCalls: 'when-possible', answer: 'accept' });
    await willing.tool('voipms_send_call_recording_email', { ...EMAIL, dry_run: false });
    expect(willing.asked).toEqual([`Send the recording of a call (${FRONT_DESK}) to ada@example.com now?`]);
    expect(willing.simulator.state.emails).toMatchObject([{ email: 'ada@example.com' }]);
    const unwilling = await account({ confirmCalls: 'when-possible', answer: 'decline' });
    const refused = await unwilling.tool('voipms_send_call_recording_email', { ...EMAIL, dry_run: false });
    expect(refused).toMatchObject({ isError: true, text: expect.stringMatching(/The user does not want/) });
    expect(unwilling.simulator.state.emails).toEqual([]);
  });

  it('goes to nobody whom the settings do not allow', async () => {
    const who = { emailRecipients: ['office@example.com'], confirmCalls: 'always', answer: 'accept' } as const;
    const { tool, writes, asked } = await account(who);
    const { isError, text } = await tool('voipms_send_call_recording_email', { ...EMAIL, dry_run: false });
    expect(isError).toBe(true);
    expect(asked).toEqual([]);
    expect(text).toMatch(/VOIPMS_EMAIL_RECIPIENTS/);
    expect(writes()).toEqual([]);
  });
});

describe('saving a recording', () => {
  function folder(): string {
    const made = mkdtempSync(join(tmpdir(), 'recordings-'));
    onTestFinished(() => rmSync(made, { recursive: true }));
    return made;
  }

  it('writes the MP3 to a new file that only this user can read, and puts that down', async () => {
    const { tool, audited, hear } = await account();
    const saveTo = join(folder(), 'call.mp3');
    const { structured } = await tool('voipms_get_call_recording', { ...RECORDING, saveTo });
    const { sound } = await hear(String(structured.uri));
    expect(readFileSync(saveTo).equals(sound)).toBe(true);
    expect(statSync(saveTo).mode & 0o777).toBe(0o600);
    expect(audited()).toEqual([{ tool: 'voipms_get_call_recording', ...RECORDING, saved: true }]);
    const again = await tool('voipms_get_call_recording', { ...RECORDING, saveTo });
    expect(again).toMatchObject({ isError: true, text: expect.stringMatching(/exists already/) });
  });

  it('is refused where the path is not one of a new MP3, before anything is fetched', async () => {
    const { tool, simulator } = await account();
    for (const saveTo of ['call.mp3', '/tmp/call.wav', '../call.mp3'])
      expect((await tool('voipms_get_call_recording', { ...RECORDING, saveTo })).text).toMatch(/absolute path/);
    expect(simulator.requests).toEqual([]);
    const nowhere = join(folder(), 'none', 'call.mp3');
    expect((await tool('voipms_get_call_recording', { ...RECORDING, saveTo: nowhere })).text).toMatch(/does not exist/);
  });
});

describe('who may only look', () => {
  it.each([{ scopes: ['pbx:read'] as const }, { readOnly: true }])(
    'is offered nothing that changes anything: %j',
    async (who) => {
      const { client, tool } = await account(who);
      const { tools } = await client.listTools();
      expect(tools).toHaveLength(12);
      for (const { annotations } of tools) expect(annotations?.readOnlyHint).toBe(true);
      await expect(tool('voipms_mark_number_as_spam', { number: ROBOT })).rejects.toThrow(/pbx:write|READ_ONLY/);
      const saving = await tool('voipms_get_call_recording', { ...RECORDING, saveTo: '/tmp/call.mp3' });
      expect(saving).toMatchObject({ isError: true, text: expect.stringMatching(/no argument "saveTo"/) });
      expect((await tool('voipms_get_call_recording', RECORDING)).isError).toBeFalsy();
    },
  );
});
