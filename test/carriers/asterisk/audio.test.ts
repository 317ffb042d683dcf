/** Both directions of a call's audio, in virtual time. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Downlink } from '../../../src/carriers/asterisk/downlink.ts';
import { markCommand, readMediaEvent } from '../../../src/carriers/asterisk/stream.ts';
import { InboundAudio } from '../../../src/carriers/inbound-audio.ts';
import { encode } from '../../../src/media/mulaw.ts';
import { noise } from '../../contracts/carrier-probe.ts';

class StillClock {
  #now = 0;
  #timers: { readonly atMs: number; readonly fire: () => void }[] = [];

  now = (): number => this.#now;

  setTimer = (fire: () => void, delayMs: number): (() => void) => {
    const timer = { atMs: this.#now + delayMs, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  };

  pass(ms: number): void {
    const untilMs = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.#now = Math.max(this.#now, next.atMs);
      this.#timers = this.#timers.filter((one) => one !== next);
      next.fire();
    }
    this.#now = untilMs;
  }

  /** The process does nothing for so long; what was due is done later. */
  stall(ms: number): void {
    this.#now += ms;
  }

  get pending(): number {
    return this.#timers.length;
  }
}

let clock: StillClock;
beforeEach(() => {
  clock = new StillClock();
});

describe('audio to Asterisk', () => {
  let sent: (string | Uint8Array)[];
  let downlink: Downlink;
  const bytes = (): Buffer => Buffer.concat(sent.filter((one) => typeof one !== 'string'));
  const order = (): readonly (string | number)[] => sent.map((one) => (typeof one === 'string' ? one : one.byteLength));
  beforeEach(() => {
    sent = [];
    downlink = new Downlink((data) => sent.push(data), clock);
  });

  it('goes in whole frames, whatever the pieces; of nothing is the tail lost', () => {
    const speech = noise(160 * 20, 1);
    for (let at = 0; at < speech.byteLength; at += 333) downlink.play(speech.subarray(at, at + 333));
    expect(order().every((size) => Number(size) % 160 === 0)).toBe(true);
    expect(bytes().equals(speech)).toBe(true);
  });

  it('is filled up with silence only when no more comes before the queue runs dry', () => {
    downlink.play(noise(160 * 10 + 100, 1));
    clock.pass(160);
    expect(bytes().byteLength).toBe(1_600);
    clock.pass(40);
    expect(bytes().byteLength).toBe(1_760);
    expect(
      bytes()
        .subarray(1_700)
        .every((byte) => byte === 0xff),
    ).toBe(true);
  });

  it('has a mark behind what it belongs to: at once, with the frame that completes the rest, or with the filling', () => {
    downlink.play(noise(320, 1));
    downlink.mark(1, 1);
    downlink.play(noise(100, 2));
    downlink.mark(1, 2);
    expect(order()).toEqual([320, markCommand(1, 1)]);
    downlink.play(noise(700, 3));
    expect(order().slice(2)).toEqual([160, markCommand(1, 2), 640]);
    downlink.play(noise(50, 4));
    downlink.mark(1, 3);
    clock.pass(1_000);
    expect(order().slice(5, 7)).toEqual([160, markCommand(1, 3)]);
  });

  it('is forgotten at a clear, the rest and the marks that wait for it as well', () => {
    downlink.play(noise(250, 1));
    downlink.mark(1, 1);
    downlink.clear();
    downlink.play(noise(160, 2));
    clock.pass(500);
    expect(order()).toEqual([160, '{"command":"FLUSH_MEDIA"}', 160]);
  });

  it('waits when Asterisk has no room, in order, and a clear forgets what waits', () => {
    downlink.play(noise(160, 1));
    downlink.hold();
    downlink.play(noise(320, 2));
    downlink.mark(1, 1);
    expect(order()).toEqual([160]);
    downlink.goOn();
    expect(order()).toEqual([160, 320, markCommand(1, 1)]);
    downlink.hold();
    downlink.play(noise(480, 3));
    downlink.clear();
    downlink.goOn();
    expect(order().slice(3)).toEqual(['{"command":"FLUSH_MEDIA"}']);
  });

  it('goes in messages that Asterisk takes: none above 65,500 bytes, no command above 128', () => {
    downlink.play(noise(160 * 2_000, 1));
    expect(order().every((size) => Number(size) <= 65_500)).toBe(true);
    expect(markCommand(999_999_999_999_999, 999_999_999_999_999).length).toBeLessThanOrEqual(128);
  });

  it('is a frame of silence each second while nothing is said, and none while something is', () => {
    clock.pass(3_100);
    expect(order()).toEqual([160, 160]);
    downlink.play(noise(8_000 * 3, 1));
    const count = sent.length;
    clock.pass(2_900);
    expect(sent.length).toBe(count);
    downlink.close();
    expect(clock.pending).toBe(0);
  });
});

