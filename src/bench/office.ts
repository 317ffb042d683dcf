/**
 * The office's figures, on a real Asterisk on loopback: what the model is told that somebody has heard, against the ear of a SIP
 * telephone; and how fast the manager is asked, against a bare socket that sends the same bytes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserInputError } from '../errors.ts';
import { connectStdioClient, type StdioClient } from '../mcp/client.ts';
import { createAmiClient } from '../pbx/asterisk/ami/client.ts';
import { encodeAction } from '../pbx/asterisk/ami/message.ts';
import { ACCOUNTS, settingsFor } from '../simulator/asterisk/configuration.ts';
import { type Pbx, startPbx } from '../simulator/asterisk/pbx.ts';
import type { ScriptedCallee } from '../simulator/callee/scripted-callee.ts';
import { openSipPhone, type SipPhone } from '../simulator/sip/phone.ts';
import { phrase } from '../simulator/speech/load-phrasebook.ts';
import { Understanding } from '../simulator/speech/understanding.ts';
import { startWorld, type World } from '../simulator/world.ts';
import { systemClock } from '../switchboard/clock.ts';
import { briefOf, interrupter, percentile, plannedBrain } from './interruptions.ts';
import { PLAN } from './truncation.ts';

export interface OfficeBenchOptions {
  readonly program: string;
  /** Calls at the same time, 17 interruptions each; about 50 s. */
  readonly calls?: number;
  readonly version: string;
  readonly command?: readonly string[];
  readonly freePort: (host: string) => Promise<number>;
  readonly tell: (text: string) => void;
}

export interface OfficeReport {
  readonly interruptions: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly manager: readonly ManagerRow[];
  readonly ok: boolean;
}

export interface ManagerRow {
  readonly name: string;
  readonly ms: number;
  readonly floorMs: number;
  readonly ratio: number;
}

/** Ours, and the phase of the timer by which Asterisk plays its queue. */
export const MOST_P99_MS = 40;
const MEDIA = { username: 'asterisk', password: 'media-password-of-the-bench' };
const MEDIA_PATH = '/call/asterisk/media';
const PINGS = 2_000;
const LISTS = 500;
const STAGGER_MS = 300;
const MANAGER_ROUNDS = 5;

export async function measureOffice(options: OfficeBenchOptions): Promise<OfficeReport> {
  const { calls = 4, freePort, tell } = options;
  const [publicPort, sipPort, amiPort] = await Promise.all([0, 1, 2].map(() => freePort('127.0.0.1')));
  const users = Array.from({ length: calls }, (_, i) => String(1_101 + i));
  const pbx = await startPbx({
    program: options.program,
    folder: mkdtempSync(join(tmpdir(), 'switchboard-office-')),
    sipPort: Number(sipPort),
    amiPort: Number(amiPort),
    rtpPorts: { from: 12_200, to: 12_399 },
    phones: users,
    media: { url: `ws://127.0.0.1:${publicPort}${MEDIA_PATH}`, ...MEDIA },
  });
  try {
    tell('the manager, against a bare socket');
    const manager = await measureManager(Number(amiPort));
    tell(`${calls} calls over Asterisk, with ${calls * 17} interruptions`);
    const errors = await measureInterruptions(pbx, users, {
      ...options,
      publicPort: Number(publicPort),
      sipPort: Number(sipPort),
      amiPort: Number(amiPort),
    });
    if (errors.length < calls * 15) throw new UserInputError(`only ${errors.length} interruptions could be compared.`);
    const figures = { p50Ms: percentile(errors, 0.5), p99Ms: percentile(errors, 0.99), maxMs: percentile(errors, 1) };
    return { interruptions: errors.length, ...figures, manager, ok: figures.p99Ms <= MOST_P99_MS };
  } finally {
    await pbx.stop();
  }
}

interface Ports {
  readonly publicPort: number;
  readonly sipPort: number;
  readonly amiPort: number;
}

