import { describe, expect, it } from 'vitest';
import { DelayLine, type DelayLineOptions } from '../../../src/simulator/network/delay-line.ts';
import { openLink, roundTrip } from '../../../src/simulator/network/network.ts';

/** Sends `count` numbered parcels, a few milliseconds apart when `everyMs` is given, and answers when each arrived. */
async function arrivals(options: DelayLineOptions, count: number, everyMs = 0) {
  const line = new DelayLine(options);
  const seen: { readonly parcel: number; readonly tookMs: number; readonly atMs: number }[] = [];
  await new Promise<void>((resolve) => {
    const post = (parcel: number) => {
      const sentMs = performance.now();
      line.send(() => {
        const atMs = performance.now();
        seen.push({ parcel, tookMs: atMs - sentMs, atMs });
        if (seen.length === count) resolve();
      });
      if (parcel + 1 === count) return;
      if (everyMs > 0) setTimeout(() => post(parcel + 1), everyMs);
      else post(parcel + 1);
    };
    post(0);
  });
  return seen;
}

describe('DelayLine', () => {
  it('hands over at once when there is no delay', () => {
    const line = new DelayLine();
    const seen: number[] = [];
    line.send(() => seen.push(1));
    line.send(() => seen.push(2));
    expect(seen).toEqual([1, 2]);
  });

  it.each([20, 125])('delivers no parcel before %i ms', async (delayMs) => {
    for (const { tookMs } of await arrivals({ delayMs }, 20, 2)) expect(tookMs).toBeGreaterThanOrEqual(delayMs);
  });

  it('keeps the order whatever the jitter', async () => {
    const seen = await arrivals({ delayMs: 5, jitterMs: 60, seed: 7 }, 200);
    expect(seen.map((one) => one.parcel)).toEqual(seen.map((_, i) => i));
  });

  it('holds everything during a stall and then delivers it in one burst', async () => {
    const seen = await arrivals({ stalls: { everyMs: 60, forMs: 80 }, seed: 3 }, 60, 4);
    expect(seen.map((one) => one.parcel)).toEqual(seen.map((_, i) => i));
    expect(Math.max(...seen.map((one) => one.tookMs))).toBeGreaterThan(50);
    const bursts = seen.filter((one, i) => i > 0 && one.atMs - (seen[i - 1]?.atMs ?? 0) < 1);
    expect(bursts.length).toBeGreaterThan(5);
  });

  it('bunches arrivals', async () => {
    const seen = await arrivals({ burstMs: 50 }, 40, 3);
    const bunched = seen.filter((one, i) => i > 0 && one.atMs - (seen[i - 1]?.atMs ?? 0) < 1);
    expect(bunched.length).toBeGreaterThan(20);
  });

  it('forgets what is under way when it is cut', async () => {
    const line = new DelayLine({ delayMs: 20 });
    let delivered = 0;
    line.send(() => {
      delivered += 1;
    });
    expect(line.underWay).toBe(1);
    line.cut();
    line.send(() => {
      delivered += 1;
    });
    await arrivals({ delayMs: 40 }, 1);
    expect([delivered, line.underWay]).toEqual([0, 0]);
  });
});

describe('openLink', () => {
  it('delays up and down apart, half of the round trip each', async () => {
    const link = openLink(roundTrip(80));
    const sentMs = performance.now();
    const tookMs = await new Promise<number>((resolve) => {
      link.up.send(() => link.down.send(() => resolve(performance.now() - sentMs)));
    });
    expect(tookMs).toBeGreaterThanOrEqual(80);
    const oneWay = openLink({ up: { delayMs: 0 }, down: { delayMs: 30 } });
    let up = false;
    oneWay.up.send(() => {
      up = true;
    });
    expect(up).toBe(true);
    oneWay.cut();
  });
});
