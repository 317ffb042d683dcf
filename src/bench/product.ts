/** The product as the bench runs it: the whole server, composed as ever, with its store, its transcripts and its metrics. */
import { join } from 'node:path';
import type { App } from '../app.ts';
import { keepPausesShort } from '../cli/heap.ts';
import { createLogger } from '../cli/log.ts';
import { letCallsGoFirst } from '../cli/threads.ts';
import { compose } from '../compose.ts';
import { readConfig } from '../config/config.ts';
import { freePort } from '../http/free-port.ts';
import { serveParent } from './hired.ts';
import { usageMeter } from './usage.ts';

export interface ProductDuties {
  open(order: { readonly env: Readonly<Record<string, string>>; readonly folder: string }): Promise<void>;
  /** Places so many calls, one after the other; resolves when the carrier has taken them all. */
  place(order: { readonly calls: number }): Promise<void>;
  /** Ends so many calls at once, the newest first. */
  end(order: { readonly calls: number }): Promise<void>;
  live(order: null): Promise<number>;
  /** Of the calls that have been placed: lines written down, and how the ended ones ended. */
  written(order: null): Promise<{ readonly lines: number; readonly outcomes: Readonly<Record<string, number>> }>;
  usage: ReturnType<typeof usageMeter>;
  close(order: null): Promise<void>;
}

export async function serveProduct(): Promise<void> {
  let app: App | null = null;
  const open: string[] = [];
  let placed = 0;
  const running = (): App => {
    if (app === null) throw new Error('The product has not been opened.');
    return app;
  };
  await serveParent<ProductDuties>({
    open: async ({ env, folder }) => {
      app = await openApp(env, folder);
    },
    place: async ({ calls }) => {
      for (let count = 0; count < calls; count += 1) {
        const { callId } = await running().switchboard.place({ to: numberOf(placed), context: 'Ask for a table.' });
        placed += 1;
        open.push(callId);
      }
    },
    end: async ({ calls }) => {
      for (const callId of open.splice(-calls)) await running().switchboard.end(callId, 'now');
    },
    live: () => countLive(running()),
    written: () => writtenBy(running()),
    usage: usageMeter(),
    close: () => running().stop(0),
  });
}

async function openApp(env: Readonly<Record<string, string>>, folder: string): Promise<App> {
  keepPausesShort();
  const port = await freePort('127.0.0.1');
  const reading = readConfig({
    env: {
      ...env,
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      PORT: String(port),
      MCP_PORT: '0',
      DATA_DIR: join(folder, 'data'),
      MAX_CONCURRENT_CALLS: '1000',
      MAX_CALLS_PER_HOUR: '100000',
      MAX_CALL_SECONDS: '7200',
      // On a machine that is busy the first words may come late, and an opener would not be the load that was planned.
      FIRST_SPEECH_SECONDS: '15',
    },
    argv: ['--simulate'],
  });
  const app = compose({ reading, logger: createLogger(reading.config), privateListener: true });
  await app.started;
  letCallsGoFirst();
  const [trouble] = [...reading.complaints.map((complaint) => complaint.message), ...app.status()];
  if (trouble !== undefined) throw new Error(trouble);
  return app;
}

/** Numbers that ring nowhere (NANPA: 555-0100 to 555-0199), a hundred to an area. */
function numberOf(call: number): string {
  return `+1${415 + (Math.floor(call / 100) % 85)}55501${String(call % 100).padStart(2, '0')}`;
}

async function countLive(app: App): Promise<number> {
  let live = 0;
  for await (const call of callsOf(app)) live += call.state === 'ended' ? 0 : 1;
  return live;
}

async function writtenBy(app: App): ReturnType<ProductDuties['written']> {
  let lines = 0;
  const outcomes: Record<string, number> = {};
  for await (const call of callsOf(app)) {
    lines += call.lineCount;
    if (call.outcome !== null) outcomes[call.outcome] = (outcomes[call.outcome] ?? 0) + 1;
  }
  return { lines, outcomes };
}

async function* callsOf({ switchboard }: App) {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await switchboard.calls({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.calls;
    cursor = page.cursor;
  }
}
