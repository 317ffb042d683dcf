import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { reservationBrain } from '../../src/simulator/openai/brain.ts';
import type { SessionRecord } from '../../src/simulator/openai/record.ts';
import type { SimulatedCall } from '../../src/simulator/twilio/call.ts';
import { type EndedCall, type Office, openOffice } from './office.ts';

/**
 * One short call with everything in it, looked at from every side: a caller who speaks before the model is ready, an interruption
 * of a reply that was made long ago and one of a reply still being made, late deltas, a "bye" over the goodbye.
 */
describe('a short call', () => {
  let office: Office;
  let call: EndedCall;
  let person: ScriptedCallee;
  let record: SessionRecord;
  let carrierCall: SimulatedCall;
  const told: { readonly kind: string; readonly lines: number }[] = [];
  let repeated: boolean;

  beforeAll(async () => {
    office = await openOffice({
      ringMs: 100,
      script: {
        rules: [
          { when: { after: 'start', ms: 100 }, act: { say: 'c.hello' } },
          { when: { after: 'heard', phrase: 'a.opener', ms: 1_300 }, act: { say: 'c.howmany' } },
          { when: { after: 'heard', phrase: 'a.four', ms: 300 }, act: { say: 'c.yes' } },
          {
            when: { after: 'heard', phrase: 'a.four', occurrence: 2, share: 0.95, thenMs: 500 },
            act: { say: 'c.name' },
          },
          { when: { after: 'heard', phrase: 'a.goodbye', share: 0.45 }, act: { say: 'c.bye' } },
        ],
        manners: { helloAfterMs: null, hangUpAfterMs: 10_000 },
      },
      brain: () =>
        reservationBrain([
          {
            when: { heard: 'c.name' },
            reply: { speak: ['a.goodbye'], calls: [{ name: 'end_call', args: { outcome: 'Done.' } }] },
          },
        ]),
      realtime: {
        sessionCreatedDelayMs: 700,
        deltaMs: [90.125, 133.375],
        burstFactor: 4,
        lateDeltas: { count: 2, when: 'before-done' },
        transcriptionDelayMs: [1_400, 150],
      },
      twilio: { network: { up: { delayMs: 40 }, down: { delayMs: 40 }, seed: 5 }, knobs: { markJitterMs: 60 } },
    });
    const key = { idempotencyKey: 'short-call' };
    const pages: Promise<void>[] = [];
    office.switchboard.watch(({ callId, kind }) => {
      pages.push(
        office.switchboard
          .lines(callId, { cursor: 0, limit: 50 })
          .then(({ lines }) => void told.push({ kind, lines: lines.length })),
      );
    });
    const placing = office.place(key);
    const again = office.place(key);
    const callId = await placing;
    repeated = (await again) === callId;
    call = await office.ended(callId);
    await Promise.all(pages);
    person = office.world.callees[0] as ScriptedCallee;
    record = office.world.realtime.sessions[0]?.record as SessionRecord;
    carrierCall = office.world.twilio.calls[0] as SimulatedCall;
    await carrierCall.ended;
  }, 60_000);

  afterAll(() => office.close());

  it('is dialled once, also when it is asked for twice under one key', () => {
    expect(repeated).toBe(true);
    expect(office.world.twilio.calls).toHaveLength(1);
  });

  it('opens once, and answers what was said before the model was ready', () => {
    expect(call.lines[0]).toMatchObject({ speaker: 'callee', text: 'Hello?' });
    const openings = person.ear.heardPhrases.filter((one) => one.phrase.id === 'a.opener' && one.pieces.length > 0);
    expect(openings).toHaveLength(1);
  });

  it('carries every frame of the callee to the model, in order', () => {
    const heard = record.turns.flatMap((turn) => turn.heard);
    expect(heard.map((one) => one.phrase?.id)).toEqual(['c.hello', 'c.howmany', 'c.yes', 'c.name', 'c.bye']);
    for (const one of heard) expect(one).toMatchObject({ exact: true, faults: [] });
  });

  it('plays the agent without loss, repetition or confusion, and nothing of a reply that was cut', () => {
    expect(person.ear.faults()).toEqual([]);
    const heard = person.ear.heardPhrases.filter((one) => one.pieces.length > 0).map((one) => one.phrase.id);
    expect(heard).toEqual(['a.opener', 'a.four', 'a.four', 'a.goodbye']);
  });

  it('falls silent at once when it is interrupted, and tells the model what was truly heard', () => {
    const cuts = person.interruptions.filter((one) => one.phraseId !== 'a.goodbye');
    expect(cuts).toHaveLength(2);
    const truncations = record.truncations.filter((one) => one.phraseId !== 'a.goodbye');
    expect(truncations).toHaveLength(2);
    for (const [index, cut] of cuts.entries()) {
      expect(cut.cutShort).toBe(true);
      expect((cut.silentAtMs ?? Number.POSITIVE_INFINITY) - cut.atMs).toBeLessThan(600);
      expect(truncations[index]).toMatchObject({ phraseId: cut.phraseId, accepted: true });
      // How exact it is, is measured in truncation.test.ts, with nothing else on the machine.
      expect(Math.abs((truncations[index]?.audioEndMs ?? 0) - cut.trulyHeardMs)).toBeLessThanOrEqual(60);
    }
    expect(record.errorCodes()).toEqual([]);
  });

  it('writes down who said what in the order of the conversation, cut to what was heard', () => {
    expect(call.lines.map((line) => `${line.speaker}${line.interrupted ? ' cut' : ''}`)).toEqual([
      'callee',
      'agent cut',
      'callee',
      'agent cut',
      'callee',
      'agent',
      'callee',
      'agent',
      'callee',
    ]);
    expect(call.lines.filter((line) => line.speaker === 'callee').map((line) => line.text)).toEqual([
      'Hello?',
      'Sorry, for how many people?',
      'Yes, of course.',
      'And may I have your name, please?',
      'Thanks, bye!',
    ]);
    for (const line of call.lines.filter((one) => one.interrupted)) {
      expect(line.text.length).toBeLessThan(line.planned?.length ?? 0);
      expect(line.planned?.startsWith(line.text)).toBe(true);
    }
  });

  it('says its goodbye to the end, whatever is said over it, and then hangs up', () => {
    expect(person.ear.heardText('a.goodbye')).toBe(
      'Thank you very much for your help. Goodbye, and have a lovely evening.',
    );
    expect(call).toMatchObject({ state: 'ended', outcome: 'completed', result: 'Done.' });
    expect(carrierCall.endedBy).toBe('rest');
    const [stream] = carrierCall.streams;
    const spoke = person.ear.runs().at(-1);
    const farewellEndMs = (spoke?.heardAtMs ?? 0) + (spoke ? spoke.toMs - spoke.fromMs : 0);
    expect((stream?.elapsedMs ?? 0) - farewellEndMs).toBeGreaterThan(500);
    expect((stream?.elapsedMs ?? 0) - farewellEndMs).toBeLessThan(2_500);
  });

  it('tells its watchers of a line only when it can be read', () => {
    let lines = 0;
    for (const one of told.filter(({ kind }) => kind === 'line' || kind === 'ended')) {
      if (one.kind === 'line') lines += 1;
      expect(one.lines).toBeGreaterThanOrEqual(lines);
    }
    expect(lines).toBe(9);
  });

  it('breaks no rule of the carrier', () => {
    expect(carrierCall.errors).toEqual([]);
    expect(carrierCall.warnings).toEqual([]);
  });
});