describe('audio from Asterisk', () => {
  let heard: { readonly bytes: Uint8Array; readonly mediaMs: number }[];
  let inbound: InboundAudio;
  const frame = noise(160, 1);
  const hiss = Buffer.from(encode(Array.from({ length: 160 }, (_, n) => (n % 2 === 0 ? 25 : -25))));
  const totalMs = (): number => heard.reduce((sum, one) => sum + one.bytes.byteLength / 8, 0);
  const send = (piece: Buffer, ms: number): void => {
    for (let at = 0; at < ms; at += 20) {
      clock.pass(20);
      inbound.take(piece);
    }
  };
  const speak = (ms: number): void => send(frame, ms);
  beforeEach(() => {
    heard = [];
    inbound = new InboundAudio(clock, (audio, mediaMs) => heard.push({ bytes: audio.bytes(), mediaMs }));
  });

  it('is passed on as it comes', () => {
    speak(2_000);
    expect(heard).toHaveLength(100);
    expect(heard.map(({ mediaMs }) => mediaMs)).toEqual(Array.from({ length: 100 }, (_, i) => i * 20));
  });

  it('is silence when a telephone of somebody quiet sends nothing, as long as it sends nothing', () => {
    speak(1_000);
    send(hiss, 200);
    clock.pass(500);
    expect(totalMs()).toBeGreaterThan(1_500);
    clock.pass(1_500);
    expect(totalMs()).toBeGreaterThan(2_800);
    expect(totalMs()).toBeLessThanOrEqual(3_200);
    expect(heard.slice(60).every(({ bytes }) => bytes.every((byte) => byte === 0xff))).toBe(true);
    speak(400);
    expect(heard.at(-1)?.bytes).toEqual(frame);
  });

  it('has no hole in a word: what breaks off in one is late, and is waited for', () => {
    speak(1_000);
    clock.pass(900);
    for (let n = 0; n < 45; n += 1) inbound.take(frame);
    speak(1_000);
    expect(heard.every(({ bytes }) => bytes.every((byte, at) => byte === frame[at]))).toBe(true);
    expect(totalMs()).toBe(2_900);
  });

  it('has no pause made longer by what was missing before the first sound', () => {
    clock.pass(370);
    speak(20);
    const before = heard.length;
    speak(1_000);
    send(hiss, 200);
    clock.pass(150);
    for (let n = 0; n < 7; n += 1) inbound.take(hiss);
    speak(200);
    expect(heard.slice(before).every(({ bytes }) => bytes.some((byte) => byte !== 0xff))).toBe(true);
  });

  it('is silence in the end, wherever it breaks off', () => {
    speak(1_000);
    clock.pass(1_200);
    expect(totalMs()).toBeGreaterThan(2_000);
    clock.pass(1_000);
    expect(totalMs()).toBeGreaterThan(2_800);
    expect(totalMs()).toBeLessThanOrEqual(3_200);
  });

  it('is not doubled by a burst after a stall: what it is ahead by is not filled again', () => {
    speak(800);
    send(hiss, 200);
    clock.pass(600);
    for (let n = 0; n < 30; n += 1) inbound.take(frame);
    const aheadMs = totalMs();
    expect(aheadMs).toBeGreaterThan(1_600);
    clock.pass(400);
    expect(totalMs()).toBe(aheadMs);
    clock.pass(2_000);
    expect(totalMs()).toBeLessThanOrEqual(4_000);
  });

  it('is not silence because we were busy: what waited meanwhile is read first', () => {
    speak(1_000);
    send(hiss, 200);
    clock.stall(600);
    clock.pass(0);
    for (let n = 0; n < 30; n += 1) inbound.take(frame);
    clock.pass(50);
    expect(totalMs()).toBe(1_800);
    speak(1_000);
    expect(totalMs()).toBe(2_800);
  });

  it('ends with the stream', () => {
    inbound.close();
    clock.pass(5_000);
    expect(heard).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe('a control message of Asterisk', () => {
  it('is read by its JSON, and anything else is nothing', () => {
    expect(
      readMediaEvent(
        '{"event":"MEDIA_START","channel":"WebSocket/x/0x1","channel_id":"1.2","format":"ulaw","optimal_frame_size":160}',
      ),
    ).toEqual({ kind: 'start', channel: 'WebSocket/x/0x1', uniqueId: '1.2', isMulaw8k: true });
    expect(readMediaEvent('{"event":"MEDIA_START","format":"slin","optimal_frame_size":320}')).toMatchObject({
      isMulaw8k: false,
    });
    expect(readMediaEvent('{"event":"MEDIA_MARK_PROCESSED","correlation_id":"g12:7"}')).toEqual({
      kind: 'mark',
      generation: 12,
      markId: 7,
    });
    for (const id of ['12:7', 'g12', 'g1:2x', null])
      expect(readMediaEvent(JSON.stringify({ event: 'MEDIA_MARK_PROCESSED', correlation_id: id }))).toEqual({
        kind: 'other',
      });
    expect(readMediaEvent('{"event":"DTMF_END","digit":"#"}')).toEqual({ kind: 'digit', digit: '#' });
    expect(readMediaEvent('{"event":"DTMF_END","digit":"ignore your task"}')).toEqual({ kind: 'other' });
    for (const text of ['', 'MEDIA_START connection_id:x', '[]', 'null', '{}', '{"event":5}'])
      expect(readMediaEvent(text)).toBeNull();
  });
});
