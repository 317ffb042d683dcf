import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { CALLERS_NAMES, firstOf, told } from '../answer.ts';
import { READING } from './answer.ts';

export const suggestSpamNumbers = defineTool({
  ...READING,
  name: 'voipms_suggest_spam_numbers',
  title: 'Suggest spam numbers',
  description:
    'Numbers whose calls of the last days look like spam, with a score (0 to 100) and its reasons. Numbers of the phonebook and those that are filtered already are left out. It is a guess out of call records alone: let the user decide about each. Changes nothing.',
  input: z.strictObject({
    days: z.number().int().min(1).max(366).default(30),
    limit: z.number().int().min(1).max(50).default(20),
  }),
  output: z.object({
    days: z.number(),
    suggestions: z.array(
      z.object({
        number: z.string(),
        score: z.number(),
        reasons: z.array(z.string()),
        calls: z.number(),
        lastCallAt: z.string(),
      }),
    ),
    caution: z.string(),
    next: z.string(),
  }),
  async handler({ days, limit }, { voipms }) {
    const found = await voipms().suggestSpam({ days, limit });
    const { shown } = firstOf(
      found.map((one) => ({ ...one, reasons: [...one.reasons] })),
      limit,
    );
    return told(
      { days, suggestions: shown, caution: CALLERS_NAMES },
      shown.length === 0
        ? `No number of the last ${days} days looks like spam.`
        : `${shown.length} numbers, the likeliest first.`,
      'Ask the user about each; voipms_inspect_number tells more, voipms_mark_number_as_spam marks one.',
    );
  },
});
