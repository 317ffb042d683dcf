import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';
import { World, type WorldSpec } from './world.ts';

const RUNS = Math.max(400, Math.floor(Number(process.env.FUZZ_RUNS ?? 2_000) / 5));

const spec: fc.Arbitrary<WorldSpec> = fc.record({
  seed: fc.integer(),
  carrier: fc.record({
    oneWayMs: fc.constantFrom(0, 20, 125),
    markJitterMs: fc.constantFrom(0, 20, 200),
    capMs: fc.constantFrom(600_000, 10_000),
    losesMarksOnClear: fc.boolean(),
  }),
  model: fc.record({
    oneWayMs: fc.constantFrom(0, 40, 150),
    nullRequestIds: fc.boolean(),
    failing: fc.constantFrom(0, 0, 0.15, 0.5),
    silentReplies: fc.constantFrom(0, 0.05, 0.3),
    toolCalls: fc.constantFrom(0, 0.02, 0.2),
    untranscribed: fc.constantFrom(0, 0.2),
    longestReplyMs: fc.constantFrom(1_500, 6_000, 25_000),
  }),
  serverInterrupts: fc.boolean(),
  callMs: fc.constantFrom(20_000, 60_000),
  stallRate: fc.constantFrom(0, 0, 0.3),
  trouble: fc.constantFrom(0, 0.1, 0.4),
});

const TEXTS = ['Hello?', 'Bye.', '', null, 'Seven people, at eight.', 'One moment, please.', 'Thanks, bye!'];

/** A callee who speaks at random, and a world in which things go wrong at random. */
function live(world: World): void {
  const { machine, spec: of } = world;
  const random = new Random(of.seed ^ 0x5bd1e995);
  const again = () => {
    if (machine.call.ended) return;
    if (random.chance(0.7)) world.say(random.between(100, 3_500), TEXTS[random.whole(0, TEXTS.length - 1)] ?? null);
    if (random.chance(of.trouble * 0.1)) world.model.drop(random.chance(0.7));
    if (random.chance(of.trouble * 0.1)) world.loseStream();
    if (random.chance(of.trouble * 0.1)) world.leave();
    if (random.chance(of.trouble * 0.05)) machine.feed({ type: 'operator.ended', mode: 'polite' });
    if (random.chance(of.stallRate)) world.buffer.stall(random.between(60, 400));
    machine.later(random.between(200, 6_000), again);
  };
  machine.later(random.between(500, 9_000), again);
}

/** Words came when a pause before the next create was just over. */
const WORDS_BEHIND_A_PAUSE: WorldSpec = {
  seed: 976927756,
  carrier: { oneWayMs: 20, markJitterMs: 0, capMs: 600_000, losesMarksOnClear: true },
  model: {
    oneWayMs: 0,
    nullRequestIds: false,
    failing: 0,
    silentReplies: 0.05,
    toolCalls: 0,
    untranscribed: 0.2,
    longestReplyMs: 6_000,
  },
  serverInterrupts: false,
  callMs: 60_000,
  stallRate: 0.3,
  trouble: 0,
};

describe('the core in a model of the world', () => {
  it('keeps every invariant, throws no audio away, and ends within its limits', () => {
    fc.assert(
      fc.property(spec, (drawn) => {
        const world = new World(drawn);
        world.start();
        live(world);
        expect(world.machine.runToEnd(1_000 + 42_000 + drawn.callMs + 60_000)).toBe(true);
        expect(world.machine.observer.ended).toBe(1);
        expect(world.buffer.thrownAwayBytes).toBe(0);
      }),
      { numRuns: RUNS, examples: [[WORDS_BEHIND_A_PAUSE]] },
    );
  }, 120_000);
});
