import { describe, expect, it } from 'vitest';
import { Scenario } from './scenario.ts';

describe('a stream that is lost', () => {
  it('is attached again once; we say that the line broke, and the model knows what was heard before', () => {
    const call = Scenario.talking();
    const { itemId } = call.serverReplies('We would like to come at eight.', 4_000);
    call.wait(1_500).streamBreaks();
    expect(call.last('carrier.redirect').plan).toBe('reattach');
    // It broke over there, a round trip of 40 ms before we can reckon it.
    expect(call.last('model.truncate')).toMatchObject({ itemId, audioEndMs: 1_460 });
    call.wait(1_000).streams();
    expect(call.phase).toBe('talking');
    expect(call.asked).toEqual(['answer']);
    expect(call.last('model.reply').instructions).toContain('line broke');
  });

  it('takes the reply that was being made with it: its rest is not played into the new stream', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    const itemId = call.item(replyId, 'We would like to come at eight.');
    call.audio(replyId, itemId, 1_000);
    call.wait(200).streamBreaks();
    expect(call.last('model.cancel').replyId).toBe(replyId);
    call.wait(500).streams();
    const rest = call.audio(replyId, itemId, 1_000);
    expect(call.last('chunk.drop').chunkId).toBe(rest);
  });

  it('the second time ends with a sentence of the carrier', () => {
    const call = Scenario.talking();
    call.streamBreaks().wait(800).streams().wait(2_000).streamBreaks();
    expect(call.last('carrier.redirect')).toMatchObject({ plan: 'say', text: expect.stringContaining('sorry') });
    call.wait(8_000).status('completed').wait(4_000);
    expect(call.ended.outcome).toBe('failed');
  });

  it('the second time is the callee’s hanging up when the carrier says so at once', () => {
    const call = Scenario.talking();
    call.streamBreaks().wait(800).streams().wait(2_000).streamBreaks('stopped').wait(600).status('completed');
    expect(call.ended.outcome).toBe('callee-hung-up');
  });

  it('is not attached again by a carrier that cannot', () => {
    const call = Scenario.talking({ traits: { canReattach: false, canSay: false } });
    call.streamBreaks();
    expect(call.count('carrier.redirect')).toBe(0);
  });

  it('without a way back is why the call ended, where nobody hung up', () => {
    const traits = { canReattach: false, canSay: true };
    const broken = Scenario.talking({ traits });
    broken.streamBreaks('dropped').wait(300).status('completed').wait(4_000);
    expect(broken.ended).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('broke') });
    const hungUp = Scenario.talking({ traits });
    hungUp.streamBreaks('stopped').wait(300).status('completed').wait(4_000);
    expect(hungUp.ended.outcome).toBe('callee-hung-up');
  });

  it('that stays away is asked about, then the line is put down', () => {
    const call = Scenario.talking();
    call.streamBreaks().wait(3_000);
    expect(call.count('carrier.inquire')).toBe(1);
    call.wait(7_000);
    expect(call.count('carrier.hangUp')).toBe(1);
    call.feed({ type: 'carrier.hungUp', outcome: 'gone' });
    expect(call.ended.outcome).toBe('failed');
  });

  it('because the callee hung up ends the call with the carrier’s word for it', () => {
    const call = Scenario.talking();
    call.serverReplies('And at which table would we be', 4_000);
    call.wait(1_000).streamBreaks('stopped').wait(300).status('completed').wait(4_000);
    expect(call.ended.outcome).toBe('callee-hung-up');
    expect(call.lines.at(-1)).toMatch(/^agent: And at/);
  });

  it('while somebody asked us to wait comes back in silence', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    call.calls(replyId, 'stay_quiet', '{"seconds":60}').replyDone(replyId);
    call.wait(1_000).streamBreaks().wait(900).streams().wait(5_000);
    expect(call.phase).toBe('waiting');
    expect(call.asked).toEqual([]);
  });
});

describe('a stream that never comes up', () => {
  const fails = (call: Scenario, epoch: number): Scenario => call.feed({ type: 'carrier.streamFailed', epoch });

  it('is asked for once more, and the call goes on in that one', () => {
    const call = fails(new Scenario().dial().bound().answered(), 1);
    expect(call.last('carrier.redirect').plan).toBe('reattach');
    call.feed({ type: 'carrier.streamStarted', epoch: 2 }).ready();
    expect(call.phase).toBe('opening');
  });

  it('twice ends with a sentence of the carrier, and with what the operator should look at', () => {
    const call = fails(fails(new Scenario().dial().bound().answered(), 1), 2);
    expect(call.last('carrier.redirect')).toMatchObject({ plan: 'say', text: expect.stringContaining('sorry') });
    call.feed({ type: 'carrier.redirected', outcome: 'done' }).wait(4_000).status('completed').wait(4_000);
    expect(call.ended).toMatchObject({ outcome: 'error', reason: expect.stringContaining('PUBLIC_URL') });
  });

  it('in place of one that was lost is asked for once more as well', () => {
    const call = fails(Scenario.talking().streamBreaks(), 2);
    expect(call.count('carrier.redirect')).toBe(2);
    call.wait(500).feed({ type: 'carrier.streamStarted', epoch: 3 });
    expect(call.phase).toBe('talking');
  });

  it('is not asked for again when there is no model to talk to: the sentence comes at once', () => {
    const call = new Scenario().dial().bound().answered().modelFails('quota', false);
    expect(fails(call, 1).last('carrier.redirect').plan).toBe('say');
  });

  it('puts the line down where the carrier can neither try again nor speak', () => {
    const traits = { canReattach: false, canSay: false };
    const call = fails(new Scenario({ traits }).dial().bound().answered(), 1);
    expect(call.count('carrier.hangUp')).toBe(1);
  });
});

