/** The carrier contract on a real Asterisk, with a SIP telephone at its other end. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe } from 'vitest';
import { createAsteriskCarrier, MEDIA_PATH } from '../../src/carriers/asterisk/carrier.ts';
import type { Carrier } from '../../src/carriers/carrier.ts';
import { AgentExchange } from '../../src/pbx/asterisk/exchange.ts';
import type { Asterisk } from '../../src/pbx/asterisk/operations.ts';
import { AGENT_CONTEXT, AUDIOSOCKET_CONTEXT, PHONES_CONTEXT } from '../../src/simulator/asterisk/configuration.ts';
import type { Answer } from '../../src/simulator/callee/callee.ts';
import type { SipPhone } from '../../src/simulator/sip/phone.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import { describeCarrier } from '../contracts/carrier.ts';
import { freePort } from '../fixtures/free-port.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { ASTERISK, MEDIA, QUIET, startTestOffice, type TestOffice } from './office.ts';
import { startSwitchableHost } from './switchable-host.ts';

/** 1,000 frames, after which Asterisk 22 drops what comes. */
const NETWORK_CAP_MS = 20_000;

/** Over chan_websocket, or over AudioSocket, which is for older servers. */
const WAYS = [
  { name: 'Asterisk', agentContext: AGENT_CONTEXT, hasAudioSocket: false },
  { name: 'Asterisk with AudioSocket', agentContext: AUDIOSOCKET_CONTEXT, hasAudioSocket: true },
];

describe.skipIf(ASTERISK === null).each(WAYS)(
  'over a real Asterisk: $name',
  ({ name, agentContext, hasAudioSocket }) => {
    let office: TestOffice;
    let host: Awaited<ReturnType<typeof startSwitchableHost>>;
    let phone: SipPhone;
    let audioPort: number;
    let answer: (from: string) => Answer = () => ({ kind: 'never' });

    const carrierOf = (asterisk: Asterisk, listens: boolean): Carrier =>
      createAsteriskCarrier({
        exchange: new AgentExchange({
          ami: asterisk.ami,
          clock: systemClock,
          logger: QUIET,
          context: PHONES_CONTEXT,
          agentContext,
          country: 'US',
          plus: '+',
        }),
        ...MEDIA,
        clock: systemClock,
        logger: QUIET,
        ...(listens && hasAudioSocket ? { audioSocket: { host: '127.0.0.1', port: audioPort } } : {}),
      });

    beforeAll(async () => {
      const shape = createAsteriskCarrier({ exchange: {} as never, ...MEDIA, clock: systemClock, logger: QUIET });
      host = await startSwitchableHost(shape);
      audioPort = await freePort();
      const media = { url: host.url + MEDIA_PATH, ...MEDIA };
      office = await startTestOffice({ media, audioSocket: `127.0.0.1:${await audioRelay.start(audioPort)}` });
      // Where the outside line leads for the number of the contract.
      phone = await office.phone('1003', (from) => answer(from));
    });
    afterAll(async () => {
      await office?.stop();
      await host?.stop();
      audioRelay.stop();
    });

    /** In between, so that connections can be broken without a word. */
    const audioRelay = createRelay();

    describeCarrier({
      name,
      networkCapMs: NETWORK_CAP_MS,
      isCapFixed: true,
      playoutMs: 40,
      forgetsCalls: true,
      open: async (options) => {
        answer = options.answer;
        const asterisks: Asterisk[] = [];
        const made = (listens: boolean): Carrier => {
          const asterisk = office.operations();
          asterisks.push(asterisk);
          return carrierOf(asterisk, listens);
        };
        const carrier = made(true);
        host.carry(carrier);
        return {
          carrier,
          dropStreams: () => {
            host.dropStreams();
            audioRelay.drop();
          },
          successor: () => made(false),
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
  },
);

function createRelay() {
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  return {
    /** Answers with the port at which it takes what it passes on to `to`. */
    start: async (to: number): Promise<number> => {
      server = createServer((from) => {
        const there = connect({ host: '127.0.0.1', port: to });
        sockets.add(there);
        for (const socket of [from, there]) socket.on('error', () => undefined);
        from.on('close', () => there.destroy());
        // Our side sees it break first, as where a network breaks nobody tells the other.
        there.on('close', () => setTimeout(() => from.destroy(), 50));
        from.pipe(there).pipe(from);
      });
      const port = await freePort();
      await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
      return port;
    },
    drop: () => {
      for (const socket of sockets) socket.resetAndDestroy();
      sockets.clear();
    },
    stop: () => server?.close(),
  };
}
