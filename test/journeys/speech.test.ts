import { describe, expect, it } from 'vitest';
import { numberOf, plannedBrain, sessionOf, simulatedCallOf } from '../../src/bench/interruptions.ts';
import type { Callee, CalleeTurn } from '../../src/simulator/callee/callee.ts';
import { type Rule, type Script, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { loadPhrasebook, phrase } from '../../src/simulator/speech/load-phrasebook.ts';
import { openOffice } from './office.ts';

/** One conversation: the callee says the first, hears the agent's answer out, says the second, hears that out, and hangs up. */
interface Conversation {
  readonly says: readonly [string, string];
  readonly hears: readonly [string, string];
}

const CONVERSATIONS: readonly Conversation[] = [
  { says: ['c.greeting', 'c.hello'], hears: ['a.short', 'a.request'] },
  { says: ['c.onemore', 'c.yes'], hears: ['a.four', 'a.opener'] },
  { says: ['c.confirmed', 'c.howmany'], hears: ['a.goodbye', 'a.name'] },
  { says: ['c.back', 'c.bye'], hears: ['a.again', 'a.stillthere'] },
  { says: ['c.moment', 'c.mmhm'], hears: ['a.long2', 'a.farewell'] },
  { says: ['c.seven', 'c.stop'], hears: ['a.perfect', 'a.message'] },
  { says: ['c.name', 'c.yes'], hears: ['a.long', 'a.parking'] },
  { says: ['c.person', 'c.office'], hears: ['a.transfer', 'a.reception'] },
];

const PATIENT = { helloAfterMs: null, hangUpAfterMs: null };

function scriptOf({ says, hears }: Conversation, startMs = 300): Script {
  const whole = (id: string) => ({ after: 'heard', phrase: id, share: 1, thenMs: 300 }) as const;
  const rules: readonly Rule[] = [
    { when: { after: 'start', ms: startMs }, act: { say: says[0] } },
    { when: whole(hears[0]), act: { say: says[1] } },
    { when: whole(hears[1]), act: { hangUp: true } },
  ];
  return { rules, manners: PATIENT };
}

type OfficeOptions = Parameters<typeof openOffice>[0];

/** Holds these conversations at once; `around` may put something between the person and the line. */
async function hold(
  conversations: readonly Conversation[],
  options: OfficeOptions & { readonly startMs?: number; readonly around?: (callee: Callee) => Callee } = {},
) {
  const { startMs, around = (callee: Callee) => callee, ...more } = options;
  const office = await openOffice({
    brain: () => plannedBrain(conversations.map(({ hears }) => hears.map((id) => ({ speak: [id], cut: null })))),
    answer: (to) => {
      const conversation = conversations.find((_, index) => numberOf(index) === to);
      if (conversation === undefined) return { kind: 'fails', ringMs: 0 };
      const person = () => around(scriptedCallee(scriptOf(conversation, startMs), loadPhrasebook()));
      return { kind: 'answers', ringMs: 100, callee: person };
    },
    ...more,
  });
  try {
    const calls = conversations.map(async (conversation, index) => {
      const callId = await office.place({ to: numberOf(index), context: `Book a table, by plan ${index}.` });
      const ended = await office.ended(callId);
      const call = simulatedCallOf(office.world, ended);
      const record = sessionOf(office.world, ended);
      const heard = record.turns.flatMap((turn) => turn.heard);
      return { conversation, ended, call, record, heard };
    });
    return await Promise.all(calls);
  } finally {
    await office.close();
  }
}

const LINE = { delayMs: 20, jitterMs: 15 };
const ODD_LINE: OfficeOptions = {
  twilio: { network: { up: LINE, down: LINE, seed: 11 }, knobs: { oddFrames: true, frameJitterMs: 20 } },
  realtime: { deltaMs: [13.125, 200.375, 7.5, 61.25, 0.125, 333.625], network: { up: LINE, down: LINE, seed: 5 } },
};

/** A person in whose first sentence a frame is lost on the line, or two change places. */
function damaged(callee: Callee, how: 'dropped' | 'swapped'): Callee {
  let spoken = 0;
  let late: CalleeTurn | null = null;
  return {
    tick(heard, atMs) {
      if (late !== null) {
        const turn = late;
        late = null;
        return turn;
      }
      const turn = callee.tick(heard, atMs);
      if (turn.spoken !== null) spoken += 1;
      if (turn.spoken === null || spoken !== 40) return turn;
      if (how === 'swapped') late = turn;
      return callee.tick(null, atMs);
    },
  };
}

describe.concurrent('speech over real sockets', () => {
  it('every sentence of either side arrives whole, to the sample, over an odd line', { timeout: 60_000 }, async () => {
    const held = await hold(CONVERSATIONS, ODD_LINE);
    for (const { conversation, call, heard, ended } of held) {
      expect(heard.map((one) => one.phrase?.id)).toEqual(conversation.says);
      expect(heard.flatMap((one) => one.faults)).toEqual([]);
      expect(heard.every((one) => one.exact)).toBe(true);
      expect(call.ear?.faults()).toEqual([]);
      expect(call.ear?.heardPhrases.map((one) => one.phrase.id)).toEqual(conversation.hears);
      for (const id of conversation.hears) expect(call.ear?.heardMs(id)).toBeCloseTo(phrase(id).durationMs, 0);
      expect(ended.lines.map((line) => line.text)).toEqual(
        [0, 1].flatMap((turn) => [
          phrase(conversation.says[turn] ?? '').text,
          phrase(conversation.hears[turn] ?? '').text,
        ]),
      );
    }
    const said = new Set(held.flatMap(({ heard }) => heard.map((one) => one.phrase?.id)));
    const all = loadPhrasebook().filter((one) => one.voice === 'callee' && one.text !== '');
    expect([...said].sort()).toEqual(all.map((one) => one.id).sort());
  });

  it('a callee who speaks before the model is ready is heard from the first syllable', {
    timeout: 60_000,
  }, async () => {
    const [call] = await hold([{ says: ['c.greeting', 'c.yes'], hears: ['a.four', 'a.short'] }], {
      startMs: 100,
      realtime: { sessionCreatedDelayMs: 2_500 },
    });
    expect(call?.heard.map((one) => [one.phrase?.id, one.exact])).toEqual([
      ['c.greeting', true],
      ['c.yes', true],
    ]);
    const [start] = call?.call.streams[0]?.sent ?? [];
    const readyMs = call?.record.sent.find((one) => one.type === 'session.updated')?.atMs ?? 0;
    // The sentence had begun before the session was there.
    expect(start?.event).toBe('start');
    expect(readyMs - (call?.record.openedAtMs ?? 0)).toBeGreaterThan(2_400);
    expect(call?.record.turns[0]?.startMs).toBeLessThan(600);
  });

  it.each(['dropped', 'swapped'] as const)('%s frames show', { timeout: 60_000 }, async (how) => {
    const [call] = await hold([{ says: ['c.greeting', 'c.yes'], hears: ['a.four', 'a.short'] }], {
      around: (callee) => damaged(callee, how),
    });
    const [first, second] = call?.heard ?? [];
    expect(first?.phrase?.id).toBe('c.greeting');
    expect(first?.exact).toBe(false);
    expect(first?.faults.map((fault) => fault.kind)).toEqual([how === 'dropped' ? 'missing' : 'swapped']);
    expect(second?.exact).toBe(true);
  });

  it('what the line lost is filled with silence, so that turns still end and stay in time', {
    timeout: 60_000,
  }, async () => {
    const [call] = await hold([{ says: ['c.greeting', 'c.howmany'], hears: ['a.four', 'a.short'] }], {
      twilio: { knobs: { gaps: { everyMs: 700, forMs: 60 } } },
    });
    const heard = call?.heard ?? [];
    expect(heard.map((one) => one.phrase?.id)).toEqual(['c.greeting', 'c.howmany']);
    expect(heard.some((one) => one.exact)).toBe(false);
    expect(heard.flatMap((one) => one.faults).every((fault) => fault.kind === 'altered')).toBe(true);
    const arrivedMs = (call?.call.streams[0]?.mediaSent ?? 0) * 20;
    const spanMs = call?.call.ear?.elapsedMs ?? 0;
    const givenMs = (call?.record.inputBytes ?? 0) / 8;
    expect(spanMs - arrivedMs).toBeGreaterThan(300);
    expect(Math.abs(givenMs - spanMs)).toBeLessThan(150);
  });
});
