import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Line } from '../call/words.ts';
import { processEnvironment } from '../config/config.ts';
import { UserInputError } from '../errors.ts';
import type { StdioClient } from '../mcp/client.ts';
import { claimStdout } from '../mcp/stdout.ts';
import { findAsterisk } from '../simulator/asterisk/find-asterisk.ts';
import { startOfficeWorld } from '../simulator/asterisk/office-world.ts';
import { COLLEAGUE_EXTENSION } from '../simulator/openai/brain.ts';
import { CALLED_EXTENSION } from '../simulator/scenarios/office.ts';
import { SCENARIOS, type Scenario } from '../simulator/scenarios/scenarios.ts';
import { startThreeCxWorld } from '../simulator/threecx/office-world.ts';
import { startWorld, type World } from '../simulator/world.ts';
import { runPbxDemo } from './demo-pbx.ts';
import { type Show, startDemoServer } from './demo-server.ts';
import { clockText, plain, speakerText } from './say.ts';

/** What `demo --json` prints. `trulyHeardMs` is the simulated caller's own figure, null when it has none. */
export interface DemoReport {
  readonly simulated: true;
  readonly callId: string;
  readonly outcome: string;
  readonly reason: string;
  readonly result: string | null;
  readonly durationMs: number;
  readonly lines: readonly Line[];
  readonly interruptions: readonly DemoInterruption[];
  readonly timings: Readonly<Record<string, number>>;
}

interface DemoInterruption {
  readonly heardMs: number;
  readonly trulyHeardMs: number | null;
  readonly heard: string;
  readonly planned: string;
}

const RESTAURANT_NUMBER = '+14155550123';
const WAIT_SECONDS = 25;

/** What is called, and how it is told. */
interface Stage {
  readonly world: Pick<World, 'callees' | 'env'>;
  readonly close: () => Promise<void>;
  readonly scenario: Pick<Scenario, 'brief' | 'outcome'>;
  readonly opening: string;
  /** What the user wants, and how the assistant hears of it. */
  readonly wish: (client: StdioClient) => Promise<string>;
  readonly number: string;
  readonly request: Readonly<Record<string, unknown>>;
  /** What there is to say when the call is over. */
  readonly after?: () => Promise<string>;
}

