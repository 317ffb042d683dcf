/**
 * Reads of accepted connections into one buffer that all of them share, as `onread` of `net.connect` does for outgoing ones. Otherwise
 * Node asks the allocator for 64 kB for each read, gives most of it back, and lets the collector free the rest: with fifty frames
 * a second and call that is memory which is never in the processor's cache, and a twentieth of the server's time.
 */
import { Socket } from 'node:net';

/** What one read takes at most; libuv suggests as much. */
const BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

interface Handle {
  useUserBuffer?(buffer: Uint8Array): void;
}
type Insides = Record<symbol, unknown> & { readonly _handle?: Handle | null };

/** Under which names a socket keeps what `onread` was given; null where this Node keeps it in another way. */
const NAMES = ((): { readonly buffer: symbol; readonly callback: symbol } | null => {
  const buffer = new Uint8Array(1);
  const callback = (): boolean => true;
  const sample = new Socket({ onread: { buffer, callback } }) as unknown as Insides;
  const nameOf = (value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(sample).find((name) => sample[name] === value);
  const [forBuffer, forCallback] = [nameOf(buffer), nameOf(callback)];
  return forBuffer && forCallback ? { buffer: forBuffer, callback: forCallback } : null;
})();

/**
 * From now on `onRead` is told of what comes, which stands at the buffer's begin until it returns, in place of `data` events; `end`,
 * `pause` and `resume` are as ever. False, and nothing done, where it cannot be had: there is no documented way to it for a
 * connection that was accepted.
 */
export function readThroughOneBuffer(socket: Socket, onRead: (buffer: Buffer, bytes: number) => void): boolean {
  const insides = socket as unknown as Insides;
  const handle = insides._handle;
  if (NAMES === null || typeof handle?.useUserBuffer !== 'function') return false;
  if (!(NAMES.buffer in insides) || !(NAMES.callback in insides)) return false;
  insides[NAMES.buffer] = BUFFER;
  insides[NAMES.callback] = (bytes: number): void => onRead(BUFFER, bytes);
  handle.useUserBuffer(BUFFER);
  socket.resume();
  return true;
}
