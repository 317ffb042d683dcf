import { describe, expect, it } from 'vitest';
import { Scenario } from './scenario.ts';

const END = { name: 'end_call', args: '{"outcome":"Table for two at eight."}' };

/** The agent says goodbye and ends the call in the same reply. */
function sayingGoodbye(durationMs = 2_000): Scenario {
  const call = Scenario.talking();
  call.replies(null, 'Thank you, goodbye!', durationMs, END);
  return call;
}

describe('end_call', () => {
  it('takes the audio of its own reply for the goodbye, and hangs up 700 ms after it was heard', () => {
    const call = sayingGoodbye(2_000);
    const startMs = call.now;
    call.wait(5_000);
    expect(call.asked).toEqual([]);
    expect(call.count('carrier.hangUp')).toBe(1);
    expect(call.when('carrier.hangUp') - startMs).toBe(2_000 + 40 + 700);
    call.feed({ type: 'carrier.hungUp', outcome: 'done' });
    expect(call.ended).toMatchObject({ outcome: 'completed', result: 'Table for two at eight.' });
  });

  it('without audio asks for exactly one farewell, without tools, and hangs up when it has been heard', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    call.calls(replyId, END.name, END.args).replyDone(replyId);
    expect(call.asked).toEqual(['goodbye']);
    expect(call.last('model.reply').tools).toBe(false);
    call.wait(300).replies(call.last('model.reply').requestId, 'Goodbye!', 1_000);
    call.wait(900);
    expect(call.count('carrier.hangUp')).toBe(0);
    call.wait(1_000);
    expect(call.asked).toEqual(['goodbye']);
    expect(call.count('carrier.hangUp')).toBe(1);
  });

  it.each([
    ['an operator asks for the end', { type: 'operator.ended', mode: 'polite' }],
    ['the server is being stopped', { type: 'server.draining', graceMs: 20_000 }],
  ] as const)('is not talked out of once %s as well, however long the other side speaks over it', (_, event) => {
    const call = sayingGoodbye(4_000);
    call.wait(500).feed(event);
    const itemId = call.speechStarts();
    call.wait(3_000).speechStops(itemId, 'Wait, one more thing: is there parking?');
    call.wait(8_000);
    expect(call.notes('reopened')).toEqual([]);
    expect(call.count('carrier.hangUp')).toBe(1);
  });

  it.each([
    ['the server is being stopped', { type: 'server.draining', graceMs: 20_000 }],
    ['somebody ends the call politely', { type: 'operator.ended', mode: 'polite' }],
  ] as const)('is the goodbye, said once, when %s between its audio and the tool', (_when, happening) => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    const itemId = call.item(replyId, 'Thank you, goodbye!');
    call.audio(replyId, itemId, 1_000);
    call.itemDone(itemId).feed(happening);
    call.calls(replyId, END.name, END.args).replyDone(replyId);
    call.wait(5_000);
    expect(call.asked).toEqual([]);
    expect(call.count('carrier.hangUp')).toBe(1);
    call.feed({ type: 'carrier.hungUp', outcome: 'done' }).wait(3_000);
    expect(call.ended).toMatchObject({ outcome: 'completed', result: 'Table for two at eight.' });
  });

  it('without audio still gets the farewell that was asked for meanwhile', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    call.feed({ type: 'server.draining', graceMs: 20_000 });
    call.calls(replyId, END.name, END.args).replyDone(replyId);
    expect(call.asked).toEqual(['goodbye']);
  });

  it('asks for the farewell again when another reply was in its way', () => {
    const call = Scenario.talking();
    call.feed({ type: 'operator.ended', mode: 'polite' });
    const other = call.created(null);
    call.model({ type: 'model.objected', objection: 'reply-active', requestId: call.last('model.reply').requestId });
    expect(call.last('model.cancel').replyId).toBe(other);
    call.replyDone(other, { status: 'cancelled' }).wait(900);
    expect(call.asked).toEqual(['goodbye', 'goodbye']);
  });

  it('is refused while the other person is speaking, and the call goes on', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    call.speechStarts();
    call.calls(replyId, END.name, END.args).replyDone(replyId);
    expect(call.last('model.answerTool').output).toContain('not ended');
    expect(call.phase).toBe('talking');
  });

  it.each([true, false])('leaves nobody in silence when the farewell never comes (carrier can speak: %s)', (canSay) => {
    const call = Scenario.talking({ traits: { canSay } });
    call.replyDone(call.created(null));
    call.feed({ type: 'operator.ended', mode: 'polite' }).created(call.last('model.reply').requestId);
    call.wait(10_100);
    expect([call.count('carrier.redirect'), call.count('carrier.hangUp')]).toEqual(canSay ? [1, 0] : [0, 1]);
    call.wait(20_000);
    expect(call.count('carrier.hangUp')).toBeGreaterThan(0);
  });

  it('waits for the mark of the goodbye only for so long', () => {
    const call = new Scenario({ echoMs: 60_000 });
    call.dial().bound().answered().streams().ready();
    call.calleeSays('Hello.', 500);
    call.replies(null, 'Goodbye!', 1_000, END);
    call.wait(4_000);
    expect(call.count('carrier.hangUp')).toBe(1);
  });
});

