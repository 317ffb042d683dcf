import { z } from 'zod';
import { defineTool } from '../../tool.ts';
import { ENDS, whom } from '../answer.ts';
import { CHANGING, choiceSchema, done, doneShape, idIn } from './answer.ts';

export const answerCall = defineTool({
  ...CHANGING,
  name: 'threecx_answer_call',
  title: 'Answer a ringing call',
  description:
    'Has the telephone of an extension answer the call that rings there, so that whoever is near it is heard: ask the user first. 3CX can do so only with telephones that let it (canAnswer in threecx_get_presence).',
  annotations: ENDS,
  input: z.strictObject(choiceSchema),
  output: z.object(doneShape),
  audited: ({ extension, participantId }) => ({ extension: whom(extension), participantId: idIn(participantId) }),
  async handler(choice, { threecx }) {
    return done(
      await threecx().answer(choice),
      'threecx_transfer_call, threecx_hold_call and threecx_drop_call go on.',
      {},
    );
  },
});
