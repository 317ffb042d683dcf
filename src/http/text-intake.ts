/**
 * A connection as ws sees it. Text messages that come as one whole frame (RFC 6455, 5.2), which is what audio comes as fifty times a
 * second, are taken out of it and told at once; everything else, and the judgement of all that is wrong, is left to ws.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { readThroughOneBuffer } from './one-buffer.ts';

const FINAL = 0x80;
const OPCODE = 0x0f;
const CONTINUATION = 0x0;
const TEXT = 0x1;
const BINARY = 0x2;
const MASKED = 0x80;
const LENGTH = 0x7f;
const LENGTH_16_BIT = 126;
const LENGTH_64_BIT = 127;
const MASK_BYTES = 4;
const NOT_ASCII = 0x80;

export class TextIntake extends Duplex {
  readonly #socket: Socket;
  #listener: ((text: Buffer) => void) | null = null;
  /** What of a frame of ws's has not come yet. */
  #restOfFrame = 0;
  /** As far as it has come, the front of a frame whose length is not known yet. */
  #front: Buffer | null = null;
  /** In the midst of a message of several frames every frame is ws's to judge. */
  #fragmented = false;
  /** Nothing has gone to ws since it was seen to wait for more. */
  #isClear = false;

  /** `head`: what came with the request to upgrade. */
  constructor(socket: Socket, head: Buffer) {
    super();
    this.#socket = socket;
    this.#take(head, head.length);
    const take = (buffer: Buffer, bytes: number): void => this.#take(buffer, bytes);
    if (!readThroughOneBuffer(socket, take)) socket.on('data', (chunk: Buffer) => this.#take(chunk, chunk.length));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** From now on `listener` is told of text messages in ASCII that come whole, in order with those of ws. Their bytes may be kept. */
  tell(listener: (text: Buffer) => void): void {
    this.#listener = listener;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  /** In one piece: what others write into the connection may not come between the parts of a frame. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  /** What has come stands in front of `to`; the memory is another's as soon as this is over. */
  #take(bytes: Buffer, to: number): void {
    this.#isClear ||= this.#wsWaits();
    let at = 0;
    if (this.#front !== null) at = this.#goOnWithFront(this.#front, bytes, to);
    else if (this.#restOfFrame > 0) at = this.#leaveFrame(bytes, 0, to, this.#restOfFrame);
    while (at < to) at = this.#takeFrame(bytes, at, to);
  }

  /** Returns where the next frame begins. */
  #takeFrame(bytes: Buffer, at: number, to: number): number {
    const start = startOfPayload(bytes, at, to);
    if (start === null) {
      this.#front = Buffer.from(bytes.subarray(at, to));
      this.#leave(bytes, at, to);
      return to;
    }
    const end = start + payloadBytes(bytes, at);
    const isPlain = bytes[at] === (FINAL | TEXT) && isMasked(bytes, at) && end <= to;
    if (isPlain && this.#isClear && this.#listener !== null) {
      const text = unmasked(bytes, start, end);
      if (text !== null) {
        this.#listener(text);
        return end;
      }
    }
    this.#follow(bytes[at] ?? 0);
    return this.#leaveFrame(bytes, at, to, end - at);
  }

  /** What has come of this frame went to ws at once, and so does the rest of it. */
  #goOnWithFront(front: Buffer, bytes: Buffer, to: number): number {
    const all = Buffer.concat([front, bytes.subarray(0, to)]);
    const start = startOfPayload(all, 0, all.length);
    this.#front = start === null ? all : null;
    if (start === null) return this.#leaveFrame(bytes, 0, to, to);
    this.#follow(all[0] ?? 0);
    return this.#leaveFrame(bytes, 0, to, start + payloadBytes(all, 0) - front.length);
  }

  /** Of a frame of ws's `count` bytes follow from `at` on. Returns where those end that have come. */
  #leaveFrame(bytes: Buffer, at: number, to: number, count: number): number {
    const there = Math.min(at + count, to);
    this.#restOfFrame = at + count - there;
    this.#leave(bytes, at, there);
    return there;
  }

  /**
   * Not while something lies there that it will be told of later, and not when it listens no more, as after a fault; it finds that only
   * when a chunk is through.
   */
  #wsWaits(): boolean {
    const isEmpty = this.readableLength === 0 && this.readableFlowing === true;
    return isEmpty && !this.#fragmented && this.listenerCount('data') > 0;
  }

  #follow(firstByte: number): void {
    const opcode = firstByte & OPCODE;
    const isFinal = (firstByte & FINAL) !== 0;
    if (opcode === TEXT || opcode === BINARY || opcode === CONTINUATION) this.#fragmented = !isFinal;
  }

  #leave(bytes: Buffer, from: number, to: number): void {
    this.#isClear = false;
    if (to > from && !this.push(Buffer.from(bytes.subarray(from, to)))) this.#socket.pause();
  }
}

function isMasked(bytes: Buffer, at: number): boolean {
  return ((bytes[at + 1] ?? 0) & MASKED) !== 0;
}

/** Null when the front of the frame has not come whole before `to`. */
function startOfPayload(bytes: Buffer, at: number, to: number): number | null {
  if (at + 2 > to) return null;
  const length = (bytes[at + 1] ?? 0) & LENGTH;
  const lengthBytes = length === LENGTH_16_BIT ? 2 : length === LENGTH_64_BIT ? 8 : 0;
  const start = at + 2 + lengthBytes + (isMasked(bytes, at) ? MASK_BYTES : 0);
  return start > to ? null : start;
}

function payloadBytes(bytes: Buffer, at: number): number {
  const length = (bytes[at + 1] ?? 0) & LENGTH;
  if (length === LENGTH_16_BIT) return bytes.readUInt16BE(at + 2);
  return length === LENGTH_64_BIT ? Number(bytes.readBigUInt64BE(at + 2)) : length;
}

/** In memory of its own. Null when it is not ASCII: whether it is UTF-8 is for ws to say. */
function unmasked(bytes: Buffer, start: number, end: number): Buffer | null {
  const a = bytes[start - 4] ?? 0;
  const b = bytes[start - 3] ?? 0;
  const c = bytes[start - 2] ?? 0;
  const d = bytes[start - 1] ?? 0;
  const text = Buffer.allocUnsafe(end - start);
  let all = 0;
  let at = start;
  let put = 0;
  for (; at + 3 < end; at += 4, put += 4) {
    const one = (bytes[at] ?? 0) ^ a;
    const two = (bytes[at + 1] ?? 0) ^ b;
    const three = (bytes[at + 2] ?? 0) ^ c;
    const four = (bytes[at + 3] ?? 0) ^ d;
    text[put] = one;
    text[put + 1] = two;
    text[put + 2] = three;
    text[put + 3] = four;
    all |= one | two | three | four;
  }
  const key = [a, b, c];
  for (let left = 0; at < end; at += 1, put += 1, left += 1) {
    const byte = (bytes[at] ?? 0) ^ (key[left] ?? 0);
    text[put] = byte;
    all |= byte;
  }
  return (all & NOT_ASCII) === 0 ? text : null;
}
