import type { IncomingMessage, ServerResponse } from 'node:http';
import { BYTES_PER_MS, decodeSample, encodeSample, FRAME_BYTES, SILENCE_BYTE } from '../../media/mulaw.ts';

/** 3CX's own writer is at most so far ahead (3CX, call-control-examples); what is beyond is thrown away here. */
const CAP_BYTES = 500 * BYTES_PER_MS;
/** Of each so many pieces one is cut at an odd place, as a network would. */
const ODD_PIECE_EVERY = 5;
const ODD_CUT_BYTES = 161;

/**
 * The two audio connections of one participant of the app's route point: raw PCM, signed 16 bit little-endian, 8 kHz, mono,
 * both ways (3CX, Call Control API). Inside, frames of 160 bytes of µ-law.
 */
export class AppAudio {
  lostBytes = 0;
  #listener: ServerResponse | null = null;
  #speaker: { readonly request: IncomingMessage; readonly response: ServerResponse } | null = null;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** The first byte of a sample whose second has not come. */
  #halfSample: number | null = null;
  #unsent: Buffer = Buffer.alloc(0);
  #sentPieces = 0;

  /** GET …/stream. A second one takes the place of the first; that is a guess. */
  listen(response: ServerResponse): void {
    this.#listener?.end();
    this.#listener = response;
    this.#unsent = Buffer.alloc(0);
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.flushHeaders();
    response.socket?.setNoDelay(true);
    response.on('close', () => {
      if (this.#listener === response) this.#listener = null;
    });
  }

  /** POST …/stream. Answered when either side ends it. */
  speak(request: IncomingMessage, response: ServerResponse): void {
    this.#endSpeaker();
    this.#speaker = { request, response };
    this.#halfSample = null;
    request.on('data', (piece: Buffer) => this.#buffer(piece));
    request.on('error', () => undefined);
    request.on('end', () => {
      if (!response.headersSent) response.writeHead(200).end();
    });
    response.on('close', () => {
      if (this.#speaker?.response === response) this.#speaker = null;
    });
  }

  /** The next 20 ms of what the app says; null when there is nothing. */
  take(): Uint8Array | null {
    if (this.#queuedBytes === 0) return null;
    const frame = new Uint8Array(FRAME_BYTES).fill(SILENCE_BYTE);
    let filled = 0;
    for (let piece = this.#queue[0]; piece !== undefined && filled < FRAME_BYTES; piece = this.#queue[0]) {
      const part = piece.subarray(0, FRAME_BYTES - filled);
      frame.set(part, filled);
      filled += part.byteLength;
      if (part.byteLength === piece.byteLength) this.#queue.shift();
      else this.#queue[0] = piece.subarray(part.byteLength);
    }
    this.#queuedBytes -= filled;
    return frame;
  }

  /** 20 ms of what the app hears; null is silence, which is sent as zeros. */
  hear(frame: Uint8Array | null): void {
    if (this.#listener === null) return;
    const pcm = Buffer.alloc(FRAME_BYTES * 2);
    if (frame !== null)
      for (let i = 0; i < FRAME_BYTES; i += 1) pcm.writeInt16LE(decodeSample(frame[i] ?? SILENCE_BYTE), i * 2);
    this.#sentPieces += 1;
    const all = Buffer.concat([this.#unsent, pcm]);
    const isCut = this.#sentPieces % ODD_PIECE_EVERY === 0;
    this.#listener.write(isCut ? all.subarray(0, ODD_CUT_BYTES) : all);
    this.#unsent = isCut ? all.subarray(ODD_CUT_BYTES) : Buffer.alloc(0);
  }

  /** Breaks both connections without a word. */
  drop(): void {
    this.#listener?.destroy();
    this.#speaker?.request.destroy();
  }

  /** The participant is gone. */
  end(): void {
    this.#listener?.end(this.#unsent);
    this.#listener = null;
    this.#endSpeaker();
  }

  #endSpeaker(): void {
    const speaker = this.#speaker;
    if (speaker === null) return;
    this.#speaker = null;
    if (speaker.response.headersSent) return;
    speaker.response.writeHead(200, { connection: 'close' }).end(() => speaker.request.destroy());
  }

  #buffer(piece: Buffer): void {
    const bytes = this.#halfSample === null ? piece : Buffer.concat([Buffer.of(this.#halfSample), piece]);
    const samples = bytes.byteLength >> 1;
    this.#halfSample = bytes.byteLength % 2 === 0 ? null : (bytes[bytes.byteLength - 1] ?? null);
    const kept = Math.min(samples, CAP_BYTES - this.#queuedBytes);
    this.lostBytes += samples - kept;
    if (kept === 0) return;
    this.#queue.push(Uint8Array.from({ length: kept }, (_, i) => encodeSample(bytes.readInt16LE(i * 2))));
    this.#queuedBytes += kept;
  }
}
