/** Whole calls of the real switchboard over a simulated 3CX, with a simulated model that speaks and listens. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Line } from '../../src/call/words.ts';
import { createOpenAiModel } from '../../src/models/openai/model.ts';
import { RESTAURANT_SCRIPT } from '../../src/simulator/callee/restaurant-host.ts';
import { type Script, scriptedCallee } from '../../src/simulator/callee/scripted-callee.ts';
import {
  BOOKED,
  COLLEAGUE_EXTENSION,
  HANDED_OVER,
  type Rule,
  reservationBrain,
} from '../../src/simulator/openai/brain.ts';
import { startRealtimeSimulator } from '../../src/simulator/openai/server.ts';
import { loadPhrasebook, phrase } from '../../src/simulator/speech/load-phrasebook.ts';
import { openRecordingFolder } from '../../src/store/files/recordings.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { createArchive } from '../../src/switchboard/archive.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import type { CallFacts, PlaceRequest } from '../../src/switchboard/port.ts';
import { createSwitchboard, type RunningSwitchboard } from '../../src/switchboard/switchboard.ts';
import { openRig, type Rig } from '../carriers/threecx/rig.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { switchboardSettings } from '../fixtures/settings.ts';

const PATIENT = { helloAfterMs: null, hangUpAfterMs: null };
const CALLER: Script = {
  rules: [
    { when: { after: 'heard', phrase: 'a.reception', share: 0.95, thenMs: 500 }, act: { say: 'c.person' } },
    { when: { after: 'heard', phrase: 'a.goodbye', share: 0.5 }, act: { say: 'c.bye' } },
  ],
  manners: PATIENT,
};
const WANTS_A_PERSON: Script = {
  rules: [{ when: { after: 'start', ms: 600 }, act: { say: 'c.person' } }],
  manners: PATIENT,
};
const COLLEAGUE: Script = {
  rules: [{ when: { after: 'start', ms: 500 }, act: { say: 'c.office' } }],
  manners: PATIENT,
};
const OPENER: Rule = { when: { purpose: 'opener' }, reply: { speak: ['a.reception'] } };

interface Ended {
  readonly facts: CallFacts;
  readonly lines: readonly Line[];
}

interface House {
  readonly rig: Rig;
  readonly switchboard: RunningSwitchboard;
  readonly truncations: () => readonly { readonly phraseId: string | null; readonly audioEndMs: number }[];
  place(request?: Partial<PlaceRequest>): Promise<string>;
  ended(callId: string): Promise<Ended>;
  close(): Promise<void>;
}

async function openHouse(people: Readonly<Record<string, ReturnType<typeof holder>>>): Promise<House> {
  const realtime = await startRealtimeSimulator({ brain: reservationBrain([OPENER]) });
  const house: { switchboard: RunningSwitchboard | null } = { switchboard: null };
  const colleague = {
    number: COLLEAGUE_EXTENSION,
    firstName: 'Ada',
    lastName: 'Moreno',
    telephone: 'plain',
    isListed: true,
  } as const;
  const rig = await openRig({
    extensions: [colleague],
    answer: (to) => ({ kind: 'answers', ringMs: 200, callee: () => people[to] ?? holder(COLLEAGUE) }),
    incoming: { mayTake: () => true, take: (call) => void house.switchboard?.take(call) },
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-3cx-'));
  const store = await openSqliteStore({ dataDir });
  const model = createOpenAiModel({
    apiKey: realtime.apiKey,
    url: realtime.url,
    model: 'gpt-realtime',
    dialect: 'ga',
    transcriptionModel: 'gpt-transcribe',
    noiseReduction: 'off',
    turnDetection: 'server_vad',
    vadThreshold: 0.5,
    clock: systemClock,
  });
  const logger = pino({ level: 'silent' });
  const switchboard = createSwitchboard({
    settings: switchboardSettings({ inboundContext: 'You answer the telephone of the office.' }),
    store,
    archive: createArchive({
      store,
      folder: openRecordingFolder(join(dataDir, 'recordings')),
      clock: systemClock,
      logger,
    }),
    outside: () => Promise.resolve({ carrier: rig.carrier, model }),
    carriers: () => Promise.resolve([rig.carrier]),
    clock: systemClock,
    logger,
  });
  house.switchboard = switchboard;
  return {
    rig,
    switchboard,
    truncations: () => realtime.sessions[0]?.record.truncations ?? [],
    place: async (request) =>
      (await switchboard.place({ to: '+14155550123', context: 'Book a table for four.', via: '3cx', ...request }))
        .callId,
    ended: async (callId) => {
      while ((await switchboard.call(callId)).state !== 'ended')
        await switchboard.waitFor(callId, { cursor: 1_000, timeoutMs: 60_000 });
      const { lines } = await switchboard.lines(callId, { cursor: 0, limit: 200 });
      return { facts: await switchboard.call(callId), lines };
    },
    close: async () => {
      await switchboard.stop(200);
      await rig.stop();
      await store.close();
      await realtime.close();
      rmSync(dataDir, { recursive: true, force: true });
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
    const house = await openHouse({ '+14155550123': host });
    try {
      const { facts, lines } = await house.ended(await house.place());
      expect(facts).toMatchObject({ state: 'ended', outcome: 'completed', result: BOOKED, carrier: '3cx' });
      expect(host.ear.faults()).toEqual([]);
      expect(lines.map((line) => [line.speaker, line.interrupted])).toEqual([
        ['callee', false],
        ['agent', true],
        ['callee', false],
        ['agent', false],
        ['callee', false],
        ['agent', false],
        ['callee', false],
        ['agent', false],
        ['callee', false],
      ]);
      const [truth] = host.interruptions;
      const [cut] = house.truncations();
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
    const house = await openHouse({});
    try {
      const { pbx } = house.rig;
      pbx.call({ to: pbx.routePoint, from: '+14155550177', callee: () => caller });
      await until(() => house.switchboard.liveCalls() === 1);
      const { calls } = await house.switchboard.calls({ limit: 10 });
      const { facts, lines } = await house.ended(calls[0]?.callId ?? '');
      expect(facts).toMatchObject({ inbound: true, outcome: 'completed', to: '+14155550177' });
      expect(lines.map(({ speaker }) => speaker)).toEqual(['agent', 'callee', 'agent', 'callee']);
      expect(caller.ear.faults()).toEqual([]);
      expect(caller.ear.heardText('a.reception')).toBe(phrase('a.reception').text);
    } finally {
      await house.close();
    }
  });

  it('a call is handed over to a person, and the two talk on when the agent has left', async () => {
    const person = holder(WANTS_A_PERSON);
    const house = await openHouse({ '+14155550123': person, [COLLEAGUE_EXTENSION]: holder(COLLEAGUE) });
    try {
      const { facts } = await house.ended(await house.place({ transferTo: [COLLEAGUE_EXTENSION] }));
      expect(facts).toMatchObject({ outcome: 'transferred', result: HANDED_OVER });
      await until(() => person.ear.heardMs('c.office', 1) > 1_000, 10_000);
      expect(house.rig.pbx.liveCalls).toBe(1);
    } finally {
      await house.close();
    }
  });

  it('the conversation goes on when the audio breaks in its midst', async () => {
    const host = holder(RESTAURANT_SCRIPT);
    const house = await openHouse({ '+14155550123': host });
    try {
      const callId = await house.place();
      await until(() => host.ear.heardMs('a.request') > 500, 30_000);
      house.rig.pbx.dropStreams();
      const saidBefore = host.ear.heardPhrases.length;
      await until(() => host.ear.heardPhrases.length > saidBefore, 20_000);
      await house.switchboard.end(callId, 'now');
      const { facts } = await house.ended(callId);
      const streams = facts.timeline.filter(({ kind }) => kind.startsWith('stream-'));
      expect(streams.slice(0, 3).map(({ kind }) => kind)).toEqual(['stream-started', 'stream-ended', 'stream-started']);
      expect((streams[2]?.atMs ?? 0) - (streams[1]?.atMs ?? 0)).toBeLessThan(1_000);
      expect(house.rig.pbx.liveCalls).toBe(0);
    } finally {
      await house.close();
    }
  });
});
