/**
 * WebSocket frames by hand (RFC 6455, 5.2): the load world has 40,000 of them a second to carry on one core, and must cost less
 * than what it measures. Whole text frames and control frames only, which is all that the peers of the bench send.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface FrameListener {
  /** A text frame, unmasked. The bytes may be kept. */
  text(payload: Buffer): void;
  closed(): void;
}

/** One end of an open WebSocket. A client masks what it sends. */
export class FrameSocket {
  readonly #socket: Duplex;
  readonly #isClient: boolean;
  #listener: FrameListener | null = null;
  #rest: Buffer | null = null;
  #over = false;

  constructor(socket: Duplex, isClient: boolean) {
    this.#socket = socket;
    this.#isClient = isClient;
    (socket as Socket).setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => this.#finish());
    socket.on('close', () => this.#finish());
  }

  get open(): boolean {
    return !this.#over;
  }

  listen(listener: FrameListener, head: Buffer): void {
    this.#listener = listener;
    if (head.length > 0) this.#receive(head);
  }

  /** `text` must be ASCII. */
  send(text: string): void {
    if (!this.#over) this.#socket.write(this.#frame(TEXT, text));
  }

  close(): void {
    if (this.#over) return;
    this.#socket.write(this.#frame(CLOSE, '\x03\xe8'));
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#finish();
  }

  #frame(opcode: number, text: string): Buffer {
    const { length } = text;
    const masked = this.#isClient ? 0x80 : 0;
    const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
    const start = 2 + lengthBytes + (masked === 0 ? 0 : 4);
    const frame = Buffer.allocUnsafe(start + length);
    frame[0] = 0x80 | opcode;
    frame[1] = masked | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
    if (lengthBytes === 2) frame.writeUInt16BE(length, 2);
    if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(length), 2);
    frame.write(text, start, 'latin1');
    // A key of zeros: it costs the receiver what any other does, and us nothing (RFC 6455, 5.3).
    if (masked !== 0) frame.fill(0, start - 4, start);
    return frame;
  }

  #receive(chunk: Buffer): void {
    let data = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    while (data.length > 0) {
      const used = this.#readFrame(data);
      if (used === 0) {
        this.#rest = data;
        return;
      }
      data = data.subarray(used);
    }
  }

  /** Bytes of the frame at the front of `data`; 0 when it is not all there. */
  #readFrame(data: Buffer): number {
    if (data.length < 2) return 0;
    const short = (data[1] ?? 0) & 0x7f;
    const lengthEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
    const isMasked = ((data[1] ?? 0) & 0x80) !== 0;
    const start = lengthEnd + (isMasked ? 4 : 0);
    if (data.length < start) return 0;
    const length = short === 126 ? data.readUInt16BE(2) : short === 127 ? Number(data.readBigUInt64BE(2)) : short;
    if (data.length < start + length) return 0;
    const payload = data.subarray(start, start + length);
    if (isMasked) mask(payload, 0, length, data.subarray(lengthEnd, start));
    this.#take((data[0] ?? 0) & 0x0f, payload);
    return start + length;
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === TEXT) this.#listener?.text(payload);
    else if (opcode === PING) this.#socket.write(this.#frame(PONG, payload.toString('latin1')));
    else if (opcode === CLOSE) {
      if (!this.#over) this.#socket.end(this.#frame(CLOSE, payload.toString('latin1')));
      this.#finish();
    }
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener?.closed();
  }
}

function mask(bytes: Buffer, from: number, to: number, key: Buffer): void {
  const [a = 0, b = 0, c = 0, d = 0] = key;
  let at = from;
  for (; at + 3 < to; at += 4) {
    bytes[at] = (bytes[at] ?? 0) ^ a;
    bytes[at + 1] = (bytes[at + 1] ?? 0) ^ b;
    bytes[at + 2] = (bytes[at + 2] ?? 0) ^ c;
    bytes[at + 3] = (bytes[at + 3] ?? 0) ^ d;
  }
  for (let left = 0; at < to; at += 1, left += 1) bytes[at] = (bytes[at] ?? 0) ^ (key[left] ?? 0);
}

/** Connects to `ws://…`; rejects when the upgrade is refused. */
export function connectFrames(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly socket: FrameSocket; readonly head: Buffer }> {
  return new Promise((resolve, reject) => {
    const upgrade = request(url.replace(/^ws:/, 'http:'), {
      headers: {
        ...headers,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      },
      agent: false,
    });
    upgrade.on('upgrade', (_response, socket, head) => resolve({ socket: new FrameSocket(socket, true), head }));
    upgrade.on('response', (response) => {
      response.resume();
      reject(new Error(`The upgrade was answered with HTTP ${response.statusCode}`));
    });
    upgrade.on('error', reject);
    upgrade.end();
  });
}

/** The server's side of an upgrade. */
export function acceptFrames(incoming: IncomingMessage, socket: Duplex): FrameSocket {
  const key = incoming.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.write([...lines, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'));
  return new FrameSocket(socket, false);
}
