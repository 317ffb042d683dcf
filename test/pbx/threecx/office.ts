/** The product's operations on a simulated 3CX. Both are closed after each test, which fails when the client did what none must do. */
import { afterEach, expect } from 'vitest';
import { createThreeCx, type ThreeCx, type ThreeCxOptions } from '../../../src/pbx/threecx/operations.ts';
import type { Callee } from '../../../src/simulator/callee/callee.ts';
import {
  startThreeCxSimulator,
  type ThreeCxSimulator,
  type ThreeCxSimulatorOptions,
} from '../../../src/simulator/threecx/pbx.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { isEmergencyIn } from '../../../src/switchboard/numbers.ts';
import { checkNumber } from '../../../src/switchboard/policy.ts';
import { QUIET } from '../../system/office.ts';

export interface Office {
  readonly pbx: ThreeCxSimulator;
  readonly threecx: ThreeCx;
}

const offices: Office[] = [];

/** To be called once by a test file. */
export function closeOffices(): void {
  afterEach(async () => {
    for (const { pbx, threecx } of offices.splice(0)) {
      threecx.close();
      await pbx.stop();
      expect(pbx.violations).toEqual([]);
    }
  });
}

export async function office(
  how: { readonly simulated?: ThreeCxSimulatorOptions; readonly settings?: Partial<ThreeCxOptions> } = {},
): Promise<Office> {
  const pbx = await startThreeCxSimulator(how.simulated);
  const opened = { pbx, threecx: clientOf(pbx, how.settings) };
  offices.push(opened);
  return opened;
}

export function clientOf(pbx: ThreeCxSimulator, settings: Partial<ThreeCxOptions> = {}): ThreeCx {
  return createThreeCx({
    baseUrl: pbx.baseUrl,
    clientId: pbx.clientId,
    clientSecret: pbx.clientSecret,
    defaultExtension: '100',
    changesPerMinute: 100,
    country: 'US',
    numbers: {
      isEmergency: (dialled, country) => isEmergencyIn(country, dialled),
      verdictOf: (number) => checkNumber(number, { allowed: ['+1'], blocked: [] }),
    },
    sendSms: null,
    clock: systemClock,
    logger: QUIET,
    random: () => 0,
    ...settings,
  });
}

/** Waits pass so many times as fast. */
export function faster(times: number): ThreeCxOptions['clock'] {
  return {
    ...systemClock,
    setTimer: (fire, delayMs) => systemClock.setTimer(fire, delayMs / times),
  };
}

export const silent = (): Callee => ({ tick: () => ({ spoken: null }) });

/** What was asked for, but the sign-in: `POST /callcontrol/100/makecall`. */
export function asked({ requests }: ThreeCxSimulator, method: string, path: string | RegExp = ''): readonly string[] {
  return requests
    .map((one) => ({ ...one, line: `${one.method} ${decodeURIComponent(one.path)}` }))
    .filter(
      (one) => one.method === method && (typeof path === 'string' ? one.line.includes(path) : path.test(one.line)),
    )
    .map((one) => one.line);
}