describe('talk over the goodbye', () => {
  it('that is short is closing: nothing is cleared, no reply is made, and the call ends within 2 s of it', () => {
    const call = sayingGoodbye(2_500);
    call.wait(1_900);
    const itemId = call.speechStarts();
    call.wait(900 + 500).speechStops(itemId, 'Thanks, bye!');
    const endMs = call.now;
    expect(call.created(null)).toBe(call.last('model.cancel').replyId);
    call.wait(2_000);
    expect(call.count('carrier.clear')).toBe(0);
    expect(call.asked).toEqual([]);
    expect(call.when('carrier.hangUp') - endMs).toBeLessThanOrEqual(2_000);
  });

  it('that is long opens the conversation again, and we answer it ourselves', () => {
    const call = sayingGoodbye(4_000);
    call.wait(1_000);
    const itemId = call.speechStarts();
    call.wait(1_800);
    expect(call.phase).toBe('talking');
    expect(call.count('carrier.clear')).toBe(1);
    call.wait(1_200).speechStops(itemId, 'Wait, one more thing: is there parking?');
    expect(call.asked).toEqual(['answer']);
    expect(call.count('carrier.hangUp')).toBe(0);
  });

  it('reopens twice at most', () => {
    const call = Scenario.talking();
    for (let time = 1; time <= 3; time += 1) {
      call.replies(time === 1 ? null : call.last('model.reply').requestId, 'Goodbye then!', 3_000, END);
      call.wait(500);
      const itemId = call.speechStarts();
      call.wait(2_500).speechStops(itemId, 'And another thing, please.');
    }
    expect(call.notes('reopened').length).toBe(2);
    call.wait(4_000);
    expect(call.count('carrier.hangUp')).toBe(1);
  });

  it('does not undo a hang-up that is on its way', () => {
    const call = sayingGoodbye(1_000);
    call.wait(1_700);
    const itemId = call.speechStarts();
    call.wait(100);
    expect(call.phase).toBe('ending');
    call.feed({ type: 'operator.ended', mode: 'now' }).wait(3_000).speechStops(itemId, 'Wait!');
    call.feed({ type: 'carrier.hungUp', outcome: 'done' }).wait(4_000);
    expect(call.notes('reopened')).toEqual([]);
    expect(call.ended).toMatchObject({ outcome: 'completed', result: 'Table for two at eight.' });
  });
});

describe('goodbyes on both sides', () => {
  it('end the call after 3 s of quiet', () => {
    const call = Scenario.talking();
    call.serverReplies('Thank you very much, goodbye!', 1_500);
    call.wait(2_000).calleeSays('Bye!', 500);
    call.wait(2_900);
    expect(call.phase).toBe('talking');
    call.wait(1_000);
    expect(call.count('carrier.hangUp')).toBe(1);
    expect(call.asked).toEqual([]);
  });

  it('are needed on both: a "Bye" that the transcriber made of silence ends nothing', () => {
    const call = Scenario.talking();
    call.calleeSays('Bye.', 300);
    call.serverReplies('At eight, please.', 900);
    call.wait(6_000);
    expect(call.phase).toBe('talking');
  });

  it('do not count when ours was interrupted', () => {
    const call = Scenario.talking();
    call.serverReplies('Goodbye.', 800);
    call.wait(1_000).calleeSays('Which day?', 600);
    call.serverReplies('On Friday, and then I would say goodbye.', 3_000);
    call.wait(500).calleeSays('Bye.', 400);
    call.wait(3_500);
    expect(call.count('carrier.hangUp')).toBe(0);
  });

  it('do not count when the callee went on, and only the transcription came late', () => {
    const call = Scenario.talking();
    call.serverReplies('Goodbye!', 800);
    call.wait(1_000);
    const bye = call.calleeSays(undefined, 400);
    call.wait(200);
    const more = call.speechStarts();
    call.wait(300).model({ type: 'model.transcribed', itemId: bye, text: 'Bye!' });
    call.wait(500).speechStops(more, 'Oh, and your name?');
    call.wait(3_500);
    expect(call.count('carrier.hangUp')).toBe(0);
  });
});

