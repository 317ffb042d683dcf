import type { Readable } from 'node:stream';
import { ProtocolError } from '../../errors.ts';

const NEWLINE = 0x0a;

/**
 * The next line of a stream, without its end; what came after it is put back for the next reader. Rejects with a ProtocolError when
 * the stream ends, the line is longer than `mostBytes`, or none has come after `timeoutMs`.
 */
export function readLine(
  stream: Readable,
  { mostBytes, timeoutMs }: { mostBytes: number; timeoutMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const stop = (): void => {
      clearTimeout(timer);
      stream.pause();
      stream.off('data', take).off('end', ended).off('close', ended).off('error', ended);
    };
    const refuse = (message: string): void => {
      stop();
      reject(new ProtocolError(message));
    };
    const ended = (): void => refuse('The other side has gone.');
    const timer = setTimeout(() => refuse('The other side says nothing.'), timeoutMs);
    const take = (piece: Buffer): void => {
      const end = piece.indexOf(NEWLINE);
      bytes += end < 0 ? piece.length : end;
      if (bytes > mostBytes) return refuse('The other side says too much.');
      pieces.push(end < 0 ? piece : piece.subarray(0, end));
      if (end < 0) return;
      stop();
      if (end + 1 < piece.length) stream.unshift(piece.subarray(end + 1));
      resolve(Buffer.concat(pieces).toString('utf8'));
    };
    if (stream.destroyed || stream.readableEnded) return ended();
    stream.on('data', take).on('end', ended).on('close', ended).on('error', ended);
    stream.resume();
  });
}
