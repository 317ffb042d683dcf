import { WebSocket } from 'ws';
import { BYTES_PER_MS, FRAME_BYTES } from '../../media/mulaw.ts';
import type { CalleeTurn } from '../callee/callee.ts';
import { DelayLine } from '../network/delay-line.ts';
import { type Link, type NetworkOptions, openLink } from '../network/network.ts';
import { seededRandom } from '../network/random.ts';
import type { TwilioKnobs } from './knobs.ts';
import { Playback } from './playback.ts';
import { connectFailure } from './stream-address.ts';
import {
  CONNECTED,
  dtmfMessage,
  markMessage,
  mediaMessage,
  readMessage,
  type StreamIdentity,
  startMessage,
  stopMessage,
} from './stream-messages.ts';
import type { StreamNoun } from './twiml.ts';
import { RecurringWindows, Uplink } from './uplink.ts';

/** How a stream came to its end: refused or unreachable, closed by our server, ended by Twilio with a stop, or broken off without one. */
export type StreamEnd = 'failed' | 'server-closed' | 'stopped' | 'dropped';

/** What a stream needs of its call. */
export interface StreamHost {
  readonly id: StreamIdentity;
  readonly knobs: TwilioKnobs;
  readonly network: NetworkOptions;
  readonly seed: number;
  readonly ca: string | Buffer | undefined;
  /** The value of X-Twilio-Signature for this URL, or null to send none. */
  sign(url: string): string | null;
  /** The person hears what left the buffer in the last 20 ms, and speaks. */
  tick(heard: Uint8Array | null): CalleeTurn;
  calleeHungUp(): void;
  note(severity: 'error' | 'warning', code: number, message: string): void;
}

const FRAME_MS = FRAME_BYTES / BYTES_PER_MS;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** How long Twilio's side waits for the other's close frame. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Close codes of ours that Twilio takes without an error; 1005 is a close without a code. */
const ACCEPTED_CLOSE_CODES = [1000, 1001, 1005, 1008];

/** One Media Stream: Twilio's end of the WebSocket, with the playback buffer and the clock of the telephone call behind it. */
export class SimulatedStream {
  readonly url: string;
  readonly streamSid: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** What came from our server, in the order of arrival; `atMs` since the stream's start. */
  readonly received: {
    readonly event: 'media' | 'mark' | 'clear';
    readonly atMs: number;
    readonly detail: string | number;
  }[] = [];
  /** What was sent to our server, media left out. */
  readonly sent: { readonly event: string; readonly atMs: number; readonly detail: string }[] = [];
  mediaSent = 0;
  /** Twilio's side of the audio hangs: nothing of the person comes any more, while the socket stays. */
  muted = false;
  end: StreamEnd | null = null;
  closeCode: number | null = null;
  /** Resolves when the `<Connect>` is over. */
  readonly ended: Promise<StreamEnd>;
  /** Resolves when the `start` message has been sent, or the stream has ended before. */
  readonly started: Promise<void>;

  private readonly host: StreamHost;
  private readonly link: Link;
  private readonly markLine: DelayLine;
  private readonly playback: Playback;
  private readonly uplink: Uplink;
  private readonly stalls: RecurringWindows;
  private readonly warned = new Set<number>();
  private socket: WebSocket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closeTimer: NodeJS.Timeout | undefined;
  private startedAt: number | null = null;
  private takenBytes = 0;
  private frame = new Uint8Array(FRAME_BYTES);
  private frameSounded = false;
  private sequence = 0;
  private chunk = 0;
  private settleEnded: (end: StreamEnd) => void = () => {};
  private settleStarted: () => void = () => {};

  constructor(noun: StreamNoun, host: StreamHost) {
    this.host = host;
    this.url = noun.url;
    this.parameters = noun.parameters;
    this.streamSid = host.id.streamSid;
    const random = seededRandom(host.seed);
    const { network, knobs } = host;
    const upJitterMs = Math.max(network.up?.jitterMs ?? 0, knobs.frameJitterMs);
    this.link = openLink({ ...network, up: { ...network.up, jitterMs: upJitterMs } }, host.seed);
    this.markLine = new DelayLine({ jitterMs: knobs.markJitterMs, seed: host.seed + 17 });
    this.playback = new Playback(knobs.playbackCapMs);
    this.uplink = new Uplink(random);
    this.stalls = new RecurringWindows(seededRandom(host.seed + 29));
    this.ended = new Promise((resolve) => {
      this.settleEnded = resolve;
    });
    this.started = new Promise((resolve) => {
      this.settleStarted = resolve;
    });
  }

