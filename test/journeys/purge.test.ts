import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { readWavHeader, WAV_HEADER_BYTES } from '../../src/media/wav.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { processes } from './process.ts';
import { AGREES, shortCalls } from './short-calls.ts';

const ENTRY = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const here = processes();
afterEach(() => here.cleanUp());

describe('purging beside a server, and what a crash leaves of a recording', { timeout: 60_000 }, () => {
  it('forgets the calls that ended and leaves the one that goes on; its recording plays after kill -9', async () => {
    const world = here.later(await shortCalls(AGREES));
    const dataDir = here.folder();
    const env = { ...world.env, DATA_DIR: dataDir, RECORD_CALLS: 'true' };
    const server = await here.start({ env, args: ['--simulate'] });
    const wavOf = (callId: string) => join(dataDir, 'recordings', `${callId}.wav`);
    const purge = async (...words: readonly string[]) => {
      const args = [ENTRY, 'purge', ...words, '--json', '--simulate'];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: here.folder(), env });
      return JSON.parse(stdout);
    };

    const old = await server.place({ callContext: 'Ask for Zyzzogeton.', idempotencyKey: 'once' });
    await server.follow(old);
    const found = await server.tool('get-recording', { callId: old });
    expect(found.data).toMatchObject({ recordings: [{ state: 'complete', path: wavOf(old) }] });
    const { contents } = await server.request('resources/read', { uri: `call://recordings/${old}` });
    const [{ blob = '' } = {}] = contents as readonly { readonly blob?: string }[];
    expect(Buffer.from(blob, 'base64').equals(readFileSync(wavOf(old)))).toBe(true);

    const live = await server.place();
    await until(() => existsSync(wavOf(live)), 20_000);
    // As VoIP.ms's tools keep them.
    const transcript = join(dataDir, 'transcripts', `${'0'.repeat(64)}.json`);
    mkdirSync(join(dataDir, 'transcripts'));
    writeFileSync(transcript, '{}');
    utimesSync(transcript, new Date(0), new Date(0));
    const gone = { calls: [old], files: 1, transcripts: 1 };
    expect(await purge('--older-than', '0h', '--dry-run')).toMatchObject({ dryRun: true, ...gone });
    expect(await purge('--older-than', '0h')).toMatchObject({ dryRun: false, ...gone, scrubbed: true });
    expect(existsSync(transcript)).toBe(false);
    expect(existsSync(wavOf(old))).toBe(false);
    for (const name of readdirSync(dataDir).filter((one) => one.startsWith('switchboard.sqlite')))
      expect(readFileSync(join(dataDir, name)).includes('Zyzzogeton')).toBe(false);
    const again = await server.tool('trigger-call', {
      toNumber: '+14155550123',
      callContext: 'Ask for Zyzzogeton.',
      idempotencyKey: 'once',
    });
    expect(again.isError).toBe(true);
    expect(again.text).toContain('nothing was dialled now');
    expect(world.twilio.calls).toHaveLength(2);

    await until(() => readFileSync(wavOf(live)).byteLength > WAV_HEADER_BYTES + 16_000, 20_000);
    server.signal('SIGKILL');
    await server.exit;
    const left = readFileSync(wavOf(live));
    const dataBytes = readWavHeader(left)?.dataBytes ?? 0;
    expect(dataBytes).toBeGreaterThanOrEqual(16_000);
    expect(dataBytes).toBeLessThanOrEqual(left.byteLength - WAV_HEADER_BYTES);

    const next = await here.start({ env, args: ['--simulate'] });
    await next.follow(live);
    const mended = await next.tool('get-recording', { callId: live });
    expect(mended.data).toMatchObject({
      recordings: [{ state: 'complete', reason: 'Switchboard stopped while it was being made.' }],
    });
    const whole = readFileSync(wavOf(live));
    expect(readWavHeader(whole)?.dataBytes).toBe(whole.byteLength - WAV_HEADER_BYTES);
  });

  it('makes no store only to look through it', async () => {
    const dataDir = join(here.folder(), 'never');
    const args = [ENTRY, 'purge', '--older-than', '1d', '--dry-run'];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      cwd: here.folder(),
      env: { DATA_DIR: dataDir },
    });
    expect(stdout).toBe('0 calls and 0 recordings would be purged.\n');
    expect(existsSync(dataDir)).toBe(false);
  });
});
