import { describe, expect, it } from 'vitest';
import { Scenario, type Setting } from './scenario.ts';

const OFFICE: Setting = {
  traits: { canSay: true, canReattach: false, canSendDigits: true, canTransfer: true },
  transferTo: ['1003', '1004'],
};
const TO_1003 = { name: 'transfer_call', args: '{"to":"1003","summary":"They want a person."}' };

/** The agent says that it puts them through, and calls the tool in the same reply. */
function transferring(setting: Setting = OFFICE, tool = TO_1003): Scenario {
  const call = Scenario.talking(setting);
  call.replies(null, 'One moment, I am putting you through.', 1_500, tool);
  return call;
}

describe('transfer_call', () => {
  it('hands the telephone over when the announcement has been heard, and ends our part without putting the line down', () => {
    const call = transferring();
    expect(call.count('carrier.redirect')).toBe(0);
    call.wait(2_500);
    expect(call.last('carrier.redirect')).toMatchObject({ plan: 'transfer', to: '1003' });
    call.feed({ type: 'carrier.redirected', outcome: 'done' }).wait(4_000);
    expect(call.count('carrier.hangUp')).toBe(0);
    expect(call.ended).toMatchObject({ outcome: 'transferred', result: 'They want a person.' });
  });

  it('takes the end of its own stream for nothing while the telephone is handed over', () => {
    const call = transferring().wait(2_500);
    call.streamBreaks('stopped').wait(100);
    call.feed({ type: 'carrier.redirected', outcome: 'done' }).wait(4_000);
    expect(call.count('carrier.hangUp')).toBe(0);
    expect(call.ended?.outcome).toBe('transferred');
  });

  it('asks for an announcement where there was none', () => {
    const call = Scenario.talking(OFFICE);
    const replyId = call.created(null);
    call.calls(replyId, TO_1003.name, TO_1003.args).replyDone(replyId);
    expect(call.last('model.reply').instructions).toContain('putting them through');
    call.wait(200).replies(call.last('model.reply').requestId, 'I am putting you through.', 1_000);
    call.wait(2_500);
    expect(call.last('carrier.redirect')).toMatchObject({ plan: 'transfer' });
  });

  it('goes to nobody who is not named in the brief, whatever the other side says', () => {
    for (const args of [
      '{"to":"1009"}',
      '{"to":"+19005550123"}',
      '{"to":"1003 "}x',
      '{}',
      'no json',
      '{"to":["1003"]}',
    ]) {
      const call = transferring(OFFICE, { name: 'transfer_call', args });
      expect(call.last('model.answerTool').output).toMatch(/not transferred.*only to 1003, 1004/);
      call.wait(5_000);
      expect(call.count('carrier.redirect')).toBe(0);
      expect(call.phase).toBe('talking');
    }
    const none = transferring({ traits: { canTransfer: true } });
    expect(none.last('model.answerTool').output).toContain('Nobody is named');
    const cannot = transferring({ transferTo: ['1003'] });
    expect(cannot.last('model.answerTool').output).toContain('cannot be transferred');
  });

  it('that does not work is told to the other side, and the conversation goes on', () => {
    const call = transferring().wait(2_500);
    call.feed({ type: 'carrier.redirected', outcome: 'failed' });
    expect(call.phase).toBe('talking');
    expect(call.last('model.remember').text).toContain('could not put them through');
    expect(call.last('model.reply').instructions).toContain('did not work');
    call.wait(100).replies(call.last('model.reply').requestId, 'I am sorry, that did not work.', 1_000);
    call.wait(2_000);
    expect(call.count('carrier.hangUp')).toBe(0);
  });

  it('that is not answered counts as one that did not work', () => {
    const call = transferring().wait(2_500);
    expect(call.phase).toBe('ending');
    call.wait(15_000);
    expect(call.notes('transfer-failed')).toHaveLength(1);
  });

  it('takes as long as the carrier says that a colleague’s telephone may ring', () => {
    const call = transferring({ ...OFFICE, traits: { ...OFFICE.traits, transferMs: 32_000 } }).wait(2_500);
    call.wait(31_000);
    expect(call.notes('transfer-failed')).toHaveLength(0);
    call.feed({ type: 'carrier.redirected', outcome: 'done' }).wait(4_000);
    expect(call.ended).toMatchObject({ outcome: 'transferred' });
    const never = transferring({ ...OFFICE, traits: { ...OFFICE.traits, transferMs: 32_000 } }).wait(2_500);
    never.wait(33_000);
    expect(never.notes('transfer-failed')).toHaveLength(1);
  });

  it('that nobody confirms while the telephone has left us cuts nobody off', () => {
    for (const answer of ['failed', null] as const) {
      const call = transferring().wait(2_500);
      call.streamBreaks('stopped').wait(100);
      if (answer !== null) call.feed({ type: 'carrier.redirected', outcome: answer });
      call.wait(20_000);
      expect(call.count('carrier.hangUp')).toBe(0);
      expect(call.ended).toMatchObject({ outcome: 'unknown', result: 'They want a person.' });
    }
  });

  it('is not said to have happened when the line was put down first', () => {
    const call = transferring().wait(500);
    call.status('completed').wait(4_000);
    expect(call.ended).toMatchObject({ outcome: 'callee-hung-up' });
    const stopped = transferring().wait(500);
    stopped.feed({ type: 'operator.ended', mode: 'now' }).feed({ type: 'carrier.hungUp', outcome: 'done' }).wait(4_000);
    expect(stopped.ended).toMatchObject({ outcome: 'error', result: 'They want a person.' });
  });

  it('is called off by whoever goes on speaking over the announcement', () => {
    const call = Scenario.talking(OFFICE);
    call.replies(null, 'One moment, I am putting you through.', 4_000, TO_1003);
    const itemId = call.wait(500).speechStarts();
    call.wait(3_000).speechStops(itemId, 'No wait, I would rather leave a message.');
    call.wait(500);
    expect(call.notes('reopened')).toHaveLength(1);
    expect(call.count('carrier.redirect')).toBe(0);
  });
});

