import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readOwnerFile } from '../../src/mcp/relay/owner-file.ts';
import { freePort } from '../fixtures/free-port.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { processes, type ServerProcess } from './process.ts';
import { AGREES, ASKS, inMidSentence, LISTENS, ringingForEver, SENTENCES, shortCalls } from './short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

type Env = Readonly<Record<string, string>>;

const CALLED = '+14155550123';
const ENDED_WELL = { code: 0, signal: null };
const LIST = 'call://transcriptions';

/** One client after the other, so that the first owns the telephone; in a folder as people have them. */
async function clientsOf(count: number, env: Env): Promise<{ readonly clients: ServerProcess[]; readonly env: Env }> {
  const shared = { ...env, DATA_DIR: join(here.folder(), "Käthe's data 100%") };
  const clients: ServerProcess[] = [];
  while (clients.length < count) clients.push(await here.start({ env: shared, args: ['--simulate'] }));
  return { clients, env: shared };
}

const ownerOf = ({ DATA_DIR = '' }: Env): number | undefined => readOwnerFile(DATA_DIR)?.process.pid;

async function leave(client: ServerProcess): Promise<void> {
  client.endInput();
  expect(await client.exit).toEqual(ENDED_WELL);
  expect(client.foreign).toEqual([]);
}

async function privatePort(server: ServerProcess): Promise<number> {
  const logged = () => /"port":(\d+),"msg":"private listener is listening"/.exec(server.log)?.[1];
  await until(() => logged() !== undefined, 30_000);
  return Number(logged());
}

