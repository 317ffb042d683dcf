import { describe, expect, it } from 'vitest';
import { linkedPair } from '../fixtures/mcp-pair.ts';
import { SmallSwitchboard } from '../fixtures/small-switchboard.ts';

const { client } = await linkedPair(new SmallSwitchboard());

async function prompt(name: string, args: Record<string, string>): Promise<string> {
  const { messages } = await client.getPrompt({ name, arguments: args });
  expect(messages).toHaveLength(1);
  const [message] = messages;
  expect(message?.role).toBe('user');
  return message?.content.type === 'text' ? message.content.text : '';
}

const RESERVATION = { restaurantNumber: '+14155550123', peopleNumber: '4', date: 'next Friday', time: '19:30' };

describe('the prompts', () => {
  it('ask for a reservation with the four arguments, and for a language if one likes', async () => {
    const { prompts } = await client.listPrompts();
    const reservation = prompts.find(({ name }) => name === 'make-restaurant-reservation');
    expect(reservation?.arguments?.map(({ name, required }) => [name, required])).toEqual([
      ['restaurantNumber', true],
      ['peopleNumber', true],
      ['date', true],
      ['time', true],
      ['language', false],
    ]);
  });

  it('lead from the call over the waiting to the report', async () => {
    const text = await prompt('make-restaurant-reservation', { ...RESERVATION, language: 'it' });
    const steps = [
      'trigger-call',
      '+14155550123',
      'language "it"',
      'a table for 4 on next Friday at 19:30',
      'wait-for-call',
      'Report',
    ];
    const places = steps.map((step) => text.lastIndexOf(step));
    expect(places.every((place) => place > -1)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('pass a message on, in any language', async () => {
    const text = await prompt('leave-message', {
      toNumber: '+14155550124',
      message: 'Ich komme später.',
      language: 'de',
    });
    expect(text).toContain('The message, with nothing added: Ich komme später.');
    expect(text).toContain('language "de"');
  });

  it('move an appointment, and agree to no time that was not given', async () => {
    const text = await prompt('reschedule-appointment', {
      toNumber: '+14155550125',
      appointment: 'dentist, Monday 9:00, Doe',
      newTimes: 'Tuesday or Wednesday morning',
    });
    expect(text).toContain('dentist, Monday 9:00, Doe');
    expect(text).toContain('best first: Tuesday or Wednesday morning. Agree to no other.');
  });

  it('refuse to be rendered without what they need', async () => {
    const { time: _left, ...rest } = RESERVATION;
    await expect(prompt('make-restaurant-reservation', rest)).rejects.toMatchObject({ code: -32602 });
  });

  it.each([
    ['pt', ['pt', 'pt-BR']],
    ['germ', ['de', 'de-AT', 'de-CH']],
    ['espa', ['es', 'es-MX']],
    ['klingon', []],
  ])('complete the language "%s"', async (value, tags) => {
    for (const name of ['make-restaurant-reservation', 'leave-message', 'reschedule-appointment']) {
      const { completion } = await client.complete({
        ref: { type: 'ref/prompt', name },
        argument: { name: 'language', value },
      });
      for (const tag of tags) expect(completion.values).toContain(tag);
      if (tags.length === 0) expect(completion.values).toEqual([]);
    }
  });
});
