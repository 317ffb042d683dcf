/**
 * Text messages of the server's side of WebSockets, written straight into their connections (RFC 6455, 5.2): what is sent into one
 * of them in one turn of the event loop, such as audio and the mark behind it, goes to the kernel as one piece of memory. ws would
 * hand over two for each message. Nothing else of the protocol is done here.
 */
import type { Socket } from 'node:net';
import type { EncodedText } from '../carriers/carrier.ts';

const FINAL_TEXT = 0x81;
const SHORT = 126;
const MOST_16_BIT = 65_535;
const MOST_HEADER_BYTES = 10;
const SPACE_BYTES = 64 * 1024;

/** For all connections of a listener: the place where messages are put together is the same, and stays in the processor's cache. */
export class TextFrames {
  #space = Buffer.allocUnsafeSlow(SPACE_BYTES);
  #used = 0;
  #connection: Socket | null = null;
  #scheduled = false;

  /** The connection must be open for messages. */
  write(connection: Socket, text: string | EncodedText): void {
    const bytes = typeof text === 'string' ? Buffer.byteLength(text) : text.length;
    const most = MOST_HEADER_BYTES + bytes;
    if (this.#connection !== connection || this.#used + most > SPACE_BYTES) this.flush();
    if (most > SPACE_BYTES) {
      const frame = Buffer.allocUnsafeSlow(most);
      connection.write(frame.subarray(0, put(frame, 0, text, bytes)));
      return;
    }
    this.#connection = connection;
    this.#used = put(this.#space, this.#used, text, bytes);
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** To be called before anything else is written into a connection. */
  flush(): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#connection = null;
    const frames = this.#space.subarray(0, this.#used);
    this.#used = 0;
    // What waits for the network has memory of its own, and no more than it needs.
    if (connection.writableLength > 0) connection.write(Buffer.from(frames));
    else {
      connection.write(frames);
      if (connection.writableLength > 0) this.#space = Buffer.allocUnsafeSlow(SPACE_BYTES);
    }
  }
}

/** Puts a frame at `at`; returns where it ends. */
function put(space: Buffer, at: number, text: string | EncodedText, bytes: number): number {
  space[at] = FINAL_TEXT;
  let from = at + 2;
  if (bytes < SHORT) space[at + 1] = bytes;
  else if (bytes <= MOST_16_BIT) {
    space[at + 1] = 126;
    from = space.writeUInt16BE(bytes, from);
  } else {
    space[at + 1] = 127;
    from = space.writeBigUInt64BE(BigInt(bytes), from);
  }
  if (typeof text === 'string') space.write(text, from, 'utf8');
  else text.copyTo(space, from);
  return from + bytes;
}
