import { z } from 'zod';
import { clean } from '../../quotation.ts';
import { defineTool } from '../../tool.ts';
import { askBeforeCalling, REACHES_PEOPLE, whom } from '../answer.ts';
import { CHANGING, done, doneShape, extensionSchema, targetSchema } from './answer.ts';

export const makeCall = defineTool({
  ...CHANGING,
  name: 'threecx_make_call',
  title: 'Place a call from an extension',
  description:
    'Has an extension of 3CX call another extension or a number, so that two people talk: its own telephone may ring first. No AI takes part: for that there is trigger-call. Only what 3CX lists and allowed numbers are called, never an emergency number. Returns when 3CX has taken the call, not when it is answered.',
  annotations: REACHES_PEOPLE,
  input: z.strictObject({
    from: extensionSchema.optional().describe('Extension that calls; the default one without it.'),
    to: targetSchema,
    ringSeconds: z.number().int().min(5).max(60).default(30),
  }),
  output: z.object(doneShape),
  audited: ({ from, to }) => ({ from: whom(from), to: whom(to) }),
  async handler({ from, to, ringSeconds }, { threecx, ...context }) {
    const caller = from === undefined ? 'the default extension' : `extension ${clean(from)}`;
    await askBeforeCalling(to, `Call ${clean(to)} from ${caller} now?`, context);
    const outcome = await threecx().makeCall({ from, to, ringSeconds });
    return done(
      outcome,
      'threecx_get_presence shows how the call goes (activeCalls also shows those of extensions that the API client does not list); threecx_drop_call ends it.',
      {},
    );
  },
});
