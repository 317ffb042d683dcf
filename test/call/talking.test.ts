import { describe, expect, it } from 'vitest';
import { Scenario } from './scenario.ts';

/** Two items of 2 s each, sent in one burst. */
function twoItems(call: Scenario): { replyId: string; first: string; second: string } {
  const replyId = call.created(null);
  const first = call.item(replyId, 'We would like a table for two tonight.');
  call.audio(replyId, first, 2_000);
  call.itemDone(first);
  const second = call.item(replyId, 'At eight, if that is possible.');
  call.audio(replyId, second, 2_000);
  call.itemDone(second);
  return { replyId, first, second };
}

describe('barge-in', () => {
  it('clears at once and truncates each unheard item: the playing one to what was heard, the next to 0', () => {
    const call = Scenario.live();
    const { replyId, first, second } = twoItems(call);
    call.replyDone(replyId).wait(1_234);
    call.speechStarts();
    expect(call.count('carrier.clear')).toBe(1);
    expect(call.all('model.truncate')).toMatchObject([
      { itemId: first, contentIndex: 0, audioEndMs: 1_234 },
      { itemId: second, contentIndex: 0, audioEndMs: 0 },
    ]);
  });

  it('leaves an item alone that was heard to its end', () => {
    const call = Scenario.live();
    const { replyId, second } = twoItems(call);
    call.replyDone(replyId).wait(2_500);
    call.speechStarts();
    expect(call.all('model.truncate')).toMatchObject([{ itemId: second, audioEndMs: 500 }]);
  });

  it('counts after the reply is done as well, as audio outlives it by seconds; nothing is cancelled then', () => {
    const call = Scenario.live({ policy: { serverInterrupts: false } });
    call.serverReplies('A long answer about many things.', 8_000);
    call.wait(3_000);
    call.speechStarts();
    expect(call.last('model.truncate').audioEndMs).toBe(3_000);
    expect(call.count('model.cancel')).toBe(0);
  });

  it('does nothing when nothing plays', () => {
    const call = Scenario.talking();
    call.wait(1_000);
    call.speechStarts();
    expect(call.count('carrier.clear')).toBe(0);
    expect(call.count('model.truncate')).toBe(0);
    expect(call.count('model.cancel')).toBe(0);
  });

  it('drops what still comes of the reply, and never truncates beyond what was received', () => {
    const call = Scenario.live();
    const replyId = call.created(null);
    const itemId = call.item(replyId, 'Good evening.');
    call.audio(replyId, itemId, 300);
    call.wait(900);
    call.speechStarts();
    expect(call.last('model.truncate').audioEndMs).toBe(300);
    const late = call.audio(replyId, itemId, 200);
    expect(call.last('chunk.drop').chunkId).toBe(late);
  });

  it('cancels the reply only where the server does not do so by itself', () => {
    for (const serverInterrupts of [true, false]) {
      const call = Scenario.live({ policy: { serverInterrupts } });
      const replyId = call.created(null);
      call.audio(replyId, call.item(replyId, 'Good evening.'), 500);
      call.wait(100);
      call.speechStarts();
      expect(call.count('model.cancel')).toBe(serverInterrupts ? 0 : 1);
    }
  });

  it('discards a reply that was asked for and not created yet, when it is created', () => {
    const call = Scenario.live();
    call.wait(3_000);
    expect(call.asked).toEqual(['opener']);
    call.speechStarts();
    const replyId = call.created(call.last('model.reply').requestId);
    expect(call.last('model.cancel').replyId).toBe(replyId);
    const chunkId = call.audio(replyId, call.item(replyId, 'Hello!'), 200);
    expect(call.last('chunk.drop').chunkId).toBe(chunkId);
    expect(call.count('carrier.play')).toBe(0);
  });

  it('ignores the echoes of marks that the clear flushed', () => {
    const call = Scenario.live();
    const { replyId } = twoItems(call);
    call.wait(500);
    call.speechStarts('u');
    const flushed = call.all('carrier.mark');
    call.replyDone(replyId).wait(400).speechStops('u', 'Wait.');
    const { itemId } = call.serverReplies('Yes?', 3_000);
    // Over a long way they come when the next reply is playing already.
    for (const { markId, generation } of flushed)
      call.feed({ type: 'carrier.markEchoed', epoch: 1, generation, markId });
    call.wait(700);
    call.speechStarts();
    expect(call.last('model.truncate')).toMatchObject({ itemId, audioEndMs: 700 });
  });

  it('counts what a clear leaves on its way as heard, and never more than there was', () => {
    const call = Scenario.talking({ traits: { clearLeavesMs: 50 } });
    const long = call.serverReplies('I would like to book a table for two, please.', 3_000);
    call.wait(700);
    call.speechStarts();
    expect(call.last('model.truncate')).toMatchObject({ itemId: long.itemId, audioEndMs: 750 });
    call.replyDone(long.replyId).wait(400).speechStops('u', 'Wait.');
    const short = call.serverReplies('Yes?', 700);
    call.wait(690);
    call.speechStarts('u2');
    expect(call.all('model.truncate').filter(({ itemId }) => itemId === short.itemId)).toMatchObject([
      { audioEndMs: 700 },
    ]);
  });

  it('asks for a higher threshold after three interruptions without words, and not when words were among them', () => {
    const call = Scenario.talking();
    const cough = (text: string) => {
      call.serverReplies('As I was saying, a table for two.', 3_000);
      call.wait(800);
      call.calleeSays(text, 300);
    };
    cough('');
    cough('Wait.');
    cough('…');
    cough('');
    expect(call.last('model.configure').turn.guarded).toBe(false);
    cough('');
    expect(call.last('model.configure').turn.guarded).toBe(true);
  });
});

