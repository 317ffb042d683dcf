import { describe, expect, it } from 'vitest';
import { Scenario } from './scenario.ts';

describe('placing a call', () => {
  it('dials once, also when it is asked for twice', () => {
    const call = new Scenario().dial().dial();
    expect(call.count('carrier.dial')).toBe(1);
  });

  it('opens the model while the telephone rings, and says nothing before the stream is up', () => {
    const call = new Scenario().dial().bound();
    expect(call.count('model.open')).toBe(1);
    call.ready().status('ringing').wait(20_000);
    expect(call.count('model.reply')).toBe(0);
    expect(call.count('carrier.play')).toBe(0);
  });

  it('holds what the callee says until the model is ready, then lets it through', () => {
    const call = new Scenario().dial().bound().answered().streams();
    expect(call.last('uplink.set').to).toBe('hold');
    call.wait(700).ready();
    expect(call.last('uplink.set').to).toBe('model');
  });

  it('never dials again after an uncertain create: it asks four times and gives up', () => {
    const call = new Scenario().dial().feed({ type: 'carrier.uncertain', reason: 'The request timed out.' });
    call.wait(40_000);
    expect(call.count('carrier.inquire')).toBe(4);
    expect(call.count('carrier.dial')).toBe(1);
    expect(call.ended.outcome).toBe('unknown');
  });

  it('goes on with an uncertain create that a webhook confirms', () => {
    const call = new Scenario().dial().feed({ type: 'carrier.uncertain', reason: 'The request timed out.' });
    call.wait(3_000).status('ringing').streams();
    expect(call.phase).toBe('joining');
    call.wait(30_000);
    expect(call.count('carrier.inquire')).toBe(1);
  });

  it('hangs up a call that was ended before it was bound, as soon as it is bound', () => {
    const call = new Scenario().dial().feed({ type: 'operator.ended', mode: 'polite' });
    expect(call.count('carrier.hangUp')).toBe(0);
    call.wait(900).bound();
    expect(call.count('carrier.hangUp')).toBe(1);
    call.feed({ type: 'carrier.hungUp', outcome: 'done' });
    expect(call.ended.outcome).toBe('canceled');
  });

  it('goes on asking about an uncertain create that was ended meanwhile, as the telephone may be ringing', () => {
    const call = new Scenario().dial().feed({ type: 'carrier.uncertain', reason: 'The request timed out.' });
    call.feed({ type: 'operator.ended', mode: 'now' }).wait(7_000);
    expect(call.count('carrier.inquire')).toBeGreaterThanOrEqual(2);
    call.bound();
    expect(call.count('carrier.hangUp')).toBe(1);
  });

  it('never dials a call that was ended before it was placed', () => {
    const call = new Scenario().feed({ type: 'operator.ended', mode: 'now' }).dial();
    expect(call.count('carrier.dial')).toBe(0);
    expect(call.ended.outcome).toBe('canceled');
  });

  it.each([
    ['busy', 'busy'],
    ['no-answer', 'no-answer'],
    ['failed', 'failed'],
    ['canceled', 'canceled'],
    ['completed', 'failed'],
  ] as const)('reports the terminal status %s as %s when nobody was spoken to', (status, outcome) => {
    const call = new Scenario().dial().bound().status('ringing').status(status);
    call.status('ringing').status('completed').wait(5_000);
    expect(call.ended.outcome).toBe(outcome);
    expect(call.count('scribe.ended')).toBe(1);
  });

  it('lets the telephone ring for its time from when the carrier dials, however long that kept the call before', () => {
    const call = new Scenario().dial().bound().status('queued').wait(40_000).status('dialling').wait(41_000);
    expect(call.count('carrier.hangUp')).toBe(0);
    call.wait(1_500);
    expect(call.count('carrier.hangUp')).toBe(1);
  });

  it('takes statuses by rank: a late or repeated one changes nothing', () => {
    const call = new Scenario().dial().bound().status('answered').status('ringing').status('answered').status('queued');
    expect(call.notes('status').map((note) => note.data.status)).toEqual(['answered']);
  });

  it('gives up by itself when no status ever comes', () => {
    const call = new Scenario().dial().bound().ready().wait(73_000);
    expect(call.count('carrier.hangUp')).toBe(1);
    call.feed({ type: 'carrier.hungUp', outcome: 'done' });
    expect(call.ended.outcome).toBe('no-answer');
  });

  it('cancels a call that still rings when the model refuses the key, so that nobody answers to silence', () => {
    const call = new Scenario().dial().bound().status('ringing').modelFails('refused-key', false);
    expect(call.count('carrier.hangUp')).toBe(1);
    expect(call.count('carrier.redirect')).toBe(0);
    call.feed({ type: 'carrier.hungUp', outcome: 'done' });
    expect(call.ended).toMatchObject({ outcome: 'error', reason: expect.stringContaining('OPENAI_API_KEY') });
  });
});

