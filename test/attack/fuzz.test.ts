import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { Random } from '../fuzz/random.ts';
import { processes } from '../journeys/process.ts';
import { brokenFrames, httpInput, type Input, mcpInput, mediaInput, modelInput, webhookFields } from './inputs.ts';
import { type Json, pick } from './mutations.ts';
import { BLOCKED, type CapturedCall, startTarget, type Target } from './target.ts';

/**
 * Whatever comes in, on whatever surface: the process lives, no net below the readers ever catches anything, memory stays
 * bounded, every call comes to its end, and after each thousand inputs a person can still be called.
 */

const ROUNDS = Number(process.env.ATTACK_ROUNDS ?? 12);
/** Rounds at the same time. */
const LANES = 4;
const CALLS_A_ROUND = 2;
const SEED = Number(process.env.ATTACK_SEED ?? 20_260_401);
const MOST_GROWTH_BYTES = 100 * 1024 * 1024;
/** From the middle third of the attack to its last: what is kept of each input would go on growing. */
const MOST_SLOPE_BYTES = 25 * 1024 * 1024;
const MOST_ANSWER_LETTERS = 2_500_000;
/** What every net below the readers writes, whatever its words: an error in the log. Input that is refused is none. */
const isError = (line: string): boolean =>
  line.startsWith('{') && Number((JSON.parse(line) as { readonly level?: number }).level) >= 50;

interface Counts {
  [surface: string]: number;
}

const here = processes();
const random = new Random(SEED);
const stranger: Counts = {};
const insider: Counts = {};
const count = (counts: Counts, surface: string): void => {
  counts[surface] = (counts[surface] ?? 0) + 1;
};
const sum = (counts: Counts): number => Object.values(counts).reduce((all, each) => all + each, 0);
const thrown = (): number => sum(stranger) + sum(insider);
let target: Target;
const mcpIds: string[] = [];
let malformedLines = 0;

beforeAll(async () => {
  // So little that whatever is kept of what came in would end the process.
  target = await startTarget(here, { NODE_OPTIONS: '--max-old-space-size=96 --max-semi-space-size=4' });
});
afterAll(() => here.cleanUp());

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function throwAt(socket: WebSocket, input: Input): boolean {
  if (socket.readyState !== socket.OPEN) return false;
  socket.send(input, { binary: typeof input !== 'string' });
  return true;
}

/**
 * One text frame that trickles in (RFC 6455, 5.2); nothing else may be sent meanwhile. `masked`: as a client has to; with a mask of
 * zeros the text stands there as it is.
 */
async function trickle(socket: WebSocket, input: Input, masked: boolean): Promise<boolean> {
  const raw = (socket as unknown as { _socket: Socket | null })._socket;
  const text = Buffer.from(input);
  if (raw === null || text.length > 65_535) return throwAt(socket, input);
  if (socket.readyState !== socket.OPEN) return false;
  const head = Buffer.from([0x81, (masked ? 0x80 : 0) | 126, text.length >> 8, text.length & 0xff]);
  const frame = Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), text]);
  const pieceLength = Math.ceil(frame.length / 8);
  for (let at = 0; at < frame.length; at += at < 3 ? 1 : pieceLength) {
    if (raw.destroyed) return false;
    raw.write(frame.subarray(at, at + (at < 3 ? 1 : pieceLength)));
    await sleep(1);
  }
  return true;
}

/** 150 frames, with a new stream where the old one broke and the call allows it. */
async function attackStream(call: CapturedCall): Promise<void> {
  const before = (socket: WebSocket): void => {
    for (let index = 0; index < 15; index += 1) {
      const input = mediaInput(random, call, false);
      if (!/"connected"|"start"/.test(String(input)) && throwAt(socket, input)) count(stranger, 'stream before start');
    }
  };
  let socket = await call.attach(call.outgoingUrl, before);
  for (let sent = 0; sent < 150; sent += 1) {
    if (socket === null) return;
    const input = mediaInput(random, call, sent > 130);
    if (!(sent % 45 === 44 ? await trickle(socket, input, true) : throwAt(socket, input))) {
      const url = call.afterUrl;
      socket = await call.attach(url);
      continue;
    }
    count(insider, 'stream');
    if (sent % 8 === 0) await breath();
  }
  if (socket !== null) breakFrames(socket);
}

/** What the protocol's own layer has to refuse. */
function breakFrames(socket: WebSocket): void {
  const raw = (socket as unknown as { _socket: { write(bytes: Buffer): void } | null })._socket;
  raw?.write(brokenFrames(random));
  count(insider, 'stream');
}