async function ready(port: number): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/ready`);
  return { status: response.status, body: await response.text() };
}

describe('clients of one data folder', { timeout: 60_000 }, () => {
  it('share one public port and one set of calls, which each may follow and end, and leave nothing when they have left', async () => {
    const world = here.later(await shortCalls(LISTENS));
    const PORT = String(await freePort());
    const env = { ...world.env, PORT, PUBLIC_URL: `http://127.0.0.1:${PORT}`, DATA_DIR: here.folder() };
    const start = () => here.start({ env, args: ['--simulate'] });
    const all = await Promise.all([start(), start(), start()]);
    const owner = all.find(({ pid }) => pid === ownerOf(env));
    const [one, other] = all.filter((client) => client !== owner) as [ServerProcess, ServerProcess];
    expect(await owner?.listeningPort()).toBe(Number(PORT));
    expect(all.filter(({ log }) => log.includes('media server is listening'))).toEqual([owner]);
    const callId = await one.place();
    const told = await other.follow(callId, ({ lines }) => lines.length > 0);
    expect(told.lines).toMatchObject([{ speaker: 'callee', text: 'Mm-hm.' }]);
    const ended = one.follow(callId);
    expect((await other.tool('end-call', { callId, mode: 'now' })).isError).toBe(false);
    expect((await ended).data).toMatchObject({ outcome: 'canceled', done: true });
    for (const client of all) expect((await client.tool('list-calls', {})).data.calls).toMatchObject([{ callId }]);
    // The log of a relay, and what it leaves on disk, hold nothing to get in with.
    const token = readOwnerFile(env.DATA_DIR)?.token ?? '';
    for (const { log } of all) expect(log).not.toContain(token);
    await Promise.all(all.map(leave));
    expect(existsSync(join(env.DATA_DIR, 'owner.json'))).toBe(false);
  });

  it('have their answers when they ask and leave at once', async () => {
    const world = here.later(await ringingForEver());
    const { env } = await clientsOf(1, world.env);
    const hasty = here.spawn({ env, args: ['--simulate'] });
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hasty', version: '0' } };
    for (const request of [
      { id: 1, method: 'initialize', params },
      { id: 2, method: 'tools/call', params: { name: 'list-calls', arguments: {} } },
    ])
      hasty.raw(`${JSON.stringify({ jsonrpc: '2.0', ...request })}\n`);
    await leave(hasty);
    expect(hasty.stdout.map((line) => JSON.parse(line))).toMatchObject([{ id: 1 }, { id: 2, result: {} }]);
  });

  it('find each other as soon as the file by which they do can be written', async () => {
    const world = here.later(await ringingForEver());
    const DATA_DIR = here.folder();
    const inTheWay = join(DATA_DIR, 'owner.json');
    mkdirSync(inTheWay);
    const env = { ...world.env, DATA_DIR };
    const owner = await here.start({ env, args: ['--simulate'] });
    const callId = await owner.place();
    const other = here.start({ env, args: ['--simulate'] });
    await until(() => owner.log.includes('other processes do not find this one'), 10_000);
    rmdirSync(inTheWay);
    expect((await (await other).tool('get-call', { callId })).data).toMatchObject({ callId });
    // One sentence, however often it was tried.
    expect(owner.log.match(/other processes do not find this one/g)).toHaveLength(1);
  });

  it('may be set up differently where it matters to nobody, and place no call where it does; no value is shown', async () => {
    const world = here.later(await ringingForEver());
    const { clients, env } = await clientsOf(1, { ...world.env, ALLOWED_NUMBERS: '+1415' });
    const { ALLOWED_NUMBERS: _, TWILIO_NUMBER: __, ...silent } = env;
    const start = (more: Env) => here.start({ env: { ...silent, ...more }, args: ['--simulate'] });
    const [different, unreadable, quiet, harmless] = await Promise.all([
      start({ ALLOWED_NUMBERS: '+141555', TWILIO_NUMBER: '+14155550177' }),
      start({ BLOCKED_NUMBERS: 'everybody' }),
      start({}),
      start({ OPENAI_VOICE: 'marin' }),
    ]);
    const callId = await quiet.place();
    const asked = { toNumber: CALLED, callContext: 'Book a table.', idempotencyKey: 'one' };
    const refused = await different.tool('trigger-call', asked);
    expect(refused).toMatchObject({
      isError: true,
      text: expect.stringMatching(/another TWILIO_NUMBER, ALLOWED_NUMB/),
    });
    for (const value of ['+1415', '+14155550177', world.env.TWILIO_NUMBER ?? '?'])
      expect(refused.text).not.toContain(value);
    const other = await unreadable.tool('trigger-call', asked);
    expect(other).toMatchObject({
      isError: true,
      text: expect.stringMatching(/BLOCKED_NUMBERS in a form that cannot/),
    });
    expect(other.text).not.toContain('everybody');
    expect(unreadable.log).toContain('BLOCKED_NUMBERS');
    expect(world.twilio.calls).toHaveLength(1);
    for (const client of [different, unreadable])
      expect((await client.tool('get-call', { callId })).data).toMatchObject({ callId, outcome: null });
    const noticed = await harmless.tool('trigger-call', asked);
    expect(noticed).toMatchObject({ isError: false, text: expect.stringMatching(/OPENAI_VOICE .* no effect/) });
    expect(world.twilio.calls).toHaveLength(2);
    for (const client of [...clients, quiet])
      expect((await client.tool('list-calls', {})).text).not.toContain('effect');
  });
});