describe('a model that dies', () => {
  it('in mid-call is renewed with what was said so far, and takes the conversation up', () => {
    const call = Scenario.talking();
    call.modelFails('dropped', true);
    expect(call.last('model.open')).toMatchObject({
      epoch: 2,
      seed: [
        { speaker: 'callee', text: 'Hello, Luigi speaking.' },
        { speaker: 'agent', text: 'Good evening, a table for two, please.' },
      ],
    });
    expect(call.last('uplink.set').to).toBe('hold');
    call.wait(700).ready();
    expect(call.last('uplink.set').to).toBe('model');
    expect(call.asked).toEqual(['answer']);
  });

  it('while its last sentence is still playing does not talk over that, and the new session knows what was said', () => {
    const call = Scenario.talking();
    const { itemId } = call.serverReplies('Would eight suit you as well, or rather nine?', 4_000);
    call.wait(500).modelFails('dropped', true);
    expect(call.last('model.open').seed.at(-1)).toEqual({
      speaker: 'agent',
      text: 'Would eight suit you as well, or rather nine?',
    });
    call.wait(300).ready();
    expect(call.asked).toEqual([]);
    call.wait(700).speechStarts();
    expect(call.count('carrier.clear')).toBe(1);
    expect(call.all('model.truncate').filter((command) => command.itemId === itemId)).toEqual([]);
  });

  it('is told the latest of a long conversation, as somebody is waiting on the line', () => {
    const call = Scenario.talking();
    for (let turn = 0; turn < 110; turn += 1) {
      call.calleeSays(`Question ${turn}`, 300);
      call.serverReplies(`Answer ${turn}.`, 400);
      call.wait(1_000);
    }
    call.modelFails('dropped', true);
    const { seed } = call.last('model.open');
    expect(seed).toHaveLength(200);
    expect(seed.at(-1)).toEqual({ speaker: 'agent', text: 'Answer 109.' });
  });

  it('is renewed twice; then the carrier says a sentence in the call’s language', () => {
    const call = Scenario.talking();
    call.modelFails('dropped', true).wait(300).ready();
    call.modelFails('dropped', true).wait(300).ready();
    expect(call.count('carrier.redirect')).toBe(0);
    call.modelFails('dropped', true);
    expect(call.count('model.open')).toBe(3);
    expect(call.last('carrier.redirect').plan).toBe('say');
    call.wait(6_000).streamBreaks('stopped').status('completed');
    expect(call.ended.outcome).toBe('error');
    expect(call.count('carrier.hangUp')).toBe(0);
  });

  it.each([
    ['de-AT', 'de-AT', 'Auf Wiederhören'],
    ['no', 'no', 'Ha det'],
    // No sentence of its own: a Finnish voice must not read English.
    ['fi', 'en', 'Goodbye'],
  ])('has the sentence for a call in %s spoken in %s', (language, spokenIn, words) => {
    const call = Scenario.talking({ language });
    call.modelFails('quota', false);
    expect(call.last('carrier.redirect')).toMatchObject({
      language: spokenIn,
      text: expect.stringContaining(words),
    });
  });

  it.each(['refused-key', 'refused-model', 'quota', 'configuration', 'protocol'] as const)(
    'for a reason that stays (%s) is not renewed: the sentence comes at once',
    (kind) => {
      const call = Scenario.talking();
      call.modelFails(kind, false);
      expect(call.count('model.open')).toBe(1);
      expect(call.last('carrier.redirect').plan).toBe('say');
    },
  );

  it('leaves no dead air where the carrier cannot speak: the line is put down', () => {
    const call = Scenario.talking({ traits: { canSay: false } });
    call.modelFails('quota', false);
    expect(call.count('carrier.hangUp')).toBe(1);
  });

  it('or is not ready 8 s after the answer lets the carrier apologise', () => {
    const call = new Scenario().dial().bound().answered().streams().wait(8_000);
    expect(call.last('carrier.redirect').plan).toBe('say');
  });

  it('or is not back after 6 s lets the carrier apologise', () => {
    const call = Scenario.talking();
    call.modelFails('dropped', true).wait(6_000);
    expect(call.last('carrier.redirect').plan).toBe('say');
  });

  it('when the sentence cannot be said either, the line is put down', () => {
    const call = Scenario.talking();
    call.modelFails('quota', false).feed({ type: 'carrier.redirected', outcome: 'failed' });
    expect(call.count('carrier.hangUp')).toBe(1);
  });

  it('after its goodbye is with the carrier does not spoil the goodbye', () => {
    const call = Scenario.talking();
    call.replies(null, 'Thank you, goodbye!', 2_000, { name: 'end_call', args: '{}' });
    call.wait(300).modelFails('dropped', true).wait(3_000);
    expect(call.count('carrier.redirect')).toBe(0);
    expect(call.count('carrier.hangUp')).toBe(1);
    expect(call.lines.at(-1)).toBe('agent: Thank you, goodbye!');
  });

  it('in mid-word leaves a placeholder for the callee’s words, and the lines after it are told', () => {
    const call = Scenario.talking();
    call.speechStarts();
    call.wait(700).modelFails('dropped', true).wait(400).ready();
    call.replies(call.last('model.reply').requestId, 'Sorry, could you repeat that?', 900);
    call.wait(2_000);
    expect(call.lines.slice(-2)).toEqual(['callee: [not understood]', 'agent: Sorry, could you repeat that?']);
  });

  it('and comes back says one thing, not an opener and an answer', () => {
    const call = Scenario.live();
    call.wait(3_000);
    expect(call.asked).toEqual(['opener']);
    call.modelFails('dropped', true).wait(300).ready();
    call.replies(call.last('model.reply').requestId, 'Good evening.', 800);
    call.wait(5_000);
    expect(call.asked).toEqual(['opener', 'opener']);
  });
});

