/** The product's operations on a simulated 3CX. Both are closed after each test, which fails when the client did what none must do. */
import { expect, onTestFinished } from 'vitest';
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

export async function office(
  how: { readonly simulated?: ThreeCxSimulatorOptions; readonly settings?: Partial<ThreeCxOptions> } = {},
): Promise<Office> {
  const pbx = await startThreeCxSimulator(how.simulated);
  const threecx = clientOf(pbx, how.settings);
  onTestFinished(async () => {
    threecx.close();
    await pbx.stop();
    expect(pbx.violations).toEqual([]);
  });
  return { pbx, threecx };
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

export const calls = (pbx: ThreeCxSimulator) => asked(pbx, 'POST', /makecall/i);
export const outside = { from: '+14155550123', name: 'Robin Example', callee: silent };
export const TEN_TIMES = { settings: { clock: faster(10) } };

/** The statuses of the calls at an extension. */
export async function at(threecx: ThreeCx, dn: string): Promise<readonly string[]> {
  return (await threecx.callControl.participants(dn)).map((one) => one.status);
}

export async function untilAt(threecx: ThreeCx, dn: string, wanted: readonly string[]): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (Date.now() < deadline && (await at(threecx, dn)).join() !== wanted.join());
  expect(await at(threecx, dn)).toEqual(wanted);
}

/** Extension 100 speaks with somebody outside. */
export async function talking(threecx: ThreeCx, pbx: ThreeCxSimulator): Promise<number> {
  const { participantId } = pbx.call({ to: '100', ...outside });
  await untilAt(threecx, '100', ['Ringing']);
  await threecx.answer({});
  return participantId;
}