describe('when the client of the owner leaves', { timeout: 60_000 }, () => {
  it('without calls another process takes over: its client goes on following, and places calls', async () => {
    const world = here.later(await ringingForEver());
    const { clients, env } = await clientsOf(3, world.env);
    const [owner, ...others] = clients as [ServerProcess, ServerProcess, ServerProcess];
    expect(ownerOf(env)).toBe(owner.pid);
    for (const client of others) await client.request('resources/subscribe', { uri: LIST });
    await leave(owner);
    // Each is told that it may have missed something; from then on it is told what is new.
    await until(() => others.every(({ updated }) => updated.length === 1), 15_000);
    expect(others.map(({ pid }) => pid)).toContain(ownerOf(env));
    const callId = await others[0].place();
    await until(() => others.every(({ updated }) => updated.length > 1), 15_000);
    expect(world.twilio.calls).toHaveLength(1);
    const [first, last] = others[0].pid === ownerOf(env) ? others : others.toReversed();
    await last?.tool('end-call', { callId, mode: 'now' });
    await leave(first as ServerProcess);
    await until(() => ownerOf(env) === last?.pid, 15_000);
    await last?.place();
    expect(world.twilio.calls).toMatchObject([{ to: CALLED }, { to: CALLED, isOver: false }]);
  });

  it('during a call of another client, that call goes on to its end, no other begins, and then the other client owns', async () => {
    const world = here.later(await shortCalls(AGREES));
    const { clients, env } = await clientsOf(2, world.env);
    const [owner, other] = clients as [ServerProcess, ServerProcess];
    const callId = await other.place();
    await until(() => world.twilio.calls[0]?.status === 'in-progress', 20_000);
    owner.endInput();
    await until(() => owner.log.includes('"stopping"'), 10_000);
    const asked = { toNumber: '+14155550124', callContext: 'Book a table.', idempotencyKey: 'meanwhile' };
    const refused = await other.tool('trigger-call', asked);
    expect(refused).toMatchObject({ isError: true, text: expect.stringMatching(/has left.*takes no new calls/) });
    expect((await other.follow(callId)).data).toMatchObject({ outcome: 'completed', done: true });
    expect(await owner.exit).toEqual(ENDED_WELL);
    await until(() => ownerOf(env) === other.pid, 15_000);
    expect((await other.tool('trigger-call', asked)).isError).toBe(false);
    expect(world.twilio.calls.map(({ to }) => to)).toEqual([CALLED, '+14155550124']);
  });

  it.each([
    ['a signal comes', (owner: ServerProcess, _other: ServerProcess) => owner.signal('SIGTERM')],
    ['the other client has left as well', (_owner: ServerProcess, other: ServerProcess) => other.endInput()],
  ])('such a call is ended with a goodbye as soon as %s', async (_, happens) => {
    const world = here.later(await shortCalls(ASKS));
    const { clients, env } = await clientsOf(2, { ...world.env, SILENCE_SECONDS: '60' });
    const [owner, other] = clients as [ServerProcess, ServerProcess];
    const callId = await other.place();
    await inMidSentence(world, CALLED, SENTENCES.asks);
    owner.endInput();
    await until(() => owner.log.includes('"stopping"'), 10_000);
    expect((await other.tool('get-call', { callId })).data).toMatchObject({ state: 'answered' });
    happens(owner, other);
    expect(await owner.exit).toEqual(ENDED_WELL);
    expect(world.twilio.calls[0]).toMatchObject({ endedBy: 'rest' });
    const next = await here.start({ env, args: ['--simulate'] });
    expect((await next.tool('get-call', { callId })).data).toMatchObject({
      outcome: 'canceled',
      reason: 'The server was stopped during the call.',
    });
  });
});

