import { afterEach, expect } from 'vitest';
import { createTwilioCarrier } from '../../../src/carriers/twilio/carrier.ts';
import { startTwilioSimulator } from '../../../src/simulator/twilio/account.ts';
import { describeCarrier } from '../../contracts/carrier.ts';
import { hostCarrier } from '../host.ts';

/** Audio beyond the playback buffer: the suite provokes it. */
const BUFFER_OVERFLOW = 31931;
const complaints: unknown[] = [];

afterEach(() => {
  expect(complaints.splice(0)).toEqual([]);
});

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

const clock = {
  now: () => performance.now(),
  setTimer: (callback: () => void, delayMs: number) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

describeCarrier({
  name: 'Twilio',
  networkCapMs: 600_000,
  open: async ({ answer, capMs }) => {
    const simulator = await startTwilioSimulator({
      answer,
      knobs: capMs === undefined ? {} : { playbackCapMs: capMs },
    });
    const { accountSid, authToken, number, baseUrl } = simulator;
    const create = (publicUrl: string) =>
      createTwilioCarrier({
        accountSid,
        authToken,
        number,
        publicUrl,
        apiBaseUrl: baseUrl,
        clock,
        healthProof: (nonce) => nonce,
        logger: log,
      });
    const host = await hostCarrier(create);
    return {
      carrier: host.carrier,
      successor: () => create('https://calls.example.com'),
      dropStreams: () => {
        for (const call of simulator.calls) call.dropStream({ withStop: false });
      },
      liveCalls: () => simulator.calls.filter((call) => !call.isOver).length,
      stop: async () => {
        // What the strict network objects to; its own close is not our fault.
        complaints.push(
          ...simulator.calls
            .flatMap((call) => [...call.errors, ...call.warnings])
            .filter(({ code }) => code !== BUFFER_OVERFLOW),
        );
        await simulator.close();
        await host.stop();
      },
    };
  },
});
