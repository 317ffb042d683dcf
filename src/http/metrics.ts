/** The figures of this process in the text form that Prometheus reads. The one file that knows `prom-client`. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CostParts } from '../call/cost.ts';
import { CALL_STATES, type CallState, OUTCOMES, type Usage } from '../call/words.ts';
import { CARRIER_ERRORS, DIRECTIONS, type Meter, MODEL_ERRORS, RESPONSE_STARTS } from '../switchboard/meter.ts';

export interface Metrics {
  readonly meter: Meter;
  readonly contentType: string;
  /** Everything in the text exposition format of Prometheus, 0.0.4. */
  text(): Promise<string>;
  /** Name, kind, help and labels of every metric of ours, in the order in which they are shown. */
  describe(): Promise<readonly MetricDescription[]>;
  /** Whom to ask, at each scrape, what the live calls have cost so far; US dollars. */
  watchCost(ask: () => Promise<number>): void;
  close(): void;
}

export interface MetricDescription {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Label name → all of its values; buckets are left out. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly buckets: readonly number[];
}

/** By the field of the usage. What was cached is part of the input. */
const TOKEN_KINDS = {
  inputTextTokens: 'input_text',
  inputAudioTokens: 'input_audio',
  cachedTextTokens: 'cached_text',
  cachedAudioTokens: 'cached_audio',
  outputTextTokens: 'output_text',
  outputAudioTokens: 'output_audio',
  transcriptionInputTokens: 'transcription_input',
  transcriptionOutputTokens: 'transcription_output',
} as const satisfies Record<Exclude<keyof Usage, 'transcribedMs'>, string>;

const COST_PARTS: readonly (keyof CostParts)[] = ['model', 'transcription', 'carrier', 'stream', 'recording'];
const LIVE_STATES = CALL_STATES.filter((state): state is Exclude<CallState, 'ended'> => state !== 'ended');
const LOOP_RESOLUTION_MS = 10;
const COST_WAIT_MS = 500;
const PERCENTILES = { p50: 50, p90: 90, p99: 99, max: 100 } as const;

const BRIDGE_BUCKETS = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];
const LATE_BUCKETS = [0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1, 2, 5];
const ANSWER_BUCKETS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 6, 10, 20];
const SPEECH_BUCKETS = [0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30];
const TALK_BUCKETS = [5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200];
const STORE_BUCKETS = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

export interface MetricsOptions {
  /** The simulators are in play. */
  readonly simulated: boolean;
  /** With those of Node and the process; the default. */
  readonly processFigures?: boolean;
}