describe('when the owner is killed', { timeout: 60_000 }, () => {
  it('what it had not answered fails with a sentence, and a repeated trigger-call has dialled once', async () => {
    const world = here.later(await ringingForEver({ knobs: { createAnswer: 'hangs' } }));
    const { clients, env } = await clientsOf(2, world.env);
    const [owner, other] = clients as [ServerProcess, ServerProcess];
    const dialled = new Promise<void>((resolve) => world.twilio.onCall(() => resolve()));
    const asked = { toNumber: CALLED, callContext: 'Book a table.', idempotencyKey: 'once' };
    const placing = expect(other.tool('trigger-call', asked)).rejects.toThrow(/repeat trigger-call with the same idem/);
    await dialled;
    const { calls } = (await other.tool('list-calls', {})).data as { calls: { callId: string }[] };
    const [{ callId } = { callId: '' }] = calls;
    const waiting = expect(
      other.tool('wait-for-call', { callId, cursor: 50, timeoutSeconds: 50 }).then(async (first) => {
        if (first.data.state !== 'ended') await other.tool('wait-for-call', { callId, cursor: 50, timeoutSeconds: 50 });
      }),
    ).rejects.toThrow(/Look with list-calls and get-call/);
    // That the owner has it is seen by an answer to what was asked later.
    await other.tool('list-calls', {});
    world.twilio.knobs.createAnswer = 'at-once';
    owner.signal('SIGKILL');
    await Promise.all([placing, waiting]);
    const again = await other.tool('trigger-call', asked);
    expect(again).toMatchObject({ isError: false, data: { callId } });
    expect(world.twilio.calls).toHaveLength(1);
    expect((await other.follow(callId)).data).toMatchObject({ state: 'ended', outcome: 'error' });
    expect(world.twilio.calls[0]).toMatchObject({ isOver: true, endedBy: 'rest' });
    expect(ownerOf(env)).toBe(other.pid);
    await leave(other);
    expect(existsSync(join(env.DATA_DIR ?? '', 'owner.json'))).toBe(false);
  });

  it('or only stands still, other processes end with their clients all the same', async () => {
    const world = here.later(await ringingForEver());
    const { clients, env } = await clientsOf(2, world.env);
    const [owner, other] = clients as [ServerProcess, ServerProcess];
    owner.signal('SIGSTOP');
    const text = 'x'.repeat(500_000);
    // More than the wire holds, so that the process cannot get rid of it.
    for (let id = 0; id < 60; id += 1)
      other.raw(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'ping', params: { text } })}\n`);
    await until(() => other.stdout.some((line) => line.includes('Too many requests')), 15_000);
    await leave(other);
    // One that has not even met it.
    await leave(here.spawn({ env, args: ['--simulate'] }));
    owner.signal('SIGCONT');
    await leave(owner);
  });
});

describe('switchboard serve', { timeout: 60_000 }, () => {
  const serve = (env: Env) => here.spawn({ env: { ...env, MCP_PORT: '0' }, args: ['--simulate', 'serve'] });

  it('is the server of every client, and is again after a restart', async () => {
    const world = here.later(await ringingForEver());
    const env = { ...world.env, DATA_DIR: here.folder() };
    const first = serve(env);
    await until(() => ownerOf(env) === first.pid, 15_000);
    const client = await here.start({ env, args: ['--simulate'] });
    await client.request('resources/subscribe', { uri: LIST });
    first.signal('SIGTERM');
    expect(await first.exit).toEqual(ENDED_WELL);
    const second = serve(env);
    const callId = await client.place();
    expect(ownerOf(env)).toBe(second.pid);
    expect(second.log).toContain(callId);
    await until(() => client.updated.length > 1, 15_000);
    await leave(client);
    // The call is not its client's alone, and a service stays.
    expect(world.twilio.calls).toMatchObject([{ isOver: false }]);
    second.signal('SIGTERM');
    expect(await second.exit).toEqual(ENDED_WELL);
    expect(world.twilio.calls).toMatchObject([{ isOver: true }]);
    expect(existsSync(join(env.DATA_DIR, 'owner.json'))).toBe(false);
  });

  it('beside an owner says that it waits and for whom, and takes over when that one has ended', async () => {
    const world = here.later(await ringingForEver());
    const { clients, env } = await clientsOf(2, world.env);
    const [owner, other] = clients as [ServerProcess, ServerProcess];
    const service = serve(env);
    const port = await privatePort(service);
    const waiting = await ready(port);
    expect(waiting.status).toBe(503);
    expect(waiting.body).toContain(`Another Switchboard process (pid ${owner.pid}) owns the telephone`);
    expect(service.log).not.toContain('media server is listening');
    await leave(other);
    await leave(owner);
    for (let answer = waiting; answer.status !== 200; answer = await ready(port))
      expect(answer.body).toMatch(/owns the telephone|starting/);
    expect(ownerOf(env)).toBe(service.pid);
    const client = await here.start({ env, args: ['--simulate'] });
    const callId = await client.place();
    expect(service.log).toContain(callId);
  });
});
