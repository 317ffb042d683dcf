import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const UNIT = readFileSync(join(root, 'systemd', 'switchboard.service'), 'utf8');
const DOCKERFILE = readFileSync(join(root, 'Dockerfile'), 'utf8');
/** Systems without systemd have none, and no use for the unit either. */
const ANALYZE = ['/usr/bin/systemd-analyze', '/bin/systemd-analyze'].find((path) => existsSync(path));

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function settingOf(name: string): string {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(UNIT)?.[1] ?? '';
}

/** What systemd complains of; it only warns of what it ignores, and then ends with 0. */
function complaintsOf(unit: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-unit-'));
  folders.push(folder);
  const path = join(folder, 'switchboard.service');
  writeFileSync(path, unit.replaceAll('/usr/bin/node', process.execPath));
  const { stderr, status } = spawnSync(ANALYZE ?? '', ['verify', path], { encoding: 'utf8' });
  return status === 0
    ? stderr
        .split('\n')
        .filter((line) => line.includes(folder))
        .join('\n')
    : stderr;
}

describe('the unit for systemd', () => {
  it('gives live calls the time for their goodbye before it kills', () => {
    const drainMs = Number(
      /DRAIN_MS = ([\d_]+);/.exec(readFileSync(join(root, 'src/cli/telephone.ts'), 'utf8'))?.[1]?.replaceAll('_', ''),
    );
    expect(drainMs).toBeGreaterThan(0);
    // The goodbye, up to 5 s for the hang-ups, up to 10 s for a disk that hangs, and the listeners.
    expect(Number(settingOf('TimeoutStopSec')) * 1_000).toBeGreaterThan(drainMs + 5_000 + 10_000 + 5_000);
    expect(settingOf('Restart')).toBe('on-failure');
  });

  it('keeps data and secrets for the user of the service, and starts a command that there is', () => {
    expect(UNIT).toContain(`DATA_DIR=/var/lib/${settingOf('StateDirectory')}\n`);
    expect(settingOf('StateDirectoryMode')).toBe('0700');
    expect(settingOf('User')).not.toMatch(/^(root)?$/);
    const command = settingOf('ExecStart').split(' ').at(-1) ?? '';
    expect(existsSync(join(root, 'src', 'cli', `${command}.ts`))).toBe(true);
    expect(UNIT).not.toMatch(/(TOKEN|KEY|SECRET)=/);
  });

  if (ANALYZE !== undefined) {
    it('is accepted by systemd-analyze verify, which does complain of a wrong one', () => {
      expect(complaintsOf(UNIT)).toBe('');
      expect(complaintsOf(UNIT.replace('Restart=on-failure', 'Restart=sometimes'))).toContain('sometimes');
    });
  }
});

describe('the Dockerfile', () => {
  it('copies nothing in but what .dockerignore lets through and the build needs, and no setting', () => {
    const allowed = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = DOCKERFILE.split('\n')
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));
    expect(copied.toSorted()).toEqual(allowed.toSorted());
    for (const path of copied) expect(existsSync(join(root, path)), path).toBe(true);
    expect(copied.some((path) => path.startsWith('.env'))).toBe(false);
    expect(DOCKERFILE).not.toMatch(/^(ENV|ARG) .*(TOKEN|KEY|SECRET|SID)/m);
  });

  it('leaves root behind before it starts', () => {
    const lines = DOCKERFILE.split('\n');
    const last = (what: string): number => lines.findLastIndex((line) => line.startsWith(what));
    expect(last('USER node')).toBeGreaterThan(last('FROM '));
    expect(last('USER node')).toBeLessThan(last('ENTRYPOINT'));
    expect(last('RUN ')).toBeLessThan(last('USER node'));
  });
});
