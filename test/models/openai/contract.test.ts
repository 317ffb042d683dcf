import { createOpenAiModel } from '../../../src/models/openai/model.ts';
import { reservationBrain } from '../../../src/simulator/openai/brain.ts';
import { startRealtimeSimulator } from '../../../src/simulator/openai/server.ts';
import { phrase } from '../../../src/simulator/speech/load-phrasebook.ts';
import { type ModelFault, type ModelHarness, modelContract } from '../../contracts/model.ts';
import { clockOf } from '../recorded-session.ts';
import { startTcpProxy } from '../tcp-proxy.ts';

/** Both dialects against the simulated Realtime server, with a network between that can break. */
function harnessOf(dialect: 'ga' | 'beta', errorEventIds: 'null' | 'echo'): ModelHarness {
  return {
    name: `the ${dialect} dialect, errors with event_id ${errorEventIds}`,
    start: async (fault?: ModelFault) => {
      const server = await startRealtimeSimulator({
        brain: reservationBrain(),
        dialect,
        errorEventIds,
        burstFactor: 30,
        deltaMs: [100, 33.3, 70],
        firstAudioDelayMs: 20,
        transcriptionDelayMs: [30],
        ...(fault === 'no-quota' ? { responseFaults: { 0: 'insufficient_quota' } } : {}),
        ...(fault === 'short-life' ? { maxSessionMs: 400 } : {}),
      });
      const address = new URL(server.url);
      const proxy = await startTcpProxy(Number(address.port));
      const way = fault === 'nobody-listens' ? await closedPort() : proxy.port;
      const model = createOpenAiModel({
        apiKey: fault === 'bad-key' ? 'another-key' : server.apiKey,
        url: `ws://127.0.0.1:${way}${address.pathname}`,
        model: fault === 'unknown-model' ? 'no-such-model' : 'gpt-realtime-2.1',
        dialect,
        transcriptionModel: 'gpt-transcribe',
        noiseReduction: 'near_field',
        turnDetection: 'server_vad',
        vadThreshold: 0.5,
        heartbeatMs: 150,
        clock: clockOf(),
      });
      let closing: Promise<void> | null = null;
      return {
        model,
        turn: { audio: phrase('c.howmany').audio, transcript: /how many people/ },
        toolTurn: phrase('c.confirmed').audio,
        sever: proxy.sever,
        freeze: proxy.freeze,
        close: () => {
          closing ??= Promise.all([proxy.close(), server.close()]).then(() => undefined);
          return closing;
        },
      };
    },
  };
}

/** A port of this machine at which nobody listens. */
async function closedPort(): Promise<number> {
  const proxy = await startTcpProxy(9);
  await proxy.close();
  return proxy.port;
}

modelContract(harnessOf('ga', 'null'));
modelContract(harnessOf('beta', 'echo'));
