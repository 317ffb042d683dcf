import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { TextIntake } from '../../src/http/text-intake.ts';

interface Frame {
  readonly opcode: number;
  readonly final: boolean;
  readonly reserved: boolean;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** RFC 6455, 5.2. */
function bytesOf({ opcode, final, reserved, masked, payload }: Frame): Buffer {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const front = Buffer.alloc(2 + extended);
  front[0] = (final ? 0x80 : 0) | (reserved ? 0x40 : 0) | opcode;
  front[1] = (masked ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) front.writeUInt16BE(length, 2);
  if (extended === 8) front.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([front, payload]);
  const key = Buffer.from([7, 77, 177, 211]);
  return Buffer.concat([front, key, payload.map((byte, at) => byte ^ (key[at & 3] ?? 0))]);
}

/** What a server of ws tells of a client that sends these pieces, each by itself. */
async function told(pieces: readonly Buffer[], withIntake: boolean): Promise<readonly string[]> {
  const server = createServer();
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: 100_000 });
  // What has been told may be kept: it is looked at when all is over.
  const log: (() => string)[] = [];
  const closed = new Promise<void>((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      const intake = withIntake ? new TextIntake(socket as Socket, head) : null;
      webSockets.handleUpgrade(request, intake ?? socket, intake ? Buffer.alloc(0) : head, (webSocket) => {
        const message = (data: unknown, isBinary: boolean) =>
          log.push(() => `${isBinary ? 'binary' : 'text'} ${(data as Buffer).toString('hex')}`);
        webSocket.on('message', message);
        intake?.tell((text) => message(text, false));
        webSocket.on('ping', (data) => log.push(() => `ping ${data.toString('hex')}`));
        webSocket.on('error', (error) => log.push(() => `error ${(error as { code?: string }).code}`));
        webSocket.on('close', (code) => {
          log.push(() => `close ${code}`);
          resolve();
        });
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.setNoDelay();
  client.on('error', () => undefined);
  const upgrade =
    'GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  // The first piece comes with the request.
  const [first = Buffer.alloc(0), ...others] = pieces;
  client.write(Buffer.concat([Buffer.from(upgrade), first]));
  await once(client, 'data');
  client.resume();
  for (const piece of others) {
    await new Promise((resolve) => client.write(piece, resolve));
    await new Promise(setImmediate);
  }
  client.end();
  await closed;
  client.destroy();
  server.close();
  return log.map((told) => told());
}

const text = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constant('{"event":"media","media":{"payload":"'.padEnd(340, 'A')),
  fc.constant('x'.repeat(70_000)),
);
const frame: fc.Arbitrary<Frame> = fc.record({
  opcode: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, fc.constantFrom(0, 2, 3, 8, 9, 10)),
  final: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
  reserved: fc.oneof({ weight: 40, arbitrary: fc.constant(false) }, fc.constant(true)),
  masked: fc.oneof({ weight: 40, arbitrary: fc.constant(true) }, fc.constant(false)),
  payload: fc.oneof(
    text.map((one) => Buffer.from(one)),
    fc.uint8Array({ maxLength: 10 }).map((bytes) => Buffer.from(bytes)),
  ),
});

function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

describe('a connection behind an intake', () => {
  it('tells the same as one without, whatever frames come and wherever they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(frame, { maxLength: 12 }),
        fc.array(fc.nat({ max: 200_000 }), { maxLength: 8 }),
        async (frames, places) => {
          const pieces = cut(Buffer.concat(frames.map(bytesOf)), places);
          // The bytes are unmasked where they lie.
          const [plain, taken] = await Promise.all([
            told(pieces, false),
            told(
              pieces.map((piece) => Buffer.from(piece)),
              true,
            ),
          ]);
          expect(taken).toEqual(plain);
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);

  it('is asked for most messages without ws', async () => {
    const taken: string[] = [];
    const socket = new PassThrough();
    const intake = new TextIntake(socket as unknown as Socket, Buffer.alloc(0));
    onTestFinished(() => void intake.destroy());
    const left: Buffer[] = [];
    intake.on('data', (bytes: Buffer) => left.push(bytes));
    intake.tell((bytes) => taken.push(bytes.toString()));
    await new Promise(setImmediate);
    const plain = { opcode: 1, final: true, reserved: false, masked: true };
    const audio = 'A'.repeat(340);
    socket.push(
      Buffer.concat([
        bytesOf({ ...plain, payload: Buffer.from(audio) }),
        bytesOf({ ...plain, payload: Buffer.from('é') }),
      ]),
    );
    await new Promise(setImmediate);
    expect(taken).toEqual([audio]);
    expect(Buffer.concat(left)).toEqual(bytesOf({ ...plain, payload: Buffer.from('é') }));
  });
});
