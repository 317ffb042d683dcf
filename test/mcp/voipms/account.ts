/** A client and our server on a simulated account of VoIP.ms. All is closed after each test, and the simulator must have nothing to complain of. */
import { expect, onTestFinished } from 'vitest';
import { createVoipMs, type VoipMsOptions } from '../../../src/pbx/voipms/operations.ts';
import { startVoipMsSimulator } from '../../../src/simulator/voipms/account.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { QUIET } from '../../system/office.ts';
import { type Watched, watchedPair } from '../watched-pair.ts';

interface VoipMsSettings {
  readonly transcribe?: VoipMsOptions['transcribe'];
  readonly emailRecipients?: readonly string[];
}

/** Our operations alone. */
export async function openVoipMs(options: VoipMsSettings = {}) {
  const simulator = await startVoipMsSimulator();
  const { url, username, password } = simulator;
  const transcripts = new Map<string, string>();
  const voipms = createVoipMs({
    url,
    username,
    password,
    changesPerMinute: 60,
    emailRecipients: options.emailRecipients ?? ['@example.com'],
    transcribe: options.transcribe ?? null,
    transcripts: {
      load: async (key) => transcripts.get(key) ?? null,
      save: async (key, text) => void transcripts.set(key, text),
    },
    clock: systemClock,
    logger: QUIET,
  });
  onTestFinished(async () => {
    voipms.close();
    await simulator.stop();
    expect(simulator.violations).toEqual([]);
  });
  return { simulator, voipms };
}

export async function account(options: VoipMsSettings & Watched = {}) {
  const { simulator, voipms } = await openVoipMs(options);
  const pair = await watchedPair(['voipms'], { voipms: () => voipms }, options);
  /** The calls of the API that change something. */
  const writes = () => simulator.requests.filter(({ method }) => /^(set|del|send)/.test(method));
  return { ...pair, simulator, writes };
}
