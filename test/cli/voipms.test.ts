import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVoipMsSimulator, type VoipMsSimulator } from '../../src/simulator/voipms/account.ts';
import { SEEDED_SECRETS } from '../../src/simulator/voipms/seed.ts';

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const PASSWORD = 'api/Password+of"the&account';

let home: string;
let sim: VoipMsSimulator;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'switchboard-voipms-'));
  sim = await startVoipMsSimulator({ password: PASSWORD });
});
afterEach(async () => {
  await sim.stop();
  rmSync(home, { recursive: true, force: true });
});

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** What it prints, after it was seen that no password is in it. */
async function voipms(args: readonly string[], env: Readonly<Record<string, string>> = sim.env): Promise<Outcome> {
  const options = { cwd: home, env: { HOME: home, DATA_DIR: join(home, 'data'), ...env } };
  const { stdout, stderr, code } = await promisify(execFile)(process.execPath, [CLI, 'voipms', ...args], options)
    .then((result) => ({ ...result, code: 0 }))
    .catch((error: Outcome) => error);
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), sim.password, ...SEEDED_SECRETS])
    expect(stdout + stderr).not.toContain(secret);
  return { stdout, stderr, code };
}

function auditLines(): readonly Record<string, unknown>[] {
  const path = join(home, 'data', 'audit.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('switchboard voipms', () => {
  it('shows the calls of the last seven days, of every status and in UTC, as a table', async () => {
    const { stdout, code } = await voipms(['cdr']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+ in cdr\n\ndate +callerid +destination +disposition +duration +account +total\n/);
    for (const word of ['ANSWERED', 'NO ANSWER', 'SURVEY CENTER']) expect(stdout).toContain(word);
    expect(sim.requests).toMatchObject([
      { method: 'getCDR', params: { timezone: '0', answered: '1', noanswer: '1', busy: '1', failed: '1' } },
    ]);
    expect(sim.violations).toEqual([]);
  });

  it('finds the entries of a group by its id or its name, and a group by its name', async () => {
    const [byId, byName, group] = [
      await voipms(['getPhonebook', '16391']),
      await voipms(['getPhonebook', 'Spam']),
      await voipms(['getPhonebookGroups', 'Spam']),
    ];
    expect(byId.stdout).toContain('Old robot');
    expect(byName.stdout).toBe(byId.stdout);
    expect(group.stdout).toContain('16391');
    expect(sim.requests.map(({ params }) => params)).toEqual([
      { group: '16391' },
      { group_name: 'Spam' },
      { name: 'Spam' },
    ]);
  });

  it('shows what it would call, and calls nothing', async () => {
    const words = ['setVoicemail', 'mailbox=101', 'password=4711-secret', '--raw-params', '--dry-run'];
    const { stdout, code } = await voipms(words, { VOIPMS_API_URL: sim.url });
    expect([code, stdout]).toEqual([
      0,
      `Would call setVoicemail at ${sim.url}\n  mailbox = 101\n  password = [secret]\nIt changes something. Nothing was called.\n`,
    ]);
    const json = JSON.parse((await voipms([...words, '--format', 'json'])).stdout);
    expect(json).toMatchObject({
      dryRun: true,
      method: 'setVoicemail',
      params: { password: '[secret]' },
      changes: true,
    });
    expect((await voipms([...words, '--format=raw'])).stdout).toContain('?method=setVoicemail&mailbox=101&password=');
    expect([sim.requests, auditLines()]).toEqual([[], []]);
  });

  it('has lists always as lists in its JSON, and the answer as it came in raw, both without passwords', async () => {
    sim.faults.oneRowAsObject = true;
    const account = ['getSubAccounts', 'account=100000_front', '--format'];
    const json = JSON.parse((await voipms([...account, 'json'])).stdout);
    expect(json).toMatchObject({ status: 'success', accounts: [{ id: '9001', password: '[secret]' }] });
    const raw = await voipms([...account, 'raw']);
    expect(raw.stdout).toMatch(/^\{"status":"success","accounts":\{"id":"9001".*"password":"\[secret\]","ip":""/);
    const dids = await voipms(['getDIDsInfo', '--format=json']);
    expect(JSON.parse(dids.stdout).dids[0]).toMatchObject({
      port_out_pin: '[secret]',
      smpp_pass: '[secret]',
      did: '4155550100',
    });
  });

  it('puts a change down before and after it, with numbers masked and without what was written', async () => {
    const sent = await voipms(['sendSMS', 'did=4155550100', 'dst=4155550123', 'message=our secret']);
    expect(sent).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Done\.\nsms: \d+\n$/) });
    expect(auditLines()).toMatchObject([
      {
        phase: 'started',
        tool: 'switchboard voipms sendSMS',
        transport: 'cli',
        request: { did: '4155550100', dst: '415…23', message: '10 characters' },
      },
      { phase: 'done', outcome: 'success' },
    ]);
    expect(auditLines()[0]?.id).toBe(auditLines()[1]?.id);
    await voipms(['getBalance']);
    expect(auditLines()).toHaveLength(2);
  });

  it('masks numbers and addresses there, wherever they stand', async () => {
    await voipms(['setPhonebook', 'name=Spam 4155550199', 'number=4155550199', 'note=mobile +14155550198']);
    await voipms(['sendCallRecordingEmail', 'account=100000_front', 'callrecording=x', 'email=ada@example.com']);
    const written = JSON.stringify(auditLines());
    expect(written).toContain('"name":"Spam 415…99"');
    for (const whole of ['4155550199', '4155550198', 'ada@']) expect(written).not.toContain(whole);
  });

  it('changes nothing where that cannot be put down', async () => {
    writeFileSync(join(home, 'data'), 'a file in the place of the folder');
    const { code, stderr } = await voipms(['delPhonebook', 'phonebook=32213']);
    expect(code).toBe(1);
    expect(stderr).toContain('Nothing was called');
    expect(sim.requests).toEqual([]);
  });

  it('makes a change once, also where its answer is lost, and says that it may have been made', async () => {
    sim.faults.trouble.setPhonebook = 'drop-after';
    const { code, stderr } = await voipms(['setPhonebook', 'name=Eve', 'number=4155550150']);
    expect(code).toBe(1);
    expect(stderr).toContain('look at what is there');
    expect(sim.state.entries.filter(({ name }) => name === 'Eve')).toHaveLength(1);
    expect(auditLines()).toMatchObject([
      { phase: 'started' },
      { phase: 'done', outcome: 'failure', code: 'uncertain' },
    ]);
  });

  it('says what is wrong with a parameter, repeats no value, and exits with 2', async () => {
    const wrong = await voipms(['getCDR', 'datefrom=2026-03-01']);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('no parameter datefrom. Is date_from meant?'),
    ]);
    const missing = await voipms(['getCDR', 'date_from=2026-03-01']);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('needs date_to, timezone')]);
    const word = await voipms(['setVoicemail', 'hunter2', '--format', 'json']);
    expect([word.code, word.stderr]).toEqual([2, expect.stringContaining('the first word after setVoicemail')]);
    expect(JSON.parse(word.stdout)).toEqual({ error: expect.stringContaining('name=value') });
    expect(word.stderr + word.stdout).not.toContain('hunter2');
    expect((await voipms(['getBalance', '--secret=hunter2'])).stderr).not.toContain('hunter2');
    expect(sim.requests).toEqual([]);
  });

  it('passes on what is not documented, with a note', async () => {
    const { code, stderr } = await voipms(['getBalanc', 'x=1']);
    expect(code).toBe(2);
    expect(stderr).toContain('getBalanc is not a documented method (is getBalance meant?)');
    expect(sim.requests).toEqual([{ method: 'getBalanc', params: { x: '1' } }]);
  });

  it('says which settings are missing, and exits with 1 where VoIP.ms refuses', async () => {
    const unset = await voipms(['getBalance'], {});
    expect([unset.code, unset.stderr]).toEqual([
      1,
      expect.stringContaining('VOIPMS_API_USERNAME and VOIPMS_API_PASSWORD'),
    ]);
    sim.faults.refuse = 'ip_not_enabled';
    const refused = await voipms(['getBalance']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('192.0.2.44')]);
  });

  it('can be tried without an account', async () => {
    const { stdout, stderr, code } = await voipms(['getBalance', 'advanced=true', '--simulate'], {});
    expect([code, stdout]).toEqual([0, expect.stringContaining('spent_total')]);
    expect(stderr).toContain('SIMULATED');
    expect(sim.requests).toEqual([]);
  });

  it('has help for itself and each method, a list, and a completion, none of which needs an account', async () => {
    const [overview, method, flag, list, completion] = await Promise.all(
      [[], ['help', 'getCDR'], ['getCDR', '--help'], ['list'], ['completion', 'bash']].map((args) => voipms(args, {})),
    );
    expect(overview?.stdout).toContain('switchboard voipms METHOD');
    expect(method?.stdout).toContain('* date_from');
    expect(flag?.stdout).toBe(method?.stdout);
    expect(list?.stdout).toMatch(/\n {2}\* setPhonebook .*\n/);
    expect(completion?.stdout).toContain('complete ');
    expect((await voipms(['completion', 'zsh'], {})).code).toBe(2);
  });
});
