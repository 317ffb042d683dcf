import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlannedReply, plannedBrain, sessionOf, simulatedCallOf } from '../../src/bench/interruptions.ts';
import type { Script } from '../../src/simulator/callee/scripted-callee.ts';
import type { SessionRecord } from '../../src/simulator/openai/record.ts';
import type { SimulatedStream } from '../../src/simulator/twilio/stream.ts';
import { type Scrape, scrape } from '../fixtures/exposition.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { type EndedCall, type Office, openOffice } from './office.ts';

const CUT = 'a.long';
const PLAN: readonly PlannedReply[] = [
  { speak: [CUT], cut: { phrase: CUT, atMs: 900 } },
  { speak: ['a.short'], cut: null },
];
/** Interrupts the first reply, hears the second and the farewell to their ends, so that nothing is on its way when it hangs up. */
const PERSON: Script = {
  rules: [
    { when: { after: 'start', ms: 200 }, act: { say: 'c.hello' } },
    { when: { after: 'heard', phrase: CUT, ms: 900 }, act: { say: 'c.hello' } },
    { when: { after: 'heard', phrase: 'a.short', share: 1, thenMs: 500 }, act: { say: 'c.hello' } },
    { when: { after: 'heard', phrase: 'a.farewell', share: 1, thenMs: 300 }, act: { hangUp: true } },
  ],
  manners: { helloAfterMs: null, hangUpAfterMs: null },
};
/** Delays of one process that plays both sides, on a busy machine. */
const LATE_SECONDS = 0.25;

