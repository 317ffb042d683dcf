import { describe, expect, it } from 'vitest';
import { Scenario } from './scenario.ts';

describe('a callee who says “Hello?” to a model that does not answer', () => {
  /** The callee says it every three seconds, until the line is put down. */
  function hellos(call: Scenario, talkMs = 500, pauseMs = 2_000): number {
    const sinceMs = call.now;
    for (let turn = 0; turn < 12 && call.count('carrier.redirect') === 0; turn += 1) {
      call.calleeSays('Hello?', talkMs);
      call.wait(pauseMs);
    }
    return call.when('carrier.redirect') - sinceMs;
  }

  it('is answered by a sentence of ours within some twelve seconds, after the model was asked once more', () => {
    const call = Scenario.talking();
    expect(hellos(call)).toBeLessThan(16_000);
    expect(call.asked).toContain('answer');
    expect(call.last('carrier.redirect')).toMatchObject({ plan: 'say', text: expect.stringContaining('sorry') });
  });

  it('is so also where replies are begun and every “Hello?” breaks them off', () => {
    const call = Scenario.talking();
    const sinceMs = call.now;
    for (let turn = 0; turn < 12 && call.count('carrier.redirect') === 0; turn += 1) {
      call.calleeSays('Hello?', 500);
      const replyId = call.created(null);
      call.wait(2_000).replyDone(replyId, { status: 'cancelled' });
    }
    expect(call.when('carrier.redirect') - sinceMs).toBeLessThan(16_000);
  });

  it('but who only pauses for breath is listened to', () => {
    const call = Scenario.talking();
    for (let turn = 0; turn < 30; turn += 1) call.calleeSays('and then there is this', 1_500) && call.wait(700);
    expect(call.count('carrier.redirect')).toBe(0);
    expect(call.asked).toEqual([]);
  });

  it('and who was answered meanwhile has not waited', () => {
    const call = Scenario.talking();
    for (let turn = 0; turn < 12; turn += 1) {
      call.calleeSays('Hello?', 500);
      call.wait(2_000);
      call.serverReplies('Yes, I am here.', 800);
      call.wait(1_500);
    }
    expect(call.count('carrier.redirect')).toBe(0);
    expect(call.asked).toEqual([]);
  });
});

describe('a reply that comes to nothing', () => {
  it('in mid-sentence, with much of it still to be heard, is taken up again before anybody waits for long', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    const itemId = call.item(replyId, 'We would like a table by the window for four people on Friday at seven');
    for (let piece = 0; piece < 8; piece += 1) call.audio(replyId, itemId, 1_000);
    const heardOutMs = call.now + 8_000;
    call.wait(12_500);
    expect(call.last('model.cancel').replyId).toBe(replyId);
    call.replyDone(replyId, { status: 'cancelled' }).wait(3_000);
    expect(call.asked).toEqual(['answer']);
    expect(call.now - heardOutMs).toBeLessThan(10_000);
    expect(call.lines.at(-1)).toMatch(/^agent: We would like a table/);
  });

  it('is not written down further than it was made when the call ends in the middle of it', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    const itemId = call.item(replyId, 'We would like a table by the window for four people on Friday at seven');
    call.audio(replyId, itemId, 1_000);
    call.wait(1_500).status('completed').wait(4_000);
    const last = call.all('scribe.line').at(-1);
    expect(last).toMatchObject({ interrupted: true, estimated: true });
    expect(last?.text.length).toBeLessThan(30);
  });

  it('because there is nothing in it is asked for once more; then the carrier says that something is wrong', () => {
    const call = Scenario.live();
    call.wait(3_000);
    expect(call.asked).toEqual(['opener']);
    const first = call.created(call.last('model.reply').requestId);
    call.replyDone(first).wait(1_000);
    expect(call.asked).toEqual(['opener', 'opener']);
    expect(call.last('model.reply').instructions).toBe(call.all('model.reply')[0]?.instructions);
    const second = call.created(call.last('model.reply').requestId);
    call.replyDone(second).wait(1_000);
    expect(call.last('carrier.redirect')).toMatchObject({ plan: 'say' });
  });

  it('because the server refused to make it is asked for again at once', () => {
    const call = Scenario.live();
    call.wait(3_000);
    const { requestId } = call.last('model.reply');
    call.model({ type: 'model.objected', objection: 'other', requestId, code: 'rate_limit_exceeded' });
    call.wait(1_000);
    expect(call.asked).toEqual(['opener', 'opener']);
  });
});
