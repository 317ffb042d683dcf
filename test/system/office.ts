/** A real Asterisk with telephones, for tests. `scripts/test` sees to it that there is one, and names it; null: what needs it is skipped. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, readConfig } from '../../src/config/config.ts';
import { createOffice } from '../../src/offices/asterisk.ts';
import type { Asterisk } from '../../src/pbx/asterisk/operations.ts';
import { type OfficeAccount, settingsFor } from '../../src/simulator/asterisk/configuration.ts';
import { type Pbx, type PbxOptions, startPbx } from '../../src/simulator/asterisk/pbx.ts';
import type { Answer } from '../../src/simulator/callee/callee.ts';
import { openSipPhone, type SipPhone } from '../../src/simulator/sip/phone.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import { freePort } from '../fixtures/free-port.ts';

export const ASTERISK: string | null =
  [process.env.ASTERISK, fileURLToPath(new URL('../../node_modules/.cache/asterisk/asterisk', import.meta.url))].find(
    (path) => path !== undefined && path !== '' && existsSync(path),
  ) ?? null;

export const SIPP: string | null =
  [process.env.SIPP, fileURLToPath(new URL('../../node_modules/.cache/asterisk/sipp', import.meta.url))].find(
    (path) => path !== undefined && path !== '' && existsSync(path),
  ) ?? null;

export const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export interface TestOffice {
  readonly pbx: Pbx;
  readonly sipPort: number;
  readonly amiPort: number;
  /** Settings with which a server finds it, by their names in the environment. */
  env(account?: OfficeAccount): Record<string, string>;
  /** The operations of the product on it. */
  operations(account?: OfficeAccount, env?: Record<string, string>): Asterisk;
  phone(user: string, answer?: (from: string) => Answer): Promise<SipPhone>;
  stop(): Promise<void>;
}

export const MEDIA = { username: 'asterisk', password: 'media-password-for-tests' };

export async function startTestOffice(
  options: Partial<Pick<PbxOptions, 'media' | 'phones' | 'more' | 'moreModules' | 'audioSocket' | 'certificate'>> = {},
): Promise<TestOffice> {
  if (ASTERISK === null) throw new Error('There is no Asterisk here.');
  const [sipPort, amiPort] = [await freePort(), await freePort()];
  // Several may run at once; a range of its own for each, below the ports that the system gives out.
  const from = 10_000 + (process.pid % 20) * 1_000 + rtpRanges * 200;
  rtpRanges = (rtpRanges + 1) % 5;
  const folder = mkdtempSync(join(tmpdir(), 'office-'));
  const pbx = await startPbx({
    program: ASTERISK,
    folder,
    sipPort,
    amiPort,
    rtpPorts: { from, to: from + 199 },
    phones: ['1001', '1002', '1003', '1004'],
    media: { url: 'ws://127.0.0.1:9/call/asterisk/media', ...MEDIA },
    ...options,
  });
  const opened: { close(): unknown }[] = [];
  const env = (account?: OfficeAccount): Record<string, string> => settingsFor(amiPort, MEDIA, account);
  return {
    pbx,
    sipPort,
    amiPort,
    env,
    operations(account, more = {}) {
      const office = createOffice(configOf({ ...env(account), ...more }), systemClock, QUIET);
      if (office === null) throw new Error('The settings of the office are not complete.');
      opened.push(office);
      return office;
    },
    async phone(user, answer) {
      const server = { host: '127.0.0.1', port: sipPort };
      const phone = await openSipPhone({ server, user, password: `phone-${user}`, ...(answer ? { answer } : {}) });
      opened.push(phone);
      return phone;
    },
    async stop() {
      for (const one of opened) await one.close();
      await pbx.stop();
    },
  };
}

let rtpRanges = 0;

function configOf(env: Record<string, string>): Config {
  const { config, complaints } = readConfig({ env });
  if (complaints.length > 0) throw new Error(complaints.map(({ message }) => message).join(' '));
  return config;
}
