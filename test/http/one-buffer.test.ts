import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readThroughOneBuffer } from '../../src/http/one-buffer.ts';
import { until } from '../fixtures/mcp-pair.ts';

/** Both ends of a connection over loopback. */
async function connection(): Promise<{ readonly accepted: Socket; readonly client: Socket }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const client = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  client.on('error', () => undefined);
  onTestFinished(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { accepted, client };
}

describe('reading accepted connections through one buffer', () => {
  it('brings everything in order, each read in the same memory, and then the end', async () => {
    const [one, other] = [await connection(), await connection()];
    const memory = new Set<ArrayBufferLike>();
    const came = [one, other].map(({ accepted }) => {
      const pieces: Buffer[] = [];
      expect(
        readThroughOneBuffer(accepted, (buffer, bytes) => {
          memory.add(buffer.buffer);
          pieces.push(Buffer.from(buffer.subarray(0, bytes)));
        }),
      ).toBe(true);
      accepted.on('data', () => expect.unreachable('a read came twice'));
      return { pieces, ended: once(accepted, 'end') };
    });
    const sent = [one, other].map(({ client }, index) => {
      const whole = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31 + index) % 251));
      for (let at = 0; at < whole.length; at += 7_001) client.write(whole.subarray(at, at + 7_001));
      client.end();
      return whole;
    });
    for (const [index, { pieces, ended }] of came.entries()) {
      await ended;
      expect(Buffer.concat(pieces).equals(sent[index] ?? Buffer.alloc(0))).toBe(true);
    }
    expect(memory.size).toBe(1);
  });

  it('stops at a pause, goes on at a resume, and still counts and times the connection', async () => {
    const { accepted, client } = await connection();
    let bytes = 0;
    readThroughOneBuffer(accepted, (_buffer, more) => {
      bytes += more;
    });
    client.write('first');
    await until(() => bytes === 5);
    accepted.pause();
    client.write('second');
    let timedOut = false;
    accepted.setTimeout(50, () => {
      timedOut = true;
    });
    await until(() => timedOut);
    expect(bytes).toBe(5);
    accepted.resume();
    await until(() => bytes === 11);
    expect(accepted.bytesRead).toBe(11);
  });

  it('leaves alone what is no connection of the system', () => {
    expect(readThroughOneBuffer(new PassThrough() as unknown as Socket, () => undefined)).toBe(false);
  });
});
