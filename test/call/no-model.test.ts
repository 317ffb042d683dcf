import { describe, expect, it } from 'vitest';
import { initialPlayback, pump, receive } from '../../src/call/playback.ts';
import { Scenario } from './scenario.ts';

/** What happens while there is no model: it cannot be opened, or is not ready when the call has to end. */
describe('a call that has to end while nobody can say goodbye', () => {
  const joining = () => new Scenario().dial().bound().answered().streams();
  const renewing = () => Scenario.talking().modelFails('dropped', true);

  it.each([
    ['joining', joining],
    ['renewing', renewing],
  ] as const)('%s: the carrier says it, the model is dismissed, and the verdict stays', (_, make) => {
    const call = make();
    call.wait(100).feed({ type: 'operator.ended', mode: 'polite' });
    expect(call.last('carrier.redirect')).toMatchObject({ plan: 'say', text: expect.stringContaining('goodbye') });
    expect(call.last('model.close').epoch).toBe(call.machine.call.model.epoch);
    expect(call.count('carrier.hangUp')).toBe(0);
    call.wait(5_000).streamBreaks('stopped').status('completed').wait(4_000);
    expect(call.ended).toMatchObject({ outcome: 'canceled', reason: 'The call was ended on request.' });
  });

  it('has it said in the language of the call', () => {
    const call = new Scenario({ language: 'fr' }).dial().bound().answered().streams();
    call.feed({ type: 'operator.ended', mode: 'polite' });
    expect(call.last('carrier.redirect')).toMatchObject({
      language: 'fr',
      text: expect.stringContaining('terminer cet appel maintenant'),
    });
  });

  it('at the limit as well', () => {
    const call = Scenario.talking({ limits: { callMs: 40_000 } });
    call.wait(28_000 - call.now).modelFails('dropped', true);
    call.wait(1_500);
    expect(call.last('carrier.redirect').plan).toBe('say');
    call.wait(6_000).streamBreaks('stopped').status('completed').wait(4_000);
    expect(call.ended.outcome).toBe('limit');
  });

  it('between two streams it is what the carrier is told when it asks', () => {
    const call = Scenario.talking();
    call.streamBreaks().wait(200).feed({ type: 'operator.ended', mode: 'polite' });
    expect(call.last('carrier.redirect')).toMatchObject({ plan: 'say' });
  });

  it('hurries when the server is being stopped', () => {
    const call = joining().feed({ type: 'server.draining', graceMs: 4_000 }).wait(2_000);
    expect(call.count('carrier.hangUp')).toBe(1);
  });

  it('just puts the line down before the answer, or where the carrier cannot speak', () => {
    const ringing = new Scenario().dial().bound().feed({ type: 'operator.ended', mode: 'polite' });
    const mute = new Scenario({ traits: { canSay: false } }).dial().bound().answered().streams();
    mute.feed({ type: 'operator.ended', mode: 'polite' });
    expect([ringing.count('carrier.hangUp'), mute.count('carrier.hangUp')]).toEqual([1, 1]);
  });
});

describe('dead air', () => {
  const apologisedAtMs = (call: Scenario) => call.when('carrier.redirect');

  it('ends 10 s after a sentence that stopped in the middle', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    call.audio(replyId, call.item(replyId, 'We would like a table for'), 1_000);
    const heardAtMs = call.now + 1_000;
    call.wait(20_000);
    expect(apologisedAtMs(call) - heardAtMs).toBe(10_000);
    call.wait(9_000).status('completed').wait(4_000);
    expect(call.ended).toMatchObject({ outcome: 'error', reason: 'The speech model gave no answer in time.' });
  });

  it('ends 10 s after the callee’s words, however often an answer is asked for in vain', () => {
    const call = Scenario.talking();
    call.calleeSays('And your name?', 800);
    const saidAtMs = call.now;
    for (let tries = 0; tries < 40; tries += 1) {
      call.wait(500);
      if (call.machine.call.floor.requested) call.created(call.machine.call.floor.requested.requestId);
    }
    expect(apologisedAtMs(call) - saidAtMs).toBeLessThanOrEqual(10_000);
  });

  it('is not what the other person’s own silence is', () => {
    const call = Scenario.talking();
    call.wait(14_000);
    expect(call.count('carrier.redirect')).toBe(0);
  });
});

describe('a model that cannot be opened while it rings', () => {
  const ringing = () => new Scenario().dial().bound().status('ringing');

  it('is tried again after growing pauses, then the call is put down before anybody answers', () => {
    const call = ringing().modelFails('unreachable', true);
    expect(call.count('model.open')).toBe(1);
    call.wait(499);
    expect(call.count('model.open')).toBe(1);
    call.wait(1).modelFails('unreachable', true).wait(1_999);
    expect(call.count('model.open')).toBe(2);
    call.wait(1).modelFails('unreachable', true);
    expect(call.count('model.open')).toBe(3);
    expect(call.count('carrier.hangUp')).toBe(1);
    call.feed({ type: 'carrier.hungUp', outcome: 'done' });
    expect(call.ended).toMatchObject({ outcome: 'error', reason: expect.stringContaining('could not be reached') });
  });

  it('is apologised for when somebody answers and it does not come back in time', () => {
    const call = ringing().modelFails('unreachable', true).wait(500).modelFails('unreachable', true);
    call.status('answered').streams().wait(8_000);
    expect(call.last('carrier.redirect').plan).toBe('say');
  });

  it('keeps somebody who waits on the line no longer than 6 s, whatever the attempts', () => {
    const call = Scenario.talking();
    const lostAtMs = call.now;
    call.modelFails('dropped', true).wait(3_000).modelFails('unreachable', true);
    call.wait(9_000);
    expect(call.when('carrier.redirect') - lostAtMs).toBe(6_000);
  });

  it('is not held against a session that has been well for a minute', () => {
    const call = Scenario.talking({ limits: { silenceMs: 3_600_000 } });
    for (let times = 0; times < 5; times += 1) {
      call.modelFails('expired', true).wait(300).ready();
      call.replies(call.last('model.reply').requestId, 'Where were we?', 1_000);
      call.wait(61_000);
    }
    expect(call.count('model.open')).toBe(6);
    expect(call.count('carrier.redirect')).toBe(0);
  });
});

it('a carrier that never echoes a mark does not fill the memory', () => {
  let playback = initialPlayback();
  for (let chunkId = 0; chunkId < 6_000; chunkId += 1) {
    playback = receive(playback, { replyId: 'p', itemId: 'a', contentIndex: 0, chunkId, bytes: 1_600 });
    ({ playback } = pump(playback, chunkId * 200, 600_000));
  }
  expect(playback.nextMarkId).toBeGreaterThan(6_000);
  expect(playback.marks.length).toBeLessThanOrEqual(4_000);
});
