/** Both directions of a call's audio, in virtual time. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InboundAudio } from '../../../src/carriers/inbound-audio.ts';
import { Downlink, MOST_QUEUED_MS } from '../../../src/carriers/threecx/downlink.ts';
import type { AudioSink } from '../../../src/carriers/threecx/exchange.ts';
import { PcmReader, pcmOf } from '../../../src/carriers/threecx/pcm.ts';
import { noise, voiced } from '../../contracts/carrier-probe.ts';
import { HandClock } from '../twilio/rig.ts';

let clock: HandClock;
beforeEach(() => {
  clock = new HandClock();
});

/** In steps of a millisecond, as an idle process has it. */
function pass(ms: number, each: () => void = () => undefined): void {
  for (let i = 0; i < ms; i += 1) {
    clock.pass(1);
    each();
  }
}

describe('PCM of 3CX', () => {
  it('becomes whole frames of µ-law, wherever the network has cut it', () => {
    const speech = noise(160 * 12, 1);
    const pcm = pcmOf(speech);
    for (const size of [1, 3, 161, 319, 320, 999]) {
      const reader = new PcmReader();
      const frames: Buffer[] = [];
      for (let at = 0; at < pcm.byteLength; at += size) frames.push(reader.push(pcm.subarray(at, at + size)));
      expect(frames.every(({ byteLength }) => byteLength % 160 === 0)).toBe(true);
      expect(Buffer.concat(frames).equals(speech)).toBe(true);
    }
  });

  it('is two bytes a sample, the lower first, and silence is zero', () => {
    expect([...pcmOf(Buffer.from([0xff, 0x00, 0x80]))]).toEqual([0, 0, 0x84, 0x82, 0x7c, 0x7d]);
  });
});

describe('audio to 3CX', () => {
  let sent: Buffer[];
  let sink: AudioSink & { bufferedBytes: number };
  let told: string[];
  let downlink: Downlink;
  const bytes = (): Buffer => {
    const reader = new PcmReader();
    return reader.push(Buffer.concat(sent));
  };
  /** By how much what was sent is longer than the time since the start. */
  const aheadMs = (): number => sent.length * 20 - clock.now();
  beforeEach(() => {
    sent = [];
    told = [];
    sink = { write: (pcm) => void sent.push(Buffer.from(pcm)), bufferedBytes: 0, close: () => undefined };
    downlink = new Downlink(clock, {
      marked: (generation, markId) => told.push(`${generation}:${markId} at ${clock.now()}`),
      blocked: () => told.push(`blocked at ${clock.now()}`),
      stalled: () => told.push(`stalled at ${clock.now()}`),
    });
    downlink.start(sink);
  });

  it('goes whole and in order at the pace at which it is heard, never more than 60 ms ahead', () => {
    const speech = noise(8 * 2_000, 1);
    for (let at = 0; at < speech.byteLength; at += 333) downlink.play(speech.subarray(at, at + 333));
    pass(20);
    pass(1_900, () => {
      expect(aheadMs()).toBeLessThanOrEqual(60);
      expect(aheadMs()).toBeGreaterThan(20);
    });
    pass(300);
    expect(voiced(bytes()).equals(speech)).toBe(true);
  });

  it('is silence while there is nothing to say, no more than what is being heard, so that speech need not wait behind it', () => {
    pass(1_000, () => {
      expect(aheadMs()).toBeLessThanOrEqual(20);
      expect(aheadMs()).toBeGreaterThanOrEqual(0);
    });
    expect(voiced(bytes())).toHaveLength(0);
    downlink.play(noise(160, 1));
    pass(20);
    expect(voiced(bytes())).toHaveLength(160);
  });

  it('holds the rest of a piece for the next one, and fills it up with silence only when none comes', () => {
    const speech = noise(160 * 6, 1);
    downlink.play(speech.subarray(0, 850));
    pass(60);
    downlink.play(speech.subarray(850));
    pass(200);
    const heard = bytes();
    const at = heard.indexOf(speech.subarray(0, 10));
    expect(heard.subarray(at, at + speech.byteLength).equals(speech)).toBe(true);
    downlink.play(noise(100, 2));
    pass(60);
    expect(voiced(bytes())).toHaveLength(160 * 6 + 100);
  });

  it('has a mark echoed when what stands before it has been heard, not before and hardly later', () => {
    pass(95);
    const startMs = sent.length * 20;
    downlink.play(noise(8 * 300, 1));
    downlink.mark(1, 1);
    downlink.play(noise(8 * 205, 2));
    downlink.mark(1, 2);
    downlink.mark(1, 3);
    pass(1_000);
    const times = told.map((text) => Number(text.split(' at ')[1]));
    expect(told.map((text) => text.split(' ')[0])).toEqual(['1:1', '1:2', '1:3']);
    for (const [i, ms] of [300, 505, 505].entries()) {
      expect((times[i] ?? 0) - startMs).toBeGreaterThanOrEqual(ms);
      expect((times[i] ?? 0) - startMs).toBeLessThanOrEqual(ms + 25);
    }
  });

  it('has a mark echoed at once when nothing waits, but never while sound is still on its way', () => {
    downlink.mark(1, 1);
    pass(25);
    downlink.play(noise(160, 1));
    pass(15);
    expect(voiced(bytes())).toHaveLength(160);
    const endsAtMs = sent.length * 20;
    downlink.mark(1, 2);
    pass(100);
    expect(told[0]).toBe('1:1 at 20');
    expect(Number(told[1]?.split(' at ')[1])).toBeGreaterThanOrEqual(endsAtMs);
  });

  it('is forgotten at a clear, with all marks that were not echoed: no more than 60 ms of it is still heard', () => {
    downlink.play(noise(8 * 3_000, 1));
    downlink.mark(1, 1);
    pass(1_003);
    const before = bytes().byteLength / 8 - clock.now();
    expect(before).toBeLessThanOrEqual(60);
    downlink.clear();
    const sentBytes = bytes().byteLength;
    pass(300);
    expect(voiced(bytes().subarray(sentBytes))).toHaveLength(0);
    downlink.play(noise(160, 2));
    downlink.mark(2, 1);
    pass(100);
    expect(told.map((text) => text.split(' ')[0])).toEqual(['2:1']);
  });

  it('loses at a clear also the marks whose sound was sent and not heard yet', () => {
    downlink.play(noise(160, 1));
    downlink.mark(1, 1);
    pass(21);
    downlink.clear();
    pass(200);
    expect(told).toEqual([]);
    downlink.mark(2, 1);
    pass(20);
    expect(told).toEqual([expect.stringMatching(/^2:1/)]);
  });

  it('waits while the network takes nothing, says so once, and then goes on where it was without catching up', () => {
    const speech = noise(8 * 2_000, 1);
    downlink.play(speech);
    pass(200);
    const before = sent.length;
    sink.bufferedBytes = 5_000;
    pass(1_000);
    expect(sent.length - before).toBeLessThanOrEqual(1);
    sink.bufferedBytes = 0;
    const goneOn = sent.length;
    pass(20);
    expect(sent.length - goneOn).toBeLessThanOrEqual(4);
    pass(2_000);
    expect(voiced(bytes()).equals(speech)).toBe(true);
    sink.bufferedBytes = 5_000;
    pass(500);
    expect(told).toEqual([expect.stringMatching(/^blocked at/)]);
  });

  it('ends when the network has taken nothing for five seconds', () => {
    sink.bufferedBytes = 5_000;
    pass(6_000);
    sink.bufferedBytes = 0;
    const count = sent.length;
    pass(1_000);
    expect(told.map((text) => text.split(' ')[0])).toEqual(['blocked', 'stalled']);
    expect(sent).toHaveLength(count);
  });

  it('does not make up for a time in which we did nothing: 3CX would throw it away', () => {
    const speech = noise(8 * 2_000, 1);
    downlink.play(speech);
    pass(300);
    const before = sent.length;
    clock.pass(700);
    expect((sent.length - before) * 20).toBeLessThanOrEqual(60);
    pass(3_000);
    expect(voiced(bytes()).equals(speech)).toBe(true);
  });

  it('takes twenty seconds at most, and drops what is beyond', () => {
    for (let i = 0; i < 25; i += 1) downlink.play(noise(8_000, i + 1));
    pass(27_000);
    expect(voiced(bytes())).toHaveLength(MOST_QUEUED_MS * 8);
  });
});