describe('the first turn', () => {
  it('is the callee’s for as long as the setting says, counted from the stream; then we open', () => {
    const call = Scenario.live({ limits: { firstSpeechMs: 2_500 } });
    call.wait(2_499);
    expect(call.asked).toEqual([]);
    call.wait(1);
    expect(call.asked).toEqual(['opener']);
  });

  it('has longer end-pointing than the turns after it', () => {
    const call = Scenario.live();
    expect(call.last('model.open').turn.silenceMs).toBe(1_000);
    call.calleeSays('Hello?', 500);
    expect(call.last('model.configure').turn.silenceMs).toBe(500);
  });

  it('has exactly one opening wherever "Hello?" falls around the opener’s timer', () => {
    for (let offsetMs = -500; offsetMs <= 500; offsetMs += 25) {
      for (const modelDelayMs of [30, 120]) {
        const { heard, cutAfterMs } = helloAt(3_000 + offsetMs, modelDelayMs);
        expect({ offsetMs, modelDelayMs, heard }).toEqual({ offsetMs, modelDelayMs, heard: 1 });
        // An opener that was under way yields at once: it never gets far enough to be a greeting of its own.
        expect(Math.max(0, ...cutAfterMs)).toBeLessThanOrEqual(500);
      }
    }
  });

  it('is answered even when the line breaks right after the callee’s first word', () => {
    const call = Scenario.live();
    call.speechStarts();
    call.wait(300).streamBreaks().wait(1_000).streams();
    expect(call.asked.length).toBe(1);
  });

  it('is answered even when the model is renewed right after the callee’s first word', () => {
    const call = Scenario.live();
    call.speechStarts();
    call.wait(300).modelFails('dropped', true).wait(500).ready();
    expect(call.asked).toEqual(['answer']);
  });
});

/** "Hello?" is noticed at `atMs`; the server creates what we ask for after `delayMs`, and answers turns by itself. */
function helloAt(atMs: number, delayMs: number): { heard: number; cutAfterMs: readonly number[] } {
  const call = Scenario.live();
  let active: string | null = null;
  let served = 0;
  const serve = (requestId: string | null): void => {
    const replyId = call.created(requestId);
    active = replyId;
    const itemId = call.item(replyId, 'Good evening, I am calling for a table.');
    for (let sent = 0; sent < 10; sent += 1) call.audio(replyId, itemId, 200);
    call.itemDone(itemId);
    call.machine.later(150, () => {
      call.replyDone(replyId);
      if (active === replyId) active = null;
    });
  };
  call.machine.at(atMs, () => {
    const itemId = call.speechStarts();
    call.machine.later(1_500, () => {
      call.speechStops(itemId, 'Hello?');
      if (active === null) call.machine.later(300, () => serve(null));
    });
  });
  for (let passed = 0; passed < 12_000; passed += 10) {
    call.wait(10);
    const asked = call.all('model.reply');
    for (const reply of asked.slice(served)) call.machine.later(delayMs, () => serve(reply.requestId));
    served = asked.length;
  }
  const finals = call.all('scribe.line').filter((line) => line.speaker === 'agent' && !line.interrupted);
  const cutAfterMs = call.notes('interrupted').map((note) => Number(note.data.heardMs));
  return { heard: finals.length, cutAfterMs };
}