describe('the reply slot', () => {
  it('takes "a reply is active" for no error: the other reply has answered, and nothing is asked for twice', () => {
    const call = Scenario.live();
    call.wait(3_000);
    const { requestId } = call.last('model.reply');
    const replyId = call.created(null);
    call.model({ type: 'model.objected', objection: 'reply-active', requestId });
    call.audio(replyId, call.item(replyId, 'Hello.'), 500);
    call.replyDone(replyId).wait(10_000);
    expect(call.asked).toEqual(['opener']);
    expect(call.notes('apology')).toEqual([]);
  });

  it('asks once more when a create is never answered, then takes the model for gone and renews it', () => {
    const call = Scenario.live();
    call.wait(3_000).wait(4_000);
    expect(call.asked).toEqual(['opener', 'opener']);
    call.wait(4_000);
    expect(call.count('model.close')).toBe(1);
    expect(call.count('model.open')).toBe(2);
    call.ready();
    expect(call.asked).toEqual(['opener', 'opener', 'opener']);
  });

  it('is freed when the end of a reply never comes, so that silence is still noticed', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    const itemId = call.item(replyId, 'Yes.');
    call.audio(replyId, itemId, 400);
    call.itemDone(itemId).wait(60_000);
    expect(call.notes('reply-stuck').length).toBe(2);
    expect(call.asked).toContain('nudge');
  });

  it('asks again at 4 s when the callee’s turn has no answer, in place of a reply that is stuck', () => {
    const call = Scenario.talking();
    call.calleeSays('How many people?', 800);
    const stuck = call.created(null);
    const atMs = call.now;
    call.wait(4_000);
    expect(call.last('model.cancel').replyId).toBe(stuck);
    call.replyDone(stuck, { status: 'cancelled' });
    expect(call.all('model.reply', atMs).length).toBe(1);
    call.replies(call.last('model.reply').requestId, 'Two.', 600);
    call.wait(8_000);
    expect(call.asked.length).toBe(1);
  });

  it('asks once more for a reply that failed, then lets the carrier apologise', () => {
    const call = Scenario.talking();
    call.calleeSays('How many people?', 800);
    call.replyDone(call.created(null), { status: 'failed', retryable: true });
    call.wait(800);
    expect(call.asked).toEqual(['answer']);
    call.replyDone(call.created(call.last('model.reply').requestId), { status: 'failed', retryable: true });
    expect(call.last('carrier.redirect').plan).toBe('say');
  });

  it('asks by itself, soon, when a discarded reply was in the way of the server’s answer', () => {
    const call = Scenario.live();
    call.wait(3_000);
    const itemId = call.speechStarts();
    const replyId = call.created(call.last('model.reply').requestId);
    call.wait(800).speechStops(itemId, 'Hello?').replyDone(replyId, { status: 'cancelled' });
    call.wait(1_000);
    expect(call.asked).toEqual(['opener', 'answer']);
  });

  it('does not answer twice when the server answers by itself while our create waits', () => {
    const call = Scenario.talking();
    call.calleeSays('How many people?', 800);
    call.replyDone(call.created(null), { status: 'failed', retryable: true });
    call.serverReplies('Two people.', 900);
    call.wait(5_000);
    expect(call.asked).toEqual([]);
  });
});

