import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EndedCall, type Office, openOffice } from './office.ts';
import { AGREES } from './short-calls.ts';

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly callId?: string;
  readonly state?: string;
  readonly [field: string]: unknown;
}

const INFO = 30;
const NUMBERS = ['+14155550123', '+14155550124'] as const;
const BRIEF = 'Book a table for two under the name Carter.';

describe('the log of two calls at once', () => {
  let office: Office;
  let calls: readonly EndedCall[];
  /** From the first call's placing on. */
  let log: readonly LogLine[];
  const of = ({ callId }: EndedCall): readonly LogLine[] => log.filter((line) => line.callId === callId);

  beforeAll(async () => {
    office = await openOffice({ scenario: 'reservation', script: AGREES, ringMs: 100 });
    const startedAt = office.log.length;
    const ids = await Promise.all(NUMBERS.map((to) => office.place({ to, context: BRIEF })));
    calls = await Promise.all(ids.map((callId) => office.ended(callId)));
    log = office.log.slice(startedAt).map((line) => JSON.parse(line));
  }, 60_000);

  afterAll(() => office?.close());

  it('has the id of its call on every line', () => {
    expect(log.length).toBeGreaterThan(20);
    const known = calls.map(({ callId }) => callId);
    expect(log.filter(({ callId }) => !known.some((id) => id === callId))).toEqual([]);
  });

  it('tells an ordinary call in three lines at info: placed, answered, ended with outcome, lengths and counts', () => {
    for (const call of calls) {
      const told = of(call).filter(({ level }) => level >= INFO);
      expect(told.map(({ msg }) => msg)).toEqual(['call placed', 'call answered', 'call ended']);
      const [placed, answered, ended] = told;
      expect(placed).toMatchObject({ carrier: 'twilio', simulated: true });
      expect(answered?.afterMs).toBeGreaterThanOrEqual(100);
      expect(ended).toMatchObject({
        outcome: 'completed',
        lines: call.lines.length,
        interruptions: 0,
        replies: call.lines.filter(({ speaker }) => speaker === 'agent').length,
        modelSessions: 1,
      });
      const stored = Number(call.endedAtMs) - Number(call.answeredAtMs);
      expect(Math.abs(Number(ended?.talkMs) - stored)).toBeLessThan(250);
      expect(Number(ended?.durationMs)).toBeGreaterThan(Number(ended?.talkMs));
    }
  });

  it('shows each change of state at debug, and nothing for every frame', () => {
    for (const call of calls) {
      const states = of(call).flatMap(({ state }) => (state === undefined ? [] : [state]));
      expect(states).toEqual(['dialling', 'ringing', 'answered', 'ending', 'ended']);
      expect(of(call).length).toBeLessThan(60);
    }
  });

  it('repeats no number, no brief and no word that was said', () => {
    const text = JSON.stringify(log);
    const said = calls.flatMap(({ lines }) => lines.map((line) => line.text));
    expect(said.length).toBeGreaterThan(3);
    const secret = [...said, ...NUMBERS, BRIEF, office.world.settings.twilioAuthToken];
    expect(secret.filter((one) => text.includes(one))).toEqual([]);
    expect(text).not.toContain('4155550');
  });
});