async function attackModel(call: CapturedCall): Promise<void> {
  const link = await call.model();
  for (let sent = 0; sent < 150; sent += 1) {
    const input = modelInput(random, link.ids, sent > 140);
    const slowly = (): Promise<boolean> => trickle(link.socket, input, false);
    if (!(sent % 15 === 14 ? await link.alone(slowly) : throwAt(link.socket, input))) return;
    count(insider, 'model');
    if (sent % 8 === 0) await breath();
  }
}

async function attackWebhooks(call: CapturedCall, other: CapturedCall): Promise<void> {
  const work = async (index: number): Promise<void> => {
    const url = pick(random, [call.outgoingUrl, call.statusUrl, call.afterUrl || call.statusUrl, call.recordingUrl]);
    const fields = webhookFields(random, { ...call.fields, CallStatus: 'ringing' });
    if (index % 5 === 4) {
      const [form, signature] = pick(random, [
        [fields, null],
        [fields, ''],
        [fields, call.sign(url, { ...fields, More: 'x' })],
        [fields, call.sign(`${url}x`, fields)],
        [{ ...call.fields, CallSid: other.sid }, undefined],
        [{ ...call.fields, AccountSid: `AC${'9'.repeat(32)}` }, undefined],
      ] as const);
      const reply = await call.post(url, form, signature);
      count(stranger, 'webhook');
      // What has too many fields, or is too large, is turned away before anybody looks at its signature.
      // Of a recording nobody remembers the call: that it is another one is found in the store.
      if (url === call.recordingUrl && signature === undefined) expect([400, 403, 404]).toContain(reply.status);
      else if (![400, 413].includes(reply.status) || signature === undefined) expect(reply.status).toBe(403);
      return;
    }
    const reply = await (index % 25 === 0 ? call.postSlowly(url, fields) : call.post(url, fields));
    count(insider, 'webhook');
    expect([200, 400, 403, 404, 413]).toContain(reply.status);
    if (random.chance(0.1)) expect((await call.post(url, fields)).status).toBe(reply.status);
  };
  for (let index = 0; index < 125; index += 5) {
    await Promise.all([0, 1, 2, 3, 4].map((ahead) => work(index + ahead)));
  }
}

/** Also slow ones: what is half sent stays half sent. */
async function attackHttp(): Promise<void> {
  await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const socket = connect(index % 4 === 3 ? target.privatePort : target.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      count(stranger, 'http');
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.write(httpInput(random));
      if (index % 6 === 0) return;
      socket.end();
      await closed;
    }),
  );
}

async function attackUpgrades(call: CapturedCall): Promise<void> {
  const address = await call.answer();
  const spent = address?.url ?? call.outgoingUrl.replace('http', 'ws').replace('outgoing', 'connection-outgoing');
  const made = spent.replace(/[^/]+$/, 'A'.repeat(32));
  for (const [url, signature] of [
    [spent, undefined],
    [spent, null],
    [spent, 'x'],
    [made, undefined],
    [`${made}%00`, undefined],
    [made.replace(/[^/]+$/, encodeURIComponent('../../health')), undefined],
    [call.outgoingUrl.replace('http', 'ws').replace('outgoing', 'connection-outgoing'), undefined],
  ] as const) {
    count(stranger, 'upgrade');
    expect(await call.upgrade(url, signature)).toBe(403);
  }
}

function attackMcp(round: number, callId: string): void {
  const tools: readonly { readonly name: string; readonly args: Json }[] = [
    {
      name: 'trigger-call',
      args: { toNumber: BLOCKED, callContext: 'Book a table.', language: 'en', idempotencyKey: 'k' },
    },
    { name: 'wait-for-call', args: { callId, cursor: 0, timeoutSeconds: 1 } },
    { name: 'get-call', args: { callId, cursor: 0, limit: 10, detail: 'detailed' } },
    { name: 'list-calls', args: { state: 'ended', limit: 5, cursor: '3' } },
    { name: 'end-call', args: { callId: 'nobody', mode: 'now' } },
    { name: 'search-transcripts', args: { query: 'Friday', limit: 3, cursor: '0' } },
  ];
  for (let index = 0; index < 150; index += 1) {
    const { line, id } = mcpInput(random, `attack-${round}-${index}`, tools);
    if (id === null) malformedLines += 1;
    else mcpIds.push(id);
    target.server.raw(line);
    target.server.raw(random.chance(0.1) ? '\r\n' : '\n');
    count(insider, 'mcp');
  }
}

/** What an assistant gets of such a call stays small enough to be read. */
async function readBack({ callId }: CapturedCall): Promise<void> {
  const details = await target.server.tool('get-call', { callId, limit: 200, detail: 'detailed' });
  expect(details.isError).toBe(false);
  expect(JSON.stringify(details).length).toBeLessThan(MOST_ANSWER_LETTERS);
  const resource = await target.server.readResource(`call://transcriptions/${callId}`);
  expect(JSON.stringify(resource).length).toBeLessThan(MOST_ANSWER_LETTERS);
}

