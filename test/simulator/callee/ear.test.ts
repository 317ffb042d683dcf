import { describe, expect, it } from 'vitest';
import { FRAME_BYTES, SILENCE_BYTE } from '../../../src/media/mulaw.ts';
import { Ear } from '../../../src/simulator/callee/ear.ts';
import { seededRandom } from '../../../src/simulator/network/random.ts';
import { loadPhrasebook } from '../../../src/simulator/speech/load-phrasebook.ts';
import type { Phrase } from '../../../src/simulator/speech/phrasebook.ts';

const phrases = loadPhrasebook();
const clip = (id: string): Uint8Array => {
  const found = phrases.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no phrase ${id}`);
  return found.audio;
};

function noise(id: string, bytes: number, seed: number, silent: readonly [number, number][] = []): Phrase {
  const random = seededRandom(seed);
  const audio = Uint8Array.from({ length: bytes }, () => Math.floor(random() * 250));
  for (const [from, to] of silent) audio.fill(SILENCE_BYTE, from, to);
  return { id, voice: 'agent', language: 'en', text: id, words: [], audio, durationMs: bytes / 8 };
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Feeds bytes in 20 ms frames beginning `offset` bytes into the first, then an empty buffer. */
function play(ear: Ear, bytes: Uint8Array, offset = 0): void {
  const size = Math.ceil((offset + bytes.byteLength) / FRAME_BYTES) * FRAME_BYTES;
  const line = new Uint8Array(size).fill(SILENCE_BYTE);
  line.set(bytes, offset);
  for (let at = 0; at < size; at += FRAME_BYTES) ear.hear(line.subarray(at, at + FRAME_BYTES));
  for (let i = 0; i < 5; i++) ear.hear(null);
}

const kinds = (ear: Ear) => ear.faults().map((fault) => `${fault.kind} ${fault.durationMs}`);

describe('Ear', () => {
  it('hears every recorded sentence whole, at any alignment with the frames, and finds no fault', () => {
    const ear = new Ear(phrases);
    phrases.forEach((phrase, i) => {
      play(ear, phrase.audio, (i * 37) % FRAME_BYTES);
    });
    expect(kinds(ear)).toEqual([]);
    expect(ear.runs().map((run) => run.phraseId)).toEqual(phrases.map((phrase) => phrase.id));
    for (const phrase of phrases) expect(ear.heardMs(phrase.id)).toBe(phrase.audio.byteLength / 8);
    expect(ear.heardText('c.greeting')).toBe(
      phrases
        .find((one) => one.id === 'c.greeting')
        ?.words.map((w) => w.text)
        .join(' '),
    );
  });

  it('says when a sentence began, on its own count of milliseconds', () => {
    const ear = new Ear(phrases);
    ear.hear(null);
    play(ear, clip('a.short'), 40);
    expect(ear.runs()).toEqual([
      { phraseId: 'a.short', occurrence: 1, fromMs: 0, toMs: clip('a.short').byteLength / 8, heardAtMs: 25 },
    ]);
  });

  it('counts sayings of the same sentence apart, also when they follow each other without a pause', () => {
    const ear = new Ear(phrases);
    const nameMs = clip('a.name').byteLength / 8;
    play(ear, clip('a.name').subarray(0, 6_000));
    play(ear, join(clip('a.name'), clip('a.name')));
    expect([1, 2, 3].map((n) => ear.heardMs('a.name', n))).toEqual([750, nameMs, nameMs]);
    expect(kinds(ear)).toEqual([]);
  });

  it('measures a sentence cut anywhere to a millisecond', () => {
    const audio = clip('a.request');
    for (let cut = 5; cut < audio.byteLength; cut += 1_237) {
      const ear = new Ear(phrases);
      play(ear, audio.subarray(0, cut), cut % 97);
      expect(Math.abs(ear.heardMs('a.request') - cut / 8), `cut at ${cut}`).toBeLessThanOrEqual(1);
      expect(kinds(ear)).toEqual([]);
    }
  });

  it('measures a sentence that is cut off by another one without a pause', () => {
    const ear = new Ear(phrases);
    play(ear, join(clip('a.request').subarray(0, 20_003), clip('a.four')));
    expect(Math.abs(ear.heardMs('a.request') - 20_003 / 8)).toBeLessThanOrEqual(1);
    expect(ear.heardMs('a.four')).toBe(clip('a.four').byteLength / 8);
    expect(kinds(ear)).toEqual([]);
  });

  it('takes a buffer that ran empty in the middle of a sentence for a pause, not for a fault', () => {
    const ear = new Ear(phrases);
    play(ear, clip('a.request').subarray(0, 10_011));
    play(ear, clip('a.request').subarray(10_011), 77);
    expect(kinds(ear)).toEqual([]);
    expect(ear.runs().map((run) => run.occurrence)).toEqual([1, 1]);
    expect(ear.heardMs('a.request')).toBe(clip('a.request').byteLength / 8);
  });

  it('takes silence in the middle of a frame for a pause too, also where the sentence itself is silent for a moment', () => {
    const audio = clip('a.farewell');
    const at = audio.indexOf(SILENCE_BYTE, 4_000);
    expect(audio[at + 1]).not.toBe(SILENCE_BYTE);
    const ear = new Ear(phrases);
    // What was sent ran out behind that moment, so that the frame is filled up with silence, and comes later than it should.
    play(ear, join(audio.subarray(0, at + 1), new Uint8Array(200).fill(SILENCE_BYTE), audio.subarray(at + 1)));
    expect(kinds(ear)).toEqual([]);
    expect(ear.heardMs('a.farewell')).toBe(audio.byteLength / 8);
  });

  it('measures a beginning and an end that are too short to be told by themselves', () => {
    const ear = new Ear(phrases);
    play(ear, clip('a.request').subarray(0, 20), 7);
    expect(ear.heardMs('a.request')).toBe(2.5);
    play(ear, clip('a.four'));
    const ended = new Ear(phrases);
    play(ended, join(clip('a.four').subarray(0, -190), clip('a.four').subarray(-30)));
    expect(kinds(ended)).toEqual(['loss 20']);
  });

  describe('with clips that resemble each other', () => {
    const x = noise('x', 3_000, 1);
    const y = noise('y', 3_000, 2);
    y.audio.set(x.audio.subarray(0, 60), 0);
    const z = noise('z', 3_000, 3);
    z.audio.set(x.audio.subarray(1_000, 1_006), 0);

    it('settles on the one that goes on as it hears, and forgets the other', () => {
      const ear = new Ear([x, y, z]);
      play(ear, y.audio);
      expect(ear.runs()).toMatchObject([{ phraseId: 'y', fromMs: 0, toMs: 375 }]);
      play(ear, x.audio);
      expect(ear.heardMs('x', 1)).toBe(375);
      expect(kinds(ear)).toEqual([]);
    });

    it('does not count bytes that fit the interrupted sentence by chance', () => {
      const ear = new Ear([x, y, z]);
      play(ear, join(x.audio.subarray(0, 1_000)));
      play(ear, z.audio);
      expect([ear.heardMs('x'), ear.heardMs('z')]).toEqual([125, 375]);
      expect(kinds(ear)).toEqual([]);
    });

    it('counts two sayings of a short sentence apart although no pause lies between them', () => {
      const ear = new Ear([x, z]);
      play(ear, join(z.audio, z.audio));
      expect([ear.heardMs('z', 1), ear.heardMs('z', 2)]).toEqual([375, 375]);
      expect(kinds(ear)).toEqual([]);
    });
  });

  const audio = clip('a.request');
  const at = 160 * 50;
  const frame = (i: number) => audio.subarray(at + i * 160, at + (i + 1) * 160);
  const before = audio.subarray(0, at);

  it.each([
    ['one dropped frame', join(before, audio.subarray(at + 160)), ['loss 20']],
    ['one doubled frame', join(before, frame(0), frame(0), audio.subarray(at + 160)), ['duplicate 20']],
    ['two swapped frames', join(before, frame(1), frame(0), audio.subarray(at + 320)), ['reordered 20']],
    ['a dropped first frame', audio.subarray(160), ['loss 20']],
    ['a doubled first frame', join(audio.subarray(0, 160), audio), ['duplicate 20']],
    ['a single lost byte', join(before, audio.subarray(at + 1)), ['loss 0.125']],
    ['a dropped frame near the end', join(audio.subarray(0, -200), audio.subarray(-40)), ['loss 20']],
  ])('shows %s', (_, heard, faults) => {
    const ear = new Ear(phrases);
    play(ear, heard, 33);
    expect(kinds(ear)).toEqual(faults);
  });

  it('shows a flipped byte where it is and follows the sentence beyond it', () => {
    const ear = new Ear(phrases);
    const damaged = audio.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x15;
    play(ear, damaged, 3);
    expect(ear.faults()).toMatchObject([{ kind: 'corrupt', phraseId: 'a.request', clipMs: 1000, durationMs: 0.125 }]);
    expect(ear.heardMs('a.request')).toBe(clip('a.request').byteLength / 8);
  });

  it('shows sound that belongs to no sentence', () => {
    const ear = new Ear(phrases);
    play(ear, join(noise('stranger', 4_000, 5).audio, clip('a.four')));
    expect(ear.faults()).toMatchObject([{ kind: 'unknown', phraseId: null, durationMs: 500 }]);
    expect(ear.heardMs('a.four')).toBe(clip('a.four').byteLength / 8);
  });

  describe('with clips that contain pure silence', () => {
    const book = [noise('x', 16_000, 1, [[4_000, 8_000]]), noise('y', 9_000, 2, [[1_000, 3_000]])];
    const x = book[0]?.audio ?? new Uint8Array();

    it('hears them whole', () => {
      const ear = new Ear(book);
      for (const phrase of book) play(ear, phrase.audio, 11);
      expect(kinds(ear)).toEqual([]);
      expect([ear.heardMs('x'), ear.heardMs('y')]).toEqual([2000, 1125]);
    });

    it.each([
      ['a frame lost in the silence', join(x.subarray(0, 6_000), x.subarray(6_160)), ['loss 20']],
      ['a clean cut after the silence', x.subarray(0, 9_000), []],
    ])('tells %s', (_, heard, faults) => {
      const ear = new Ear(book);
      play(ear, heard, 0);
      expect(kinds(ear)).toEqual(faults);
    });

    it('takes an empty buffer inside the silence for a pause', () => {
      const ear = new Ear(book);
      play(ear, x.subarray(0, 6_000), 80);
      play(ear, x.subarray(6_000), 40);
      expect(kinds(ear)).toEqual([]);
      expect(ear.heardMs('x')).toBe(2000);
    });

    it('counts no more than the frame in progress when cut inside the silence', () => {
      const ear = new Ear(book);
      play(ear, x.subarray(0, 5_000), 0);
      expect(ear.heardMs('x')).toBeGreaterThanOrEqual(500);
      expect(ear.heardMs('x')).toBeLessThanOrEqual(5_120 / 8);
    });
  });
});