/** Runs the main job on the simulators, as an MCP client would. Exit code 0 when it went as the scenario says. */
export async function run(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      json: { type: 'boolean', default: false },
      scenario: { type: 'string' },
      carrier: { type: 'string' },
      pbx: { type: 'string' },
    },
  });
  const stdout = claimStdout();
  const show: Show = (text) => void (values.json ? process.stderr : stdout).write(`${text}\n`);
  const { scenario, carrier = 'twilio' } = values;
  if (scenario !== undefined && carrier !== 'twilio')
    throw new UserInputError(`--scenario goes with the carrier twilio; there is one story over ${carrier}.`);
  if (values.pbx !== undefined) {
    if (scenario !== undefined || values.carrier !== undefined)
      throw new UserInputError(
        '--pbx tries tools and places no call of the agent: leave --carrier and --scenario out.',
      );
    const { report, code } = await runPbxDemo(values.pbx, show);
    if (values.json) stdout.write(`${JSON.stringify(report)}\n`);
    return code;
  }
  const stage = await setStage(carrier, scenario ?? 'reservation');
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-demo-'));
  try {
    const report = await simulate(stage, dataDir, show);
    if (values.json) stdout.write(`${JSON.stringify(report)}\n`);
    return report.outcome === stage.scenario.outcome ? 0 : 1;
  } finally {
    await stage.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function setStage(carrier: string, name: string): Promise<Stage> {
  if (carrier === 'asterisk') return await officeStage();
  if (carrier === '3cx') return await threeCxStage();
  if (carrier !== 'twilio')
    throw new UserInputError(`there is no carrier "${carrier}". There are: twilio, asterisk, 3cx.`);
  const scenario = SCENARIOS[name];
  if (!scenario)
    throw new UserInputError(`there is no scenario "${name}". There are: ${Object.keys(SCENARIOS).join(', ')}.`);
  const world = await startWorld({ scenario: name });
  return {
    world,
    close: () => world.close(),
    scenario,
    opening:
      'Simulated are the Twilio account, the OpenAI Realtime server and the person who answers; the speech is real audio.',
    wish: async (client) => {
      const args = { restaurantNumber: RESTAURANT_NUMBER, peopleNumber: '4', date: 'Friday', time: '7 pm' };
      const prompt = await client.getPrompt('make-restaurant-reservation', args);
      return `The user picks the prompt make-restaurant-reservation; the assistant reads:\n${indent(prompt)}\n`;
    },
    number: RESTAURANT_NUMBER,
    request: {},
  };
}

async function officeStage(): Promise<Stage> {
  const program = findAsterisk(processEnvironment());
  if (program === null)
    throw new UserInputError(
      'there is no Asterisk here. Install one (22.8 or later), or name its program in ASTERISK; scripts/demo fetches one where apt can.',
    );
  const world = await startOfficeWorld(program);
  return {
    ...handedOver(world, 'asterisk'),
    opening:
      'A real Asterisk runs on loopback for it, with SIP telephones. Simulated are the OpenAI Realtime server and the people at the telephones; the speech is real audio.',
  };
}

async function threeCxStage(): Promise<Stage> {
  return {
    ...handedOver(await startThreeCxWorld(), '3cx'),
    opening:
      'Simulated are the 3CX, the OpenAI Realtime server and the people at the telephones; the speech is real audio.',
  };
}

/** An extension is called, and handed over to a colleague. */
function handedOver(
  world: Pick<World, 'callees' | 'env'> & { heardOfColleagueMs(): number; close(): Promise<void> },
  via: string,
): Omit<Stage, 'opening'> {
  return {
    world,
    close: () => world.close(),
    scenario: { brief: SCENARIOS.reservation?.brief ?? '', outcome: 'transferred' },
    wish: async () =>
      `The user says: “Call extension ${CALLED_EXTENSION} and book a table for four; if they want a person, put them through to ${COLLEAGUE_EXTENSION}.”\n`,
    number: CALLED_EXTENSION,
    request: { via, transferTo: [COLLEAGUE_EXTENSION] },
    after: async () => {
      for (let left = 100; left > 0 && world.heardOfColleagueMs() < 1_000; left -= 1)
        await new Promise((resolve) => setTimeout(resolve, 50));
      const ms = world.heardOfColleagueMs();
      return `The two telephones are connected with each other now: ${CALLED_EXTENSION} has heard ${Math.round(ms)} ms of the colleague at ${COLLEAGUE_EXTENSION}.`;
    },
  };
}

async function simulate(stage: Stage, dataDir: string, show: Show): Promise<DemoReport> {
  show(
    'Switchboard demo. Everything outside the server is SIMULATED on this machine: no telephone rings, nothing is spent.',
  );
  show(`${stage.opening}\n`);
  const client = await startDemoServer(stage.world.env, dataDir);
  try {
    return await placeAndFollow(client, stage, show);
  } finally {
    await client.close();
  }
}

async function placeAndFollow(client: StdioClient, stage: Stage, show: Show): Promise<DemoReport> {
  const { world, scenario, number, request } = stage;
  show(await stage.wish(client));
  const startedAtMs = performance.now();
  const placed = await client.callTool('trigger-call', {
    toNumber: number,
    callContext: scenario.brief,
    idempotencyKey: `demo-${process.pid}`,
    ...request,
  });
  const triggeredMs = performance.now() - startedAtMs;
  show(`The assistant calls trigger-call → ${String(placed.message)} (${triggeredMs.toFixed(0)} ms)\n`);
  const callId = String(placed.callId);
  const followed = await follow(client, callId, startedAtMs, show);
  const call = await client.callTool('get-call', { callId, detail: 'detailed', limit: 200 });
  const report = reportOf(call, world, { triggeredMs, ...followed });
  tellEnd(report, show);
  if (stage.after) show(await stage.after());
  return report;
}

/** Shows the lines as they come. Answers with when the call was answered and when it ended, in milliseconds since the trigger. */
async function follow(
  client: StdioClient,
  callId: string,
  startedAtMs: number,
  show: Show,
): Promise<{ answeredMs: number; endedMs: number }> {
  let state = '';
  let answeredMs = 0;
  for (let cursor = 0; ; ) {
    const progress = await client.callTool('wait-for-call', { callId, cursor, timeoutSeconds: WAIT_SECONDS });
    const atMs = performance.now() - startedAtMs;
    if (progress.state !== state) {
      state = String(progress.state);
      if (state === 'answered' && answeredMs === 0) answeredMs = atMs;
      show(`        [${state}]`);
    }
    for (const line of progress.lines as Line[]) tellLine(line, show);
    cursor = Number(progress.cursor);
    if (progress.done === true) return { answeredMs, endedMs: atMs };
  }
}

function tellLine(line: Line, show: Show): void {
  show(`${clockText(line.startMs)}  ${speakerText(line)}`);
  if (line.interrupted && line.planned !== undefined) {
    const rest = line.planned.startsWith(line.text) ? line.planned.slice(line.text.length).trim() : line.planned;
    show(`                (interrupted; not heard: “${plain(rest)}”)`);
  }
}

interface Note {
  readonly at: string;
  readonly kind: string;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

function reportOf(
  call: Record<string, unknown>,
  world: Pick<World, 'callees'>,
  timings: { triggeredMs: number; answeredMs: number; endedMs: number },
): DemoReport {
  const { timeline } = call.details as { timeline: readonly Note[] };
  const lines = call.lines as Line[];
  const cuts = timeline.filter(
    (note) => note.kind === 'interrupted' && Number(note.data.heardMs) < Number(note.data.receivedMs),
  );
  const truths = world.callees.flatMap(trulyHeard);
  const interruptions = cuts.map((note, index) => ({
    heardMs: Number(note.data.heardMs),
    trulyHeardMs: truths[index] ?? null,
    heard: String(note.data.heard),
    planned:
      lines.find((line) => line.interrupted && line.text === note.data.heard)?.planned ?? String(note.data.planned),
  }));
  return {
    simulated: true,
    callId: String(call.callId),
    outcome: String(call.outcome),
    reason: String(call.reason),
    result: call.result === null ? null : String(call.result),
    durationMs: Math.round(timings.endedMs - timings.answeredMs),
    lines,
    interruptions,
    timings: {
      triggerMs: Math.round(timings.triggeredMs),
      answeredMs: Math.round(timings.answeredMs),
      endedMs: Math.round(timings.endedMs),
      ...pausesOf(lines),
    },
  };
}

/** What the simulated person heard of each sentence that was cut short, in milliseconds: by speaking over it, or by hanging up. */
function trulyHeard(callee: World['callees'][number]): readonly number[] {
  const cut = callee.interruptions.filter((interruption) => interruption.cutShort).map((one) => one.trulyHeardMs);
  const { latest } = callee.ear;
  const unfinished =
    latest !== null &&
    latest.reach < latest.phrase.audio.byteLength &&
    !callee.interruptions.some((one) => one.phraseId === latest.phrase.id);
  return unfinished ? [...cut, callee.ear.heardMs(latest.phrase.id, latest.occurrence)] : cut;
}

/** How long the callee waited for the agent, between the end of its line and the beginning of the next. */
function pausesOf(lines: readonly Line[]): Record<string, number> {
  const pauses = lines.flatMap((line, index) => {
    const before = lines[index - 1];
    return line.speaker === 'agent' && before?.speaker === 'callee' && line.startMs > before.endMs
      ? [line.startMs - before.endMs]
      : [];
  });
  const sorted = pauses.sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  return median === undefined ? {} : { medianReplyMs: median, longestReplyMs: sorted.at(-1) ?? median };
}

function tellEnd(report: DemoReport, show: Show): void {
  show('');
  for (const { heardMs, trulyHeardMs, heard, planned } of report.interruptions) {
    show(`The agent was cut short. It meant to say: “${plain(planned)}”`);
    show(`  heard, as the server reckons:      “${plain(heard)}” (${heardMs} ms)`);
    const truth =
      trulyHeardMs === null
        ? 'unknown'
        : `${Math.round(trulyHeardMs)} ms (off by ${Math.abs(Math.round(heardMs - trulyHeardMs))} ms)`;
    show(`  heard, by the caller's own ear:    ${truth}`);
  }
  show(`Outcome: ${report.outcome} – ${report.reason}`);
  if (report.result !== null) show(`The agent reports: “${plain(report.result)}”`);
  show(
    `Answered after ${(report.timings.answeredMs ?? 0) / 1_000} s, the call took ${(report.durationMs / 1_000).toFixed(1)} s. All of it was simulated.`,
  );
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  | ${plain(line)}`)
    .join('\n');
}
