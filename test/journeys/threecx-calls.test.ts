/** Whole calls of the real switchboard over a simulated 3CX, with a simulated model that speaks and listens. */
import { describe, expect, it } from 'vitest';
import { RESTAURANT_SCRIPT } from '../../src/simulator/callee/restaurant-host.ts';
import { type Script, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import { BOOKED, COLLEAGUE_EXTENSION, HANDED_OVER, reservationBrain } from '../../src/simulator/openai/brain.ts';
import { loadPhrasebook, phrase } from '../../src/simulator/speech/load-phrasebook.ts';
import { openRig, type Rig } from '../carriers/threecx/rig.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { CALLER, COLLEAGUE, RECEPTION, RESTAURANT_TURNS, WANTS_A_PERSON } from '../fixtures/scripts.ts';
import { type House, openHouse } from './house.ts';

async function openThreeCx(
  people: Readonly<Record<string, ReturnType<typeof holder>>>,
): Promise<House & { readonly rig: Rig }> {
  const colleague = {
    number: COLLEAGUE_EXTENSION,
    firstName: 'Ada',
    lastName: 'Moreno',
    telephone: 'plain',
    isListed: true,
  } as const;
  const rig: Rig = await openRig({
    extensions: [colleague],
    answer: (to) => ({ kind: 'answers', ringMs: 200, callee: () => people[to] ?? holder(COLLEAGUE) }),
    incoming: { mayTake: () => true, take: (call) => void house.switchboard.take(call) },
  });
  const house = await openHouse({
    carrier: rig.carrier,
    stop: () => rig.stop(),
    brain: reservationBrain([RECEPTION]),
    settings: { inboundContext: 'You answer the telephone of the office.' },
  });
  return {
    ...house,
    rig,
    place: (request) => house.place({ via: '3cx', ...request }),
    close: async () => {
      await house.close();
      expect(rig.pbx.violations).toEqual([]);
    },
  };
}

/** The two zeros of µ-law are one on the way over linear samples: so are they in the clips that the ear compares with. */
const CLIPS = loadPhrasebook().map((clip) => ({
  ...clip,
  audio: clip.audio.map((code) => (code === 0x7f ? 0xff : code)),
}));

function holder(script: Script) {
  return scriptedCallee(script, CLIPS);
}

describe.concurrent('over 3CX', { timeout: 60_000 }, () => {
  it('a conversation is held: every frame arrives, and what was heard of an interrupted sentence is known', async () => {
    const host = holder(RESTAURANT_SCRIPT);
    const house = await openThreeCx({ '+14155550123': host });
    try {
      const call = await house.ended(await house.place());
      expect(call).toMatchObject({ state: 'ended', outcome: 'completed', result: BOOKED, carrier: '3cx' });
      expect(host.ear.faults()).toEqual([]);
      expect(call.lines.map((line) => [line.speaker, line.interrupted])).toEqual(RESTAURANT_TURNS);
      const [truth] = host.interruptions;
      const [cut] = house.realtime.sessions[0]?.record.truncations ?? [];
      // A process that runs many tests is late at times; how little is heard after a clear is measured for itself.
      expect(cut?.phraseId).toBe('a.request');
      expect(Math.abs((cut?.audioEndMs ?? 0) - (truth?.trulyHeardMs ?? 0))).toBeLessThan(250);
      expect(host.ear.heardText('a.goodbye')).toBe(phrase('a.goodbye').text);
      expect(house.rig.pbx.liveCalls).toBe(0);
      expect(house.rig.pbx.lostMs).toBe(0);
    } finally {
      await house.close();
    }
  });

  it('somebody who calls is answered, and the agent speaks first, from its first word on', async () => {
    const caller = holder(CALLER);
    const house = await openThreeCx({});
    try {
      const { pbx } = house.rig;
      pbx.call({ to: pbx.routePoint, from: '+14155550177', callee: () => caller });
      await until(() => house.switchboard.liveCalls() === 1);
      const { calls } = await house.switchboard.calls({ limit: 10 });
      const call = await house.ended(calls[0]?.callId ?? '');
      expect(call).toMatchObject({ inbound: true, outcome: 'completed', to: '+14155550177' });
      expect(call.lines.map(({ speaker }) => speaker)).toEqual(['agent', 'callee', 'agent', 'callee']);
      expect(caller.ear.faults()).toEqual([]);
      expect(caller.ear.heardText('a.reception')).toBe(phrase('a.reception').text);
    } finally {
      await house.close();
    }
  });

  it('a call is handed over to a person, and the two talk on when the agent has left', async () => {
    const person = holder(WANTS_A_PERSON);
    const house = await openThreeCx({ '+14155550123': person, [COLLEAGUE_EXTENSION]: holder(COLLEAGUE) });
    try {
      const call = await house.ended(await house.place({ transferTo: [COLLEAGUE_EXTENSION] }));
      expect(call).toMatchObject({ outcome: 'transferred', result: HANDED_OVER });
      await until(() => person.ear.heardMs('c.office', 1) > 1_000, 10_000);
      expect(house.rig.pbx.liveCalls).toBe(1);
    } finally {
      await house.close();
    }
  });

  it('the conversation goes on when the audio breaks in its midst', async () => {
    const host = holder(RESTAURANT_SCRIPT);
    const house = await openThreeCx({ '+14155550123': host });
    try {
      const callId = await house.place();
      await until(() => host.ear.heardMs('a.request') > 500, 30_000);
      house.rig.pbx.dropStreams();
      const saidBefore = host.ear.heardPhrases.length;
      await until(() => host.ear.heardPhrases.length > saidBefore, 20_000);
      await house.switchboard.end(callId, 'now');
      const call = await house.ended(callId);
      const streams = call.timeline.filter(({ kind }) => kind.startsWith('stream-'));
      expect(streams.slice(0, 3).map(({ kind }) => kind)).toEqual(['stream-started', 'stream-ended', 'stream-started']);
      expect((streams[2]?.atMs ?? 0) - (streams[1]?.atMs ?? 0)).toBeLessThan(1_000);
      expect(house.rig.pbx.liveCalls).toBe(0);
    } finally {
      await house.close();
    }
  });
});