async function attackOnce(round: number): Promise<void> {
  const calls = await Promise.all(Array.from({ length: CALLS_A_ROUND + 1 }, () => target.capture()));
  const [idle, ...live] = calls;
  if (idle === undefined) throw new Error('no call');
  const http = attackHttp();
  for (const call of live) {
    await Promise.all([attackStream(call), attackModel(call), attackWebhooks(call, idle)]);
    await attackUpgrades(call);
  }
  attackMcp(round, idle.callId);
  await http;
  for (const call of calls) {
    expect((await call.end()).data.done).toBe(true);
    await readBack(call);
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

const malformedAtStreams = (): number => countInLog(/"malformed":(\d+),"msg":"Malformed frames were ignored"/g);
const malformedAtModels = (): number => countInLog(/"count":(\d+),"msg":"model sent malformed messages"/g);

function countInLog(line: RegExp): number {
  return [...target.server.log.matchAll(line)].reduce((all, [, count]) => all + Number(count), 0);
}

describe('under ten thousand hostile inputs', { timeout: 240_000 }, () => {
  it('the server lives, catches nothing below its readers, keeps its memory, and goes on calling people', async () => {
    const { server } = target;
    await target.normalCall();
    const startBytes = target.rss();
    const memory: number[] = [];
    const normal: Promise<void>[] = [];
    const rounds = Array.from({ length: ROUNDS }, (_, index) => index);
    const lane = async (): Promise<void> => {
      for (let round = rounds.shift(); round !== undefined; round = rounds.shift()) {
        await attackOnce(round);
        memory.push(target.rss());
        for (; normal.length < Math.floor(thrown() / 1_000); ) normal.push(target.normalCall());
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    for (const call of await Promise.allSettled(normal)) if (call.status === 'rejected') throw call.reason;
    const endBytes = target.rss();
    const mib = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;
    console.log(
      [
        `seed ${SEED}`,
        `strangers ${JSON.stringify(stranger)}`,
        `past authentication ${JSON.stringify(insider)}`,
        `in all ${thrown()}, and ${normal.length} normal calls`,
        `memory ${mib(startBytes)} → ${mib(endBytes)}, after each round ${memory.map(mib).join(', ')}`,
        `malformed by the server's own count: ${malformedAtStreams()} at streams, ${malformedAtModels()} at models`,
      ].join('; '),
    );
    expect(thrown()).toBeGreaterThanOrEqual(10_000);
    expect(normal.length).toBeGreaterThanOrEqual(10);
    const { mcp = 0, ...signed } = insider;
    expect(mcp).toBeGreaterThan(0);
    expect(sum(signed)).toBeGreaterThanOrEqual(thrown() / 2);
    // What was sent past the doors was read there.
    expect(malformedAtStreams()).toBeGreaterThan((insider.stream ?? 0) / 5);
    expect(malformedAtModels()).toBeGreaterThan((insider.model ?? 0) / 20);
    expect(server.log.split('\n').filter(isError)).toEqual([]);
    const third = Math.floor(memory.length / 3);
    expect(mean(memory.slice(-third)) - mean(memory.slice(third, 2 * third))).toBeLessThan(MOST_SLOPE_BYTES);
    expect(endBytes - startBytes).toBeLessThan(MOST_GROWTH_BYTES);
    expect(server.foreign).toEqual([]);
  });

  it('every line on stdin had its answer: the one it asked for, or an error that says what is wrong with it', async () => {
    const answers = target.server.stdout.map((line) => JSON.parse(line) as Record<string, unknown>);
    const answered = new Set(answers.map(({ id }) => id));
    expect(mcpIds.filter((id) => !answered.has(id))).toEqual([]);
    const errors = answers.flatMap(({ id, error }) => (error === undefined ? [] : [{ id, ...(error as object) }]));
    // A broken line that is empty, or happens to be a message, has no error.
    expect(errors.filter(({ id }) => id === undefined).length).toBeGreaterThan(malformedLines / 2);
    const internal = errors.filter((error) => 'code' in error && error.code === -32603);
    expect(internal).toEqual([]);
  });
});

it('an error that a net writes would be found', async () => {
  const text = await errorLine();
  expect(text.split('\n').filter(isError)).toHaveLength(1);
});

/** A log of a warning and an error, as the server writes them. */
async function errorLine(): Promise<string> {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const logger = pino(stream);
  logger.warn({ why: 'signature' }, 'A webhook was refused');
  logger.error({ err: new Error('a mistake') }, 'The handler of a socket failed');
  return lines.join('');
}
