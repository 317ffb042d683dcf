import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { UpstreamError } from '../../src/errors.ts';
import type { Audit, AuditEntry } from '../../src/mcp/audit.ts';
import { LOCAL_SESSION, type Session } from '../../src/mcp/offer.ts';
import { openAuditFile } from '../../src/store/files/audit-file.ts';
import { callTool, linkedPair } from '../fixtures/mcp-pair.ts';
import { SmallSwitchboard } from '../fixtures/small-switchboard.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'switchboard-audit-'));
  folders.push(path);
  return path;
}

/** Keeps the entries, and fails from then on when it is told to. */
class Kept implements Audit {
  readonly entries: AuditEntry[] = [];
  broken = false;
  async write(entry: AuditEntry): Promise<void> {
    if (this.broken) throw new UpstreamError('The audit log cannot be written.', { retryable: false });
    this.entries.push(entry);
  }
}

const BRIEF = 'Ask for the results of Mrs Carter.';
const CALL = { toNumber: '+14155550123', callContext: BRIEF, language: 'en', idempotencyKey: 'a-private-key' };
const TOKEN: Session = {
  ...LOCAL_SESSION,
  access: { name: 'cursor', scopes: new Set(['admin']) },
  transport: 'http',
};

async function audited() {
  const switchboard = new SmallSwitchboard();
  const audit = new Kept();
  const { client, log } = await linkedPair(switchboard, { audit, session: TOKEN });
  return { switchboard, audit, client, log };
}

describe('the audit', () => {
  it('has an entry before and one after each call that is placed, and no word that tells of a person', async () => {
    const { audit, client } = await audited();
    const { structured } = await callTool(client, 'trigger-call', CALL);
    const [started, done] = audit.entries;
    expect(audit.entries).toHaveLength(2);
    expect(started).toMatchObject({
      phase: 'started',
      tool: 'trigger-call',
      transport: 'http',
      who: 'cursor',
      client: 'test 0',
      request: { to: '+14…23', briefLetters: BRIEF.length, language: 'en', hasKey: true, record: false },
    });
    expect(done).toMatchObject({ id: started?.id, phase: 'done', outcome: 'success', callId: structured.callId });
    expect(JSON.stringify(audit.entries)).not.toMatch(/Carter|a-private-key|4155550/);
  });

  it('has what was refused, what ended a call and what was saved, and nothing of what only reads', async () => {
    const { audit, client, switchboard } = await audited();
    const { structured } = await callTool(client, 'trigger-call', CALL);
    const { callId } = structured as { callId: string };
    audit.entries.length = 0;
    for (const tool of ['get-call', 'wait-for-call', 'get-recording']) {
      switchboard.say(callId, { text: 'Hello?' });
      await callTool(client, tool, { callId });
    }
    await callTool(client, 'list-calls', {});
    expect(audit.entries).toEqual([]);
    await callTool(client, 'end-call', { callId, mode: 'now' });
    await callTool(client, 'get-recording', { callId, saveTo: '/tmp/secret-place.wav' });
    await callTool(client, 'trigger-call', { toNumber: 'x'.repeat(500), callContext: 7 });
    expect(audit.entries.map((entry) => (entry.phase === 'started' ? entry.request : entry.outcome))).toEqual([
      { callId, mode: 'now' },
      'success',
      { callId, saved: true },
      'success',
      {
        to: 'xxx…xx',
        briefLetters: 0,
        language: '',
        voice: '',
        via: '',
        maxDurationSeconds: 0,
        record: false,
        hasKey: false,
      },
      'failure',
    ]);
    expect(JSON.stringify(audit.entries)).not.toContain('secret-place');
  });

  it('is a condition of every call: without the entry nothing is dialled, but a call can always be ended', async () => {
    const { audit, client, switchboard, log } = await audited();
    const { structured } = await callTool(client, 'trigger-call', CALL);
    audit.broken = true;
    const refused = await callTool(client, 'trigger-call', { ...CALL, idempotencyKey: 'another' });
    expect(refused.isError).toBe(true);
    expect(refused.text).toMatch(/audit log cannot be written.*Nothing was done/);
    expect(switchboard.placed).toHaveLength(1);
    const ended = await callTool(client, 'end-call', { callId: structured.callId });
    expect(ended.structured).toMatchObject({ state: 'ended' });
    expect(log).toContain('the audit lacks a tool call');
  });
});

describe('the file of the audit', () => {
  it('is for this user alone, and gets one line of JSON for each entry', async () => {
    const path = join(folder(), 'new', 'audit.jsonl');
    const file = openAuditFile(path);
    await Promise.all(Array.from({ length: 50 }, (_, n) => file.write({ n })));
    await file.close();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is begun anew when it has been moved away, and nothing of the old one is lost', async () => {
    const path = join(folder(), 'audit.jsonl');
    const file = openAuditFile(path);
    await file.write({ n: 1 });
    renameSync(path, `${path}.1`);
    await file.write({ n: 2 });
    await file.close();
    expect([readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')]).toEqual(['{"n":1}\n', '{"n":2}\n']);
  });

  it('takes whole lines of several processes', async () => {
    const path = join(folder(), 'audit.jsonl');
    const module = new URL('../../src/store/files/audit-file.ts', import.meta.url).href;
    const script = `const { openAuditFile } = await import(${JSON.stringify(module)});
      const file = openAuditFile(${JSON.stringify(path)});
      for (let n = 0; n < 100; n += 1) await file.write({ pid: process.pid, n, long: 'x'.repeat(2000) });
      await file.close();`;
    const run = promisify(execFile);
    await Promise.all([1, 2, 3].map(() => run(process.execPath, ['--input-type=module', '-e', script])));
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(300);
    for (const line of lines) expect(JSON.parse(line).long).toHaveLength(2000);
  });

  it('says in a sentence that it cannot be written', async () => {
    const path = join(folder(), 'audit.jsonl');
    const file = openAuditFile(join(path, 'below', 'a-file'));
    await openAuditFile(path).write({ n: 1 });
    await expect(file.write({ n: 2 })).rejects.toThrow(/audit\.jsonl in DATA_DIR.*cannot be written/);
  });
});
