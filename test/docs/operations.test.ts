import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { examineSqliteStore } from '../../src/store/sqlite/examine.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { newCall } from '../fixtures/calls.ts';

const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8');
const INSTALLED = '/var/lib/switchboard';
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('docs/operations.md', () => {
  it('shows a backup that is whole and private, made beside a server that writes', async () => {
    const line = /<!-- backup:.*-->\n```sh\n(.+)\n```/.exec(text)?.[1] ?? '';
    expect(line).toMatch(/^sudo -u switchboard sh -c /);
    const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-backup-'));
    folders.push(dataDir);
    const store = await openSqliteStore({ dataDir });
    try {
      await store.createCall(newCall());
      const command = line
        .replace('sudo -u switchboard ', '')
        .replaceAll(INSTALLED, dataDir)
        .replace('/usr/bin/node', process.execPath);
      const [{ stderr }] = await Promise.all([promisify(execFile)('sh', ['-c', command]), store.createCall(newCall())]);
      expect(stderr).toBe('');
      const copy = await examineSqliteStore({ dataDir, file: 'backup.sqlite' });
      expect(copy).toMatchObject({ kind: 'sound' });
      // The second may be on either side of it.
      expect('calls' in copy ? copy.calls : 0).toBeGreaterThanOrEqual(1);
      expect(statSync(join(dataDir, 'backup.sqlite')).mode & 0o777).toBe(0o600);
    } finally {
      await store.close();
    }
  });

  it('names the errors of Twilio that an operator meets, and every check of the doctor', () => {
    for (const code of ['31920', '11200', '12100', '21219']) expect(text).toContain(`**${code}**`);
    for (const check of [
      'data folder',
      'store',
      'certificate',
      'public URL',
      'audio stream',
      'clock',
      'speech model',
    ]) {
      expect(text, check).toMatch(new RegExp(`^\\| [^|]*${check}[^|]* \\|`, 'm'));
    }
  });
});
