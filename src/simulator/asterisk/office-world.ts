/** The demo's office: a real Asterisk on loopback, SIP telephones with simulated people at them, and a simulated speech model. */
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Script, type ScriptedCallee, scriptedCallee } from '../callee/scripted-callee.ts';
import { COLLEAGUE_EXTENSION, reservationBrain } from '../openai/brain.ts';
import { CALLED_EXTENSION, COLLEAGUE, GUEST } from '../scenarios/office.ts';
import { openSipPhone, type SipPhone } from '../sip/phone.ts';
import { loadPhrasebook } from '../speech/load-phrasebook.ts';
import { startWorld } from '../world.ts';
import { settingsFor } from './configuration.ts';
import { type Pbx, startPbx } from './pbx.ts';

export interface OfficeWorld {
  /** The settings with which a server finds it, by their names in the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The person who is called, once they have answered. */
  readonly callees: readonly ScriptedCallee[];
  /** How long the two heard each other after the agent had handed over: the colleague's first sentence, in milliseconds. */
  heardOfColleagueMs(): number;
  close(): Promise<void>;
}

const MEDIA = { username: 'asterisk', password: 'media-password-of-the-demo' };
/** Where the public listener takes the audio of calls (docs/asterisk.md). */
const MEDIA_PATH = '/call/asterisk/media';

/** `program`: Asterisk 22.8 or later, with chan_websocket. */
export async function startOfficeWorld(program: string): Promise<OfficeWorld> {
  const [publicPort, sipPort, amiPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const world = await startWorld({ brain: () => reservationBrain() });
  const phones: SipPhone[] = [];
  const callees: ScriptedCallee[] = [];
  let pbx: Pbx | null = null;
  const close = async (): Promise<void> => {
    for (const phone of phones) await phone.close();
    await pbx?.stop();
    await world.close();
  };
  try {
    pbx = await startPbx({
      program,
      folder: mkdtempSync(join(tmpdir(), 'switchboard-office-')),
      sipPort,
      amiPort,
      rtpPorts: { from: 12_000, to: 12_199 },
      phones: ['1001', CALLED_EXTENSION, COLLEAGUE_EXTENSION],
      media: { url: `ws://127.0.0.1:${publicPort}${MEDIA_PATH}`, ...MEDIA },
    });
    const phrases = loadPhrasebook();
    const hold = async (user: string, script: Script, seen: ScriptedCallee[]): Promise<void> => {
      const callee = (): ScriptedCallee => {
        const person = scriptedCallee(script, phrases);
        seen.push(person);
        return person;
      };
      const server = { host: '127.0.0.1', port: sipPort };
      const answer = () => ({ kind: 'answers' as const, ringMs: 1_200, callee });
      phones.push(await openSipPhone({ server, user, password: `phone-${user}`, answer }));
    };
    await hold(CALLED_EXTENSION, GUEST, callees);
    await hold(COLLEAGUE_EXTENSION, COLLEAGUE, []);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    env: {
      ...world.env,
      PUBLIC_URL: `http://127.0.0.1:${publicPort}`,
      PORT: String(publicPort),
      ...settingsFor(amiPort, MEDIA),
    },
    callees,
    heardOfColleagueMs: () => callees[0]?.ear.heardMs('c.office', 1) ?? 0,
    close,
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
