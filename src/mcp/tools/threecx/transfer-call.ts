import { z } from 'zod';
import { UserInputError } from '../../../errors.ts';
import type { TransferRequest } from '../../../pbx/threecx/operations.ts';
import { short } from '../../audit.ts';
import { clean } from '../../quotation.ts';
import { defineTool } from '../../tool.ts';
import { askBeforeCalling, REACHES_PEOPLE, whom } from '../answer.ts';
import { CHANGING, choiceSchema, done, doneShape, idIn, idSchema, targetSchema } from './answer.ts';

const input = z.strictObject({
  ...choiceSchema,
  mode: z.enum(['blind', 'consult', 'complete', 'cancel']),
  to: targetSchema.optional().describe('Extension, or number with + and its country code. Not for cancel.'),
  consultId: idSchema.optional().describe('For complete and cancel: participantId of the answer to consult.'),
});

export const transferCall = defineTool({
  ...CHANGING,
  name: 'threecx_transfer_call',
  title: 'Transfer a call',
  description:
    'Hands a call of an extension over. blind: at once. Attended, in two steps: consult calls the target first, from the same extension, while the telephone itself holds the caller; then complete hands the caller over, or cancel ends the consultation. 3CX cannot join two calls: complete ends the consultation, and the target’s telephone rings once more for the caller, who comes back if nobody answers. Ask the user first.',
  annotations: REACHES_PEOPLE,
  input,
  output: z.object(doneShape),
  audited: ({ mode, extension, participantId, to, consultId }) => ({
    mode: short(mode),
    extension: whom(extension),
    participantId: idIn(participantId),
    to: whom(to),
    consultId: idIn(consultId),
  }),
  async handler(args, { threecx, ...context }) {
    const request = requestOf(args);
    if (request.mode !== 'cancel') {
      const to = clean(request.to);
      const question = request.mode === 'consult' ? `Call ${to} now?` : `Transfer the call to ${to} now?`;
      await askBeforeCalling(request.to, question, context);
    }
    const outcome = await threecx().transfer(request);
    const consultId = args.mode === 'consult' ? outcome.call?.participantId : undefined;
    const next =
      consultId === undefined
        ? 'threecx_get_presence shows who is on a call now.'
        : `When they have talked: this tool with mode complete and the same to, or mode cancel; consultId ${consultId}.`;
    return done(outcome, next, {});
  },
});

/** @throws UserInputError when it is not told which consultation is meant, or when there is none to tell */
function requestOf({ mode, to, consultId, ...choice }: z.output<typeof input>): TransferRequest {
  const target = (): string => {
    if (to === undefined) throw new UserInputError(`For ${mode} say to whom.`);
    return to;
  };
  if (mode === 'blind' || mode === 'consult') {
    if (consultId !== undefined)
      throw new UserInputError(`consultId goes with complete and cancel; leave it out for ${mode}.`);
    return { ...choice, mode, to: target() };
  }
  if (consultId === undefined)
    throw new UserInputError(`For ${mode} give consultId: the participantId that consult answered with.`);
  return mode === 'cancel' ? { ...choice, mode, consultId } : { ...choice, mode, to: target(), consultId };
}