describe('press_keys', () => {
  const press = (keys: string, setting: Setting = OFFICE): Scenario => {
    const call = Scenario.talking(setting);
    const replyId = call.created(null);
    call.calls(replyId, 'press_keys', JSON.stringify({ keys })).replyDone(replyId);
    return call;
  };

  it('presses them, and is quiet until the other side goes on', () => {
    const call = press('12-34 #');
    expect(call.last('carrier.sendDigits').digits).toBe('1234#');
    expect(call.phase).toBe('waiting');
    call.feed({ type: 'carrier.digitsSent', ok: true }).wait(5_000);
    expect(call.asked).toEqual([]);
    call.calleeSays('You have chosen reservations.', 1_500);
    expect(call.phase).toBe('talking');
  });

  it('writes down how many there were, and not which: they may be a secret', () => {
    const call = press('4711');
    expect(call.notes('keys').map(({ data }) => data)).toEqual([{ count: 4 }]);
    const told = call.machine.recorded.filter(({ command }) => command.type.startsWith('scribe.'));
    expect(JSON.stringify(told)).not.toContain('4711');
  });

  it('says so when they could not be pressed', () => {
    const call = press('1').feed({ type: 'carrier.digitsSent', ok: false });
    expect(call.last('model.remember').text).toContain('could not be pressed');
    expect(call.asked).toEqual(['answer']);
  });

  it('refuses what are no keys, and a carrier that has none', () => {
    for (const keys of ['', 'abc', '1,2', '1'.repeat(33)]) expect(press(keys).count('carrier.sendDigits')).toBe(0);
    const cannot = press('1', { traits: { canSendDigits: false } });
    expect(cannot.last('model.answerTool').output).toContain('cannot be pressed');
    expect(cannot.count('carrier.sendDigits')).toBe(0);
  });
});
