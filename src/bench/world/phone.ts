/** One media stream as the telephone's side sees it: 50 frames a second up, and a playback buffer for what comes down. */
import { BYTES_PER_MS } from '../../media/mulaw.ts';
import { connectFrames, type FrameSocket } from './frames.ts';
import { readStamp, STAMP_CHARACTERS, type StampedSpeech, type Way } from './stamps.ts';

export interface PhoneHost {
  readonly speech: StampedSpeech;
  readonly accountSid: string;
  /** Where its frames of this call come out, and where the model's audio comes from. */
  readonly up: Way;
  readonly down: Way;
  /** Our server has emptied the playback buffer. */
  onClear(nowMs: number): void;
  /** Once, whoever ended it. */
  onClosed(): void;
  /** Something that should not have come. */
  complain(what: string): void;
}

export const FRAME_MS = 20;
const PAYLOAD_KEY = '"payload":"';
const MEDIA = Buffer.from('{"event":"media"');

export class Phone {
  readonly streamSid: string;
  readonly #host: PhoneHost;
  readonly #call: number;
  readonly #callSid: string;
  readonly #marks: { readonly name: string; readonly dueMs: number }[] = [];
  readonly #tail: string;
  #socket: FrameSocket | null = null;
  #sequence = 1;
  #chunk = 0;
  #endsAtMs = 0;
  started = false;

  constructor(call: number, callSid: string, host: PhoneHost) {
    this.#host = host;
    this.#call = call;
    this.#callSid = callSid;
    this.streamSid = `MZ${callSid.slice(2)}`;
    this.#tail = `"},"streamSid":"${this.streamSid}"}`;
  }

  async connect(url: string, signature: string | null, parameters: Readonly<Record<string, string>>): Promise<void> {
    const { accountSid } = this.#host;
    const headers: Record<string, string> = signature === null ? {} : { 'x-twilio-signature': signature };
    const { socket, head } = await connectFrames(url, { 'user-agent': 'TwilioProxy/1.1', ...headers });
    this.#socket = socket;
    socket.listen({ text: (payload) => this.#receive(payload), closed: () => this.#closed() }, head);
    socket.send('{"event":"connected","protocol":"Call","version":"1.0.0"}');
    const start = {
      accountSid,
      streamSid: this.streamSid,
      callSid: this.#callSid,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      customParameters: parameters,
    };
    socket.send(JSON.stringify({ event: 'start', sequenceNumber: '1', start, streamSid: this.streamSid }));
    this.started = true;
  }

  /** Every 20 ms: one frame up, and the marks that the playing has passed. */
  tick(nowMs: number): void {
    const socket = this.#socket;
    if (!this.started || socket === null) return;
    this.#sequence += 1;
    this.#chunk += 1;
    const number = this.#host.up.send(performance.now());
    const payload = this.#host.speech.payload(this.#call, number);
    socket.send(
      `{"event":"media","sequenceNumber":"${this.#sequence}","media":{"track":"inbound","chunk":"${this.#chunk}","timestamp":"${(this.#chunk - 1) * FRAME_MS}","payload":"${payload}${this.#tail}`,
    );
    for (let mark = this.#marks[0]; mark !== undefined && mark.dueMs <= nowMs; mark = this.#marks[0]) {
      this.#marks.shift();
      this.#echo(mark.name);
    }
  }

  /** The callee hangs up, or the call is ended: stop, then close. */
  stop(): void {
    if (!this.started) return;
    this.started = false;
    this.#sequence += 1;
    const stop = { accountSid: this.#host.accountSid, callSid: this.#callSid };
    this.#socket?.send(
      JSON.stringify({ event: 'stop', sequenceNumber: String(this.#sequence), streamSid: this.streamSid, stop }),
    );
    this.#socket?.close();
  }

  destroy(): void {
    this.started = false;
    this.#socket?.destroy();
  }

  #closed(): void {
    this.started = false;
    this.#host.onClosed();
  }

  #receive(payload: Buffer): void {
    const nowMs = performance.now();
    if (payload.length > MEDIA.length && MEDIA.compare(payload, 0, MEDIA.length) === 0) this.#play(payload, nowMs);
    else this.#obey(payload.toString('utf8'), nowMs);
  }

  #play(message: Buffer, nowMs: number): void {
    const key = message.indexOf(PAYLOAD_KEY);
    const from = key + PAYLOAD_KEY.length;
    const to = message.indexOf('"', from);
    const stamp = key < 0 ? null : readStamp(message.toString('latin1', from, from + STAMP_CHARACTERS));
    if (stamp === null || stamp.call !== this.#call) return this.#host.complain('media of another call');
    this.#host.down.arrive(stamp.number, nowMs);
    const bytes = ((to - from) / 4) * 3;
    this.#endsAtMs = Math.max(nowMs, this.#endsAtMs) + bytes / BYTES_PER_MS;
  }

  #obey(text: string, nowMs: number): void {
    const message = JSON.parse(text) as { readonly event: string; readonly mark?: { readonly name: string } };
    if (message.event === 'clear') {
      this.#host.onClear(nowMs);
      this.#endsAtMs = nowMs;
      for (const mark of this.#marks.splice(0)) this.#echo(mark.name);
    } else if (message.event === 'mark' && message.mark) {
      const { name } = message.mark;
      if (this.#endsAtMs <= nowMs) this.#echo(name);
      else this.#marks.push({ name, dueMs: this.#endsAtMs });
    } else {
      this.#host.complain(`${message.event} to the telephone`);
    }
  }

  #echo(name: string): void {
    this.#sequence += 1;
    this.#socket?.send(
      `{"event":"mark","sequenceNumber":"${this.#sequence}","streamSid":"${this.streamSid}","mark":{"name":"${name}"}}`,
    );
  }
}
