import { describe, expect, it } from 'vitest';
import { FRAME_BYTES, SILENCE_BYTE } from '../../../src/media/mulaw.ts';
import { restaurantHost } from '../../../src/simulator/callee/restaurant-host.ts';
import { type ScriptedCallee, scriptedCallee } from '../../../src/simulator/callee/scripted-callee.ts';
import { loadPhrasebook, phrase } from '../../../src/simulator/speech/load-phrasebook.ts';

const phrases = loadPhrasebook();
const silent = { helloAfterMs: null, hangUpAfterMs: null };

/** The callee's world on a clock of its own: what the agent plays is queued as it would be in the carrier's buffer. */
class Room {
  readonly spoken: Uint8Array[] = [];
  readonly digits: string[] = [];
  hungUpAtMs: number | null = null;
  nowMs = 0;
  private buffer = new Uint8Array();
  private readonly callee: ScriptedCallee;

  constructor(callee: ScriptedCallee) {
    this.callee = callee;
  }

  play(id: string): void {
    this.buffer = new Uint8Array(Buffer.concat([this.buffer, phrase(id).audio]));
  }

  clear(): void {
    this.buffer = new Uint8Array();
  }

  run(ms: number, each: () => void = () => {}): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs && this.hungUpAtMs === null; ) {
      let frame: Uint8Array | null = null;
      if (this.buffer.byteLength > 0) {
        frame = new Uint8Array(FRAME_BYTES).fill(SILENCE_BYTE);
        frame.set(this.buffer.subarray(0, FRAME_BYTES));
        this.buffer = this.buffer.subarray(FRAME_BYTES);
      }
      const turn = this.callee.tick(frame, this.nowMs);
      this.nowMs += 20;
      this.spoken.push(turn.spoken ?? new Uint8Array(FRAME_BYTES).fill(SILENCE_BYTE));
      if (turn.digit !== undefined) this.digits.push(turn.digit);
      if (turn.hangUp === true) this.hungUpAtMs = this.nowMs;
      each();
    }
  }
}

function meet(callee: ScriptedCallee) {
  return new Room(callee);
}

