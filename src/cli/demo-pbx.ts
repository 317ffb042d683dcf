/** `switchboard demo --pbx NAME`: every tool of a hosted telephone system, tried on its simulator by an MCP client. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserInputError } from '../errors.ts';
import type { StdioClient } from '../mcp/client.ts';
import { type Show, startDemoServer } from './demo-server.ts';
import { plain } from './say.ts';

/** What `demo --pbx NAME --json` prints. */
export interface PbxDemoReport {
  readonly simulated: true;
  readonly pbx: string;
  readonly steps: readonly DemoStep[];
  /** Resources that a client subscribed to, and how often each was told to have changed. */
  readonly updates: Readonly<Record<string, number>>;
}

interface DemoStep {
  readonly tool: string;
  readonly ok: boolean;
  readonly message: string;
}

/** One that is tried; what earlier ones answered is at hand by their labels. */
export interface Try {
  readonly tool: string;
  /** What the user wants. */
  readonly wish: string;
  readonly args: (earlier: Earlier) => Readonly<Record<string, unknown>>;
  readonly label?: string;
  /** What happens outside before it. */
  readonly before?: () => void | Promise<void>;
  /** 3CX or VoIP.ms cannot do it, and the tool says so. */
  readonly isRefused?: true;
}

export type Earlier = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface PbxStage {
  readonly env: Readonly<Record<string, string>>;
  readonly opening: string;
  readonly tries: readonly Try[];
  readonly resources: readonly string[];
  /** What a reader should know when all is done. */
  readonly closing: () => string;
  close(): Promise<void>;
}

const STAGES: Readonly<Record<string, () => Promise<PbxStage>>> = {
  '3cx': async () => (await import('./demo-3cx.ts')).threeCxStage(),
  voipms: async () => (await import('./demo-voipms.ts')).voipMsStage(),
};

/** Exit code 0 when every tool did what was expected of it. */
export async function runPbxDemo(
  name: string,
  show: Show,
): Promise<{ readonly report: PbxDemoReport; readonly code: number }> {
  const open = Object.hasOwn(STAGES, name) ? STAGES[name] : undefined;
  if (!open) throw new UserInputError(`there is no simulated "${name}". There are: ${Object.keys(STAGES).join(', ')}.`);
  const stage = await open();
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-demo-'));
  try {
    show(
      'Switchboard demo. Everything outside the server is SIMULATED on this machine: no telephone rings, nothing is spent.',
    );
    show(`${stage.opening}\n`);
    const client = await startDemoServer({ ...stage.env, TOOLSETS: name }, dataDir);
    try {
      const report = await tryAll(name, client, stage, show);
      const expected = stage.tries.every(({ isRefused = false }, index) => report.steps[index]?.ok !== isRefused);
      show(`\n${stage.closing()} All of it was simulated.`);
      return { report, code: expected ? 0 : 1 };
    } finally {
      await client.close();
    }
  } finally {
    await stage.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function tryAll(name: string, client: StdioClient, stage: PbxStage, show: Show): Promise<PbxDemoReport> {
  const updates: Record<string, number> = {};
  for (const uri of stage.resources) {
    updates[uri] = 0;
    await client.subscribe(uri, () => {
      updates[uri] = (updates[uri] ?? 0) + 1;
    });
  }
  const earlier: Record<string, Readonly<Record<string, unknown>>> = {};
  const steps: DemoStep[] = [];
  for (const one of stage.tries) {
    await one.before?.();
    show(`“${one.wish}”`);
    const step = await tryOne(client, one, earlier);
    show(`  ${one.tool} ${step.ok ? '→' : 'says no →'} ${plain(step.message)}\n`);
    steps.push(step);
  }
  for (const uri of stage.resources) {
    const text = await client.readResource(uri);
    show(`${uri}: ${Buffer.byteLength(text)} bytes of JSON; told to have changed ${updates[uri]} times.`);
  }
  return { simulated: true, pbx: name, steps, updates };
}

async function tryOne(
  client: StdioClient,
  { tool, args, label = tool }: Try,
  earlier: Record<string, Readonly<Record<string, unknown>>>,
): Promise<DemoStep> {
  try {
    const { structured, text } = await client.callToolAloud(tool, args(earlier));
    earlier[label] = structured;
    return { tool, ok: true, message: shortened(text) };
  } catch (error) {
    return { tool, ok: false, message: error instanceof Error ? error.message : 'It failed.' };
  }
}

/** Of the facts behind a tool's own sentence. */
const LONGEST = 200;

/** The sentence, and the beginning of the facts where there is more to see. */
function shortened(text: string): string {
  const [sentence = '', facts = ''] = text.split('\n');
  // What was done is in the sentence already.
  if (facts.includes('"message":')) return sentence;
  return facts.length > LONGEST ? `${sentence} ${facts.slice(0, LONGEST)}…` : `${sentence} ${facts}`;
}
