/** The real switchboard over a carrier that is handed in, with a simulated model that speaks and listens. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Carrier } from '../../src/carriers/carrier.ts';
import { createOpenAiModel } from '../../src/models/openai/model.ts';
import type { Brain } from '../../src/simulator/openai/brain.ts';
import { type RealtimeSimulator, startRealtimeSimulator } from '../../src/simulator/openai/server.ts';
import { openRecordingFolder } from '../../src/store/files/recordings.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { createArchive } from '../../src/switchboard/archive.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import type { PlaceRequest } from '../../src/switchboard/port.ts';
import type { SwitchboardSettings } from '../../src/switchboard/settings.ts';
import { createSwitchboard, type RunningSwitchboard } from '../../src/switchboard/switchboard.ts';
import { switchboardSettings } from '../fixtures/settings.ts';
import { type EndedCall, follow } from './office.ts';

export interface House {
  readonly switchboard: RunningSwitchboard;
  readonly realtime: RealtimeSimulator;
  /** Places a call and resolves with its id. */
  place(request?: Partial<PlaceRequest>): Promise<string>;
  /** Resolves when the call has ended. */
  ended(callId: string): Promise<EndedCall>;
  close(): Promise<void>;
}

interface HouseOptions {
  readonly carrier: Carrier;
  /** Stops what the carrier leads to. */
  readonly stop: () => Promise<void>;
  readonly brain: Brain;
  readonly settings?: Partial<SwitchboardSettings>;
}

export async function openHouse({ carrier, stop, brain, settings }: HouseOptions): Promise<House> {
  const realtime = await startRealtimeSimulator({ brain });
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-house-'));
  const store = await openSqliteStore({ dataDir });
  const model = createOpenAiModel({
    apiKey: realtime.apiKey,
    url: realtime.url,
    model: 'gpt-realtime',
    dialect: 'ga',
    transcriptionModel: 'gpt-transcribe',
    noiseReduction: 'off',
    turnDetection: 'server_vad',
    vadThreshold: 0.5,
    clock: systemClock,
  });
  const logger = pino({ level: 'silent' });
  const folder = openRecordingFolder(join(dataDir, 'recordings'));
  const switchboard = createSwitchboard({
    settings: switchboardSettings(settings),
    store,
    archive: createArchive({ store, folder, clock: systemClock, logger }),
    outside: () => Promise.resolve({ carrier, model }),
    carriers: () => Promise.resolve([carrier]),
    clock: systemClock,
    logger,
  });
  return {
    switchboard,
    realtime,
    place: async (request) =>
      (await switchboard.place({ to: '+14155550123', context: 'Book a table for four.', ...request })).callId,
    ended: (callId) => follow(switchboard, callId),
    close: async () => {
      await switchboard.stop(200);
      await stop();
      await store.close();
      await realtime.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
