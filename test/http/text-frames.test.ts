import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { EncodedText } from '../../src/carriers/carrier.ts';
import { TextFrames } from '../../src/http/text-frames.ts';

/** The server's end of so many WebSockets, and what each client receives. */
async function connected(count: number) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const ends = [];
  for (let number = 0; number < count; number += 1) {
    const accepted = once(server, 'connection') as Promise<[WebSocket, { readonly socket: Socket }]>;
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [[socket, { socket: connection }]] = await Promise.all([accepted, once(client, 'open')]);
    const received: string[] = [];
    client.on('message', (data, isBinary) => received.push(isBinary ? 'binary' : String(data)));
    ends.push({ socket, connection, client, received });
  }
  return ends;
}

const LENGTHS = [0, 1, 125, 126, 127, 1_000, 65_000, 65_535, 65_536, 200_000];

describe('text messages written into the connection', () => {
  it('arrive whole and in order, whatever their length, for each connection its own', async () => {
    const ends = await connected(3);
    const frames = new TextFrames();
    const expected: string[][] = ends.map(() => []);
    for (const [turn, length] of LENGTHS.entries()) {
      for (const [number, { connection }] of ends.entries()) {
        const text = `${number}é`.repeat(length).slice(0, length);
        frames.write(connection, turn % 2 === 0 ? text : encoded(text));
        frames.write(connection, `mark ${turn}`);
        expected[number]?.push(text, `mark ${turn}`);
      }
      if (turn % 3 === 0) await new Promise(setImmediate);
    }
    frames.flush();
    for (const { socket, client } of ends) {
      socket.close();
      await once(client, 'close');
    }
    expect(ends.map(({ received }) => received)).toEqual(expected);
  });

  it('of one turn of the event loop go to the kernel as one piece', async () => {
    const [end] = await connected(1);
    if (!end) throw new Error('There is no connection.');
    const pieces: number[] = [];
    const write = end.connection.write.bind(end.connection);
    end.connection.write = ((bytes: Buffer) => {
      pieces.push(bytes.length);
      return write(bytes);
    }) as typeof end.connection.write;
    const frames = new TextFrames();
    frames.write(end.connection, 'audio');
    frames.write(end.connection, 'mark');
    await once(end.client, 'message');
    expect(pieces).toEqual([2 + 5 + 2 + 4]);
  });

  it('are not touched while the network has not taken them, and keep no more memory than they need', async () => {
    const [end] = await connected(1);
    if (!end) throw new Error('There is no connection.');
    const { connection, client, received, socket } = end;
    const kept = new Set<ArrayBufferLike>();
    const write = connection.write.bind(connection);
    connection.write = ((bytes: Buffer) => {
      const taken = write(bytes);
      if (connection.writableLength > 0) kept.add(bytes.buffer);
      return taken;
    }) as typeof connection.write;
    client.pause();
    const frames = new TextFrames();
    const sent: string[] = [];
    for (let number = 0; connection.writableLength < 1024 * 1024 && number < 50_000; number += 1) {
      const text = `${number} `.repeat(200);
      frames.write(connection, text);
      frames.flush();
      sent.push(text);
    }
    const keptBytes = [...kept].reduce((sum, memory) => sum + memory.byteLength, 0);
    expect(keptBytes).toBeLessThan(2 * connection.writableLength + 256 * 1024);
    client.resume();
    socket.close();
    await once(client, 'close');
    expect(received.length).toBe(sent.length);
    expect(received.findIndex((text, at) => text !== sent[at])).toBe(-1);
  });
});

function encoded(text: string): EncodedText {
  const bytes = Buffer.from(text);
  return { length: bytes.length, copyTo: (target, at) => void bytes.copy(target, at) };
}
