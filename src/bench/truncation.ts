/**
 * What the model is told that the callee has heard, against the ear of the simulated telephone: whole calls on speech, the
 * world in this process, the product in processes of its own, over 250 ms of round trip and marks that come late.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connectStdioClient, type StdioClient } from '../mcp/client.ts';
import { roundTrip } from '../simulator/network/network.ts';
import { phrase } from '../simulator/speech/load-phrasebook.ts';
import { Understanding } from '../simulator/speech/understanding.ts';
import { startWorld, type World } from '../simulator/world.ts';
import {
  briefOf,
  type HeldCall,
  type Interrupted,
  interrupter,
  interruptionsOf,
  numberOf,
  type PlannedReply,
  percentile,
  plannedBrain,
} from './interruptions.ts';

const once = (phraseId: string, atMs: number): PlannedReply => ({ speak: [phraseId], cut: { phrase: phraseId, atMs } });

/** Cut early and late, on the first, second and later replies, in the second item of a reply, and after replies that were heard out. */
export const PLAN: readonly PlannedReply[] = [
  once('a.long', 600),
  once('a.long2', 3_900),
  once('a.request', 1_900),
  once('a.again', 250),
  once('a.goodbye', 1_800),
  { speak: ['a.short', 'a.perfect'], cut: { phrase: 'a.perfect', atMs: 1_100 } },
  once('a.parking', 350),
  once('a.again', 900),
  { speak: ['a.short'], cut: null },
  once('a.perfect', 1_300),
  once('a.request', 700),
  once('a.long', 2_700),
  once('a.goodbye', 400),
  once('a.long2', 1_200),
  once('a.parking', 800),
  once('a.request', 500),
  once('a.perfect', 300),
  once('a.long', 1_000),
];

export interface TruncationRow {
  readonly name: string;
  readonly interruptions: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface TruncationReport {
  readonly roundTripMs: number;
  /** The product, all jitters together, and each by itself. */
  readonly product: TruncationRow;
  readonly byJitter: readonly TruncationRow[];
  /** What simpler reckonings would have told in the same interruptions: both must miss the target, or the row proves nothing. */
  readonly controls: readonly TruncationRow[];
}

export interface TruncationOptions {
  /** Calls a jitter, held at the same time. Each has 17 interruptions and takes about 45 s. */
  readonly calls?: number;
  /** How a child of the product is started: the command and its leading arguments. Default: this very program. */
  readonly command?: readonly string[];
  readonly version: string;
}

const ROUND_TRIP_MS = 250;
const MARK_JITTERS_MS: readonly number[] = [0, 100, 200];
const STAGGER_MS = 250;
const WAIT_SECONDS = 50;

export async function measureTruncation(options: TruncationOptions): Promise<TruncationReport> {
  // The first sentences that a process understands take it many times as long as the later ones.
  const understanding = new Understanding();
  for (let n = 0; n < 20; n += 1) understanding.understand(phrase('c.hello').audio);
  const found = await Promise.all(
    MARK_JITTERS_MS.map(async (jitterMs, index) => ({ jitterMs, found: await measureCell(jitterMs, index, options) })),
  );
  const all = found.flatMap((cell) => cell.found);
  const errors = (of: readonly Interrupted[], said: (one: Interrupted) => number): readonly number[] =>
    of.map((one) => Math.abs(said(one) - one.trulyHeardMs));
  return {
    roundTripMs: ROUND_TRIP_MS,
    product: rowOf(
      'Switchboard',
      errors(all, (one) => one.truncatedMs),
    ),
    byJitter: found.map((cell) =>
      rowOf(
        `marks up to ${cell.jitterMs} ms late`,
        errors(cell.found, (one) => one.truncatedMs),
      ),
    ),
    controls: [
      rowOf(
        'control: ignores marks, truncates at what was sent',
        errors(all, (one) => one.sentMs),
      ),
      rowOf(
        'control: trusts only marks',
        errors(all, (one) => one.markedMs),
      ),
    ],
  };
}

function rowOf(name: string, errors: readonly number[]): TruncationRow {
  return {
    name,
    interruptions: errors.length,
    p50Ms: percentile(errors, 0.5),
    p99Ms: percentile(errors, 0.99),
    maxMs: percentile(errors, 1),
  };
}

async function measureCell(
  jitterMs: number,
  index: number,
  { calls = 2, command, version }: TruncationOptions,
): Promise<readonly Interrupted[]> {
  let answered = 0;
  const world = await startWorld({
    brain: () => plannedBrain(Array.from({ length: calls }, () => PLAN)),
    // One after the other, or all calls would do the same work in the same instant.
    answer: () => interrupter(PLAN, 100 + (index + MARK_JITTERS_MS.length * answered++) * STAGGER_MS),
    twilio: { network: roundTrip(ROUND_TRIP_MS), knobs: { markJitterMs: jitterMs } },
    realtime: { firstAudioDelayMs: 60 },
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-bench-'));
  try {
    const client = await startProduct(world, dataDir, version, command);
    try {
      const held = await Promise.all(Array.from({ length: calls }, (_, plan) => holdCall(client, plan)));
      return held
        .flatMap((call) => interruptionsOf(world, call, ROUND_TRIP_MS))
        .filter((one) => one.phraseId !== 'a.farewell');
    } finally {
      await client.close();
    }
  } finally {
    await world.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The product as an MCP client starts it, pointed at the simulated world by its ordinary settings. */
function startProduct(
  world: World,
  dataDir: string,
  version: string,
  command: readonly string[] = [process.execPath, resolve(process.argv[1] ?? '')],
): Promise<StdioClient> {
  const [program = process.execPath, ...args] = command;
  return connectStdioClient({
    command: program,
    args: [...args, '--simulate'],
    env: { ...world.env, DATA_DIR: dataDir, LOG_LEVEL: 'warn', VAD_SILENCE_MS: '150' },
    cwd: dataDir,
    version,
    stderr: 'inherit',
  });
}

async function holdCall(client: StdioClient, plan: number): Promise<HeldCall> {
  const { callId } = await client.callTool('trigger-call', { toNumber: numberOf(plan), callContext: briefOf(plan) });
  for (let done = false, cursor: unknown = 0; !done; ) {
    const progress = await client.callTool('wait-for-call', { callId, cursor, timeoutSeconds: WAIT_SECONDS });
    done = progress.done === true;
    cursor = progress.cursor;
  }
  const { details } = await client.callTool('get-call', { callId, detail: 'detailed' });
  const { callSid, context, timeline } = details as {
    readonly callSid: string | null;
    readonly context: string;
    readonly timeline: readonly { readonly kind: string; readonly data: Readonly<Record<string, unknown>> }[];
  };
  return {
    carrierCallId: callSid,
    context,
    notes: (kind) => timeline.filter((note) => note.kind === kind).map((note) => note.data),
  };
}