/** How far the reckoning was off in each interruption, in milliseconds. */
async function measureInterruptions(
  _pbx: Pbx,
  users: readonly string[],
  options: OfficeBenchOptions & Ports,
): Promise<readonly number[]> {
  // The first sentences that a process understands take it many times as long as the later ones.
  const understanding = new Understanding();
  for (let n = 0; n < 20; n += 1) understanding.understand(phrase('c.hello').audio);
  const world = await startWorld({
    brain: () => plannedBrain(users.map(() => PLAN)),
    realtime: { firstAudioDelayMs: 60 },
  });
  const callees = new Map<string, ScriptedCallee>();
  const phones: SipPhone[] = [];
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-bench-'));
  try {
    for (const [index, user] of users.entries()) phones.push(await phoneOf(user, index, options, callees));
    const client = await startProduct(world, dataDir, options);
    try {
      const found = await Promise.all(users.map((user, plan) => holdCall(client, user, plan)));
      return users.flatMap((user, index) => errorsOf(found[index] ?? [], callees.get(user)));
    } finally {
      await client.close();
    }
  } finally {
    for (const phone of phones) await phone.close();
    await world.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function phoneOf(
  user: string,
  index: number,
  { sipPort }: Ports,
  callees: Map<string, ScriptedCallee>,
): Promise<SipPhone> {
  const answer = interrupter(PLAN, 100 + index * STAGGER_MS);
  return openSipPhone({
    server: { host: '127.0.0.1', port: sipPort },
    user,
    password: `phone-${user}`,
    answer: () => {
      if (answer.kind !== 'answers') return answer;
      return {
        ...answer,
        callee: () => {
          const callee = answer.callee() as ScriptedCallee;
          callees.set(user, callee);
          return callee;
        },
      };
    },
  });
}

interface Cut {
  readonly heardMs: number;
  readonly heard: string;
}

/** By the order in which the sentences were cut, which both sides know. */
function errorsOf(cuts: readonly Cut[], callee: ScriptedCallee | undefined): readonly number[] {
  const truths = (callee?.interruptions ?? []).filter(
    ({ cutShort, phraseId }) => cutShort && phraseId !== 'a.farewell',
  );
  const same = Math.min(cuts.length, truths.length);
  return Array.from({ length: same }, (_, i) => Math.abs((cuts[i]?.heardMs ?? 0) - (truths[i]?.trulyHeardMs ?? 0)));
}

function startProduct(
  world: World,
  dataDir: string,
  {
    publicPort,
    amiPort,
    version,
    command = [process.execPath, resolve(process.argv[1] ?? '')],
  }: OfficeBenchOptions & Ports,
): Promise<StdioClient> {
  const [program = process.execPath, ...args] = command;
  return connectStdioClient({
    command: program,
    args: [...args, '--simulate'],
    env: {
      ...world.env,
      DATA_DIR: dataDir,
      LOG_LEVEL: 'warn',
      VAD_SILENCE_MS: '150',
      PORT: String(publicPort),
      PUBLIC_URL: `http://127.0.0.1:${publicPort}`,
      ...settingsFor(amiPort, MEDIA),
    },
    cwd: dataDir,
    version,
    stderr: 'inherit',
  });
}

/** Resolves with the sentences that were cut short, when the call has ended. */
async function holdCall(client: StdioClient, user: string, plan: number): Promise<readonly Cut[]> {
  const request = { toNumber: user, callContext: briefOf(plan), via: 'asterisk' };
  const { callId } = await client.callTool('trigger-call', request);
  for (let done = false, cursor: unknown = 0; !done; ) {
    const progress = await client.callTool('wait-for-call', { callId, cursor, timeoutSeconds: 50 });
    done = progress.done === true;
    cursor = progress.cursor;
  }
  const { details } = await client.callTool('get-call', { callId, detail: 'detailed' });
  const { timeline } = details as {
    readonly timeline: readonly {
      readonly kind: string;
      readonly data: Cut & { readonly receivedMs: number; readonly planned: string };
    }[];
  };
  const farewell = phrase('a.farewell').text;
  return timeline
    .filter(({ kind, data }) => kind === 'interrupted' && data.heardMs < data.receivedMs && data.planned !== farewell)
    .map(({ data }) => data);
}

/** The middle of several rounds, each side in turns. */
async function measureManager(port: number): Promise<readonly ManagerRow[]> {
  const client = createAmiClient({
    address: { host: '127.0.0.1', port, tls: false },
    ...ACCOUNTS.switchboard,
    clock: systemClock,
    logger: { debug: () => undefined, warn: () => undefined },
  });
  const bare = await bareManager(port);
  const ours = { pings: [] as number[], lists: [] as number[] };
  const floor = { pings: [] as number[], lists: [] as number[] };
  try {
    await client.ready();
    for (let round = 0; round < MANAGER_ROUNDS; round += 1) {
      ours.pings.push(
        await timed(async () => {
          for (let n = 0; n < PINGS; n += 1) await client.send('Ping');
        }),
      );
      floor.pings.push(
        await timed(async () => {
          for (let n = 0; n < PINGS; n += 1) await bare.ask('Ping', 1);
        }),
      );
      ours.lists.push(
        await timed(() => Promise.all(Array.from({ length: LISTS }, () => client.list('ExtensionStateList')))),
      );
      floor.lists.push(await timed(() => bare.ask('ExtensionStateList', LISTS)));
    }
  } finally {
    client.close();
    bare.close();
  }
  const row = (name: string, kind: 'pings' | 'lists'): ManagerRow => {
    const [ms, floorMs] = [percentile(ours[kind], 0.5), percentile(floor[kind], 0.5)];
    return { name, ms, floorMs, ratio: ms / floorMs };
  };
  return [
    row(`${PINGS} pings, one after the other`, 'pings'),
    row(`${LISTS} lists of extensions, all at once`, 'lists'),
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const sinceMs = performance.now();
  await work();
  return performance.now() - sinceMs;
}

/** Sends the same actions and counts their ends, without looking at what is between. */
async function bareManager(
  port: number,
): Promise<{ ask(action: string, times: number): Promise<void>; close(): void }> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.setNoDelay(true);
  let text = '';
  let done: () => void = () => undefined;
  let end = 'Message: Authentication accepted';
  let wanted = 1;
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    let from = 0;
    for (let at = text.indexOf(end); at !== -1; at = text.indexOf(end, from)) {
      from = at + end.length;
      wanted -= 1;
      if (wanted === 0) done();
    }
    // The last of it may be the beginning of what is looked for.
    text = text.slice(Math.max(from, text.length - end.length));
  });
  const until = (marker: string, times: number, send: string): Promise<void> =>
    new Promise((resolve) => {
      [end, wanted, done] = [marker, times, resolve];
      socket.write(send);
    });
  const { username, secret } = ACCOUNTS.switchboard;
  await until('Authentication accepted', 1, encodeAction('Login', 'bare', { Username: username, Secret: secret }));
  let id = 0;
  return {
    ask: (action, times) => {
      id += times;
      const send = Array.from({ length: times }, (_, i) => encodeAction(action, `bare-${id + i}`, {})).join('');
      return until(action === 'Ping' ? 'Ping: Pong' : `Event: ${action}Complete`, times, send);
    },
    close: () => socket.destroy(),
  };
}
