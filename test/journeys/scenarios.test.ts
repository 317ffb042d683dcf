import { describe, expect, it } from 'vitest';
import type { Rule as CalleeRule } from '../../src/simulator/callee/scripted-callee.ts';
import { scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { reservationBrain } from '../../src/simulator/openai/brain.ts';
import { loadPhrasebook } from '../../src/simulator/speech/load-phrasebook.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { type Office, openOffice } from './office.ts';

/** The five scenarios that are worth most, each a whole call of the real server over real sockets with real speech. */

/** An office that closes at the end of its test's scope, whatever came of it. */
async function open(options: Parameters<typeof openOffice>[0]): Promise<Office & AsyncDisposable> {
  const office = await openOffice(options);
  return { ...office, [Symbol.asyncDispose]: () => office.close() };
}

const NO_MANNERS = { helloAfterMs: null, hangUpAfterMs: null } as const;

function first<T>(list: readonly T[]): T {
  const [one] = list;
  if (one === undefined) throw new Error('there is none');
  return one;
}

function words(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

describe.concurrent('a whole call', () => {
  it('1 interrupt after done: tells the model what the callee truly heard of a reply that was made long ago', {
    timeout: 60_000,
  }, async () => {
    const rules: CalleeRule[] = [
      { when: { after: 'start', ms: 400 }, act: { say: 'c.hello' } },
      { when: { after: 'heard', phrase: 'a.opener', share: 0.95, thenMs: 600 }, act: { say: 'c.stop' } },
      { when: { after: 'heard', phrase: 'a.long2', share: 0.75 }, act: { say: 'c.confirmed' } },
    ];
    await using office = await open({
      script: { rules, manners: NO_MANNERS },
      brain: () => reservationBrain(),
      twilio: {
        network: { up: { delayMs: 125 }, down: { delayMs: 125 }, seed: 3 },
        knobs: { markJitterMs: 200 },
      },
    });
    const call = await office.ended(await office.place());
    expect(call.outcome).toBe('completed');
    const { record } = first(office.world.realtime.sessions);
    const truth = first(first(office.world.callees).interruptions.filter((one) => one.phraseId === 'a.long2'));
    const cut = first(record.truncations.filter((one) => one.phraseId === 'a.long2'));
    const reply = record.responses.find((one) => one.phraseIds.includes('a.long2'));
    expect(reply?.status).toBe('completed');
    expect(reply?.doneAtMs).toBeLessThan(cut.atMs - 500);
    expect(cut.accepted).toBe(true);
    // How exact it is, in time and in words, is measured in truncation.test.ts, with nothing else on the machine.
    expect(Math.abs(cut.audioEndMs - truth.trulyHeardMs)).toBeLessThanOrEqual(60);
    const line = first(call.lines.filter((one) => one.interrupted));
    expect(line).toMatchObject({ speaker: 'agent', estimated: true });
    expect(line.planned?.startsWith(line.text)).toBe(true);
    expect(Math.abs(words(line.text) - words(truth.heardText))).toBeLessThanOrEqual(2);
    expect(record.errorCodes()).toEqual([]);
  });

  it('2 hello around the opener: there is one opening whenever the callee says "Hello?"', {
    timeout: 60_000,
  }, async () => {
    const firstSpeechMs = 1_500;
    const offsets = [-500, -375, -250, -125, 0, 125, 250, 375, 500];
    const phrases = loadPhrasebook();
    const people = offsets.map((offset) =>
      scriptedCallee(
        {
          rules: [
            { when: { after: 'start', ms: firstSpeechMs + offset }, act: { say: 'c.hello' } },
            { when: { after: 'heard', phrase: 'a.opener', share: 0.99, thenMs: 1_500 }, act: { hangUp: true } },
          ],
          manners: NO_MANNERS,
        },
        phrases,
      ),
    );
    await using office = await open({
      brain: () => reservationBrain(),
      answer: (to) => ({ kind: 'answers', ringMs: 100, callee: () => people[Number(to.slice(-1))] ?? first(people) }),
      settings: { FIRST_SPEECH_SECONDS: String(firstSpeechMs / 1_000) },
    });
    const ids = await Promise.all(offsets.map((_, index) => office.place({ to: `+1415555010${index}` })));
    const calls = await Promise.all(ids.map((id) => office.ended(id)));
    for (const [index, call] of calls.entries()) {
      const person = people[index];
      const openings =
        person?.ear.heardPhrases.filter((one) => one.phrase.id === 'a.opener' && one.pieces.length > 0) ?? [];
      const whole = openings.filter((one) => one.reach >= one.phrase.audio.byteLength * 0.98);
      const where = `"Hello?" at ${offsets[index]} ms of the opener's timer: ${JSON.stringify(call.lines.map((line) => line.text))}`;
      expect(whole, where).toHaveLength(1);
      // One that had just begun gives way at once: it is cut, and the callee hears no second greeting over the first.
      for (const cut of openings.filter((one) => !whole.includes(one))) expect(cut.reach / 8, where).toBeLessThan(900);
      expect(openings.length, where).toBeLessThanOrEqual(2);
      for (const overlap of person?.interruptions ?? []) {
        expect((overlap.silentAtMs ?? Number.POSITIVE_INFINITY) - overlap.atMs, where).toBeLessThan(500);
      }
      const heard = call.lines.filter((line) => line.speaker === 'agent' && !line.interrupted);
      expect(
        heard.map((line) => line.text),
        where,
      ).toEqual([expect.stringContaining('AI assistant')]);
    }
  });

  it('3 bye over the goodbye: "Thanks, bye!" ends within 2 s, "wait, one more thing" goes on', {
    timeout: 60_000,
  }, async () => {
    await using office = await open({ scenario: 'one-more-thing' });
    const call = await office.ended(await office.place());
    expect(call).toMatchObject({ outcome: 'completed' });
    expect(call.notes('reopened')).toHaveLength(1);
    const texts = call.lines.map((line) => line.text);
    expect(texts).toContain('No, we do not need a parking space, thank you.');
    const person = first(office.world.callees);
    const stream = first(first(office.world.twilio.calls).streams);
    const bye = person.said.find((one) => one.phraseId === 'c.bye');
    const goodbyeEndMs = Math.max(bye?.endMs ?? 0, call.lines.findLast((line) => line.speaker === 'agent')?.endMs ?? 0);
    expect(stream.elapsedMs - goodbyeEndMs).toBeLessThan(2_000);
    // The last goodbye was heard to its end, in spite of the "bye" over it.
    expect(person.ear.heardText('a.goodbye', 2)).toMatch(/lovely evening\.$/);
    expect(first(office.world.twilio.calls).endedBy).toBe('rest');
  });

  it('4 one moment: no word of ours through 25 s of chatter, an answer within 2 s of the return', {
    timeout: 90_000,
  }, async () => {
    await using office = await open({ scenario: 'one-moment' });
    const call = await office.ended(await office.place());
    expect(call).toMatchObject({ outcome: 'completed' });
    const person = first(office.world.callees);
    const chatter = person.said.filter((one) => one.phraseId === 'c.chatter');
    const back = person.said.find((one) => one.phraseId === 'c.back');
    expect((chatter.at(-1)?.endMs ?? 0) - first(chatter).startMs).toBeGreaterThan(25_000);
    // The model asked for quiet, and the transcriber made a "Bye." out of the background twice: neither ends the wait.
    expect(call.notes('tool').map((tool) => tool.name)).toEqual(['stay_quiet', 'end_call']);
    expect(call.lines.filter((line) => line.text === 'Bye.')).toHaveLength(2);
    const { record } = first(office.world.realtime.sessions);
    expect(record.responses.filter((one) => !one.own)).toHaveLength(1);
    const spoken = person.ear.runs();
    expect(spoken.filter((run) => run.heardAtMs < (back?.endMs ?? 0))).toEqual([]);
    const answer = first(spoken);
    expect(answer.phraseId).toBe('a.perfect');
    expect(answer.heardAtMs - (back?.endMs ?? 0)).toBeLessThan(2_000);
  });

  it('5 everything goes wrong: one dial, one end, the last line stored, nothing left behind', {
    timeout: 60_000,
  }, async () => {
    const rules: CalleeRule[] = [
      { when: { after: 'start', ms: 400 }, act: { say: 'c.greeting' } },
      { when: { after: 'heard', phrase: 'a.stillthere', share: 0.9, thenMs: 600 }, act: { say: 'c.howmany' } },
      { when: { after: 'heard', phrase: 'a.four', share: 0.5 }, act: { hangUp: true } },
    ];
    await using office = await open({
      script: { rules, manners: { helloAfterMs: 4_000, hangUpAfterMs: null } },
      brain: () => reservationBrain(),
      realtime: { killDuring: { session: 0, response: 0, afterAudioMs: 1_200 } },
      twilio: {
        knobs: {
          createAnswer: 'lost',
          statusWebhooks: 'reversed',
          duplicateStatus: true,
          dropStream: { afterMs: 9_000, withStop: false, times: 1 },
        },
      },
    });
    const call = await office.ended(await office.place());
    expect(call.outcome).toBe('callee-hung-up');
    expect(office.world.twilio.calls).toHaveLength(1);
    expect(call.notes('dialled')).toHaveLength(1);
    expect(call.notes('stream-started').length).toBeGreaterThanOrEqual(2);
    expect(call.notes('model-failed').length).toBeGreaterThanOrEqual(1);
    const last = call.lines.at(-1);
    expect(last).toMatchObject({ speaker: 'agent', interrupted: true });
    expect('For four people, this Friday at seven.'.startsWith(last?.text ?? '?')).toBe(true);
    expect(call.lines.map((line) => line.index)).toEqual(call.lines.map((_, index) => index));
    const carrierCall = first(office.world.twilio.calls);
    await carrierCall.ended;
    expect(carrierCall.errors).toEqual([]);
    for (const stream of carrierCall.streams) expect(stream.end).not.toBeNull();
    // A socket is closed when both sides have said so.
    await until(() => office.world.realtime.sessions.every(({ record }) => record.closed !== null));
  });
});
