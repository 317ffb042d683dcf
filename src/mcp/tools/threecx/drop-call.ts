import { z } from 'zod';
import { UserInputError } from '../../../errors.ts';
import { defineTool } from '../../tool.ts';
import { ENDS, whom } from '../answer.ts';
import { CHANGING, choiceSchema, done, doneShape, idIn, idSchema } from './answer.ts';

export const dropCall = defineTool({
  ...CHANGING,
  name: 'threecx_drop_call',
  title: 'End a call',
  description:
    'Ends a call at once: that of an extension, or any call of the office by its activeCallId. Ask the user first: somebody may be talking.',
  annotations: ENDS,
  input: z.strictObject({
    ...choiceSchema,
    activeCallId: idSchema
      .optional()
      .describe('In place of the two: id of a call from threecx_get_presence with activeCalls.'),
  }),
  output: z.object(doneShape),
  audited: ({ extension, participantId, activeCallId }) => ({
    extension: whom(extension),
    participantId: idIn(participantId),
    activeCallId: idIn(activeCallId),
  }),
  async handler(choice, { threecx }) {
    const isTwice = choice.extension !== undefined || choice.participantId !== undefined;
    if (choice.activeCallId !== undefined && isTwice)
      throw new UserInputError('Give either activeCallId, or extension and participantId.');
    return done(await threecx().drop(choice), 'threecx_get_presence shows what is still up.', {});
  },
});