describe('the figures of a whole call with an interruption', () => {
  let office: Office;
  let before: Scrape;
  let during: Scrape;
  let after: Scrape;
  let ended: EndedCall;
  let stream: SimulatedStream;
  let record: SessionRecord;

  beforeAll(async () => {
    office = await openOffice({
      brain: () => plannedBrain([PLAN]),
      script: PERSON,
      ringMs: 100,
      realtime: { firstAudioDelayMs: 250 },
      settings: { VAD_SILENCE_MS: '200', MCP_PORT: '0' },
      privateListener: true,
    });
    const port = office.app.listening().private?.port ?? 0;
    before = await scrape(port);
    const callId = await office.place({ context: 'Book a table, by plan 0.' });
    const { sessions } = office.world.realtime;
    await until(() => sessions.length > 0);
    await sessions[0]?.record.until(({ truncations }) => truncations.length > 0, 'a truncation', 20_000);
    during = await scrape(port);
    ended = await office.ended(callId);
    after = await scrape(port);
    record = sessionOf(office.world, ended);
    const [only] = simulatedCallOf(office.world, ended).streams;
    if (only === undefined) throw new Error('The call had no stream');
    stream = only;
  }, 60_000);

  afterAll(() => office?.close());

  const count = (event: 'media' | 'clear'): number => stream.received.filter((one) => one.event === event).length;

  it('begin at 0, with every series there', () => {
    expect(before.get('switchboard_calls_placed_total')).toBe(0);
    expect(before.get('switchboard_calls_ended_total{outcome="callee-hung-up"}')).toBe(0);
    expect(before.get('switchboard_model_errors_total{kind="quota"}')).toBe(0);
    expect(before.get('switchboard_first_response_seconds_count{since="turn_end"}')).toBe(0);
    expect(before.get('switchboard_simulated')).toBe(1);
    expect(before.get('process_resident_memory_bytes')).toBeGreaterThan(0);
  });

  it('show the live call while it lives', () => {
    expect(during.get('switchboard_calls_live{state="answered"}')).toBe(1);
    expect(during.get('switchboard_calls_placed_total')).toBe(1);
    expect(during.get('switchboard_interruptions_total')).toBe(1);
    expect(before.get('switchboard_live_cost_dollars')).toBe(0);
    expect(during.get('switchboard_live_cost_dollars')).toBeGreaterThan(0.01);
    expect(during.get('switchboard_frames_total{direction="from_callee"}')).toBeGreaterThan(50);
    expect(during.get('switchboard_calls_ended_total{outcome="callee-hung-up"}')).toBe(0);
  });

  it('are those of the telephone when it has ended', () => {
    expect(ended.outcome).toBe('callee-hung-up');
    const live = [...after].filter(([name]) => name.startsWith('switchboard_calls_live'));
    expect(live.map(([, value]) => value)).toEqual(live.map(() => 0));
    expect(after.get('switchboard_calls_ended_total{outcome="callee-hung-up"}')).toBe(1);
    expect(after.get('switchboard_frames_total{direction="from_callee"}')).toBe(stream.mediaSent);
    expect(after.get('switchboard_frames_total{direction="to_callee"}')).toBe(count('media'));
    expect(after.get('switchboard_interruptions_total')).toBe(count('clear'));
    expect(after.get('switchboard_live_cost_dollars')).toBe(0);
    const talked = after.get('switchboard_talk_seconds_sum') ?? 0;
    expect(Math.abs(talked - stream.elapsedMs / 1_000)).toBeLessThan(10);
    expect(after.get('switchboard_carrier_errors_total{kind="stream-dropped"}')).toBe(0);
  });

  it('are those of the model', () => {
    const heard = record.truncations.map(({ audioEndMs }) => audioEndMs / 1_000);
    expect(after.get('switchboard_truncation_heard_seconds_count')).toBe(heard.length);
    expect(after.get('switchboard_truncation_heard_seconds_sum')).toBeCloseTo(
      heard.reduce((sum, one) => sum + one, 0),
      6,
    );
    const { usage } = ended;
    expect(usage.outputAudioTokens).toBeGreaterThan(0);
    expect(after.get('switchboard_tokens_total{kind="output_audio"}')).toBe(usage.outputAudioTokens);
    expect(after.get('switchboard_tokens_total{kind="input_audio"}')).toBe(usage.inputAudioTokens);
    expect(after.get('switchboard_tokens_total{kind="cached_text"}')).toBe(usage.cachedTextTokens);
    expect(ended.cost?.parts.model).toBeGreaterThan(0);
    for (const [part, dollars] of Object.entries(ended.cost?.parts ?? {})) {
      expect(after.get(`switchboard_cost_dollars_total{part="${part}"}`), part).toBeCloseTo(dollars ?? 0, 8);
      expect(after.get(`switchboard_unpriced_calls_total{part="${part}"}`), part).toBe(dollars === null ? 1 : 0);
    }
    const failures = [...after].filter(([name]) => name.startsWith('switchboard_model_errors_total'));
    expect(failures.filter(([, value]) => value > 0)).toEqual([]);
  });

  it('tell how long the callee waited for each answer, as the model saw it', () => {
    const waits = waitsOf(record);
    expect(waits).toHaveLength(PLAN.length + 1);
    const sum = waits.reduce((total, one) => total + one, 0);
    const counted = after.get('switchboard_first_response_seconds_count{since="turn_end"}');
    expect(counted).toBe(waits.length);
    const told = after.get('switchboard_first_response_seconds_sum{since="turn_end"}') ?? 0;
    expect(Math.abs(told - sum)).toBeLessThan(LATE_SECONDS * waits.length);
    // The first turn is given a second of silence, the others 200 ms.
    const fromSpeech = after.get('switchboard_first_response_seconds_sum{since="speech_end"}') ?? 0;
    expect(fromSpeech - told).toBeCloseTo(1 + 0.2 * (waits.length - 1), 3);
    expect(after.get('switchboard_dead_air_seconds_count')).toBe(1);
    const longest = after.get('switchboard_dead_air_seconds_sum') ?? 0;
    expect(Math.abs(longest - Math.max(...waits))).toBeLessThan(LATE_SECONDS);
  });

  it('time the bridge in both directions, and the store', () => {
    for (const direction of ['from_callee', 'to_callee']) {
      const timed = after.get(`switchboard_bridge_delay_seconds_count{direction="${direction}"}`) ?? 0;
      expect(timed, direction).toBeGreaterThan(1);
      const sum = after.get(`switchboard_bridge_delay_seconds_sum{direction="${direction}"}`) ?? 0;
      expect(sum / timed, direction).toBeGreaterThan(0);
      expect(sum / timed, direction).toBeLessThan(0.02);
    }
    expect(after.get('switchboard_frame_lateness_seconds_count')).toBe(Math.floor(stream.mediaSent / 100));
    expect(after.get('switchboard_store_pending')).toBe(0);
    expect(after.get('switchboard_store_write_seconds_count')).toBeGreaterThan(ended.lines.length + 3);
  });

  it('carry no id, no number and nothing that anybody said', () => {
    const allowed = /^[a-z_]*$|^[a-z]+(-[a-z]+)*$|^p\d\d$/;
    const outside = [...after.keys()]
      .filter((name) => name.startsWith('switchboard_'))
      .flatMap((name) => [...name.matchAll(/(\w+)="([^"]*)"/g)])
      .filter(([, label, value]) => label !== 'le' && !allowed.test(value ?? ''));
    expect(outside.map(([text]) => text)).toEqual([]);
  });
});

/** Seconds from each end of a turn to the first audio of the reply to it. */
function waitsOf({ sent }: SessionRecord): readonly number[] {
  const waits: number[] = [];
  let stoppedAtMs: number | null = null;
  for (const { type, atMs } of sent) {
    if (type === 'input_audio_buffer.speech_stopped') stoppedAtMs = atMs;
    if (type !== 'response.output_audio.delta' || stoppedAtMs === null) continue;
    waits.push((atMs - stoppedAtMs) / 1_000);
    stoppedAtMs = null;
  }
  return waits;
}