/** Makes a registry of its own, so that two servers in one process do not share figures. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const meter = createMeter(registry);
  new Gauge({
    name: 'switchboard_simulated',
    help: '1 when the telephone and the model are simulated, so that none of these figures is of a real call.',
    registers: [registry],
  }).set(options.simulated ? 1 : 0);
  let askCost = (): Promise<number> => Promise.resolve(0);
  new Gauge({
    name: 'switchboard_live_cost_dollars',
    help: 'What the calls that have not ended have cost so far by the price table, in US dollars.',
    registers: [registry],
    async collect() {
      // The other figures are not kept back by a store that is slow or in trouble: then it is the last value that is shown.
      const cost = await Promise.race([askCost().catch(() => null), sleep(COST_WAIT_MS, null, { ref: false })]);
      if (cost !== null) this.set(amount(cost));
    },
  });
  const loop = watchEventLoop(registry);
  if (options.processFigures ?? true) collectDefaultMetrics({ register: registry });
  return {
    meter,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    watchCost: (ask) => {
      askCost = ask;
    },
    describe: () => describe(registry),
    close: () => {
      loop.disable();
      registry.clear();
    },
  };
}

function createMeter(registry: Registry): Meter {
  const counter = counters(registry);
  const histogram = histograms(registry);
  const live = new Gauge({
    name: 'switchboard_calls_live',
    help: 'Calls that have not ended, by state.',
    labelNames: ['state'],
    registers: [registry],
  });
  for (const state of LIVE_STATES) live.set({ state }, 0);
  const pending = new Gauge({
    name: 'switchboard_store_pending',
    help: 'Writes of calls that are not on disk yet.',
    registers: [registry],
  });
  return {
    frames: counter.frames,
    callPlaced: () => counter.placed.inc(),
    stateChanged: (from, to) => {
      if (from) live.dec({ state: from });
      if (to) live.inc({ state: to });
    },
    callEnded: (outcome, talkSeconds) => {
      counter.ended.inc({ outcome });
      if (talkSeconds !== null) histogram.talk.observe(amount(talkSeconds));
    },
    bridged: (direction, seconds) => histogram.bridge.observe({ direction }, amount(seconds)),
    frameCame: (lateSeconds) => histogram.late.observe(amount(lateSeconds)),
    responded: (since, seconds) => histogram.response.observe({ since }, amount(seconds)),
    longestWait: (seconds) => histogram.wait.observe(amount(seconds)),
    interrupted: () => counter.interruptions.inc(),
    truncated: (heardSeconds) => histogram.truncation.observe(amount(heardSeconds)),
    discarded: (seconds) => counter.discarded.inc(amount(seconds)),
    modelFailed: (kind) => counter.modelErrors.inc({ kind }),
    modelRenewed: () => counter.renewed.inc(),
    carrierFailed: (kind) => counter.carrierErrors.inc({ kind }),
    used: (usage) => {
      for (const [field, kind] of Object.entries(TOKEN_KINDS))
        counter.tokens.inc({ kind }, amount(usage[field as keyof Usage]));
      counter.transcribed.inc(amount(usage.transcribedMs / 1_000));
    },
    spent: (parts) => {
      for (const part of COST_PARTS) {
        const dollars = parts[part];
        if (dollars === null) counter.unpriced.inc({ part });
        else counter.cost.inc({ part }, amount(dollars));
      }
    },
    storing: () => {
      pending.inc();
      const stop = histogram.store.startTimer();
      return () => {
        pending.dec();
        stop();
      };
    },
  };
}

/** The library throws at a figure that is none, and a figure is not worth a call. */
function amount(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

/** Every value of a label is there from the start, at 0: a rate over what has never happened is 0, not nothing. */
function counters(registry: Registry) {
  const count = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
  const countBy = <Label extends string>(name: string, help: string, label: Label, values: readonly string[]) => {
    const made = new Counter<Label>({ name, help, labelNames: [label], registers: [registry] });
    for (const value of values) made.inc({ [label]: value } as Record<Label, string>, 0);
    return made;
  };
  const frames = { from_callee: 0, to_callee: 0 };
  const told = { from_callee: 0, to_callee: 0 };
  const placed = count('switchboard_calls_placed_total', 'Calls that were placed, whatever became of them.');
  const ended = countBy('switchboard_calls_ended_total', 'Calls that ended, by outcome.', 'outcome', OUTCOMES);
  new Counter({
    name: 'switchboard_frames_total',
    help: "Pieces of audio that were passed on: the callee's as they came (20 ms each with Twilio), the agent's as the model sent them.",
    labelNames: ['direction'],
    registers: [registry],
    collect() {
      for (const direction of DIRECTIONS) {
        this.inc({ direction }, frames[direction] - told[direction]);
        told[direction] = frames[direction];
      }
    },
  });
  return {
    frames,
    placed,
    ended,
    interruptions: count(
      'switchboard_interruptions_total',
      'Times that the callee spoke over the agent, which then stopped.',
    ),
    discarded: count(
      'switchboard_truncated_audio_seconds_total',
      'Audio of the agent that was never heard, because it was interrupted or the line was gone.',
    ),
    modelErrors: countBy(
      'switchboard_model_errors_total',
      'Failures of model sessions and of replies, by kind.',
      'kind',
      MODEL_ERRORS,
    ),
    renewed: count(
      'switchboard_model_sessions_renewed_total',
      'Model sessions that took over from an earlier one of the call.',
    ),
    carrierErrors: countBy(
      'switchboard_carrier_errors_total',
      'Failures between us and the carrier, by kind.',
      'kind',
      CARRIER_ERRORS,
    ),
    tokens: countBy(
      'switchboard_tokens_total',
      'Tokens as the model counted them, by kind; the cached ones are part of the input.',
      'kind',
      Object.values(TOKEN_KINDS),
    ),
    cost: countBy(
      'switchboard_cost_dollars_total',
      'What calls that ended cost by the price table, in US dollars; an estimate of the bills.',
      'part',
      COST_PARTS,
    ),
    unpriced: countBy(
      'switchboard_unpriced_calls_total',
      'Calls that used something whose price is not known, so that it is missing from the cost.',
      'part',
      COST_PARTS,
    ),
    transcribed: count(
      'switchboard_transcribed_seconds_total',
      'Speech of callees that was written down, where the model counts its length instead of tokens.',
    ),
  };
}

function histograms(registry: Registry) {
  const observe = (name: string, help: string, buckets: readonly number[]) =>
    new Histogram({ name, help, buckets: [...buckets], registers: [registry] });
  const observeBy = <Label extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    label: Label,
    values: readonly string[],
  ) => {
    const made = new Histogram<Label>({
      name,
      help,
      buckets: [...buckets],
      labelNames: [label],
      registers: [registry],
    });
    for (const value of values) made.zero({ [label]: value } as Record<Label, string>);
    return made;
  };
  return {
    bridge: observeBy(
      'switchboard_bridge_delay_seconds',
      'From when a piece of audio has been read to when it was handed to the other socket; one frame in 100 and one chunk of the model in 10 is timed.',
      BRIDGE_BUCKETS,
      'direction',
      DIRECTIONS,
    ),
    late: observe(
      'switchboard_frame_lateness_seconds',
      "How much later a frame of the callee came, by the carrier's own clock, than the promptest one lately: the network's jitter and our own; one in 100.",
      LATE_BUCKETS,
    ),
    response: observeBy(
      'switchboard_first_response_seconds',
      "From the end of the callee's turn to the first audio of the reply: since the model said that it was over, or since the callee had stopped speaking (earlier by the silence that ends a turn).",
      ANSWER_BUCKETS,
      'since',
      RESPONSE_STARTS,
    ),
    wait: observe(
      'switchboard_dead_air_seconds',
      'The longest that the callee of a call waited for a reply that was due; once a call.',
      ANSWER_BUCKETS,
    ),
    truncation: observe(
      'switchboard_truncation_heard_seconds',
      'How much of an interrupted item the model was told that the callee had heard.',
      SPEECH_BUCKETS,
    ),
    talk: observe(
      'switchboard_talk_seconds',
      'From the answer to the end of a call; calls that nobody answered are left out.',
      TALK_BUCKETS,
    ),
    store: observe(
      'switchboard_store_write_seconds',
      'From when something of a call was given to the store to when it was on disk or refused.',
      STORE_BUCKETS,
    ),
  };
}

