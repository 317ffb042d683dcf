/** The product as a program on a real Asterisk, with every log on: what it says, writes and logs holds none of the office's secrets. */
import { afterEach, expect, it } from 'vitest';
import { MEDIA_PATH } from '../../src/carriers/asterisk/carrier.ts';
import { ACCOUNTS } from '../../src/simulator/asterisk/configuration.ts';
import { scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { loadPhrasebook } from '../../src/simulator/speech/load-phrasebook.ts';
import { placesOf, type StartedServer } from '../attack/secrets/places.ts';
import { findings } from '../attack/secrets/scan.ts';
import { freePort } from '../fixtures/free-port.ts';
import { processes } from '../journeys/process.ts';
import { AGREES, shortCalls } from '../journeys/short-calls.ts';
import { ASTERISK, MEDIA, startTestOffice } from './office.ts';

const SECRETS = {
  'AMI secret': ACCOUNTS.switchboard.secret,
  'wrong AMI secret': 'wrong-ami-"Qm7\\x%aN+2/v',
  'media password': MEDIA.password,
  'database password': 'cdr-"Wj6 z%cR+5/tGf=3y',
};

const here = processes();
afterEach(() => here.cleanUp());

it.skipIf(ASTERISK === null)(
  'no secret of the office gets where it does not belong, and no number into the log',
  { timeout: 60_000 },
  async () => {
    const world = here.later(await shortCalls(AGREES));
    const port = await freePort();
    const office = await startTestOffice({ media: { url: `ws://127.0.0.1:${port}${MEDIA_PATH}`, ...MEDIA } });
    here.later({ close: () => office.stop() });
    const phrases = loadPhrasebook();
    await office.phone('1002', () => ({
      kind: 'answers',
      ringMs: 100,
      callee: () => scriptedCallee(AGREES, phrases),
    }));
    const password = encodeURIComponent(SECRETS['database password']);
    const start = async (more: Record<string, string>): Promise<StartedServer> => {
      const dataDir = here.folder();
      const env = {
        ...world.env,
        ...office.env(),
        CDR_DATABASE_URL: `postgres://reader:${password}@127.0.0.1:9/asterisk`,
        TOOLSETS: 'voice,asterisk',
        PORT: String(port),
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        LOG_LEVEL: 'trace',
        DATA_DIR: dataDir,
        ...more,
      };
      return { server: await here.start({ env }), dataDir };
    };

    const well = await start({});
    // Led to the telephone 1002 by the dial plan.
    const callId = await well.server.place({ toNumber: '+14155550102', via: 'asterisk' });
    expect((await well.server.follow(callId)).data).toMatchObject({ outcome: 'completed' });
    expect((await well.server.tool('asterisk_query_cdr', {})).isError).toBe(true);
    expect((await well.server.tool('asterisk_get_system_status', {})).isError).toBe(false);
    await well.server.readResource('asterisk://channels');
    await well.server.tool('get-call', { callId, detail: 'detailed' });
    const wellPlaces = placesOf(well);
    well.server.endInput();
    expect(await well.server.exit).toEqual({ code: 0, signal: null });

    const refused = await start({ AMI_SECRET: SECRETS['wrong AMI secret'], CDR_DATABASE_URL: '' });
    const status = await refused.server.tool('asterisk_get_system_status', {});
    expect(status).toMatchObject({ isError: true, text: expect.stringContaining('AMI_SECRET') });
    const places = [...wellPlaces, ...placesOf(well), ...placesOf(refused)];

    expect(well.server.log).not.toContain('4155550102');

    // The scan looks at what it should: what belongs there is found there.
    expect(findings(places, { callId }).map((finding) => finding.slice('callId in '.length))).toEqual(
      expect.arrayContaining(['stderr', 'stdout', expect.stringMatching(/\.sqlite/)]),
    );
    expect(findings(places, SECRETS, [MEDIA.username, ACCOUNTS.switchboard.username, 'reader'])).toEqual([]);
  },
);