describe('audio from 3CX', () => {
  let heard: { readonly bytes: Uint8Array; readonly mediaMs: number }[];
  let inbound: InboundAudio;
  const frame = noise(160, 1);
  const quiet = Buffer.alloc(160, 0xff);
  const totalMs = (): number => heard.reduce((sum, one) => sum + one.bytes.byteLength / 8, 0);
  const send = (piece: Buffer, ms: number): void => {
    for (let at = 0; at < ms; at += 20) {
      pass(20);
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
    expect(heard.map(({ mediaMs }) => mediaMs)).toEqual(Array.from({ length: 100 }, (_, i) => i * 20));
  });

  it('has no hole in a word: what breaks off in one is late, and is waited for', () => {
    speak(1_000);
    pass(900);
    for (let n = 0; n < 45; n += 1) inbound.take(frame);
    speak(1_000);
    expect(heard.every(({ bytes }) => bytes.every((byte, at) => byte === frame[at]))).toBe(true);
    expect(totalMs()).toBe(2_900);
  });

  it('is silence while 3CX sends nothing, and a late burst is not doubled', () => {
    speak(800);
    send(quiet, 200);
    pass(600);
    for (let n = 0; n < 30; n += 1) inbound.take(frame);
    const aheadMs = totalMs();
    expect(aheadMs).toBeGreaterThan(1_600);
    pass(400);
    expect(totalMs()).toBe(aheadMs);
    pass(2_000);
    expect(totalMs()).toBeGreaterThan(3_700);
    expect(totalMs()).toBeLessThanOrEqual(4_000);
  });

  it('is not silence because we were busy: what waited meanwhile is read first', () => {
    speak(800);
    send(quiet, 200);
    clock.pass(400);
    clock.pass(400);
    pass(120);
    for (let n = 0; n < 46; n += 1) inbound.take(frame);
    speak(1_000);
    expect(totalMs()).toBe(2_920);
  });

  it('is silence in the end, however busy we are', () => {
    for (let i = 0; i < 10; i += 1) clock.pass(400);
    expect(totalMs()).toBeGreaterThan(2_500);
  });

  it('is silence in the end as well where it breaks off while we are busy', () => {
    speak(400);
    for (let i = 0; i < 10; i += 1) clock.pass(400);
    expect(totalMs()).toBeGreaterThan(2_500);
  });

  it('ends with the stream', () => {
    inbound.close();
    pass(5_000);
    expect(heard).toEqual([]);
  });
});
