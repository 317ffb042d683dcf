import type { IncomingMessage } from 'node:http';

/** Why a body is not read; `httpFailure` turns the status into a sentence. */
export class UnreadableBody extends Error {
  override readonly name = 'UnreadableBody';
  readonly status: 400 | 413 | 415;
  constructor(status: 400 | 413 | 415) {
    super(`The body cannot be read (${status}).`);
    this.status = status;
  }
}

/**
 * The body as UTF-8 text. Rejects with an `UnreadableBody` at the first byte beyond `mostBytes`, or before any when the headers
 * announce as much; the rest is left unread, so the connection is of no more use.
 */
export function readText(request: IncomingMessage, mostBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() !== 'identity') return reject(new UnreadableBody(415));
    if (Number(request.headers['content-length'] ?? 0) > mostBytes) return reject(new UnreadableBody(413));
    const pieces: Buffer[] = [];
    let bytes = 0;
    request.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= mostBytes) pieces.push(piece);
      else {
        request.pause();
        reject(new UnreadableBody(413));
      }
    });
    request.once('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
    request.once('error', () => reject(new UnreadableBody(400)));
    request.once('close', () => reject(new UnreadableBody(400)));
  });
}
