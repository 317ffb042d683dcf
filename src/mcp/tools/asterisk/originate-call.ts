import { z } from 'zod';
import { clean } from '../../quotation.ts';
import { defineTool } from '../../tool.ts';
import { askBeforeCalling, REACHES_PEOPLE, told, whom } from '../answer.ts';
import { CHANGING, extensionSchema } from './answer.ts';

export const originateCall = defineTool({
  ...CHANGING,
  name: 'asterisk_originate_call',
  title: 'Connect two telephones',
  description:
    'Rings an extension of the office and, when it is answered, dials another extension or a number for it, so that two people talk. No AI takes part: for that there is trigger-call. Only extensions that are listed and allowed numbers are dialled. Waits until the first has answered or has not.',
  annotations: REACHES_PEOPLE,
  input: z.strictObject({
    from: extensionSchema.describe('Extension that is rung first.'),
    to: z.string().min(1).max(40).describe('Extension, or number with + and its country code.'),
    ringSeconds: z.number().int().min(5).max(40).default(25),
  }),
  output: z.object({
    result: z.enum(['answered', 'no-answer', 'busy', 'failed']),
    from: z.string(),
    dialled: z.string(),
    uniqueId: z.string(),
    message: z.string(),
    next: z.string(),
  }),
  audited: ({ from, to }) => ({ from: whom(from), to: whom(to) }),
  async handler({ from, to, ringSeconds }, { asterisk, ...context }) {
    await askBeforeCalling(to, `Ring ${clean(from)} now, and when it is answered call ${clean(to)} for it?`, context);
    const { result, uniqueId, dialled } = await asterisk().originate({ from, to, ringSeconds });
    const message = {
      answered: `${from} has answered, and ${dialled} is being dialled for it.`,
      'no-answer': `${from} did not answer within ${ringSeconds} seconds, so nothing was dialled.`,
      busy: `${from} is busy, so nothing was dialled.`,
      failed: `${from} could not be rung: most likely no phone is registered for it. Nothing was dialled.`,
    }[result];
    const next =
      result === 'answered'
        ? `asterisk_list_channels shows the call: its linkedId is ${uniqueId}.`
        : 'Ask the user before trying again.';
    return told({ result, from, dialled, uniqueId, message }, message, next);
  },
});
