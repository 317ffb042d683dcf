import { describe, expect, it } from 'vitest';
import { decode, encode, FRAME_BYTES, silence } from '../../../src/media/mulaw.ts';
import { loadPhrasebook, phrase } from '../../../src/simulator/speech/load-phrasebook.ts';
import { Understanding, type Understood } from '../../../src/simulator/speech/understanding.ts';

const understanding = new Understanding();
const callee = loadPhrasebook().filter((one) => one.voice === 'callee' && one.text !== '');

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** As the server's VAD cuts it out: silence on both sides, at no round number of frames. */
function utterance(...parts: readonly Uint8Array[]): Uint8Array {
  return join(silence(303.125), ...parts, silence(500));
}

function withNoise(audio: Uint8Array, amplitude: number): Uint8Array {
  let seed = 7;
  return encode(
    Array.from(decode(audio), (sample) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return sample + (seed / 1_073_741_824 - 1) * amplitude;
    }),
  );
}

function ids(understood: readonly Understood[]): (string | undefined)[] {
  return understood.map((one) => one.phrase?.id);
}

function damaged(clip: Uint8Array, frame: number, how: 'dropped' | 'doubled' | 'swapped'): Uint8Array {
  const before = clip.subarray(0, frame * FRAME_BYTES);
  const one = clip.subarray(frame * FRAME_BYTES, (frame + 1) * FRAME_BYTES);
  const two = clip.subarray((frame + 1) * FRAME_BYTES, (frame + 2) * FRAME_BYTES);
  const after = clip.subarray((frame + 2) * FRAME_BYTES);
  if (how === 'dropped') return join(before, two, after);
  return how === 'doubled' ? join(before, one, one, two, after) : join(before, two, one, after);
}

describe('the simulated understanding', () => {
  it.each(callee.map((one) => one.id))('understands %s, exactly', (id) => {
    const [one, ...rest] = understanding.understand(utterance(phrase(id).audio));
    expect(rest).toEqual([]);
    expect(one?.phrase?.id).toBe(id);
    expect(one?.faults).toEqual([]);
    expect(one?.exact).toBe(true);
  });

  it.each(callee.map((one) => one.id))('understands %s through light noise', (id) => {
    const noisy = understanding.understand(withNoise(utterance(phrase(id).audio), 300));
    expect(ids(noisy)).toEqual([id]);
    expect(noisy[0]?.exact).toBe(true);
  });

  it('understands what arrived in odd pieces, since it is joined again', () => {
    const whole = utterance(phrase('c.howmany').audio);
    const pieces: Uint8Array[] = [];
    for (let at = 0, size = 1; at < whole.byteLength; at += size, size = (size * 7 + 3) % 331) {
      pieces.push(whole.subarray(at, at + size));
    }
    expect(ids(understanding.understand(join(...pieces)))).toEqual(['c.howmany']);
  });

  it.each(['dropped', 'doubled', 'swapped'] as const)(
    'still understands, and reports, every single %s frame',
    (how) => {
      const clip = phrase('c.seven').audio;
      for (let frame = 0; frame + 2 < clip.byteLength / FRAME_BYTES; frame += 1) {
        const [one] = understanding.understand(utterance(damaged(clip, frame, how)));
        expect(one?.phrase?.id, `frame ${frame}`).toBe('c.seven');
        expect(one?.exact, `frame ${frame}`).toBe(false);
      }
    },
  );

  it('says what happened to the phrase, and where', () => {
    const clip = phrase('c.greeting').audio;
    const faults = (bytes: Uint8Array) => understanding.understand(utterance(bytes))[0]?.faults;
    expect(faults(damaged(clip, 40, 'dropped'))).toEqual([{ kind: 'missing', atMs: 800, durationMs: 20 }]);
    expect(faults(damaged(clip, 40, 'doubled'))).toEqual([{ kind: 'extra', atMs: 820, durationMs: 20 }]);
    expect(faults(damaged(clip, 40, 'swapped'))).toEqual([{ kind: 'swapped', atMs: 800, durationMs: 40 }]);
  });

  it('reports a lost frame in noise too', () => {
    const noisy = withNoise(utterance(damaged(phrase('c.greeting').audio, 40, 'dropped')), 150);
    expect(understanding.understand(noisy)[0]?.faults).toEqual([{ kind: 'missing', atMs: 800, durationMs: 20 }]);
  });

  it('does not understand a phrase of which 100 ms are lost in one place', () => {
    const clip = phrase('c.greeting').audio;
    const lossy = join(clip.subarray(0, 6400), silence(140), clip.subarray(6400 + 1120));
    expect(ids(understanding.understand(utterance(lossy)))).not.toContain('c.greeting');
  });

  it('does not understand a phrase of which every other frame is lost', () => {
    const clip = phrase('c.onemore').audio;
    const frames = Array.from({ length: clip.byteLength / FRAME_BYTES }, (_, frame) => frame);
    const kept = frames.map((frame) =>
      frame % 2 === 1 ? silence(20) : clip.subarray(frame * FRAME_BYTES, (frame + 1) * FRAME_BYTES),
    );
    expect(ids(understanding.understand(utterance(...kept)))).not.toContain('c.onemore');
  });

  it('hears chatter and the other voice without understanding a word', () => {
    for (const one of [phrase('c.chatter'), ...loadPhrasebook().filter(({ voice }) => voice === 'agent')]) {
      const heard = understanding.understand(utterance(one.audio));
      expect(heard.length, one.id).toBeGreaterThan(0);
      expect(
        ids(heard).every((id) => id === undefined),
        one.id,
      ).toBe(true);
    }
  });

  it('hears nothing in silence and in a faint hiss', () => {
    expect(understanding.understand(silence(2_000))).toEqual([]);
    expect(understanding.understand(withNoise(silence(2_000), 40))).toEqual([]);
    expect(understanding.understand(new Uint8Array())).toEqual([]);
  });

  it('understands two phrases in one turn, in order', () => {
    const both = utterance(phrase('c.mmhm').audio, silence(250), phrase('c.yes').audio);
    expect(ids(understanding.understand(both))).toEqual(['c.mmhm', 'c.yes']);
  });

  it('needs only a few milliseconds for a turn', () => {
    const turn = utterance(phrase('c.greeting').audio);
    for (let warm = 0; warm < 20; warm += 1) understanding.understand(turn);
    const before = process.cpuUsage();
    for (let n = 0; n < 10; n += 1) understanding.understand(turn);
    expect(process.cpuUsage(before).user / 10_000).toBeLessThan(60);
  });
});
