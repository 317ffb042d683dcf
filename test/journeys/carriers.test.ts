import { describe, expect, it } from 'vitest';
import { numberOf, plannedBrain, sessionOf, simulatedCallOf } from '../../src/bench/interruptions.ts';
import { RESTAURANT_SCRIPT } from '../../src/simulator/callee/restaurant-host.ts';
import { type Script, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { type Brain, reservationBrain } from '../../src/simulator/openai/brain.ts';
import { loadPhrasebook, phrase } from '../../src/simulator/speech/load-phrasebook.ts';
import { startBinaryWorld } from '../fixtures/binary-carrier/world.ts';
import { PATIENT, RESTAURANT_TURNS } from '../fixtures/scripts.ts';
import { openHouse } from './house.ts';
import { openOffice } from './office.ts';

/** One whole call of the real switchboard over the second carrier: binary frames, marks lost on a clear, ten seconds of buffer. */
async function callOverBinary(script: Script, brain: Brain) {
  const callee = scriptedCallee(script, loadPhrasebook());
  const world = await startBinaryWorld({ answer: () => ({ kind: 'answers', ringMs: 200, callee: () => callee }) });
  const house = await openHouse({ carrier: world.host.carrier, stop: () => world.stop(), brain });
  try {
    const call = await house.ended(await house.place());
    return { call, callee, realtime: house.realtime };
  } finally {
    await house.close();
  }
}

describe.concurrent('the conversation does not know its carrier', () => {
  it('is held over a binary carrier that loses marks on a clear', { timeout: 60_000 }, async () => {
    const { call, callee, realtime } = await callOverBinary(RESTAURANT_SCRIPT, reservationBrain());
    expect(call).toMatchObject({ state: 'ended', outcome: 'completed', carrier: 'binary' });
    expect(callee.ear.faults()).toEqual([]);
    expect(call.lines.map((line) => [line.speaker, line.interrupted])).toEqual(RESTAURANT_TURNS);
    const [truth] = callee.interruptions;
    const [cut] = realtime.sessions[0]?.record.truncations ?? [];
    expect(truth).toMatchObject({ phraseId: 'a.request', cutShort: true });
    expect(cut).toMatchObject({ phraseId: 'a.request', accepted: true });
    expect(Math.abs((cut?.audioEndMs ?? 0) - (truth?.trulyHeardMs ?? 0))).toBeLessThanOrEqual(60);
    expect(callee.ear.heardText('a.goodbye')).toBe(phrase('a.goodbye').text);
  });

  it('loses nothing of a reply that is longer than the carrier buffers, and cuts it where it was heard', {
    timeout: 90_000,
  }, async () => {
    const script: Script = {
      rules: [
        { when: { after: 'start', ms: 300 }, act: { say: 'c.greeting' } },
        // Cut in the third item, twenty seconds after the reply began, when more than one buffer has been played.
        { when: { after: 'heard', phrase: 'a.request', ms: 3_000 }, act: { say: 'c.howmany' } },
        { when: { after: 'heard', phrase: 'a.four', share: 1, thenMs: 500 }, act: { hangUp: true } },
      ],
      manners: PATIENT,
    };
    const long = { when: { heard: 'c.greeting' }, reply: { speak: ['a.long', 'a.long2', 'a.request'] } };
    const { call, callee, realtime } = await callOverBinary(script, reservationBrain([long]));
    expect(callee.ear.faults()).toEqual([]);
    for (const id of ['a.long', 'a.long2', 'a.four']) {
      expect(callee.ear.heardMs(id)).toBeCloseTo(phrase(id).durationMs, 0);
      expect(call.lines.some((line) => line.text === phrase(id).text && !line.interrupted)).toBe(true);
    }
    const truncations = realtime.sessions[0]?.record.truncations ?? [];
    expect(truncations.map((one) => one.phraseId)).toEqual(['a.request']);
    const heardMs = callee.ear.heardMs('a.request');
    expect(heardMs).toBeGreaterThan(3_000);
    expect(heardMs).toBeLessThan(4_000);
    expect(Math.abs((truncations[0]?.audioEndMs ?? 0) - heardMs)).toBeLessThanOrEqual(60);
  });

  it('is held in the beta dialect', { timeout: 60_000 }, async () => {
    const office = await openOffice({
      scenario: 'reservation',
      realtime: { dialect: 'beta' },
      settings: { OPENAI_REALTIME_DIALECT: 'beta' },
    });
    try {
      const ended = await office.ended(await office.place());
      expect(ended.outcome).toBe('completed');
      const call = simulatedCallOf(office.world, ended);
      expect(call.ear?.faults()).toEqual([]);
      expect(call.ear?.heardText('a.goodbye')).toBe(phrase('a.goodbye').text);
      const record = sessionOf(office.world, ended);
      expect(record.errorCodes()).toEqual([]);
      expect(record.sentTypes()).toContain('response.audio.delta');
      expect(record.turns.flatMap((turn) => turn.heard).every((one) => one.exact)).toBe(true);
      expect(record.truncations.map((one) => [one.phraseId, one.accepted])).toEqual([['a.request', true]]);
      expect(ended.lines.filter((line) => line.speaker === 'callee').map((line) => line.text)).toEqual(
        ['c.greeting', 'c.howmany', 'c.name', 'c.confirmed', 'c.bye'].map((id) => phrase(id).text),
      );
    } finally {
      await office.close();
    }
  });
});

describe.concurrent('several calls at once', () => {
  const THEIRS = [
    ['c.greeting', 'a.request'],
    ['c.howmany', 'a.four'],
    ['c.name', 'a.name'],
    ['c.seven', 'a.perfect'],
    ['c.onemore', 'a.parking'],
    ['c.moment', 'a.again'],
    ['c.back', 'a.long2'],
    ['c.yes', 'a.message'],
  ] as const;

  it('never mix: each has its own lines, its own ear, its own session', { timeout: 60_000 }, async () => {
    const script = ([says, hears]: (typeof THEIRS)[number]): Script => ({
      rules: [
        { when: { after: 'start', ms: 300 }, act: { say: says } },
        { when: { after: 'heard', phrase: hears, share: 1, thenMs: 600 }, act: { hangUp: true } },
      ],
      manners: PATIENT,
    });
    const office = await openOffice({
      brain: () => plannedBrain(THEIRS.map(([, hears]) => [{ speak: [hears], cut: null }])),
      answer: (to) => {
        const pair = THEIRS.find((_, index) => numberOf(index) === to);
        if (pair === undefined) return { kind: 'fails', ringMs: 0 };
        return { kind: 'answers', ringMs: 100, callee: () => scriptedCallee(script(pair), loadPhrasebook()) };
      },
    });
    try {
      const calls = await Promise.all(
        THEIRS.map(async (pair, index) => {
          const callId = await office.place({ to: numberOf(index), context: `Book a table, by plan ${index}.` });
          return { pair, index, ended: await office.ended(callId) };
        }),
      );
      for (const { pair, index, ended } of calls) {
        const [says, hears] = pair;
        expect(ended.to).toBe(numberOf(index));
        expect(ended.lines.map((line) => [line.speaker, line.text])).toEqual([
          ['callee', phrase(says).text],
          ['agent', phrase(hears).text],
        ]);
        const call = simulatedCallOf(office.world, ended);
        expect(call.to).toBe(numberOf(index));
        expect(call.ear?.heardPhrases.map((one) => one.phrase.id)).toEqual([hears]);
        expect(call.ear?.faults()).toEqual([]);
        const heard = sessionOf(office.world, ended).turns.flatMap((turn) => turn.heard);
        expect(heard.map((one) => [one.phrase?.id, one.exact])).toEqual([[says, true]]);
      }
      expect(office.world.realtime.sessions).toHaveLength(THEIRS.length);
      expect(office.world.twilio.calls).toHaveLength(THEIRS.length);
    } finally {
      await office.close();
    }
  });
});
