/** Forty telephones at once, by another program than ours, through a real Asterisk to the agent and back. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MEDIA_PATH } from '../../src/carriers/asterisk/carrier.ts';
import { reservationBrain } from '../../src/simulator/openai/brain.ts';
import { freePort } from '../fixtures/free-port.ts';
import { openOffice } from '../journeys/office.ts';
import { ASTERISK, MEDIA, SIPP, startTestOffice } from '../system/office.ts';

const CALLS = 40;
const SPEECH = fileURLToPath(new URL('../../assets/speech/c.greeting.ulaw', import.meta.url));
const SCENARIO = new URL('../system/sipp-caller.xml', import.meta.url);

describe.skipIf(ASTERISK === null || SIPP === null)('forty calls at once over Asterisk', { timeout: 120_000 }, () => {
  it('are all answered, heard and spoken to, and nothing is left of them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sipp-'));
    const port = await freePort();
    const pbx = await startTestOffice({ media: { url: `ws://127.0.0.1:${port}${MEDIA_PATH}`, ...MEDIA } });
    const settings = {
      ...pbx.env(),
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      INBOUND_CONTEXT: 'You answer the telephone of the office.',
      MAX_CONCURRENT_CALLS: String(CALLS),
    };
    const short = { speak: ['a.short'] };
    const brain = () =>
      reservationBrain([
        { when: { purpose: 'opener' }, reply: short },
        { when: { heard: 'c.greeting' }, reply: short },
      ]);
    const office = await openOffice({ brain, settings });
    onTestFinished(async () => {
      await office.close();
      await pbx.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    let most = 0;
    const watching = setInterval(() => {
      most = Math.max(most, office.app.liveCalls());
    }, 50);
    const scenario = join(folder, 'caller.xml');
    writeFileSync(scenario, readFileSync(SCENARIO, 'utf8').replace('SPEECH', SPEECH));
    const [sip, media] = [await freePort(), await freePort()];
    const args = [
      '-sf',
      scenario,
      '-i',
      '127.0.0.1',
      '-p',
      String(sip),
      '-mi',
      '127.0.0.1',
      '-min_rtp_port',
      String(media),
    ];
    const load = [
      '-m',
      String(CALLS),
      '-l',
      String(CALLS),
      '-r',
      String(CALLS),
      '-nostdin',
      '-timeout',
      '60',
      '-trace_stat',
      '-stf',
      join(folder, 'stat.csv'),
    ];
    // Exit code 0: every call went as the scenario says.
    await promisify(execFile)(SIPP ?? '', [...args, ...load, `127.0.0.1:${pbx.sipPort}`], { cwd: folder });
    clearInterval(watching);
    expect(most).toBe(CALLS);
    await expect.poll(() => office.app.liveCalls(), { timeout: 15_000 }).toBe(0);
    const { calls } = await office.switchboard.calls({ limit: 100 });
    expect(calls.map(({ inbound, outcome }) => [inbound, outcome])).toEqual(
      Array(CALLS).fill([true, 'callee-hung-up']),
    );
    for (const { callId } of calls) {
      const { lines } = await office.switchboard.lines(callId, { cursor: 0, limit: 20 });
      expect(lines.map(({ speaker }) => speaker)).toEqual(expect.arrayContaining(['agent', 'callee']));
      expect(lines.find(({ speaker }) => speaker === 'callee')?.text).toContain('Thank you for calling');
    }
    expect(await pbx.pbx.console('core show channels count')).toContain('0 active channels');
  });
});