describe('a scripted callee', () => {
  it('speaks the recorded clip itself, 20 ms a tick, at the time of its cue', () => {
    const callee = scriptedCallee(
      { rules: [{ when: { after: 'start', ms: 600 }, act: { say: 'c.greeting' } }], manners: silent },
      phrases,
    );
    const room = meet(callee);
    room.run(5_000);
    const said = Buffer.concat(room.spoken);
    const clip = Buffer.from(phrase('c.greeting').audio);
    const start = callee.said[0]?.startMs ?? -1;
    expect(start).toBe(580);
    expect(said.subarray(start * 8, start * 8 + clip.byteLength).equals(clip)).toBe(true);
    expect(said.subarray(start * 8 + clip.byteLength).every((byte) => byte === SILENCE_BYTE)).toBe(true);
    expect(callee.said).toMatchObject([{ phraseId: 'c.greeting', endMs: expect.any(Number) }]);
  });

  it('answers after hearing nine tenths of a sentence, each time that it is said', () => {
    const rules = [{ when: { after: 'heard' }, act: { say: 'c.yes' }, repeat: true }] as const;
    const callee = scriptedCallee({ rules, manners: silent }, phrases);
    const room = meet(callee);
    room.play('a.four');
    room.run(6_000);
    room.play('a.name');
    room.run(6_000);
    const starts = callee.said.map((one) => one.startMs);
    expect(starts).toHaveLength(2);
    expect(starts[0]).toBeGreaterThanOrEqual(0.9 * phrase('a.four').durationMs - 20);
    expect(starts[0]).toBeLessThanOrEqual(0.9 * phrase('a.four').durationMs + 40);
    expect((starts[1] ?? 0) - 6_000).toBeLessThanOrEqual(0.9 * phrase('a.name').durationMs + 40);
  });

  it('interrupts after so many milliseconds and measures what it had heard, at the onset and in all', () => {
    const rules = [{ when: { after: 'heard', phrase: 'a.request', ms: 2_000 }, act: { say: 'c.stop' } }] as const;
    const callee = scriptedCallee({ rules, manners: silent }, phrases);
    const room = meet(callee);
    room.play('a.request');
    room.run(3_000, () => {
      if (callee.said.length > 0 && room.nowMs >= 2_400) room.clear();
    });
    expect(callee.interruptions).toMatchObject([
      { phraseId: 'a.request', occurrence: 1, cutShort: true, trulyHeardMs: 2_400, silentAtMs: 2_400 },
    ]);
    expect(Math.abs((callee.interruptions[0]?.heardAtOnsetMs ?? 0) - 2_000)).toBeLessThanOrEqual(20);
    const words = phrase('a.request').words.filter((word) => word.endMs <= 2_400);
    expect(callee.interruptions[0]?.heardText).toBe(words.map((word) => word.text).join(' '));
  });

  it('says hello after three seconds of silence and hangs up after six', () => {
    const callee = scriptedCallee({ rules: [] }, phrases);
    const room = meet(callee);
    room.run(10_000);
    expect(callee.said.map((one) => [one.phraseId, one.startMs])).toEqual([['c.hello', 2_980]]);
    expect(room.hungUpAtMs).toBe(6_000);
  });

  it('counts the silence from what was last heard or said', () => {
    const callee = scriptedCallee(
      { rules: [{ when: { after: 'start', ms: 500 }, act: { say: 'c.greeting' } }] },
      phrases,
    );
    const room = meet(callee);
    room.run(5_000);
    room.play('a.four');
    room.run(12_000);
    const agentEndMs = 5_000 + Math.ceil(phrase('a.four').durationMs / 20) * 20;
    expect(callee.said.at(-1)).toMatchObject({ phraseId: 'c.hello', startMs: agentEndMs + 2_980 });
    expect(room.hungUpAtMs).toBe(agentEndMs + 6_000);
  });

  it('stays on the line in silence when its manners are switched off', () => {
    const callee = scriptedCallee({ rules: [], manners: silent }, phrases);
    const room = meet(callee);
    room.run(20_000);
    expect([callee.said, room.hungUpAtMs]).toEqual([[], null]);
  });

  it('talks in the background for as long as the script says', () => {
    const rules = [{ when: { after: 'start', ms: 200 }, act: { chatter: 'c.chatter', forMs: 12_000 } }] as const;
    const callee = scriptedCallee({ rules, manners: silent }, phrases);
    meet(callee).run(15_000);
    expect(callee.said).toHaveLength(1);
    expect((callee.said[0]?.endMs ?? 0) - (callee.said[0]?.startMs ?? 0)).toBe(12_020);
  });

  it('presses digits, and hangs up some time after its last words', () => {
    const rules = [
      { when: { after: 'quiet', ms: 400 }, act: { press: '7' } },
      { when: { after: 'start', ms: 600 }, act: { say: 'c.bye' } },
      { when: { after: 'said', phrase: 'c.bye', ms: 500 }, act: { hangUp: true } },
    ] as const;
    const callee = scriptedCallee({ rules }, phrases);
    const room = meet(callee);
    room.run(10_000);
    expect(room.digits).toEqual(['7']);
    expect(room.hungUpAtMs).toBe((callee.said[0]?.endMs ?? 0) + 500);
  });

  it('refuses a script with words that are not in the phrasebook', () => {
    expect(() =>
      scriptedCallee({ rules: [{ when: { after: 'start', ms: 0 }, act: { say: 'c.nothing' } }] }, phrases),
    ).toThrow(RangeError);
  });
});

describe('the restaurant host', () => {
  it('holds the whole conversation of the demo and never hangs up first', () => {
    const host = restaurantHost(phrases);
    const room = meet(host);
    const turns = [
      ['c.greeting', 'a.request'],
      ['c.howmany', 'a.four'],
      ['c.name', 'a.name'],
      ['c.confirmed', 'a.goodbye'],
    ] as const;
    let done = 0;
    room.run(60_000, () => {
      const turn = turns[done];
      const speaking = host.speaking && host.said.at(-1)?.phraseId === 'c.howmany';
      if (speaking) room.clear();
      if (turn === undefined || host.said.findLast((one) => one.phraseId === turn[0])?.endMs == null) return;
      room.play(turn[1]);
      done += 1;
    });
    expect(host.said.map((one) => one.phraseId).slice(0, 5)).toEqual([
      'c.greeting',
      'c.howmany',
      'c.name',
      'c.confirmed',
      'c.bye',
    ]);
    expect(host.interruptions[0]).toMatchObject({ phraseId: 'a.request', cutShort: true });
    expect(host.interruptions.find((one) => one.phraseId === 'a.goodbye')).toMatchObject({ cutShort: false });
    expect(room.hungUpAtMs).toBeNull();
  });
});
