import { Transform, type Writable } from 'node:stream';
import { errorMessage, type Id, INTERNAL_ERROR, INVALID_REQUEST, idOf, PARSE_ERROR, parsedJson } from './json-rpc.ts';

/** An error of JSON-RPC. */
export interface Complaint {
  readonly code: number;
  readonly message: string;
}

export interface LineGuardOptions {
  /** Where the client reads: errors go there, and nothing more is read while it does not. */
  readonly output: Writable;
  /** What is wrong with a line that is JSON, for whoever sent it; null when it is a message that may pass. */
  readonly complaintAbout: (value: unknown) => Complaint | null;
  /** Told of a line that could not even be looked at. */
  readonly onFault: (error: unknown) => void;
  readonly maxLineBytes?: number;
}

/** Far above any brief for a call: what is longer is no request that we could use. */
const MAX_LINE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Lets whole lines pass that are messages, and answers everything else with an error that says what is wrong with it, so that a
 * client never waits for an answer to what could not be read. Memory holds one line of `maxLineBytes` at most; the rest of a
 * longer one is passed over.
 */
export function createLineGuard(options: LineGuardOptions): Transform {
  return new LineGuard(options);
}

class LineGuard extends Transform {
  readonly #options: LineGuardOptions;
  readonly #maxLineBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isTooLong = false;

  constructor(options: LineGuardOptions) {
    super();
    this.#options = options;
    this.#maxLineBytes = options.maxLineBytes ?? MAX_LINE_BYTES;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#take(chunk.subarray(from, end));
      this.#finishLine();
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
    const { output } = this.#options;
    if (output.writableNeedDrain) output.once('drain', () => done());
    else done();
  }

  #take(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxLineBytes) {
      this.#pieces = [];
      this.#isTooLong = true;
    } else if (piece.length > 0) this.#pieces.push(piece);
  }

  #finishLine(): void {
    const text = Buffer.concat(this.#pieces).toString('utf8').replace(/\r$/, '');
    const isTooLong = this.#isTooLong;
    this.#pieces = [];
    this.#bytes = 0;
    this.#isTooLong = false;
    if (isTooLong) this.#refuse(INVALID_REQUEST, `The line is longer than ${this.#maxLineBytes} bytes.`);
    else if (text.trim() !== '') this.#judge(text);
  }

  #judge(text: string): void {
    const value = parsedJson(text);
    if (value === undefined) this.#refuse(PARSE_ERROR, 'The line is not JSON.');
    else if (Array.isArray(value)) this.#refuse(INVALID_REQUEST, 'Batches are not part of the protocol.');
    else {
      const complaint = this.#complaintAbout(value);
      if (complaint === null) this.push(`${text}\n`);
      else this.#refuse(complaint.code, complaint.message, idOf(value));
    }
  }

  /** A throw here would end the stream, and with it everything that this client will ever say. */
  #complaintAbout(value: unknown): Complaint | null {
    try {
      return this.#options.complaintAbout(value);
    } catch (error) {
      this.#options.onFault(error);
      return { code: INTERNAL_ERROR, message: 'The line could not be read. Send it in a simpler form.' };
    }
  }

  #refuse(code: number, message: string, id?: Id): void {
    this.#options.output.write(`${JSON.stringify(errorMessage(id, code, message))}\n`);
  }
}