  get bufferedMs(): number {
    return this.playback.bufferedBytes / BYTES_PER_MS;
  }

  get elapsedMs(): number {
    return this.startedAt === null ? 0 : performance.now() - this.startedAt;
  }

  open(): void {
    const refused = connectFailure(this.url);
    if (refused !== null) {
      this.host.note('error', refused.code, refused.message);
      this.finish('failed');
      return;
    }
    if (this.host.knobs.failStreams > 0) {
      this.host.knobs.failStreams -= 1;
      this.fail(31920, 'The handshake was answered with HTTP 502');
      return;
    }
    // Connecting takes a way up and a way down before anything can be sent.
    this.link.up.send(() => this.connect());
  }

  /** Twilio ends the stream: stop, then close, both behind the data that is under way. */
  stop(): void {
    if (this.end !== null) return;
    if (this.startedAt !== null) this.send('stop', '', (number) => stopMessage(this.host.id, number));
    this.finish('stopped');
    const close = () => this.link.up.send(() => this.closeSocket());
    if (this.host.knobs.closeAfterStopMs > 0) this.closeTimer = setTimeout(close, this.host.knobs.closeAfterStopMs);
    else close();
  }

  /** The connection breaks off, without a stop and without a close frame. */
  drop(): void {
    if (this.end !== null) return;
    this.finish('dropped');
    this.link.up.send(() => this.socket?.terminate());
  }

  pressDigit(digit: string): void {
    if (this.startedAt === null || this.end !== null) return;
    this.send('dtmf', digit, (number) => dtmfMessage(this.host.id, number, digit));
  }

  /** Leaves nothing behind: no timer, no socket. */
  destroy(): void {
    if (this.end === null) this.finish('dropped');
    clearTimeout(this.closeTimer);
    this.link.cut();
    this.socket?.terminate();
  }

