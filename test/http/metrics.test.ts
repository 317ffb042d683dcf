import { afterEach, describe, expect, it } from 'vitest';
import { NO_USAGE } from '../../src/call/words.ts';
import { createMetrics, type Metrics } from '../../src/http/metrics.ts';
import { parseExposition, type Scrape } from '../fixtures/exposition.ts';

const made: Metrics[] = [];
afterEach(() => {
  for (const metrics of made.splice(0)) metrics.close();
});

function newMetrics(): Metrics {
  const metrics = createMetrics({ simulated: false, processFigures: false });
  made.push(metrics);
  return metrics;
}

const read = async (metrics: Metrics): Promise<Scrape> => parseExposition(await metrics.text());

describe('the registry', () => {
  it('counts frames that were added to its tally, and none of them twice', async () => {
    const metrics = newMetrics();
    metrics.meter.frames.from_callee += 70;
    const name = 'switchboard_frames_total{direction="from_callee"}';
    expect((await read(metrics)).get(name)).toBe(70);
    expect((await read(metrics)).get(name)).toBe(70);
    metrics.meter.frames.from_callee += 5;
    expect((await read(metrics)).get(name)).toBe(75);
    expect((await read(newMetrics())).get(name)).toBe(0);
  });

  it('takes a figure that is none for nothing, and throws at none', async () => {
    const { meter, ...metrics } = newMetrics();
    for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      meter.discarded(wrong);
      meter.truncated(wrong);
      meter.responded('turn_end', wrong);
      meter.callEnded('error', wrong);
      meter.used({ ...NO_USAGE, inputTextTokens: wrong, transcribedMs: wrong });
      meter.spent({ model: wrong, transcription: null, carrier: 0, stream: 0, recording: 0 });
    }
    const scrape = parseExposition(await metrics.text());
    expect(scrape.get('switchboard_truncated_audio_seconds_total')).toBe(0);
    expect(scrape.get('switchboard_tokens_total{kind="input_text"}')).toBe(0);
    expect(scrape.get('switchboard_cost_dollars_total{part="model"}')).toBe(0);
    expect(scrape.get('switchboard_unpriced_calls_total{part="transcription"}')).toBe(3);
  });

  it('shows a stop of the event loop at the next scrape, and not at the one after', async () => {
    const metrics = newMetrics();
    const worst = async () =>
      (await read(metrics)).get('switchboard_event_loop_delay_seconds{percentile="max"}') ?? Number.NaN;
    await new Promise((resolve) => setTimeout(resolve, 30));
    const until = performance.now() + 300;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const stopped = await worst();
    expect(stopped).toBeGreaterThan(0.25);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await worst()).toBeLessThan(stopped);
  });

  it('knows how many writes are on their way', async () => {
    const metrics = newMetrics();
    const [first, second] = [metrics.meter.storing(), metrics.meter.storing()];
    first();
    expect((await read(metrics)).get('switchboard_store_pending')).toBe(1);
    second();
    const after = await read(metrics);
    expect(after.get('switchboard_store_pending')).toBe(0);
    expect(after.get('switchboard_store_write_seconds_count')).toBe(2);
  });
});