/** Since the last time that somebody asked. */
function watchEventLoop(registry: Registry) {
  const delays = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  delays.enable();
  new Gauge({
    name: 'switchboard_event_loop_delay_seconds',
    help: 'How late the event loop came to its work since the last scrape, by percentile; max is the worst.',
    labelNames: ['percentile'],
    registers: [registry],
    collect() {
      for (const [percentile, percent] of Object.entries(PERCENTILES)) {
        // Node measures from one of its ticks to the next; only what goes beyond the tick is delay.
        const betweenMs = delays.count === 0 ? LOOP_RESOLUTION_MS : delays.percentile(percent) / 1e6;
        this.set({ percentile }, Math.max(0, betweenMs - LOOP_RESOLUTION_MS) / 1_000);
      }
      delays.reset();
    },
  });
  return delays;
}

async function describe(registry: Registry): Promise<readonly MetricDescription[]> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics
    .filter(({ name }) => name.startsWith('switchboard_'))
    .map(({ name, type, help, values }) => {
      const pairs = values.flatMap((value) => Object.entries(value.labels));
      const of = (label: string) => [
        ...new Set(pairs.filter(([key]) => key === label).map(([, value]) => String(value))),
      ];
      const names = [...new Set(pairs.map(([key]) => key))].filter((key) => key !== 'le');
      return {
        name,
        type: String(type) as MetricDescription['type'],
        help,
        labels: Object.fromEntries(names.map((label) => [label, of(label)])),
        buckets: of('le').map(Number).filter(Number.isFinite),
      };
    });
}
