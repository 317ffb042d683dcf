import { expect, it } from 'vitest';
import { openOffice } from './office.ts';

it('finds an uncertain call at the carrier when it can only be its own, and touches none when a stranger has called as well', {
  timeout: 60_000,
}, async () => {
  const office = await openOffice({
    twilio: { knobs: { createAnswer: 'lost', statusWebhooks: 'lost', dialMs: 30_000 } },
  });
  try {
    const { twilio } = office.world;
    const place = async (to: string): Promise<string> => {
      const callId = await office.place({ to });
      await expect.poll(() => office.log.join(''), { timeout: 10_000 }).toMatch(new RegExp(`${callId}.*uncertain`));
      return callId;
    };
    const bound = (callId: string): boolean =>
      office.log.some((line) => line.includes(callId) && line.includes('"note":"bound"'));
    const mine = await place('+14155550123');
    await expect.poll(() => bound(mine), { timeout: 10_000 }).toBe(true);

    const authorization = `Basic ${Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString('base64')}`;
    await fetch(`${twilio.baseUrl}/2010-04-01/Accounts/${twilio.accountSid}/Calls.json`, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({ To: '+14155550124', From: twilio.number, Url: 'http://127.0.0.1:9/strange' }),
    }).catch(() => undefined);
    const other = await place('+14155550124');
    await expect.poll(() => office.log.join(''), { timeout: 10_000 }).toMatch(new RegExp(`${other}.*none is touched`));
    expect(bound(other)).toBe(false);
    expect(twilio.calls.filter(({ isOver }) => !isOver)).toHaveLength(3);
  } finally {
    await office.close();
  }
});
