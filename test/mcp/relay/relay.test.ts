import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type Relay, relayClient, type Upstream } from '../../../src/mcp/relay/relay.ts';
import { until } from '../../fixtures/mcp-pair.ts';

type Json = Readonly<Record<string, unknown>>;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const silent = { debug: () => {}, error: () => {} };
const line = (message: object): string => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`;
const INITIALIZE = line({ id: 0, method: 'initialize', params: {} });

/** A real connection, whose far end is the server's: `far` is read by nobody until somebody does. */
async function connection(): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  for (const socket of [near, far]) socket.on('error', () => {});
  closers.push(() => {
    for (const socket of [near, far]) socket.destroy();
    server.close();
  });
  return { near, far };
}

/** What arrives, as messages. */
function messagesOf(stream: NodeJS.ReadableStream): Json[] {
  const messages: Json[] = [];
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const one of lines) messages.push(JSON.parse(one));
  });
  stream.resume();
  return messages;
}

/** A relay between two streams; each server that is handed to `serve` is the next one. */
function relayed(patienceMs?: number) {
  const input = new PassThrough();
  const output = new PassThrough();
  const waiting: ((upstream: Upstream) => void)[] = [];
  const tries: AbortSignal[] = [];
  const relay: Relay = relayClient({
    input,
    output,
    connect: (signal) => {
      tries.push(signal);
      return new Promise((resolve, reject) => {
        waiting.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    },
    trouble: () => 'Nobody is there.',
    logger: silent,
    patienceMs,
  });
  closers.push(() => relay.close());
  const serve = async (socket: Socket): Promise<void> => {
    await until(() => waiting.length > 0);
    waiting.shift()?.({ readable: socket, writable: socket });
  };
  return { input, output, relay, tries, serve };
}

describe('a relay', () => {
  it('answers for a server that does not come with the reason, and what is no JSON at once', async () => {
    const { input, output } = relayed(20);
    const heard = messagesOf(output);
    input.write(`{"half":\n${INITIALIZE}`);
    await until(() => heard.length === 2);
    expect(heard).toMatchObject([{ error: { code: -32700 } }, { id: 0, error: { message: 'Nobody is there.' } }]);
    input.write(line({ id: 1, method: 'ping' }));
    await until(() => heard.length === 3);
    expect(heard[2]).toMatchObject({ id: 1, error: { message: 'Nobody is there.' } });
  });

  it('asks again with pauses when a server can never be had', async () => {
    let tries = 0;
    const relay = relayClient({
      input: new PassThrough(),
      output: new PassThrough(),
      connect: async () => {
        tries += 1;
        throw new Error('never');
      },
      trouble: () => 'Nobody is there.',
      logger: silent,
    });
    await until(() => tries === 2);
    // A loop without a pause would never have let anything else happen.
    await relay.close();
    const before = tries;
    await new Promise((resolve) => setImmediate(resolve));
    expect(tries).toBe(before);
  });

  it('gives a new server its handshake before anything that the client says meanwhile', async () => {
    const { input, output, serve } = relayed();
    const heard = messagesOf(output);
    const one = await connection();
    const toOne = messagesOf(one.far);
    await serve(one.near);
    input.write(INITIALIZE);
    await until(() => toOne.length === 1);
    input.write(line({ method: 'notifications/initialized' }));
    input.write(line({ id: 1, method: 'resources/subscribe', params: { uri: 'call://a' } }));
    await until(() => toOne.length === 3);
    one.far.write(line({ id: 0, result: {} }) + line({ id: 1, result: {} }));
    await until(() => heard.length === 2);
    one.far.destroy();
    const other = await connection();
    const toOther = messagesOf(other.far);
    // The client reads nothing just now, and goes on talking.
    output.pause();
    output.write(' '.repeat(output.writableHighWaterMark * 2));
    await serve(other.near);
    input.write(line({ id: 2, method: 'ping' }));
    await until(() => toOther.length === 4);
    expect(toOther.map(({ method }) => method)).toEqual([
      'initialize',
      'notifications/initialized',
      'resources/subscribe',
      'ping',
    ]);
  });

  it('carries a line of eleven megabytes as it is', async () => {
    const { input, output, serve } = relayed();
    const heard = messagesOf(output);
    const { near, far } = await connection();
    far.resume();
    await serve(near);
    input.write(INITIALIZE);
    const text = 'ä\\"'.repeat(11 * 2 ** 18);
    far.write(line({ id: 0, result: { text } }));
    await until(() => heard.length === 1, 15_000);
    expect(heard[0]).toEqual({ jsonrpc: '2.0', id: 0, result: { text } });
  });

  it('reads no further at the server than its client does', async () => {
    const { output, serve } = relayed();
    const { near, far } = await connection();
    await serve(near);
    const one = line({ method: 'notifications/progress', params: { text: 'x'.repeat(100_000) } });
    const many = 400;
    let written = 0;
    const count = (): void => {
      written += 1;
    };
    for (let index = 0; index < many; index += 1) far.write(one, count);
    await until(() => output.writableNeedDrain);
    let before = -1;
    // As much as the kernel takes, and no more.
    await until(() => {
      const stands = before === written && near.bytesRead > 0;
      before = written;
      return stands;
    });
    expect(written).toBeLessThan(many);
    const heard = messagesOf(output);
    await until(() => heard.length === many, 15_000);
  });

  it('sees its client leave while the server reads nothing, and refuses what is too much for it', async () => {
    const { input, output, relay, serve } = relayed();
    const heard = messagesOf(output);
    const { near } = await connection();
    await serve(near);
    const text = 'x'.repeat(500_000);
    for (let id = 0; id < 60; id += 1) input.write(line({ id, method: 'ping', params: { text } }));
    await until(() => heard.length > 0, 15_000);
    expect(heard[0]).toMatchObject({ error: { message: expect.stringMatching(/^Too many requests/) } });
    input.end();
    expect(await relay.closed).toBe('stdin ended');
    await relay.close();
    await until(() => near.destroyed);
  });

  it('closes while its client reads nothing, and while there is no server', async () => {
    const { relay, output, serve } = relayed();
    const { near, far } = await connection();
    await serve(near);
    far.write(line({ method: 'x', params: { text: 'x'.repeat(1_000_000) } }));
    await until(() => output.writableNeedDrain);
    await relay.close();
    expect(near.destroyed).toBe(true);

    const lonely = relayed();
    await lonely.relay.close();
    expect(lonely.tries.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('waits a moment for the answers to what a client asked before it left', async () => {
    const { input, output, relay, serve } = relayed();
    const heard = messagesOf(output);
    const { near, far } = await connection();
    const asked = messagesOf(far);
    input.end(INITIALIZE);
    await relay.closed;
    const answered = relay.answered();
    await serve(near);
    await until(() => asked.length === 1);
    far.write(line({ id: 0, result: {} }));
    await answered;
    expect(heard).toMatchObject([{ id: 0, result: {} }]);
  });

  it('lets go of a server that comes when it is closed already', async () => {
    const { near } = await connection();
    let come = (_upstream: Upstream): void => undefined;
    const relay = relayClient({
      input: new PassThrough(),
      output: new PassThrough(),
      connect: () => new Promise((resolve) => (come = resolve)),
      trouble: () => '',
      logger: silent,
    });
    const closed = relay.close();
    come({ readable: near, writable: near });
    await closed;
    expect(near.destroyed).toBe(true);
  });
});
