import { describe, expect, it } from 'vitest';
import { isWireBase64, lasting, standsAt } from '../../src/media/audio.ts';

describe('what is kept as long as a call', () => {
  it('has memory of its own, and keeps nothing of what it was cut from', () => {
    const message = Buffer.from('{"streamSid":"MZ00"}');
    const copy = lasting(message.subarray(1, 12));
    message.fill(0);
    expect(copy.toString()).toBe('"streamSid"');
    expect(copy.buffer.byteLength).toBe(copy.length);
  });
});

describe('looking at bytes by position', () => {
  it('finds a part only where all of it stands', () => {
    const [bytes, part] = [Buffer.from('abcabd'), Buffer.from('abd')];
    const places = [-1, 0, 1, 2, 3, 4, 6, 7].filter((from) => standsAt(bytes, from, part));
    expect(places).toEqual([3]);
    expect(standsAt(bytes, 6, Buffer.alloc(0))).toBe(true);
  });

  it.each(['AAAA', 'AAA=', 'AA==', '+/09azAZ'])('takes %s for plain padded base64', (text) => {
    expect(isWireBase64(Buffer.from(text))).toBe(true);
  });

  it.each(['', 'A', 'AAA', 'A===', '====', 'AA=A', 'AAA-', 'AA A', 'AAA"', 'AAAA\n'])(
    'and does not take %j for it',
    (text) => {
      expect(isWireBase64(Buffer.from(text))).toBe(false);
    },
  );
});
