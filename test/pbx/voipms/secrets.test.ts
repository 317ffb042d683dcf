/** Whatever happens, no password is in what VoIP.ms' operations answer, refuse or log. */
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import type { VoipMsOperations } from '../../../src/pbx/voipms/operations.ts';
import type { Trouble } from '../../../src/simulator/voipms/faults.ts';
import { FRONT_DESK, OFFICE_DID, SEEDED_SECRETS } from '../../../src/simulator/voipms/seed.ts';
import { office } from './office.ts';

const RECORDING = 'cmVjb3JkaW5nLTE9MQ==';
const RANGE = { from: '2026-11-01', to: '2026-11-27' };
const CHANGE = { number: '4155550150', group: 'Family', dryRun: false };

/** Everything that can be done, but `raw`, which answers what it is told. */
const EVERYTHING: Readonly<
  Record<Exclude<keyof VoipMsOperations, 'raw'>, (voipms: VoipMsOperations) => Promise<unknown>>
> = {
  balance: (voipms) => voipms.balance(),
  phonebookGroups: (voipms) => voipms.phonebookGroups(),
  phonebookEntries: (voipms) => voipms.phonebookEntries(),
  callerIdFilters: (voipms) => voipms.callerIdFilters(),
  accounts: (voipms) => voipms.accounts(),
  callAccounts: (voipms) => voipms.callAccounts(),
  recordings: (voipms) => voipms.recordings(RANGE),
  recording: (voipms) => voipms.recording(FRONT_DESK, RECORDING, 1024 * 1024),
  emailRecording: (voipms) =>
    voipms.emailRecording({ account: FRONT_DESK, recording: RECORDING, email: 'ada@example.com', dryRun: false }),
  transcript: (voipms) => voipms.transcript({ account: FRONT_DESK, recording: RECORDING }),
  recentCdr: (voipms) => voipms.recentCdr(RANGE),
  addToGroup: (voipms) => voipms.addToGroup(CHANGE),
  removeFromGroup: (voipms) => voipms.removeFromGroup({ ...CHANGE, number: '4155550123' }),
  inspect: (voipms) => voipms.inspect('4155550123', 30),
  suggestSpam: (voipms) => voipms.suggestSpam({ days: 30, limit: 10 }),
  markAsSpam: (voipms) => voipms.markAsSpam({ number: '4155550199', createGroup: true, block: true, dryRun: false }),
  unmarkAsSpam: (voipms) => voipms.unmarkAsSpam({ number: '4155550199', unblock: true, dryRun: false }),
  sendSms: (voipms) => voipms.sendSms({ from: OFFICE_DID, to: '4155550123', text: 'Hello' }),
  look: (voipms) => voipms.look(),
};

const TROUBLES: readonly (Trouble | null)[] = [
  null,
  'html',
  'xml',
  'bad-gateway',
  'empty',
  'drop-after',
  'hang-before',
  { status: 'invalid_credentials' },
  { status: 'ip_not_enabled' },
  { status: 'api_limit_exceeded' },
  { status: 'invalid_did' },
  { status: 'a_new_status' },
];

it.each(TROUBLES)('no secret is told when all goes as %o', async (trouble) => {
  const { voipms, account, logs } = await office({ emailRecipients: ['@example.com'], patienceMs: 60 });
  if (trouble !== null) account.faults.trouble = { '*': trouble };
  const told = await Promise.all(
    Object.entries(EVERYTHING).map(async ([name, work]) => [name, await work(voipms).catch((error: unknown) => error)]),
  );
  const text = inspect([told, logs], { depth: 30, maxStringLength: null, maxArrayLength: null, showHidden: true });
  expect(text.length).toBeGreaterThan(1_000);
  expect(logs.length).toBeGreaterThan(0);
  for (const secret of [account.password, encodeURIComponent(account.username), 'api_password', ...SEEDED_SECRETS])
    expect(text).not.toContain(secret);
});

it('no secret is told when nobody answers, or the address is not the API’s', async () => {
  for (const url of ['http://127.0.0.1:9/api/v1/rest.php', 'http://127.0.0.1:99999/']) {
    const told = await office({ url }).then(
      async ({ voipms, logs }) => [await voipms.balance().catch((error: unknown) => error), logs],
      (error: unknown) => [error],
    );
    expect(inspect(told, { depth: 30 })).not.toMatch(/api-Password|api_password/);
  }
});