describe('an end on request', () => {
  it('says goodbye after what is being said, and does not hang up in between', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    const itemId = call.item(replyId, 'A table for two.');
    call.audio(replyId, itemId, 1_000);
    call.feed({ type: 'operator.ended', mode: 'polite' }).itemDone(itemId).replyDone(replyId);
    expect(call.asked).toEqual(['goodbye']);
    call.wait(2_500);
    expect(call.count('carrier.hangUp')).toBe(0);
    call.replies(call.last('model.reply').requestId, 'I have to go, goodbye.', 1_200);
    call.wait(2_000).feed({ type: 'carrier.hungUp', outcome: 'done' });
    expect(call.ended.outcome).toBe('canceled');
    expect(call.lines.at(-1)).toContain('goodbye');
  });

  it('now hangs up at once and cancels the reply', () => {
    const call = Scenario.talking();
    call.created(null);
    call.feed({ type: 'operator.ended', mode: 'now' });
    expect(call.count('carrier.hangUp')).toBe(1);
    expect(call.count('model.cancel')).toBe(1);
  });

  it('polite or by draining, after a hang-up, changes neither verdict nor anything else', () => {
    const call = sayingGoodbye(500);
    call.wait(1_500);
    expect(call.phase).toBe('hangingUp');
    call.feed({ type: 'operator.ended', mode: 'polite' }).feed({ type: 'server.draining', graceMs: 5_000 });
    call.feed({ type: 'carrier.hungUp', outcome: 'gone' });
    expect(call.ended.outcome).toBe('completed');
    expect(call.asked).toEqual([]);
  });

  it.each<[string, boolean, number]>([
    ['waits for the transcription of the last words', false, 3_000],
    ['does not wait for it when the server has no more time', true, 500],
  ])('now %s', (_, isStopping, longestMs) => {
    const call = Scenario.talking();
    call.speechStarts();
    call.wait(900);
    if (isStopping) call.feed({ type: 'server.draining', graceMs: 10_000 });
    call.feed({ type: 'operator.ended', mode: 'now' }).feed({ type: 'carrier.hungUp', outcome: 'done' });
    call.wait(longestMs - 50);
    expect(call.count('scribe.ended')).toBe(0);
    call.wait(100);
    expect(call.count('scribe.ended')).toBe(1);
    expect(call.lines.at(-1)).toContain('callee:');
  });

  it('by draining says goodbye within half of the grace, and hurries an ending that is under way', () => {
    const call = Scenario.talking();
    call.feed({ type: 'server.draining', graceMs: 8_000 }).wait(4_100);
    expect(call.asked[0]).toBe('goodbye');
    expect(call.count('carrier.hangUp')).toBe(1);
    const ending = Scenario.talking();
    ending.feed({ type: 'operator.ended', mode: 'polite' }).feed({ type: 'server.draining', graceMs: 4_000 });
    ending.wait(2_100);
    expect(ending.count('carrier.hangUp')).toBe(1);
  });
});

