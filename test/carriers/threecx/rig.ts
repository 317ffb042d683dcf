/** The 3CX carrier with its real client, on a simulated 3CX on loopback. */
import { pino } from 'pino';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { createThreeCxCarrier, type ThreeCxCarrierOptions } from '../../../src/carriers/threecx/carrier.ts';
import type { CallControl } from '../../../src/pbx/threecx/call-control.ts';
import { createThreeCx } from '../../../src/pbx/threecx/operations.ts';
import {
  startThreeCxSimulator,
  type ThreeCxSimulator,
  type ThreeCxSimulatorOptions,
} from '../../../src/simulator/threecx/pbx.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';

export interface Rig {
  readonly pbx: ThreeCxSimulator;
  readonly exchange: CallControl;
  readonly carrier: Carrier;
  /** A carrier of a process that was started later. */
  another(incoming?: ThreeCxCarrierOptions['incoming']): Carrier;
  stop(): Promise<void>;
}

export interface RigOptions extends ThreeCxSimulatorOptions {
  readonly incoming?: ThreeCxCarrierOptions['incoming'];
  readonly clock?: typeof systemClock;
  /** What is there before anything is connected. */
  readonly before?: (pbx: ThreeCxSimulator) => void;
}

export async function openRig({ incoming, before, clock = systemClock, ...options }: RigOptions = {}): Promise<Rig> {
  const pbx = await startThreeCxSimulator(options);
  before?.(pbx);
  const { baseUrl, clientId, clientSecret, routePoint } = pbx;
  const logger = pino({ level: 'silent' });
  const threecx = createThreeCx({
    baseUrl,
    clientId,
    clientSecret,
    defaultExtension: null,
    changesPerMinute: 60,
    country: 'US',
    numbers: { isEmergency: () => false, verdictOf: (number) => ({ ok: true, e164: number }) },
    sendSms: null,
    clock: systemClock,
    logger,
  });
  const exchange = threecx.callControl;
  const carriers: Carrier[] = [];
  const another: Rig['another'] = (taking) => {
    const made = createThreeCxCarrier({
      exchange,
      routePoint,
      checkExtension: threecx.checkTarget,
      clock,
      logger,
      incoming: taking,
    });
    carriers.push(made);
    return made;
  };
  const carrier = another(incoming);
  await exchange.ready();
  return {
    pbx,
    exchange,
    carrier,
    another,
    stop: async () => {
      for (const one of carriers) one.close();
      threecx.close();
      await pbx.stop();
    },
  };
}