describe('a carrier with a small buffer', () => {
  it('gets no more than its look-ahead, and all of it in the end', () => {
    const call = Scenario.live({ traits: { lookAheadMs: 2_000 } });
    call.serverReplies('A very long answer.', 10_000);
    const sentMs = () => call.count('carrier.play') * 200;
    for (let passedMs = 0; passedMs < 9_000; passedMs += 100) {
      expect(sentMs() - passedMs).toBeLessThanOrEqual(2_000);
      expect(sentMs() - passedMs).toBeGreaterThan(0);
      call.wait(100);
    }
    call.wait(3_000);
    expect(sentMs()).toBe(10_000);
    expect(call.lines.at(-1)).toBe('agent: A very long answer.');
  });

  it('gets nothing of what waited when the callee interrupts', () => {
    const call = Scenario.live({ traits: { lookAheadMs: 2_000 } });
    call.serverReplies('A very long answer.', 10_000);
    call.wait(3_000);
    const sent = call.count('carrier.play');
    call.speechStarts();
    expect(call.last('model.truncate').audioEndMs).toBe(3_000);
    expect(call.count('chunk.drop')).toBe(50 - sent);
  });
});

describe('a reply that breaks off in mid-sentence', () => {
  const SENTENCE = 'We would like a table for four people at eight, if that is possible for you.';

  it('is taken up again after a pause, and given up when that breaks off as well', () => {
    const call = Scenario.talking();
    const broken = (replyId: string) => {
      call.audio(replyId, call.item(replyId, SENTENCE), 1_000);
      call.model({ type: 'model.replyDone', replyId, status: 'failed', retryable: true });
    };
    broken(call.created(null));
    call.wait(1_000);
    expect(call.asked).toEqual(['answer']);
    expect(call.last('model.reply').instructions).toContain('where the conversation stopped');
    broken(call.created(call.last('model.reply').requestId));
    expect(call.last('carrier.redirect').plan).toBe('say');
  });

  it('is written down as far as it was heard, also when the model is gone with it', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    call.audio(replyId, call.item(replyId, SENTENCE), 1_000);
    call.modelFails('dropped', true);
    call.wait(4_000);
    const line = call.all('scribe.line').findLast((one) => one.speaker === 'agent');
    expect(line).toMatchObject({ interrupted: true, estimated: true, planned: SENTENCE });
    expect(line?.text.split(' ').length).toBeLessThan(9);
    expect(SENTENCE.startsWith(line?.text ?? '?')).toBe(true);
  });
});

it('a model that is refused just after somebody answered is apologised for as soon as there is a stream', () => {
  const call = new Scenario().dial().bound().answered().modelFails('refused-key', false);
  expect(call.all('carrier.hangUp')).toEqual([]);
  call.wait(300).streams();
  expect(call.last('carrier.redirect').plan).toBe('say');
  call.wait(6_000).status('completed').wait(4_000);
  expect(call.ended).toMatchObject({ outcome: 'error', reason: expect.stringContaining('OPENAI_API_KEY') });
});