describe('the limit of a call', () => {
  it('warns the model, says goodbye, and hangs up in time', () => {
    const call = Scenario.live({ limits: { callMs: 120_000, silenceMs: 500_000 } });
    call.calleeSays('Hello.', 500);
    call.serverReplies('Hello!', 500);
    const startMs = call.all('scribe.note').length > 0 ? 500 : 0;
    call.wait(startMs + 90_000 - call.now);
    expect(call.last('model.remember').text).toContain('half a minute');
    call.wait(18_000);
    expect(call.asked).toEqual(['goodbye']);
    call.replies(call.last('model.reply').requestId, 'Our time is up, goodbye.', 1_500);
    call.wait(3_000).feed({ type: 'carrier.hungUp', outcome: 'done' });
    expect(call.ended.outcome).toBe('limit');
  });

  it('holds when the callee never stops speaking', () => {
    const call = Scenario.live({ limits: { callMs: 60_000 } });
    call.speechStarts();
    call.wait(60_000);
    expect(call.count('carrier.hangUp')).toBe(1);
    expect(call.asked).toEqual([]);
  });
});

describe('hanging up', () => {
  it('is tried again with growing pauses, then given up; it is never said to be more than once over', () => {
    const call = Scenario.talking();
    call.feed({ type: 'operator.ended', mode: 'now' });
    const times = [call.now];
    for (let turn = 0; turn < 6; turn += 1) {
      call.feed({ type: 'carrier.hungUp', outcome: 'failed' }).wait(5_000);
      if (call.when('carrier.hangUp') !== times.at(-1)) times.push(call.when('carrier.hangUp'));
    }
    expect(times.length).toBe(5);
    expect(call.count('scribe.ended')).toBe(1);
    expect(call.count('carrier.release')).toBe(1);
  });

  it('takes "gone" for success', () => {
    const call = Scenario.talking();
    call.feed({ type: 'operator.ended', mode: 'now' }).feed({ type: 'carrier.hungUp', outcome: 'gone' });
    expect(call.ended.outcome).toBe('canceled');
  });

  it('waits 3 s at most for last words, then ends with a placeholder for them', () => {
    const call = Scenario.talking();
    call.calleeSays(undefined, 800);
    call.status('completed');
    const atMs = call.now;
    call.wait(5_000);
    expect(call.when('scribe.ended') - atMs).toBe(3_000);
    expect(call.lines.at(-1)).toBe('callee: [not understood]');
  });

  it.each([
    [
      'the callee hung up behind a last word',
      (call: Scenario) => call.streamBreaks('stopped').wait(200).status('completed'),
    ],
    [
      'we put the line down meanwhile',
      (call: Scenario) =>
        call.feed({ type: 'operator.ended', mode: 'now' }).feed({ type: 'carrier.hungUp', outcome: 'done' }),
    ],
  ])('takes words of which the model tells only after the end: %s', (_how, ends) => {
    const call = Scenario.talking();
    ends(call).wait(250);
    expect(call.count('scribe.ended')).toBe(0);
    const itemId = call.speechStarts();
    expect(call.count('model.commitInput')).toBe(1);
    call.model({ type: 'model.committed', itemId, previousItemId: null }).wait(1_000);
    call.model({ type: 'model.transcribed', itemId, text: 'Thanks, bye!' });
    expect(call.lines.at(-1)).toBe('callee: Thanks, bye!');
    expect(call.count('scribe.ended')).toBe(1);
  });

  it('ends half a second after the last audio when there were no last words, and at once without a model', () => {
    const call = Scenario.talking();
    call.streamBreaks('stopped').wait(100).status('completed').wait(399);
    expect(call.count('scribe.ended')).toBe(0);
    call.wait(1);
    expect(call.count('scribe.ended')).toBe(1);
    const later = Scenario.talking();
    later.streamBreaks('stopped').wait(600).status('completed');
    expect(later.count('scribe.ended')).toBe(1);
    const alone = Scenario.talking();
    alone.modelFails('quota', false).status('completed');
    expect(alone.count('scribe.ended')).toBe(1);
  });

  it('commits what the callee was saying, and takes the transcription that comes late', () => {
    const call = Scenario.talking();
    const itemId = call.speechStarts();
    call.wait(600).status('completed');
    expect(call.count('model.commitInput')).toBe(1);
    call.wait(1_500).model({ type: 'model.committed', itemId, previousItemId: null });
    call.model({ type: 'model.transcribed', itemId, text: 'Sorry, I have to' });
    expect(call.lines.at(-1)).toBe('callee: Sorry, I have to');
    expect(call.ended.outcome).toBe('callee-hung-up');
  });
});
