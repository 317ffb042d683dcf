/** A line of a call over the real client and a simulated 3CX, with all that it tells. */
import { expect, onTestFinished } from 'vitest';
import type { CarrierEvent } from '../../../src/call/events.ts';
import type { CallId } from '../../../src/call/words.ts';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { answers, noise, Probe, TO } from '../../contracts/carrier-probe.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { openRig, type Rig, type RigOptions } from './rig.ts';

export const CALLER = '+14155550177';
export const NEVER = { kind: 'never' } as const;
export const speech = noise(8 * 300, 1);

/** Closed when the test is over, which fails when 3CX was asked for what it does not want. */
export async function open(options: RigOptions = {}): Promise<Rig> {
  const rig = await openRig(options);
  onTestFinished(async () => {
    await rig.stop();
    expect(rig.pbx.violations).toEqual([]);
  });
  return rig;
}

export function asked({ pbx }: Rig, path: RegExp): number {
  return pbx.requests.filter((one) => one.method === 'POST' && path.test(one.path)).length;
}

/** A line and all that it tells. */
export function follow(carrier: Carrier) {
  const events: CarrierEvent[] = [];
  const line = carrier.line({
    callId: 'call-1' as CallId,
    emit: (event) => {
      events.push(event);
      if (event.type === 'carrier.streamFailed') line.redirect({ plan: 'reattach' });
    },
    hear: () => undefined,
  });
  const told = (): readonly string[] =>
    events.map((event) =>
      'status' in event ? event.status : 'outcome' in event ? `${event.type} ${event.outcome}` : event.type,
    );
  return { line, events, told, until: (what: string) => until(() => told().includes(what), 15_000) };
}

export function dial(carrier: Carrier, to = TO, ringMs = 20_000) {
  const call = follow(carrier);
  call.line.dial({ to, ringMs, maxMs: 60_000 });
  return call;
}

/** A call up to its audio. */
export async function talk(options: RigOptions = {}) {
  const probe = new Probe();
  const rig = await open({ answer: (to) => (to === TO ? answers(probe) : NEVER), ...options });
  const call = dial(rig.carrier);
  await call.until('carrier.streamStarted');
  return { rig, probe, call };
}
