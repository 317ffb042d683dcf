import { z } from 'zod';
import { UserInputError } from '../../../errors.ts';
import { short } from '../../audit.ts';
import { defineTool } from '../../tool.ts';
import { whom } from '../answer.ts';
import { CHANGING, choiceSchema, done, doneShape, idIn } from './answer.ts';

export const holdCall = defineTool({
  ...CHANGING,
  name: 'threecx_hold_call',
  title: 'Hold a call by parking it',
  description:
    'Parks a call of an extension, or takes a parked one back. 3CX has no way to press the hold key: hold moves the caller to a parking place (slot), where anyone in the office can take them; resume has the extension call that place. Ask the user first.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({
    ...choiceSchema,
    action: z.enum(['hold', 'resume']),
    slot: z
      .string()
      .min(1)
      .max(20)
      .optional()
      .describe('Parking place of 3CX. hold: one that looks free without it. resume: the one that hold answered with.'),
  }),
  output: z.object({ slot: z.string(), ...doneShape }),
  audited: ({ action, extension, participantId, slot }) => ({
    action: short(action),
    extension: whom(extension),
    participantId: idIn(participantId),
    slot: short(slot),
  }),
  async handler({ action, slot, ...choice }, { threecx }) {
    if (action === 'hold') {
      const outcome = await threecx().hold({ ...choice, slot });
      const next = `The action resume with the slot ${outcome.slot} takes back who waits there.`;
      return done(outcome, next, { slot: outcome.slot });
    }
    if (slot === undefined)
      throw new UserInputError('For resume give slot: the parking place that hold answered with.');
    if (choice.participantId !== undefined)
      throw new UserInputError('resume takes what waits in the slot; leave participantId out.');
    const outcome = await threecx().resume({ extension: choice.extension, slot });
    return done(outcome, 'threecx_get_presence shows whether the caller is back.', { slot });
  },
});
