import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { App } from '../../src/app.ts';
import type { Line } from '../../src/call/words.ts';
import { compose } from '../../src/compose.ts';
import type { AppTiming } from '../../src/config/app-timing.ts';
import { readConfig } from '../../src/config/config.ts';
import { startWorld, type World, type WorldOptions } from '../../src/simulator/world.ts';
import type { Clock } from '../../src/switchboard/clock.ts';
import type { CallFacts, PlaceRequest, Switchboard } from '../../src/switchboard/port.ts';

/** The whole server, composed in this process as `switchboard --simulate` composes it, in a simulated world. */
export interface Office {
  readonly world: World;
  readonly app: App;
  readonly switchboard: Switchboard;
  readonly dataDir: string;
  /** Everything that the server logged, one JSON object a line. */
  readonly log: readonly string[];
  /** Places a call and resolves with its id. */
  place(request?: Partial<PlaceRequest>): Promise<string>;
  /** Resolves when the call has ended. */
  ended(callId: string): Promise<EndedCall>;
  /** Kind by kind, what the timeline says. */
  close(): Promise<void>;
}

export interface EndedCall extends CallFacts {
  readonly lines: readonly Line[];
  /** Data of the timeline's entries of one kind. */
  notes(kind: string): readonly Readonly<Record<string, unknown>>[];
}

const REQUEST: PlaceRequest = {
  to: '+14155550123',
  context: 'Book a table for four on Friday at seven, under the name Carter.',
};

export async function openOffice(
  options: WorldOptions & {
    readonly settings?: Readonly<Record<string, string>>;
    readonly privateListener?: boolean;
    readonly timing?: AppTiming;
    readonly clock?: Clock;
    readonly storePages?: Int32Array;
    /** What is done to the data folder before the server opens it. */
    readonly prepare?: (dataDir: string) => void | Promise<void>;
  } = {},
): Promise<Office> {
  const world = await startWorld(options);
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-journey-'));
  await options.prepare?.(dataDir);
  const log: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void log.push(line) });
  const reading = readConfig({ env: { ...world.env, DATA_DIR: dataDir, ...options.settings }, argv: ['--simulate'] });
  if (reading.complaints.length > 0) throw new Error(JSON.stringify(reading.complaints));
  const { timing, clock, storePages, privateListener = false } = options;
  const app = compose({
    reading,
    logger,
    privateListener,
    ...(timing ? { timing } : {}),
    ...(clock ? { clock } : {}),
    ...(storePages ? { storePages } : {}),
  });
  await app.started;
  const { switchboard } = app;
  return {
    world,
    app,
    switchboard,
    dataDir,
    log,
    place: async (request) => (await switchboard.place({ ...REQUEST, ...request })).callId,
    ended: (callId) => follow(switchboard, callId),
    close: async () => {
      await app.stop(200);
      await world.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Resolves when the call has ended, with all that is known of it. */
export async function follow(switchboard: Switchboard, callId: string): Promise<EndedCall> {
  const lines: Line[] = [];
  for (let cursor = 0; ; ) {
    const progress = await switchboard.waitFor(callId, { cursor, timeoutMs: 50_000 });
    lines.push(...progress.lines);
    cursor = progress.cursor;
    if (!progress.done) continue;
    const facts = await switchboard.call(callId);
    return {
      ...facts,
      lines,
      notes: (kind) => facts.timeline.filter((note) => note.kind === kind).map((note) => note.data),
    };
  }
}
