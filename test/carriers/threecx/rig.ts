/** The 3CX carrier with its real client, on a simulated 3CX on loopback. */
import { pino } from 'pino';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { createThreeCxCarrier, type ThreeCxCarrierOptions } from '../../../src/carriers/threecx/carrier.ts';
import type { CallControl } from '../../../src/pbx/threecx/call-control.ts';
import { createCallControl } from '../../../src/pbx/threecx/client.ts';
import { createHttp } from '../../../src/pbx/threecx/http.ts';
import { createRest } from '../../../src/pbx/threecx/rest.ts';
import { createTokens } from '../../../src/pbx/threecx/token.ts';
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
  const http = createHttp(systemClock);
  const tokens = createTokens({ baseUrl, clientId, clientSecret, clock: systemClock, http });
  const rest = createRest({ baseUrl, tokens, http, clock: systemClock });
  const exchange = createCallControl({ baseUrl, tokens, rest, clock: systemClock, logger });
  const carriers: Carrier[] = [];
  const another: Rig['another'] = (taking) => {
    const made = createThreeCxCarrier({ exchange, routePoint, clock, logger, incoming: taking });
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
      exchange.close();
      await pbx.stop();
    },
  };
}