describe('"one moment, let me check"', () => {
  function waiting(): Scenario {
    const call = Scenario.talking();
    const asks = call.speechStarts();
    call.wait(1_500).speechStops(asks);
    const replyId = call.created(null);
    call.calls(replyId, 'stay_quiet', '{"seconds":60}').replyDone(replyId);
    // The transcription of the request for a moment comes only now, and is no return.
    call.wait(300).model({ type: 'model.transcribed', itemId: asks, text: 'One moment, let me check.' });
    return call;
  }

  it('keeps quiet through 25 s of chatter without words, and answers within 2 s of the person’s return', () => {
    const call = waiting();
    expect(call.phase).toBe('waiting');
    for (let second = 0; second < 25; second += 2.5) {
      // Transcribers make a goodbye out of noise.
      call.calleeSays(second % 5 === 0 ? '' : 'Bye.', 1_000);
      call.wait(1_000);
    }
    expect(call.asked).toEqual([]);
    expect(call.last('model.configure').turn.create).toBe(false);
    call.calleeSays('I am back. Seven is fine.', 1_200);
    const backAtMs = call.now;
    call.wait(2_000);
    expect(call.asked).toEqual(['answer']);
    expect(call.when('model.reply') - backAtMs).toBeLessThanOrEqual(2_000);
    expect(call.last('model.configure').turn.create).toBe(true);
  });

  it('cancels a reply that the server starts meanwhile', () => {
    const call = waiting();
    const replyId = call.created(null);
    expect(call.last('model.cancel').replyId).toBe(replyId);
  });

  it('asks when the time is over', () => {
    const call = waiting();
    call.wait(61_000);
    expect(call.asked).toEqual(['answer']);
  });

  it.each<[string, string | null | undefined]>([
    ['failed', null],
    ['never came', undefined],
  ])('answers a person who is back for more than a second although the transcription %s', (_, text) => {
    const call = waiting();
    call.calleeSays(text, 700);
    call.wait(8_000);
    expect(call.phase).toBe('waiting');
    call.calleeSays(text, 1_600);
    call.wait(text === null ? 0 : 4_000);
    expect(call.phase).toBe('talking');
    expect(call.asked).toEqual(['answer']);
  });

  it('refuses to wait when the person is speaking to us', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    call.speechStarts();
    call.calls(replyId, 'stay_quiet').replyDone(replyId);
    expect(call.phase).toBe('talking');
    expect(call.last('model.answerTool').output).toContain('not waiting');
  });
});

describe('silence', () => {
  it('is asked about twice, counted from the last audio heard, and then is a goodbye', () => {
    const call = Scenario.talking({ limits: { silenceMs: 12_000 } });
    const serve = () => call.replies(call.last('model.reply').requestId, 'Are you still there?', 1_000);
    const quietFromMs = call.now - 1_000;
    call.wait(12_000);
    expect(call.asked).toEqual(['nudge']);
    expect(call.when('model.reply')).toBe(quietFromMs + 12_000);
    serve();
    call.wait(13_000);
    expect(call.asked).toEqual(['nudge', 'nudge']);
    serve();
    call.wait(13_000);
    expect(call.asked).toEqual(['nudge', 'nudge', 'goodbye']);
    serve();
    call.wait(2_500).feed({ type: 'carrier.hungUp', outcome: 'done' });
    expect(call.ended.outcome).toBe('limit');
  });

  it('is not hurried by refused questions', () => {
    const call = Scenario.talking();
    call.wait(15_000);
    call.model({ type: 'model.objected', objection: 'reply-active', requestId: call.last('model.reply').requestId });
    call.wait(5_000);
    expect(call.asked).toEqual(['nudge']);
  });

  it('starts anew when the callee speaks', () => {
    const call = Scenario.talking();
    call.wait(15_000).replies(call.last('model.reply').requestId, 'Still there?', 800);
    call.wait(2_000).calleeSays('Yes, sorry.', 700);
    call.serverReplies('No problem.', 900);
    call.wait(15_500);
    expect(call.asked).toEqual(['nudge']);
    call.wait(1_000);
    expect(call.asked).toEqual(['nudge', 'nudge']);
  });
});

describe('small things in a conversation', () => {
  it('tells the model which key was pressed', () => {
    const call = Scenario.talking();
    call.feed({ type: 'carrier.digitPressed', digit: '5' });
    expect(call.last('model.remember').text).toContain('the key 5');
  });

  it('answers a tool that does not exist with an error, and goes on', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    call.calls(replyId, 'fly').replyDone(replyId);
    expect(call.last('model.answerTool').output).toContain('error');
    expect(call.asked).toEqual(['answer']);
  });
});
