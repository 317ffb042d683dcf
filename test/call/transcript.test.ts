import { describe, expect, it } from 'vitest';
import { heardText } from '../../src/call/turns.ts';
import { Scenario } from './scenario.ts';

function permutations<T>(values: readonly T[]): readonly (readonly T[])[] {
  if (values.length <= 1) return [values];
  return values.flatMap((value) =>
    permutations(values.filter((each) => each !== value)).map((rest) => [value, ...rest]),
  );
}

describe('the order of lines', () => {
  it('is the conversation’s, not that of arrival: a late transcription stands before its answer', () => {
    const call = Scenario.live();
    const question = call.calleeSays(undefined, 800);
    call.serverReplies('At eight.', 600);
    call.wait(2_000);
    expect(call.lines).toEqual([]);
    call.model({ type: 'model.transcribed', itemId: question, text: 'At what time?' });
    expect(call.lines).toEqual(['callee: At what time?', 'agent: At eight.']);
  });

  it('follows the chain in whatever order its links come', () => {
    const links = [
      ['a', null],
      ['b', 'a'],
      ['c', 'b'],
      ['d', 'c'],
    ] as const;
    for (const order of permutations(links)) {
      const call = Scenario.live();
      for (const [itemId, previousItemId] of order) call.model({ type: 'model.committed', itemId, previousItemId });
      for (const [itemId] of order) call.model({ type: 'model.transcribed', itemId, text: itemId });
      expect(call.lines).toEqual(['callee: a', 'callee: b', 'callee: c', 'callee: d']);
    }
  });

  it('takes an orphan by time after 2 s', () => {
    const call = Scenario.live();
    call.model({ type: 'model.committed', itemId: 'x', previousItemId: 'never seen' });
    call.model({ type: 'model.transcribed', itemId: 'x', text: 'Hello?' });
    call.wait(1_999);
    expect(call.lines).toEqual([]);
    call.wait(1);
    expect(call.lines).toEqual(['callee: Hello?']);
  });

  it('survives a chain that bites its own tail', () => {
    const call = Scenario.live();
    for (const [itemId, previousItemId] of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      call.model({ type: 'model.committed', itemId, previousItemId });
      call.model({ type: 'model.transcribed', itemId, text: itemId });
    }
    call.wait(3_000);
    expect([...call.lines].sort()).toEqual(['callee: a', 'callee: b']);
  });
});

describe('what a line says', () => {
  it('of a failed transcription is a placeholder', () => {
    const call = Scenario.live();
    call.calleeSays(null, 700);
    expect(call.lines).toEqual(['callee: [not understood]']);
  });

  it('of a transcription that never comes is a placeholder, which the late one replaces under the same index', () => {
    const call = Scenario.live();
    const itemId = call.calleeSays(undefined, 700);
    call.wait(4_000);
    expect(call.lines).toEqual(['callee: [not understood]']);
    call.model({ type: 'model.transcribed', itemId, text: 'Hello?' });
    call.model({ type: 'model.transcribed', itemId, text: 'Hello?' });
    expect(call.lines).toEqual(['callee: Hello?']);
    expect(call.all('scribe.line').map((line) => line.index)).toEqual([0, 0]);
  });

  it('of a cough is nothing', () => {
    const call = Scenario.live();
    call.calleeSays('', 300);
    call.serverReplies('Hello?', 500);
    call.wait(1_000);
    expect(call.lines).toEqual(['agent: Hello?']);
  });

  it('of an interrupted reply keeps heard and planned apart, and calls the cut an estimate', () => {
    const call = Scenario.live();
    call.serverReplies('We would like a table for two people tonight', 4_400);
    call.wait(2_200);
    call.speechStarts();
    expect(call.last('scribe.line')).toMatchObject({
      text: 'We would like a table',
      planned: 'We would like a table for two people tonight',
      interrupted: true,
      estimated: true,
      startMs: 0,
      endMs: 2_200,
    });
  });

  it('is never text of ours that nobody heard', () => {
    const call = Scenario.talking();
    const replyId = call.created(null);
    call.item(replyId, 'And could we have the window table?');
    call.wait(100).status('completed').wait(4_000);
    expect(call.lines.join()).not.toContain('window');
  });

  it('has times that count from the stream’s start', () => {
    const call = new Scenario().dial().wait(5_000).bound().answered().streams().ready();
    call.wait(1_000).calleeSays('Hello?', 600);
    expect(call.last('scribe.line')).toMatchObject({ startMs: 1_000, endMs: 1_600 });
  });
});

describe('heardText', () => {
  it.each([
    ['snaps back to a whole word', 'one two three four', 1_000, 2_000, true, 'one two'],
    ['keeps a word that ends at the cut', 'one two three', 700, 1_300, true, 'one two'],
    ['gives all of what was heard to its end', 'one two', 2_000, 2_000, true, 'one two'],
    ['gives nothing when nothing was heard', 'one two', 0, 2_000, true, ''],
    ['gives nothing before the first word is over', 'Donaudampfschifffahrt ahead', 300, 3_000, true, ''],
    [
      'cuts a script without spaces between its characters',
      '今晩二名で予約したいのですが',
      1_000,
      2_000,
      true,
      '今晩二名で予約',
    ],
    ['lets text run ahead of audio while it is made', 'word '.repeat(30).trim(), 1_000, 1_000, false, 'word word'],
  ] as const)('%s', (_, text, heardMs, receivedMs, done, heard) => {
    const cut = heardText(text, heardMs, receivedMs, done);
    expect(cut.startsWith(heard)).toBe(true);
    expect(cut.length - heard.length).toBeLessThanOrEqual(done ? 0 : 6);
  });
});
