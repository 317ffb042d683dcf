/** The carrier contract on a real Asterisk, with a SIP telephone at its other end. */
import { afterAll, beforeAll, describe } from 'vitest';
import { createAsteriskCarrier, MEDIA_PATH } from '../../../src/carriers/asterisk/carrier.ts';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { AgentExchange } from '../../../src/pbx/asterisk/exchange.ts';
import type { Asterisk } from '../../../src/pbx/asterisk/operations.ts';
import { AGENT_CONTEXT, PHONES_CONTEXT } from '../../../src/simulator/asterisk/configuration.ts';
import type { Answer } from '../../../src/simulator/callee/callee.ts';
import type { SipPhone } from '../../../src/simulator/sip/phone.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { describeCarrier } from '../../contracts/carrier.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { ASTERISK, MEDIA, QUIET, startTestOffice, type TestOffice } from '../../system/office.ts';
import { startSwitchableHost } from './switchable-host.ts';

/** 1,000 frames, after which Asterisk 22 drops what comes. */
const NETWORK_CAP_MS = 20_000;

function carrierOf(asterisk: Asterisk): Carrier {
  const exchange = new AgentExchange({
    ami: asterisk.ami,
    clock: systemClock,
    logger: QUIET,
    context: PHONES_CONTEXT,
    agentContext: AGENT_CONTEXT,
    plus: '+',
  });
  return createAsteriskCarrier({ exchange, ...MEDIA, clock: systemClock, logger: QUIET });
}

describe.skipIf(ASTERISK === null)('over a real Asterisk', () => {
  let office: TestOffice;
  let host: Awaited<ReturnType<typeof startSwitchableHost>>;
  let phone: SipPhone;
  let answer: (from: string) => Answer = () => ({ kind: 'never' });

  beforeAll(async () => {
    const shape = createAsteriskCarrier({ exchange: {} as never, ...MEDIA, clock: systemClock, logger: QUIET });
    host = await startSwitchableHost(shape);
    office = await startTestOffice({ media: { url: host.url + MEDIA_PATH, ...MEDIA } });
    phone = await office.phone('1002', (from) => answer(from));
  });
  afterAll(async () => {
    await office?.stop();
    await host?.stop();
  });

  describeCarrier({
    name: 'Asterisk',
    networkCapMs: NETWORK_CAP_MS,
    isCapFixed: true,
    forgetsCalls: true,
    open: async (options) => {
      answer = options.answer;
      const asterisks: Asterisk[] = [];
      const successor = (): Carrier => {
        const asterisk = office.operations();
        asterisks.push(asterisk);
        return carrierOf(asterisk);
      };
      const carrier = successor();
      host.carry(carrier);
      return {
        carrier,
        dropStreams: host.dropStreams,
        successor,
        liveCalls: () => phone.calls.length,
        stop: async () => {
          for (const call of phone.calls) call.hangUp();
          await until(() => phone.calls.length === 0);
          carrier.close();
          for (const asterisk of asterisks) asterisk.close();
        },
      };
    },
  });
});