  private connect(): void {
    if (this.end !== null) return;
    const signature = this.host.sign(this.url);
    const headers: Record<string, string> = { 'user-agent': 'TwilioProxy/1.1' };
    if (signature !== null) headers['x-twilio-signature'] = signature;
    const options = { headers, perMessageDeflate: false, handshakeTimeout: HANDSHAKE_TIMEOUT_MS, ca: this.host.ca };
    const socket = new WebSocket(this.url, options);
    this.socket = socket;
    socket.on('unexpected-response', (request, response) => {
      this.fail(31920, `The handshake was answered with HTTP ${response.statusCode}`);
      request.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.fail(...errorOf(error)));
    socket.on('open', () => this.link.down.send(() => this.begin()));
    socket.on('message', (data, isBinary) => {
      this.link.down.send(() => this.receive(data as Buffer, isBinary));
    });
    socket.on('close', (code) => this.link.down.send(() => this.serverClosed(code)));
  }

  private fail(code: number, message: string): void {
    if (this.end !== null) return;
    this.host.note('error', code, message);
    this.finish('failed');
  }

  private begin(): void {
    if (this.end !== null) return;
    this.startedAt = performance.now();
    this.transmit(CONNECTED);
    this.send('start', '', (number) => startMessage(this.host.id, number, this.parameters));
    this.settleStarted();
    this.arm();
  }

  private arm(): void {
    const dueMs = (Math.floor(this.takenBytes / FRAME_BYTES) + 1) * FRAME_MS;
    this.timer = setTimeout(
      () => {
        this.pump();
        if (this.end === null) this.arm();
      },
      Math.max(0, dueMs - this.elapsedMs),
    );
  }

  /** Lets the telephone's time go on until now, frame after frame; after a stall of our process it catches up in order. */
  private pump(): void {
    const targetBytes = Math.floor(this.elapsedMs * BYTES_PER_MS);
    while (this.takenBytes < targetBytes && this.end === null) {
      const inFrame = this.takenBytes % FRAME_BYTES;
      const bytes = Math.min(targetBytes - this.takenBytes, FRAME_BYTES - inFrame);
      const stalled = this.stalls.contains((this.takenBytes - inFrame) / BYTES_PER_MS, this.host.knobs.playoutStalls);
      const played = (stalled ? NOTHING : this.playback).take(bytes);
      this.frame.set(played.audio, inFrame);
      this.frameSounded ||= played.soundedBytes > 0;
      this.takenBytes += bytes;
      for (const name of played.reached) this.echo(name);
      if (this.takenBytes % FRAME_BYTES === 0) this.completeFrame();
    }
  }

  private completeFrame(): void {
    const { knobs } = this.host;
    const turn = this.host.tick(this.frameSounded ? this.frame : null);
    this.frame = new Uint8Array(FRAME_BYTES);
    this.frameSounded = false;
    for (const { payload, timestampMs } of this.uplink.push(turn.spoken, { odd: knobs.oddFrames, gaps: knobs.gaps })) {
      this.chunk += 1;
      this.sequence += 1;
      if (this.muted) continue;
      this.mediaSent += 1;
      this.transmit(mediaMessage(this.host.id, this.sequence, this.chunk, timestampMs, payload));
    }
    if (turn.digit !== undefined) this.pressDigit(turn.digit);
    if (turn.hangUp === true) this.host.calleeHungUp();
    const { dropStream } = knobs;
    const late = dropStream !== null && dropStream.times > 0 && this.takenBytes / BYTES_PER_MS >= dropStream.afterMs;
    if (!late || this.end !== null) return;
    dropStream.times -= 1;
    if (dropStream.withStop) this.stop();
    else this.drop();
  }

  private receive(data: Buffer, isBinary: boolean): void {
    if (this.end !== null || this.startedAt === null) return;
    this.pump();
    const message = readMessage(data, isBinary, this.streamSid);
    const atMs = this.elapsedMs;
    switch (message.event) {
      case 'rejected':
        this.warnOnce(message.code, message.message);
        return;
      case 'media':
        this.received.push({ event: 'media', atMs, detail: message.payload.byteLength });
        if (!this.playback.push(message.payload))
          this.warnOnce(31931, 'The playback buffer is full: media was discarded');
        return;
      case 'mark':
        this.received.push({ event: 'mark', atMs, detail: message.name });
        if (this.playback.mark(message.name)) this.echo(message.name);
        return;
      case 'clear':
        this.received.push({ event: 'clear', atMs, detail: '' });
        for (const name of this.playback.clear()) this.echo(name);
        return;
      default: {
        const never: never = message;
        return never;
      }
    }
  }

  private warnOnce(code: number, message: string): void {
    if (this.warned.has(code)) return;
    this.warned.add(code);
    this.host.note('warning', code, message);
  }

  private echo(name: string): void {
    this.markLine.send(() => {
      if (this.end === null) this.send('mark', name, (number) => markMessage(this.host.id, number, name));
    });
  }

  private send(event: string, detail: string, build: (number: number) => object): void {
    this.sequence += 1;
    this.sent.push({ event, atMs: this.elapsedMs, detail });
    this.transmit(build(this.sequence));
  }

  private transmit(message: object): void {
    const text = JSON.stringify(message);
    this.link.up.send(() => {
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
    });
  }

  private serverClosed(code: number): void {
    this.closeCode ??= code;
    if (this.end !== null) return;
    if (code === 1006) this.host.note('error', 31903, 'The connection broke off');
    else if (!ACCEPTED_CLOSE_CODES.includes(code)) this.host.note('error', 31921, `Closed with code ${code}`);
    this.finish('server-closed');
  }

  private closeSocket(): void {
    const { socket } = this;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    socket.close(1000);
    const deadline = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
    socket.once('close', () => clearTimeout(deadline));
  }

  private finish(end: StreamEnd): void {
    this.end = end;
    clearTimeout(this.timer);
    this.markLine.cut();
    this.settleStarted();
    this.settleEnded(end);
  }
}

/** What a stalled playout gives: nothing, while the buffer stays as it is. */
const NOTHING = new Playback(0);

function errorOf(error: NodeJS.ErrnoException): readonly [number, string] {
  const code = error.code ?? '';
  if (code === 'ECONNREFUSED') return [31902, 'The connection was refused'];
  if (code === 'ENOTFOUND' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return [31904, 'The host is unreachable'];
  if (/CERT|SSL|TLS|SELF_SIGNED/.test(code)) return [31910, 'TLS failed'];
  if (/timed out/.test(error.message)) return [31901, 'The handshake timed out'];
  if (code.startsWith('WS_ERR')) return [31924, 'The WebSocket protocol was broken'];
  return [31903, 'The connection broke off'];
}
