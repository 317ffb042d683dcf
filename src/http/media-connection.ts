import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { EncodedText, MediaSocket } from '../carriers/carrier.ts';
import { TextFrames } from './text-frames.ts';
import type { TextIntake } from './text-intake.ts';

/** For all of them: see there. */
const FRAMES = new TextFrames();
const INTERNAL_ERROR = 1011;

/** A WebSocket as a carrier sees it: text goes into its connection by our own frames, all else by ws. */
export class MediaConnection implements MediaSocket {
  readonly #socket: WebSocket;
  readonly #connection: Socket;
  readonly #intake: TextIntake;
  readonly #onFault: (error: unknown) => void;
  /** ws has sent binary messages: from then on it sends everything, as only so the order is kept. */
  #isShared = false;

  /** `onFault` is told of what a listener throws; the socket is closed then. */
  constructor(socket: WebSocket, connection: Socket, intake: TextIntake, onFault: (error: unknown) => void) {
    this.#socket = socket;
    this.#connection = connection;
    this.#intake = intake;
    this.#onFault = onFault;
    // ws does so with a socket, and a stream has neither.
    connection.setTimeout(0);
    connection.setNoDelay();
  }

  get bufferedAmount(): number {
    return this.#connection.writableLength + (this.#isShared ? this.#socket.bufferedAmount : 0);
  }

  send(data: string | Uint8Array): void {
    if (!this.#isOpen) return;
    this.#isShared ||= typeof data !== 'string';
    if (typeof data === 'string' && !this.#isShared) {
      FRAMES.write(this.#connection, data);
      // At once: a clear must not wait for what else this turn of the event loop has to do.
      FRAMES.flush();
      return;
    }
    FRAMES.flush();
    // The callback keeps a write that fails after a close from being thrown.
    this.#socket.send(data, afterWrite);
  }

  sendEncoded(message: EncodedText): void {
    if (!this.#isOpen) return;
    if (!this.#isShared) return FRAMES.write(this.#connection, message);
    const text = Buffer.allocUnsafe(message.length);
    message.copyTo(text, 0);
    this.#socket.send(text, { binary: false }, afterWrite);
  }

  close(code: number, reason?: string): void {
    FRAMES.flush();
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  onMessage(listener: (data: Buffer, isBinary: boolean) => void): void {
    // Without a closure for each message.
    this.#socket.on('message', (data, isBinary) => {
      try {
        if (Buffer.isBuffer(data)) listener(data, isBinary);
      } catch (error) {
        this.#failed(error);
      }
    });
    this.#intake.tell((text) => {
      try {
        listener(text, false);
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  onClose(listener: (code: number) => void): void {
    this.#socket.on('close', (code) => {
      try {
        listener(code);
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  #failed(error: unknown): void {
    this.#onFault(error);
    this.close(INTERNAL_ERROR);
  }
}

const afterWrite = (): void => undefined;
